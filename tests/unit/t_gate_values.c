/* t_gate_values.c - what the gate answers to FCGI_GET_VALUES. */
#include "tests/unit/gate_script.h"

START_TEST(answers_get_values_alone)
{
	record(GET_VALUES, 0, TEXT(MPXS_CONNS MAX_CONNS MAX_REQS));
	ck_assert_int_eq(outcome(), GATE_IDLE);
	assert_answered(TEXT(ALL_VALUES));
	ck_assert(gate_is_quiet(&gate));
}
END_TEST

START_TEST(answers_before_the_padding_has_come)
{
	put_record(&script, 1, GET_VALUES, 0, TEXT(MPXS_CONNS MAX_CONNS MAX_REQS), 40);
	script.len -= 40;
	outcome();
	assert_answered(TEXT(ALL_VALUES));
}
END_TEST

START_TEST(answers_each_value_once)
{
	record(GET_VALUES, 0, TEXT(MAX_REQS MAX_REQS MAX_REQS MAX_REQS MAX_REQS MAX_REQS MAX_REQS MAX_REQS));
	outcome();
	assert_answered(TEXT("\1\12\0\0\0\24\0\0\15\5FCGI_MAX_REQS16384"));
}
END_TEST

START_TEST(answers_each_question_for_itself)
{
	record(GET_VALUES, 0, TEXT(MAX_CONNS MAX_REQS MPXS_CONNS));
	record(GET_VALUES, 0, TEXT(MAX_REQS));
	outcome();
	assert_answered(TEXT(ALL_VALUES "\1\12\0\0\0\24\0\0\15\5FCGI_MAX_REQS16384"));
}
END_TEST

START_TEST(leaves_out_values_that_it_does_not_know)
{
	record(GET_VALUES, 0,
	       TEXT("\0\0\16\0FCGI_MAX_CONN?\17\0FCGI_MAX_CONNS_\20\0FCGI_MPXS_CONNS0" MAX_REQS
		    "\200\0\0\24\3FCGI_MPXS_CONNS_LONGabc\15\0fcgi_max_reqs"));
	outcome();
	assert_answered(TEXT("\1\12\0\0\0\24\0\0\15\5FCGI_MAX_REQS16384"));
}
END_TEST

START_TEST(skips_the_values_of_questions)
{
	record(GET_VALUES, 0, TEXT("\1\17xFCGI_MPXS_CONNS\15\1FCGI_MAX_REQS7"));
	outcome();
	assert_answered(TEXT("\1\12\0\0\0\24\0\0\15\5FCGI_MAX_REQS16384"));
}
END_TEST

START_TEST(answers_an_empty_question)
{
	empty(GET_VALUES, 0);
	outcome();
	assert_answered(TEXT("\1\12\0\0\0\0\0\0"));
}
END_TEST

START_TEST(refuses_a_question_that_is_cut_off)
{
	static const char question[] = "\200\0\0\15\1FCGI_MAX_REQS7";

	record(GET_VALUES, 0, question, (size_t)_i);
	assert_refused(GATE_REFUSAL_LENGTH);
	ck_assert_uint_eq(answers.len, 0);
}
END_TEST

static void request_without_questions(void)
{
	begin(1);
	record(PARAMS, 1, TEXT("\4\3PA"));
	record(PARAMS, 1, TEXT("THone"));
	empty(PARAMS, 1);
	empty(STDIN, 1);
}

START_TEST(answers_get_values_anywhere)
{
	assert_passes_without(request_among_questions, request_without_questions);
	ck_assert_int_eq(gate.state, GATE_DONE);
	assert_answered(TEXT(ALL_VALUES ALL_VALUES ALL_VALUES));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("gate_values");

	GATE_CASE(s, "get values", answers_get_values_alone, answers_before_the_padding_has_come,
		  answers_each_value_once, answers_each_question_for_itself, leaves_out_values_that_it_does_not_know,
		  skips_the_values_of_questions, answers_an_empty_question, answers_get_values_anywhere);
	looped(s, "cut question", refuses_a_question_that_is_cut_off, 1, 19);
	return s;
}
