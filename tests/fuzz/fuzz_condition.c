/* fuzz_condition.c - what holds for conditions whatever a client sends. Checked:
 *   - a date that is read is written and read as the same; it is no list of entity tags with one in it;
 *   - a list that is well-formed has a tag once it is put before or behind it, and none that it does not spell; one that is malformed stays so
 *     behind it;
 *   - what fits strongly fits weakly, and what is malformed is so for both;
 *   - GET is answered by 304 where PUT is by 412 for the same If-None-Match;
 *   - in two lines of a header it is the same as in one. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/calendar.h"
#include "base/check.h"
#include "http/condition.h"
#include "http/http_date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t now_us = INT64_C(1769851800000000);
static const struct validators known = { .etag = { "\"a\"", 3 } };

static enum condition_verdict with_match(leat_text list)
{
	return conditions_judge(&(struct conditions){ .match = list }, false, &known, now_us);
}

static enum condition_verdict with_none_match(leat_text list, bool is_read)
{
	return conditions_judge(&(struct conditions){ .none_match = list }, is_read, &known, now_us);
}

static leat_text joined(struct arena *arena, leat_text a, leat_text b)
{
	struct buffer out;

	buffer_init(&out, arena, a.len + b.len);
	buffer_text(&out, a);
	buffer_text(&out, b);
	return buffer_as_text(&out);
}

static void check_date(leat_text text)
{
	char written[HTTP_DATE_LEN];
	int64_t us = CALENDAR_PAST_END, again;

	if (!http_date_read(text, now_us, &us))
		return;
	LEAT_CHECK(calendar_holds(us) && us % CALENDAR_S == 0);
	http_date_write(written, us);
	LEAT_CHECK(http_date_read((leat_text){ written, sizeof(written) }, now_us, &again) && again == us);
	LEAT_CHECK(with_match(text) == CONDITION_MALFORMED);
}

static void check_list(leat_text list, struct arena *arena)
{
	bool is_any = leat_text_equal(list, LEAT_TEXT_OF("*"));
	enum condition_verdict strong = with_match(list), weak = with_none_match(list, false);
	enum condition_verdict read = with_none_match(list, true);

	LEAT_CHECK((strong == CONDITION_MALFORMED) == (weak == CONDITION_MALFORMED));
	LEAT_CHECK(strong != CONDITION_HOLDS || weak == CONDITION_FAILS);
	LEAT_CHECK((read == CONDITION_NOT_MODIFIED) == (weak == CONDITION_FAILS));
	LEAT_CHECK(strong != CONDITION_HOLDS || is_any || memmem(list.ptr, list.len, "\"a\"", 3));
	if (is_any)
		return;
	if (strong != CONDITION_MALFORMED) {
		LEAT_CHECK(with_match(joined(arena, LEAT_TEXT_OF("\"a\" , "), list)) == CONDITION_HOLDS);
		LEAT_CHECK(with_match(joined(arena, list, LEAT_TEXT_OF(" ,\"a\""))) == CONDITION_HOLDS);
	} else {
		LEAT_CHECK(with_match(joined(arena, LEAT_TEXT_OF("\"a\","), list)) == CONDITION_MALFORMED);
	}
}

/* Cut in the middle, as two parameters. */
static void check_lines(leat_text list, struct arena *arena)
{
	leat_text front = { list.ptr, list.len / 2 }, back = { list.ptr + list.len / 2, list.len - list.len / 2 };
	leat_text name = LEAT_TEXT_OF("HTTP_IF_MATCH="), end = LEAT_TEXT_OF("\0");
	const char *params[] = { joined(arena, joined(arena, name, front), end).ptr,
				 joined(arena, joined(arena, name, back), end).ptr, NULL };
	struct conditions conditions;

	if (memchr(list.ptr, '\0', list.len))
		return;
	conditions_read(&conditions, params, arena);
	LEAT_CHECK(with_match(conditions.match) ==
		   with_match(joined(arena, joined(arena, front, LEAT_TEXT_OF(", ")), back)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena_pool *pool = arena_pool_new(0);
	leat_text text = { (const char *)data, size };
	struct arena arena;

	if (size > 0) {
		arena_init(&arena, pool);
		check_date(text);
		check_list(text, &arena);
		check_lines(text, &arena);
		conditions_allow_range(&(struct conditions){ .range = text }, &known, now_us);
		arena_reset(&arena);
	}
	arena_pool_free(pool);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif
