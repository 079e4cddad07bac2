/* t_gate.c - the gate as scripts of records: whole requests, what it passes of them and what it says of them. */
#include "tests/unit/gate_script.h"

START_TEST(passes_a_whole_request_in_one_step_from_the_input_itself)
{
	struct gate_step step;

	request(1);
	gate_init(&gate, &limits);
	ck_assert_int_eq(gate_feed(&gate, script.bytes, script.len, &step), GATE_DONE);
	ck_assert_uint_eq(step.consumed, script.len);
	ck_assert_ptr_eq(step.pass, script.bytes);
	ck_assert_uint_eq(step.pass_len, script.len);
	ck_assert_uint_eq(step.answer_len, 0);
}
END_TEST

START_TEST(says_what_it_saw_of_the_request)
{
	request(258);
	ck_assert_int_eq(outcome(), GATE_DONE);
	ck_assert_uint_eq(gate.request_id, 258);
	ck_assert(gate.keep_conn);
	ck_assert_uint_eq(gate.params_bytes, 9);
	ck_assert_uint_eq(gate.params_count, 1);
	ck_assert_uint_eq(gate.stdin_bytes, 4);
}
END_TEST

START_TEST(sees_that_the_connection_is_not_to_be_kept)
{
	begin_as(1, RESPONDER, 0xFE);
	outcome();
	ck_assert(!gate.keep_conn);
}
END_TEST

START_TEST(goes_through_its_states)
{
	ck_assert_int_eq(outcome(), GATE_IDLE);
	begin(1);
	ck_assert_int_eq(outcome(), GATE_PARAMS);
	record(PARAMS, 1, TEXT("\4\3PATHone"));
	ck_assert_int_eq(outcome(), GATE_PARAMS);
	empty(PARAMS, 1);
	ck_assert_int_eq(outcome(), GATE_BODY);
	record(STDIN, 1, TEXT("body"));
	ck_assert_int_eq(outcome(), GATE_BODY);
	empty(STDIN, 1);
	ck_assert_int_eq(outcome(), GATE_DONE);
}
END_TEST

START_TEST(passes_a_request_without_parameters_and_body)
{
	begin(1);
	empty(PARAMS, 1);
	empty(STDIN, 1);
	ck_assert_int_eq(outcome(), GATE_DONE);
	assert_passed(&script);
}
END_TEST

START_TEST(passes_padding_with_its_content)
{
	begin(1);
	put_record(&script, 1, PARAMS, 1, TEXT("\1\1ab"), 4);
	put_record(&script, 1, PARAMS, 1, TEXT("\1\1ab"), 255);
	empty(PARAMS, 1);
	put_record(&script, 1, STDIN, 1, TEXT("body"), 1);
	empty(STDIN, 1);
	ck_assert_int_eq(outcome(), GATE_DONE);
	assert_passed(&script);
}
END_TEST

START_TEST(takes_out_padding_that_libfcgi_does_not_skip)
{
	assert_passes_without(padded_ends, plain_request);
	ck_assert_int_eq(gate.state, GATE_DONE);
}
END_TEST

START_TEST(is_done_only_after_the_last_padding)
{
	request_head(1);
	put_record(&script, 1, STDIN, 1, NULL, 0, 3);
	script.len--;
	ck_assert_int_eq(outcome(), GATE_BODY);
	script.len++;
	ck_assert_int_eq(outcome(), GATE_DONE);
}
END_TEST

START_TEST(takes_nothing_after_the_end_until_told)
{
	struct gate_step step;
	size_t first, second;

	request(1);
	first = script.len;
	request(2);
	gate_init(&gate, &limits);
	whole.len = 0;
	ck_assert_uint_eq(feed_into(&gate, script.bytes, script.len, &whole, &answers), first);
	ck_assert_int_eq(gate_feed(&gate, script.bytes + first, script.len - first, &step), GATE_DONE);
	ck_assert_uint_eq(step.consumed, 0);
	ck_assert_uint_eq(step.pass_len, 0);
	gate_next(&gate);
	second = feed_into(&gate, script.bytes + first, script.len - first, &whole, &answers);
	ck_assert_uint_eq(second, script.len - first);
	ck_assert_uint_eq(gate.request_id, 2);
	assert_passed(&script);
}
END_TEST

START_TEST(is_quiet_only_between_requests)
{
	gate_init(&gate, &limits);
	ck_assert(gate_is_quiet(&gate));
	request(1);
	for (size_t len = 1; len < script.len; len++) {
		size_t was = script.len;

		script.len = len;
		outcome();
		ck_assert(!gate_is_quiet(&gate));
		script.len = was;
	}
	outcome();
	gate_next(&gate);
	ck_assert(gate_is_quiet(&gate));
}
END_TEST

START_TEST(stays_small)
{
	ck_assert_uint_le(sizeof(struct gate), 200);
}
END_TEST

START_TEST(passes_a_body_of_large_records)
{
	static uint8_t body[65535];

	request_head(1);
	for (int i = 0; i < 2; i++)
		put_record(&script, 1, STDIN, 1, body, sizeof(body), 255);
	empty(STDIN, 1);
	ck_assert_int_eq(outcome(), GATE_DONE);
	ck_assert_uint_eq(gate.stdin_bytes, 2 * sizeof(body));
	assert_passed(&script);
}
END_TEST

START_TEST(takes_records_in_a_body_for_bytes)
{
	static struct wire forged;

	request(1);
	forged = script;
	script.len = 0;
	request_head(1);
	record(STDIN, 1, forged.bytes, forged.len);
	ck_assert_int_eq(outcome(), GATE_BODY);
	ck_assert_uint_eq(gate.stdin_bytes, forged.len);
}
END_TEST

START_TEST(has_a_sentence_for_every_refusal)
{
	for (int i = 0; i < GATE_REFUSAL_COUNT; i++) {
		const char *sentence = gate_refusal_text((enum gate_refusal)i);

		ck_assert_ptr_nonnull(sentence);
		ck_assert_int_eq(sentence[strlen(sentence) - 1], '.');
	}
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("gate");

	GATE_CASE(s, "request", passes_a_whole_request_in_one_step_from_the_input_itself,
		  says_what_it_saw_of_the_request, sees_that_the_connection_is_not_to_be_kept, goes_through_its_states,
		  passes_a_request_without_parameters_and_body, passes_padding_with_its_content,
		  takes_out_padding_that_libfcgi_does_not_skip, is_done_only_after_the_last_padding,
		  takes_nothing_after_the_end_until_told, is_quiet_only_between_requests, stays_small);
	GATE_CASE(s, "body", passes_a_body_of_large_records, takes_records_in_a_body_for_bytes);
	GATE_CASE(s, "refusals", has_a_sentence_for_every_refusal);
	return s;
}
