/* http_date.h - dates as HTTP has them (RFC 9110 5.6.7), in whole seconds.
 *
 * Use:
 *     char text[HTTP_DATE_LEN];
 *     http_date_write(text, us);                           -- "Sun, 06 Nov 1994 08:49:37 GMT"
 *     if (!http_date_read(value, now_us, &us)) ...
 *
 * Times are microseconds since 1970, as in base/calendar.h, and in its years.
 *
 * Ownership:      nothing to own. No NUL is written.
 * Thread-safety:  any thread.
 * Errors:         reading is false for what is none of the three forms, and for days and hours that do not exist. Whether the day of the week
 *                 is right nobody looks.
 */
#ifndef APP_HTTP_HTTP_DATE_H
#define APP_HTTP_HTTP_DATE_H

#include <leat/text.h>
#include <stdbool.h>
#include <stdint.h>

enum { HTTP_DATE_LEN = 29 };

/* IMF-fixdate; of a time that calendar_holds. */
void http_date_write(char out[HTTP_DATE_LEN], int64_t us);

/* Any of the three forms, in the very letters of the RFC. A year of two digits is the one of the last fifty years or the next fifty, seen from 'now_us'. A
 * leap second is the second after it. */
bool http_date_read(leat_text text, int64_t now_us, int64_t *ret_us) __attribute__((warn_unused_result));

#endif
