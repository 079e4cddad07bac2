/* media_type.h - what a file holds, by its name's ending.
 *
 * Use:
 *     const char *type = media_type_of(LEAT_TEXT_OF("reports/2026.csv"));   -- "text/csv; charset=utf-8"
 *
 * Ownership:      the type is static.
 * Thread-safety:  any thread.
 * Errors:         "application/octet-stream" for what is not in the table.
 */
#ifndef APP_HTTP_MEDIA_TYPE_H
#define APP_HTTP_MEDIA_TYPE_H

#include <leat/text.h>

const char *media_type_of(leat_text path);

#endif
