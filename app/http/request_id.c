/* request_id.c - see request_id.h. */
#include "http/request_id.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"

enum { GIVEN_MAX = 128 };

static bool is_usable(leat_text given)
{
	if (given.len == 0 || given.len > GIVEN_MAX)
		return false;
	for (size_t i = 0; i < given.len; i++) {
		char c = given.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
		      c == '_' || c == '-'))
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

static bool is_hex(const char *at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f')))
			return false;
	return true;
}

static bool is_zero(const char *at, size_t count)
{
	return strspn(at, "0") >= count;
}

/* VERSION-TRACE-SPAN-FLAGS of 2, 32, 16 and 2 digits. Versions to come may add to it, behind another '-'; ff is none. */
static bool is_trace(leat_text given)
{
	enum { TRACE = 3, SPAN = TRACE + 33, FLAGS = SPAN + 17, END = FLAGS + 2 };
	const char *at = given.ptr;

	if (given.len < END || !is_hex(at, 2) || at[TRACE - 1] != '-' || !is_hex(at + TRACE, 32) ||
	    at[SPAN - 1] != '-' || !is_hex(at + SPAN, 16) || at[FLAGS - 1] != '-' || !is_hex(at + FLAGS, 2))
		return false;
	if (memcmp(at, "ff", 2) == 0 || is_zero(at + TRACE, 32) || is_zero(at + SPAN, 16))
		return false;
	return given.len == END || (memcmp(at, "00", 2) != 0 && at[END] == '-');
}

leat_text request_id(struct arena *arena, leat_text given, leat_text traceparent)
{
	char *id;

	if (is_usable(given))
		return given;
	if (is_trace(traceparent))
		return (leat_text){ traceparent.ptr + 3, 32 + 1 + 16 };
	id = arena_alloc(arena, REQUEST_ID_SIZE);
	put_base32(id, (uint64_t)(clock_wall_ns() / CLOCK_MS), 10);
	put_base32(id + 10, random_bits(), 8);
	put_base32(id + 18, random_bits(), 8);
	return (leat_text){ id, REQUEST_ID_SIZE };
}
