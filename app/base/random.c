/* random.c - see random.h. splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
#include "base/random.h"

#include <stdbool.h>
#include <sys/random.h>

#include "base/clock.h"

uint64_t random_step(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

uint64_t random_bits(void)
{
	static _Thread_local uint64_t state;
	static _Thread_local bool is_seeded;

	if (!is_seeded && getrandom(&state, sizeof(state), GRND_NONBLOCK) != sizeof(state))
		state = (uint64_t)clock_wall_ns() ^ (uint64_t)(uintptr_t)&state;
	is_seeded = true;
	return random_step(&state);
}

uint64_t random_below(uint64_t limit)
{
	return limit == 0 ? 0 : random_bits() % limit;
}
