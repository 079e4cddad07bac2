/* process.h - the service's processes: what serve does, from sockets to threads.
 *
 * Use (service.c):
 *     return process_serve(service, &settings);
 *
 * Ownership:      service and settings are the caller's and outlive the call.
 * Thread-safety:  the main thread, before any other exists.
 * Errors:         returns the exit status: 0 after a clean stop, 1 with a line in the log.
 */
#ifndef APP_PROCESS_H
#define APP_PROCESS_H

#include <leat/service.h>

struct settings;

int process_serve(const struct leat_service *service, const struct settings *settings);

#endif
