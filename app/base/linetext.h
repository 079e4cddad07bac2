/* linetext.h - a line of text made where nothing may be allocated and no stdio used: in signal handlers.
 *
 * Use:
 *     struct linetext line = { 0 };
 *     linetext_add(&line, "signal ");
 *     linetext_int(&line, signal_number);
 *     log_text(LOG_LEVEL_ERROR, linetext_text(&line));
 *
 * Ownership:      the caller's; texts are copied in.
 * Thread-safety:  one thread at a time per line. Async-signal-safe.
 * Errors:         none; what does not fit is cut.
 */
#ifndef APP_BASE_LINETEXT_H
#define APP_BASE_LINETEXT_H

#include <leat/text.h>
#include <stddef.h>
#include <stdint.h>

enum { LINETEXT_SIZE = 1536 };

struct linetext {
	size_t len;
	char bytes[LINETEXT_SIZE];
};

void linetext_add(struct linetext *line, const char *words);
void linetext_add_text(struct linetext *line, leat_text text);
void linetext_int(struct linetext *line, int64_t value);

/* "0x2a" */
void linetext_hex(struct linetext *line, uint64_t value);

/* "9f04": two digits a byte. */
void linetext_bytes(struct linetext *line, const uint8_t *bytes, size_t size);

static inline leat_text linetext_text(const struct linetext *line)
{
	return (leat_text){ line->bytes, line->len };
}

#endif
