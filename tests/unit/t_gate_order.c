/* t_gate_order.c - records out of place: the gate refuses them or takes them out. */
#include "tests/unit/gate_script.h"

/* Refused --------------------------------------------------------------------------------------------------------- */

START_TEST(refuses_another_version)
{
	begin(1);
	put_record(&script, 2, PARAMS, 1, TEXT("\1\1ab"), 0);
	assert_refused(GATE_REFUSAL_VERSION);
	ck_assert_uint_eq(whole.len, 16);
}
END_TEST

START_TEST(refuses_http)
{
	put(&script, TEXT("GET / HTTP/1.0\r\n\r\n"));
	assert_refused(GATE_REFUSAL_VERSION);
	ck_assert_uint_eq(whole.len, 0);
}
END_TEST

START_TEST(refuses_a_begin_of_another_length)
{
	record(BEGIN, 1, (uint8_t[9]){ 0, RESPONDER }, _i);
	assert_refused(GATE_REFUSAL_LENGTH);
}
END_TEST

START_TEST(refuses_a_foreign_begin_of_another_length)
{
	begin(1);
	record(BEGIN, 2, (uint8_t[9]){ 0, RESPONDER }, 9);
	assert_refused(GATE_REFUSAL_LENGTH);
}
END_TEST

START_TEST(refuses_a_second_begin)
{
	begin(1);
	begin(1);
	assert_refused(GATE_REFUSAL_ORDER);
}
END_TEST

START_TEST(refuses_stdin_before_the_parameters_end)
{
	begin(1);
	record(PARAMS, 1, TEXT("\1\1ab"));
	record(STDIN, 1, TEXT("body"));
	assert_refused(GATE_REFUSAL_ORDER);
}
END_TEST

START_TEST(refuses_parameters_after_their_end)
{
	request_head(1);
	record(PARAMS, 1, TEXT("\1\1ab"));
	assert_refused(GATE_REFUSAL_ORDER);
}
END_TEST

START_TEST(refuses_the_end_of_parameters_twice)
{
	request_head(1);
	empty(PARAMS, 1);
	assert_refused(GATE_REFUSAL_ORDER);
}
END_TEST

static const int wrong_types[] = {
	0, END, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE, 12, 255,
};

START_TEST(refuses_other_types_in_our_request)
{
	request_head(1);
	record(wrong_types[_i], 1, TEXT("content"));
	assert_refused(GATE_REFUSAL_TYPE);
}
END_TEST

START_TEST(refuses_requests_with_the_id_zero)
{
	record(_i, 0, (uint8_t[8]){ 0, RESPONDER }, 8);
	assert_refused(GATE_REFUSAL_TYPE);
}
END_TEST

START_TEST(answers_another_role_and_refuses)
{
	begin_as(0x102, FILTER, KEEP);
	assert_refused(GATE_REFUSAL_ROLE);
	assert_answered(TEXT("\1\3\1\2\0\10\0\0\0\0\0\0\3\0\0\0"));
	ck_assert_uint_eq(whole.len, 0);
}
END_TEST

START_TEST(refuses_a_role_that_is_right_only_in_its_low_byte)
{
	begin_as(1, 0x0101, KEEP);
	assert_refused(GATE_REFUSAL_ROLE);
}
END_TEST

START_TEST(sees_an_abort)
{
	begin(1);
	record(PARAMS, 1, TEXT("\1\1ab"));
	empty(ABORT, 1);
	ck_assert_int_eq(outcome(), GATE_ABORTED);
}
END_TEST

START_TEST(passes_nothing_of_an_abort_or_after_it)
{
	static struct wire expected;

	request_head(1);
	expected = script;
	put_record(&script, 1, ABORT, 1, TEXT("why"), 5);
	record(STDIN, 1, TEXT("body"));
	ck_assert_int_eq(outcome(), GATE_ABORTED);
	assert_passed(&expected);
}
END_TEST

/* Taken out ------------------------------------------------------------------------------------------------------- */

START_TEST(takes_out_records_of_requests_that_do_not_exist)
{
	assert_passes_without(request_with_strays, plain_request);
	ck_assert_int_eq(gate.state, GATE_DONE);
	ck_assert_uint_eq(answers.len, 0);
}
END_TEST

START_TEST(tells_a_second_request_that_one_at_a_time_is_all)
{
	assert_passes_without(request_beside_another, plain_request);
	ck_assert_int_eq(gate.state, GATE_DONE);
	assert_answered(TEXT("\1\3\3\4\0\10\0\0\0\0\0\0\1\0\0\0"));
}
END_TEST

static void request_in_two_bodies(void)
{
	request_head(1);
	record(STDIN, 1, TEXT("bo"));
	record(STDIN, 1, TEXT("dy"));
	empty(STDIN, 1);
}

#define UNKNOWN_77 "\1\13\0\0\0\10\0\0\115\0\0\0\0\0\0\0"

START_TEST(answers_and_takes_out_unknown_management)
{
	assert_passes_without(request_with_unknown_management, request_in_two_bodies);
	ck_assert_int_eq(gate.state, GATE_DONE);
	assert_answered(TEXT(UNKNOWN_77 UNKNOWN_77 UNKNOWN_77 UNKNOWN_77));
}
END_TEST

START_TEST(does_not_answer_answers)
{
	assert_passes_without(request_among_results, plain_request);
	ck_assert_uint_eq(answers.len, 0);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("gate_order");

	GATE_CASE(s, "refused", refuses_another_version, refuses_http, refuses_a_foreign_begin_of_another_length,
		  refuses_a_second_begin, refuses_stdin_before_the_parameters_end, refuses_parameters_after_their_end,
		  refuses_the_end_of_parameters_twice, answers_another_role_and_refuses,
		  refuses_a_role_that_is_right_only_in_its_low_byte, sees_an_abort,
		  passes_nothing_of_an_abort_or_after_it);
	looped(s, "short begin", refuses_a_begin_of_another_length, 0, 8);
	looped(s, "long begin", refuses_a_begin_of_another_length, 9, 10);
	looped(s, "wrong types", refuses_other_types_in_our_request, 0, COUNT_OF(wrong_types));
	looped(s, "id zero", refuses_requests_with_the_id_zero, BEGIN, DATA + 1);
	GATE_CASE(s, "taken out", takes_out_records_of_requests_that_do_not_exist,
		  tells_a_second_request_that_one_at_a_time_is_all, answers_and_takes_out_unknown_management,
		  does_not_answer_answers);
	return s;
}
