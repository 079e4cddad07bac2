/* breaker_print.h - the program's circuit breakers and their rules, for people: `NAME breakers`.
 *
 * Use (service.c):
 *     breakers_print(stdout);
 *
 * Ownership:      nothing to own.
 * Thread-safety:  the main thread.
 * Errors:         none of its own; the caller looks at the stream.
 */
#ifndef APP_GUARD_BREAKER_PRINT_H
#define APP_GUARD_BREAKER_PRINT_H

#include <stdio.h>

void breakers_print(FILE *out);

#endif
