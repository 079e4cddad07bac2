/* siphash.c - see siphash.h. Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), with one round a word and three at the
 * end, as the tables of Rust, Ruby and Python have it. Used by bucket_table.c and
 * task/flight.c. */
#include "base/siphash.h"

#include "base/word.h"

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

uint64_t siphash(const uint64_t key[2], uint64_t before, const void *bytes, size_t size)
{
	uint64_t first = key[0] ^ before;
	struct sip sip = { first ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, first ^ 0x6c7967656e657261,
			   key[1] ^ 0x7465646279746573 };
	const char *at = bytes;
	size_t left = size;

	for (; left >= WORD_SIZE; left -= WORD_SIZE, at += WORD_SIZE)
		take(&sip, word_load(at));
	take(&sip, word_load_part(at, left) | (uint64_t)size << 56);
	sip.c ^= 0xff;
	for (unsigned i = 0; i < 3; i++)
		step(&sip);
	return sip.a ^ sip.b ^ sip.c ^ sip.d;
}
