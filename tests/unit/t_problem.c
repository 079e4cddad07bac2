/* t_problem.c - problem documents. */
#include "http/problem.h"
#include "tests/unit/arena_stand.h"

static const char *as_json(const struct problem *problem, leat_text request_id)
{
	struct buffer out;

	buffer_init(&out, &arena, 16);
	problem_write(&out, problem, request_id);
	return arena_copy(&arena, out.data, out.len);
}

START_TEST(writes_title_and_status_of_a_result)
{
	struct problem problem = { .result = LEAT_NOT_FOUND };

	ck_assert_str_eq(as_json(&problem, (leat_text){ NULL, 0 }),
			 "{\"type\":\"about:blank\",\"title\":\"Not found\",\"status\":404}");
}
END_TEST

START_TEST(writes_detail_and_request_id)
{
	struct problem problem = { .result = LEAT_CONFLICT, .detail = LEAT_TEXT_OF("\"ada\" is taken") };

	ck_assert_str_eq(as_json(&problem, LEAT_TEXT_OF("req-1")),
			 "{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,"
			 "\"detail\":\"\\\"ada\\\" is taken\",\"request_id\":\"req-1\"}");
}
END_TEST

START_TEST(lists_faults_in_their_order)
{
	struct problem problem = { .result = LEAT_INVALID };

	problem_fault(&problem, &arena, LEAT_TEXT_OF("#/email"), "must be an e-mail address");
	problem_fault(&problem, &arena, LEAT_TEXT_OF("#/age"), "must be from %d to %d", 1, 150);
	problem_fault_parameter(&problem, &arena, LEAT_TEXT_OF("limit"), "must be an integer");
	ck_assert_str_eq(as_json(&problem, (leat_text){ NULL, 0 }),
			 "{\"type\":\"about:blank\",\"title\":\"Invalid input\",\"status\":422,\"errors\":["
			 "{\"pointer\":\"#/email\",\"detail\":\"must be an e-mail address\"},"
			 "{\"pointer\":\"#/age\",\"detail\":\"must be from 1 to 150\"},"
			 "{\"parameter\":\"limit\",\"detail\":\"must be an integer\"}]}");
}
END_TEST

START_TEST(says_when_there_are_more_faults_than_it_lists)
{
	struct problem problem = { .result = LEAT_INVALID };
	unsigned count = 0;

	for (int i = 0; i < 1000; i++)
		problem_fault(&problem, &arena, LEAT_TEXT_OF("#/a"), "fault %d", i);
	for (const struct fault *fault = problem.faults; fault; fault = fault->next)
		count++;
	ck_assert_uint_eq(count, PROBLEM_FAULTS_MAX + 1);
	ck_assert(leat_text_equal(problem.last_fault->pointer, LEAT_TEXT_OF("#")));
	ck_assert(leat_text_equal(problem.last_fault->detail,
				  LEAT_TEXT_OF("has more than 32 faults; the rest is not listed")));
}
END_TEST

START_TEST(lists_exactly_as_many_faults_as_it_may)
{
	struct problem problem = { .result = LEAT_INVALID };

	for (int i = 1; i <= PROBLEM_FAULTS_MAX; i++)
		problem_fault(&problem, &arena, LEAT_TEXT_OF("#/a"), "fault %d", i);
	ck_assert(leat_text_equal(problem.last_fault->detail, LEAT_TEXT_OF("fault 32")));
}
END_TEST

START_TEST(knows_name_and_status_of_every_result)
{
	ck_assert_str_eq(leat_result_name(LEAT_OK), "OK");
	ck_assert_int_eq(leat_result_status(LEAT_OK), 200);
	ck_assert_str_eq(leat_result_name(LEAT_TIMED_OUT), "TIMED_OUT");
	ck_assert_int_eq(leat_result_status(LEAT_TIMED_OUT), 504);
	for (int result = 0; result < LEAT_RESULT_COUNT; result++) {
		ck_assert_ptr_nonnull(leat_result_name(result));
		ck_assert_int_ge(leat_result_status(result), 200);
		ck_assert_int_le(leat_result_status(result), 504);
	}
}
END_TEST

START_TEST(takes_an_unknown_result_for_an_internal_error)
{
	struct problem problem = { .result = LEAT_RESULT_COUNT };

	ck_assert_str_eq(leat_result_name((enum leat_result) - 1), "INTERNAL");
	ck_assert_int_eq(leat_result_status((enum leat_result)1000), 500);
	ck_assert_str_eq(as_json(&problem, (leat_text){ NULL, 0 }),
			 "{\"type\":\"about:blank\",\"title\":\"Internal error\",\"status\":500}");
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("problem");

	ARENA_CASE(s, "document", writes_title_and_status_of_a_result, writes_detail_and_request_id,
		   lists_faults_in_their_order, says_when_there_are_more_faults_than_it_lists,
		   lists_exactly_as_many_faults_as_it_may);
	ARENA_CASE(s, "results", knows_name_and_status_of_every_result, takes_an_unknown_result_for_an_internal_error);
	return s;
}
