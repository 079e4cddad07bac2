/* logtext.h - what log lines are made of: the time, and texts that stay on their line.
 *
 * Use:
 *     at += logtext_time(at, clock_wall_ns());
 *     at += logtext_escape(at, 2048, path, LOGTEXT_JSON, &is_cut);
 *
 * Ownership:      nothing to own; bytes go where the caller says. No NUL is written.
 * Thread-safety:  any thread.
 * Errors:         none; what does not fit is cut, never inside a character or an escape.
 */
#ifndef APP_BASE_LOGTEXT_H
#define APP_BASE_LOGTEXT_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "2026-11-23T21:00:00.123Z": RFC 3339, UTC, milliseconds. */
enum { LOGTEXT_TIME_SIZE = 24 };

/* Writes LOGTEXT_TIME_SIZE bytes for nanoseconds since 1970; years 1970 to 9999. */
size_t logtext_time(char *out, int64_t wall_ns);

enum logtext_form {
	LOGTEXT_PLAIN, /* bytes that cannot stand as they are become \xHH */
	LOGTEXT_JSON,  /* the inside of a JSON string (RFC 8259 7): they, " and \ become \u00HH */
};

/* Writes at most 'size' bytes. Valid UTF-8 stands as it is; control characters (C0, DEL, C1) and bytes that are no
 * UTF-8 are escaped byte by byte, so a stray 0xE9 reads \u00e9. ret_is_cut may be NULL. */
size_t logtext_escape(char *out, size_t size, leat_text text, enum logtext_form form, bool *ret_is_cut);

#endif
