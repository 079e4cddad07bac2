/* request_id.c - see request_id.h. */
#include "http/request_id.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/random.h"

enum { GIVEN_MAX = 128 };

static bool is_usable(leat_text given)
{
	if (given.len == 0 || given.len > GIVEN_MAX)
		return false;
	for (size_t i = 0; i < given.len; i++) {
		char c = given.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
			return false;
	}
	return true;
}

static void put_base32(char *at, uint64_t bits, int digits)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

	while (digits-- > 0) {
		at[digits] = alphabet[bits & 31];
		bits >>= 5;
	}
}

leat_text request_id(struct arena *arena, leat_text given)
{
	char *id;

	if (is_usable(given))
		return given;
	id = arena_alloc(arena, REQUEST_ID_SIZE);
	put_base32(id, (uint64_t)(clock_wall_ns() / CLOCK_MS), 10);
	put_base32(id + 10, random_bits(), 8);
	put_base32(id + 18, random_bits(), 8);
	return (leat_text){ id, REQUEST_ID_SIZE };
}
