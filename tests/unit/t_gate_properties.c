/* t_gate_properties.c - what holds at the gate for every script, wherever it is cut and whatever bytes are changed in it.
 *
 * In its loops LEAT_CHECK stands for Check's asserts, each of which is a system call. */
#include "tests/unit/gate_script.h"

static struct wire pieces, answers_in_pieces;

static void refused_in_a_body(void)
{
	request_head(1);
	record(STDIN, 1, TEXT("body"));
	begin(1);
	request(2);
}

static void refused_in_a_length(void)
{
	begin(1);
	record(PARAMS, 1, TEXT("\1\1ab\200\1\21\152\1x"));
}

static void refused_in_a_value(void)
{
	begin(1);
	record(PARAMS, 1, TEXT("\10\20SIXTEENS0123456789abcde\0\4\3PATHone"));
}

static void refused_for_its_role(void)
{
	record(GET_VALUES, 0, TEXT(MAX_CONNS));
	begin_as(3, AUTHORIZER, 0);
}

static void aborted(void)
{
	request_head(1);
	put_record(&script, 1, ABORT, 1, TEXT("why"), 5);
}

static void padded_request(void)
{
	put_record(&script, 1, GET_VALUES, 0, TEXT(MPXS_CONNS MAX_CONNS "\4\4nopenope"), 3);
	put_record(&script, 1, BEGIN, 5, (uint8_t[8]){ 0, RESPONDER }, 8, 9);
	put_record(&script, 1, 200, 0, TEXT("unknown"), 1);
	put_record(&script, 1, PARAMS, 5, TEXT("\4\3PATHone\200\0\0\11\200\0\0\4LONG"), 2);
	put_record(&script, 1, BEGIN, 6, (uint8_t[8]){ 0, RESPONDER }, 8, 9);
	put_record(&script, 1, PARAMS, 5, TEXT("_NAMEtext"), 0);
	put_record(&script, 1, PARAMS, 5, NULL, 0, 4);
	put_record(&script, 1, STDIN, 5, TEXT("body"), 7);
	put_record(&script, 1, STDIN, 5, NULL, 0, 2);
}

static void (*const scripts[])(void) = {
	plain_request,
	request_with_strays,
	request_beside_another,
	request_with_unknown_management,
	request_among_results,
	request_among_questions,
	refused_in_a_body,
	refused_in_a_length,
	refused_in_a_value,
	refused_for_its_role,
	aborted,
	padded_request,
	padded_ends,
};

enum { SCRIPTS = sizeof(scripts) / sizeof(scripts[0]) };

static bool same_bytes(const struct wire *one, const struct wire *other)
{
	return one->len == other->len && memcmp(one->bytes, other->bytes, one->len) == 0;
}

static bool same_in_pieces(const struct gate *other)
{
	return other->state == gate.state && other->refusal == gate.refusal &&
	       other->params_count == gate.params_count && other->params_bytes == gate.params_bytes &&
	       other->stdin_bytes == gate.stdin_bytes && same_bytes(&pieces, &whole) &&
	       same_bytes(&answers_in_pieces, &answers);
}

START_TEST(does_the_same_wherever_the_input_is_cut)
{
	scripts[_i]();
	outcome();
	for (size_t first = 0; first <= script.len; first++) {
		for (size_t second = first; second <= script.len; second++) {
			struct gate other;

			gate_init(&other, &limits);
			pieces.len = answers_in_pieces.len = 0;
			feed_into(&other, script.bytes, first, &pieces, &answers_in_pieces);
			feed_into(&other, script.bytes + first, second - first, &pieces, &answers_in_pieces);
			feed_into(&other, script.bytes + second, script.len - second, &pieces, &answers_in_pieces);
			LEAT_CHECK(same_in_pieces(&other));
		}
	}
}
END_TEST

START_TEST(does_the_same_byte_by_byte)
{
	struct gate other;

	scripts[_i]();
	outcome();
	gate_init(&other, &limits);
	pieces.len = answers_in_pieces.len = 0;
	for (size_t i = 0; i < script.len; i++)
		feed_into(&other, script.bytes + i, 1, &pieces, &answers_in_pieces);
	ck_assert(same_in_pieces(&other));
}
END_TEST

START_TEST(takes_and_passes_nothing_once_refused)
{
	struct gate_step step;

	refused_in_a_body();
	outcome();
	ck_assert_int_eq(gate_feed(&gate, script.bytes, script.len, &step), GATE_REFUSED);
	ck_assert_uint_eq(step.consumed, 0);
	ck_assert_uint_eq(step.pass_len, 0);
	ck_assert_uint_eq(step.answer_len, 0);
}
END_TEST

/* Scripts with bytes changed at random, from a fixed seed: whole garbage would never come far. */
START_TEST(passes_no_byte_of_garbage_after_refusing_it)
{
	unsigned int seed = (unsigned int)_i;
	int refused = 0;

	for (int round = 0; round < 2000; round++) {
		struct gate_step step;

		script.len = 0;
		scripts[round % SCRIPTS]();
		for (int i = 0; i < 4; i++)
			script.bytes[(size_t)rand_r(&seed) % script.len] = (uint8_t)rand_r(&seed);
		if (outcome() != GATE_REFUSED)
			continue;
		refused++;
		for (size_t i = 0; i < script.len; i++) {
			LEAT_CHECK(gate_feed(&gate, script.bytes + i, script.len - i, &step) == GATE_REFUSED);
			LEAT_CHECK(step.consumed + step.pass_len + step.answer_len == 0);
		}
	}
	ck_assert_int_gt(refused, 100);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("gate_properties");

	looped(s, "cuts", does_the_same_wherever_the_input_is_cut, 0, SCRIPTS);
	looped(s, "bytes", does_the_same_byte_by_byte, 0, SCRIPTS);
	GATE_CASE(s, "refused", takes_and_passes_nothing_once_refused);
	looped(s, "garbage", passes_no_byte_of_garbage_after_refusing_it, 1, 9);
	return s;
}
