/* gate_script.h - scripts of records for the gate, and what it makes of them.
 *
 * Use:
 *     START_TEST(a_sentence)
 *     {
 *         begin(1);
 *         record(PARAMS, 1, TEXT("\1\1ab"));
 *         ck_assert_int_eq(outcome(), GATE_PARAMS);
 *         assert_passed(&script);
 *     }
 *     END_TEST
 *
 *     GATE_CASE(s, "name", a_sentence);
 *
 * Each test begins with an empty script.
 *
 * Ownership:      nothing to own.
 * Thread-safety:  the main thread.
 * Errors:         what the gate must never do ends the program (LEAT_CHECK), cheaper in loops than Check's asserts.
 */
#ifndef TESTS_UNIT_GATE_SCRIPT_H
#define TESTS_UNIT_GATE_SCRIPT_H

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "front/gate.h"
#include "tests/unit/harness.h"

enum { BEGIN = 1, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE };
enum { RESPONDER = 1, AUTHORIZER, FILTER };
enum { KEEP = 1 };

static const struct gate_limits limits = {
	.params_size = 70000,
	.params_count = 8,
	.max_conns = 4294967295,
	.max_reqs = 16384,
};

/* Wires: bytes a peer sends --------------------------------------------------------------------------------------- */

struct wire {
	uint8_t bytes[140000];
	size_t len;
};

static struct wire script, whole, answers;

static inline void put(struct wire *wire, const void *bytes, size_t size)
{
	LEAT_CHECK(wire->len + size <= sizeof(wire->bytes));
	if (size)
		memcpy(wire->bytes + wire->len, bytes, size);
	wire->len += size;
}

/* Any record, right or wrong; the padding is 0xEE. */
static inline void put_record(struct wire *wire, int version, int type, int id, const void *content, size_t size,
			      int padding)
{
	const uint8_t header[8] = {
		(uint8_t)version,     (uint8_t)type, (uint8_t)(id >> 8), (uint8_t)id,
		(uint8_t)(size >> 8), (uint8_t)size, (uint8_t)padding,   0,
	};
	uint8_t filling[255];

	memset(filling, 0xEE, sizeof(filling));
	put(wire, header, sizeof(header));
	put(wire, content, size);
	put(wire, filling, (size_t)padding);
}

static inline void record(int type, int id, const void *content, size_t size)
{
	put_record(&script, 1, type, id, content, size, 0);
}

static inline void begin_as(int id, int role, int flags)
{
	record(BEGIN, id, (uint8_t[8]){ (uint8_t)(role >> 8), (uint8_t)role, (uint8_t)flags }, 8);
}

static inline void begin(int id)
{
	begin_as(id, RESPONDER, KEEP);
}

static inline void empty(int type, int id)
{
	record(type, id, NULL, 0);
}

/* A text with its NULs: TEXT("a\0b"). */
#define TEXT(literal) literal, sizeof(literal) - 1

/* A whole request but for its BEGIN: one parameter, a body of four bytes. */
static inline void rest_of_request(int id)
{
	record(PARAMS, id, TEXT("\4\3PATHone"));
	empty(PARAMS, id);
	record(STDIN, id, TEXT("body"));
	empty(STDIN, id);
}

static inline void request(int id)
{
	begin(id);
	rest_of_request(id);
}

/* Up to the point where STDIN is open. */
static inline void request_head(int id)
{
	begin(id);
	record(PARAMS, id, TEXT("\4\3PATHone"));
	empty(PARAMS, id);
}

/* What the gate makes of it --------------------------------------------------------------------------------------- */

static struct gate gate;

/* Feeds bytes until the gate takes no more of them; gathers what it passes and answers; returns what it took. */
static inline size_t feed_into(struct gate *to, const uint8_t *bytes, size_t size, struct wire *passed,
			       struct wire *answered)
{
	size_t at = 0;

	while (at < size && to->state < GATE_DONE) {
		struct gate_step step;
		enum gate_state state = gate_feed(to, bytes + at, size - at, &step);

		LEAT_CHECK(state == (enum gate_state)to->state);
		LEAT_CHECK(step.consumed <= size - at && step.pass && step.answer);
		LEAT_CHECK(step.consumed > 0 || state == GATE_REFUSED);
		put(passed, step.pass, step.pass_len);
		put(answered, step.answer, step.answer_len);
		at += step.consumed;
	}
	return at;
}

/* A new gate meets the script. */
static inline enum gate_state outcome(void)
{
	gate_init(&gate, &limits);
	whole.len = answers.len = 0;
	feed_into(&gate, script.bytes, script.len, &whole, &answers);
	return gate.state;
}

static inline void assert_refused(enum gate_refusal refusal)
{
	ck_assert_int_eq(outcome(), GATE_REFUSED);
	ck_assert_int_eq(gate.refusal, refusal);
}

static inline void assert_passed(const struct wire *expected)
{
	ck_assert_uint_eq(whole.len, expected->len);
	ck_assert_mem_eq(whole.bytes, expected->bytes, expected->len);
}

static inline void assert_answered(const void *bytes, size_t size)
{
	ck_assert_uint_eq(answers.len, size);
	ck_assert_mem_eq(answers.bytes, bytes, size);
}

/* What 'with' sends passes as if it were what 'without' sends. */
static inline void assert_passes_without(void (*with)(void), void (*without)(void))
{
	static struct wire expected;

	script.len = 0;
	without();
	expected = script;
	script.len = 0;
	with();
	outcome();
	assert_passed(&expected);
}

static inline void start_script(void)
{
	script.len = 0;
}

/* Scripts of several programs ------------------------------------------------------------------------------------- */

static inline void plain_request(void)
{
	request(1);
}

static inline void padded_ends(void)
{
	put_record(&script, 1, BEGIN, 1, (uint8_t[8]){ 0, RESPONDER, KEEP }, 8, 255);
	record(PARAMS, 1, TEXT("\4\3PATHone"));
	put_record(&script, 1, PARAMS, 1, NULL, 0, 8);
	record(STDIN, 1, TEXT("body"));
	put_record(&script, 1, STDIN, 1, NULL, 0, 200);
}

static inline void request_with_strays(void)
{
	record(STDIN, 7, TEXT("late"));
	empty(ABORT, 1);
	begin(1);
	record(PARAMS, 9, TEXT("\4\5USERadmin"));
	empty(PARAMS, 9);
	record(PARAMS, 1, TEXT("\4\3PATHone"));
	put_record(&script, 1, STDIN, 9, NULL, 0, 7);
	empty(PARAMS, 1);
	put_record(&script, 1, 99, 9, TEXT("what"), 3);
	record(STDIN, 1, TEXT("body"));
	empty(ABORT, 2);
	empty(STDIN, 1);
}

static inline void request_beside_another(void)
{
	begin(1);
	begin(0x304);
	record(PARAMS, 0x304, TEXT("\4\5USERadmin"));
	empty(PARAMS, 0x304);
	empty(STDIN, 0x304);
	rest_of_request(1);
}

static inline void request_with_unknown_management(void)
{
	put_record(&script, 1, 77, 0, TEXT("\4\5USERadmin"), 6);
	begin(1);
	empty(77, 0);
	record(PARAMS, 1, TEXT("\4\3PATHone"));
	record(77, 0, TEXT("\4\5USERadmin"));
	empty(PARAMS, 1);
	record(STDIN, 1, TEXT("bo"));
	record(77, 0, TEXT("XX"));
	record(STDIN, 1, TEXT("dy"));
	empty(STDIN, 1);
}

static inline void request_among_results(void)
{
	record(GET_VALUES_RESULT, 0, TEXT("\1\1ab"));
	begin(1);
	record(UNKNOWN_TYPE, 0, (uint8_t[8]){ 9 }, 8);
	rest_of_request(1);
}

#define MAX_CONNS  "\16\0FCGI_MAX_CONNS"
#define MAX_REQS   "\15\0FCGI_MAX_REQS"
#define MPXS_CONNS "\17\0FCGI_MPXS_CONNS"
#define ALL_VALUES "\1\12\0\0\0\100\0\0\16\12FCGI_MAX_CONNS4294967295\15\5FCGI_MAX_REQS16384\17\1FCGI_MPXS_CONNS0"

static inline void request_among_questions(void)
{
	record(GET_VALUES, 0, TEXT(MAX_CONNS MAX_REQS MPXS_CONNS));
	begin(1);
	record(PARAMS, 1, TEXT("\4\3PA"));
	record(GET_VALUES, 0, TEXT(MAX_CONNS MAX_REQS MPXS_CONNS));
	record(PARAMS, 1, TEXT("THone"));
	empty(PARAMS, 1);
	record(GET_VALUES, 0, TEXT(MAX_CONNS MAX_REQS MPXS_CONNS));
	empty(STDIN, 1);
}

/* Cases ----------------------------------------------------------------------------------------------------------- */

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static inline TCase *looped(Suite *s, const char *name, const TTest *test, int from, int to)
{
	TCase *tcase = harness_case(s, name, (const TTest *const[]){ NULL });

	tcase_add_checked_fixture(tcase, start_script, NULL);
	tcase_add_loop_test(tcase, test, from, to);
	return tcase;
}

#define GATE_CASE(s, name, ...) HARNESS_CASE_WITH(s, name, start_script, NULL, __VA_ARGS__)

#endif
