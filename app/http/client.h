/* client.h - the settings of leat/client.h.
 *
 * Use (service.c, once):
 *     char fault[CLIENT_FAULT_SIZE];
 *     if (!client_setup(settings.trusted_proxies, FORWARDED_X_FOR, 16, fault)) ...
 *
 * Ownership:      what is kept is the process's.
 * Thread-safety:  set up before any other thread exists.
 * Errors:         false with a sentence that names the entry.
 */
#ifndef APP_HTTP_CLIENT_H
#define APP_HTTP_CLIENT_H

#include <leat/result.h>
#include <stdbool.h>

#include "http/forwarded.h"

enum { CLIENT_NETWORKS_MAX = 512, CLIENT_FAULT_SIZE = 256 };

/* 'hops_max': addresses that are read of a request's header. */
bool client_setup(const char *trusted, enum forwarded_form form, unsigned hops_max,
		  char fault[CLIENT_FAULT_SIZE]) LEAT_MUST_USE;

#endif
