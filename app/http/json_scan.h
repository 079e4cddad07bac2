/* json_scan.h - the bytes that a JSON text holds as they are, found eight at a step.
 *
 * Use:
 *     size_t plain = json_scan_plain(at, len);   -- at[plain] is a quote, a backslash, a control byte or not ASCII
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread.
 * Errors:         none.
 */
#ifndef APP_HTTP_JSON_SCAN_H
#define APP_HTTP_JSON_SCAN_H

#include "base/word.h"

/* Bytes that are not plain: control bytes, '"', '\\', and all beyond ASCII. */
static inline uint64_t json_scan_marks(uint64_t word)
{
	return word_marks_below(word, ' ') | word_marks_equal(word, '"') | word_marks_equal(word, '\\') |
	       word_marks_high(word);
}

/* How many of 'len' bytes come before the first that is not plain. */
static inline size_t json_scan_plain(const char *at, size_t len)
{
	size_t i = 0;
	size_t tail;

	for (; i + WORD_SIZE <= len; i += WORD_SIZE) {
		uint64_t marks = json_scan_marks(word_load(at + i));

		if (marks)
			return i + word_first(marks);
	}
	tail = word_first(json_scan_marks(word_load_part(at + i, len - i))); /* the zeros behind the end are marked */
	return i + tail < len ? i + tail : len;
}

/* The same, and copies them, with up to WORD_SIZE bytes behind them. */
static inline size_t json_scan_copy(char *out, const char *at, size_t len)
{
	size_t i = 0;
	size_t tail;
	uint64_t word;

	for (; i + WORD_SIZE <= len; i += WORD_SIZE) {
		uint64_t marks = json_scan_marks(word = word_load(at + i));

		word_store(out + i, word);
		if (marks)
			return i + word_first(marks);
	}
	word = word_load_part(at + i, len - i);
	word_store(out + i, word);
	tail = word_first(json_scan_marks(word));
	return i + tail < len ? i + tail : len;
}

#endif
