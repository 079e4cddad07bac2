/* siphash.c - see siphash.h. Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), with one round a word and three at the
 * end, as the tables of Rust, Ruby and Python have it. Used by bucket_table.c. */
#include "base/siphash.h"

#include <string.h>

struct sip {
	uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void step(struct sip *sip)
{
	sip->a += sip->b;
	sip->b = rotate(sip->b, 13) ^ sip->a;
	sip->a = rotate(sip->a, 32);
	sip->c += sip->d;
	sip->d = rotate(sip->d, 16) ^ sip->c;
	sip->a += sip->d;
	sip->d = rotate(sip->d, 21) ^ sip->a;
	sip->c += sip->b;
	sip->b = rotate(sip->b, 17) ^ sip->c;
	sip->c = rotate(sip->c, 32);
}

static inline void take(struct sip *sip, uint64_t word)
{
	sip->d ^= word;
	step(sip);
	sip->a ^= word;
}

static inline uint64_t little(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(word);
#else
	return word;
#endif
}

uint64_t siphash(const uint64_t key[2], uint64_t before, const void *bytes, size_t size)
{
	uint64_t first = key[0] ^ before, word;
	struct sip sip = { first ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, first ^ 0x6c7967656e657261,
			   key[1] ^ 0x7465646279746573 };
	const uint8_t *at = bytes;
	uint8_t rest[8] = { 0 };

	for (size_t left = size; left >= 8; left -= 8, at += 8) {
		memcpy(&word, at, 8);
		take(&sip, little(word));
	}
	if (size % 8)
		memcpy(rest, at, size % 8);
	rest[7] = (uint8_t)size;
	memcpy(&word, rest, 8);
	take(&sip, little(word));
	sip.c ^= 0xff;
	for (unsigned i = 0; i < 3; i++)
		step(&sip);
	return sip.a ^ sip.b ^ sip.c ^ sip.d;
}
