/* origin.h - lists of origins: which of them an origin is. Asked by cors.c.
 *
 * Use:
 *     const char *list = "https://shop.example.org http://localhost:5173";
 *     const char *fault = origin_list_fault(list);
 *     if (!fault && origin_list_has(list, origin)) ...
 *
 * What the words of a list may be is told in leat/cors.h. Origins are compared byte by byte, as browsers write them (HTML Standard 7.1.1).
 *
 * Ownership:      a fault lies in memory of this file until the next call of the thread.
 * Thread-safety:  any thread.
 * Errors:         origin_list_fault says what is wrong.
 */
#ifndef APP_HTTP_ORIGIN_H
#define APP_HTTP_ORIGIN_H

#include <leat/text.h>
#include <stdbool.h>

/* Whether the list is "*". */
bool origin_list_has_all(const char *list);

/* Never "null", and no origin that is not written as browsers do it. 'list' has no fault. */
bool origin_list_has(const char *list, leat_text origin);

const char *origin_list_fault(const char *list);

#endif
