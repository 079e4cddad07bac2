/* word.h - eight bytes of text at a step.
 *
 * Use:
 *     uint64_t word = word_load(text.ptr);
 *     if (word_marks_equal(word, '"') | word_marks_below(word, ' ')) ...
 *     at += word_first(marks);              -- the first byte, in memory's order, that is marked
 *
 * A word holds the byte of the lowest address in its lowest bits on every machine. Marks are the top bits of bytes.
 * The first mark is exact; marks above it may be false (a subtraction borrows), so ask only whether there is one, or
 * for the first.
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread.
 * Errors:         none; nothing is read outside of the bytes named.
 */
#ifndef APP_BASE_WORD_H
#define APP_BASE_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { WORD_SIZE = 8 };

/* A word whose bytes are all 'byte'. */
#define WORD_OF(byte) (UINT64_C(0x0101010101010101) * (uint8_t)(byte))

static inline uint64_t word_order_(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(word);
#else
	return word;
#endif
}

static inline uint64_t word_load(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word_order_(word);
}

static inline void word_store(char *at, uint64_t word)
{
	word = word_order_(word);
	memcpy(at, &word, sizeof(word));
}

/* 'len' bytes, 0 to 7, and zeros behind them. Overlapping reads in place of a loop. */
static inline uint64_t word_load_part(const char *at, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)at;

	if (len >= 4) {
		uint32_t low, high;

		memcpy(&low, at, 4);
		memcpy(&high, at + len - 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		low = __builtin_bswap32(low);
		high = __builtin_bswap32(high);
#endif
		return low | (uint64_t)high << 8 * (len - 4);
	}
	if (len == 0)
		return 0;
	return bytes[0] | (uint64_t)bytes[len / 2] << 8 * (len / 2) | (uint64_t)bytes[len - 1] << 8 * (len - 1);
}

/* Bytes that are 'byte'. */
static inline uint64_t word_marks_equal(uint64_t word, char byte)
{
	uint64_t zero_where_equal = word ^ WORD_OF(byte);

	return (zero_where_equal - WORD_OF(1)) & ~zero_where_equal & WORD_OF(0x80);
}

/* Bytes below 'limit', itself at most 0x80. */
static inline uint64_t word_marks_below(uint64_t word, char limit)
{
	return (word - WORD_OF(limit)) & ~word & WORD_OF(0x80);
}

/* Bytes that are not ASCII. */
static inline uint64_t word_marks_high(uint64_t word)
{
	return word & WORD_OF(0x80);
}

/* Where the first mark is, 0 to 7; 'marks' is not 0. */
static inline unsigned word_first(uint64_t marks)
{
	return (unsigned)__builtin_ctzll(marks) / 8;
}

/* memcmp and memcpy for short texts, without a call. */
static inline bool word_same(const char *a, const char *b, size_t len)
{
	for (; len >= WORD_SIZE; a += WORD_SIZE, b += WORD_SIZE, len -= WORD_SIZE)
		if (word_load(a) != word_load(b))
			return false;
	return word_load_part(a, len) == word_load_part(b, len);
}

/* Returns the end of what was copied; up to WORD_SIZE bytes behind it are overwritten too. */
static inline char *word_copy(char *out, const char *from, size_t len)
{
	for (; len >= WORD_SIZE; out += WORD_SIZE, from += WORD_SIZE, len -= WORD_SIZE)
		word_store(out, word_load(from));
	word_store(out, word_load_part(from, len));
	return out + len;
}

#endif
