/* t_shared.c - quick reads of different requests share a Sync. Against a real PostgreSQL, on one lane. */
#include "back/db_internal.h"
#include "tests/unit/people.h"

enum { JOBS = 8 };

static struct job jobs[JOBS];

static void ask_when_it_began(struct leat_request *req)
{
	struct number number = { 0 };

	job_of(req)->result = leat_db_one(req, &began, &number);
	job_of(req)->arg = number.n;
}

static void divide_by_arg(struct leat_request *req)
{
	struct number number = { 0 };

	job_of(req)->result = leat_db_one(req, &hundred_by, &number, LEAT_ARG(job_of(req)->arg));
	job_of(req)->arg = number.n;
}

static void takes(const struct leat_statement *is, int64_t ns)
{
	statements_find(&db->statements, is)->usual_ns = ns;
}

/* In one turn, with one lane. */
static void start_all(job_fn fn)
{
	TURN_UNTIL(db_is_up(db));
	for (int i = 0; i < JOBS; i++)
		start(&jobs[i], fn, LIMIT_S * 1000);
	finish_all();
}

static int count_transactions(void)
{
	int count = 1;

	for (int i = 1; i < JOBS; i++)
		count += jobs[i].arg != jobs[i - 1].arg;
	return count;
}

START_TEST(quick_reads_share_a_transaction)
{
	takes(&began, 1000);
	start_all(ask_when_it_began);
	for (int i = 0; i < JOBS; i++)
		ck_assert_result(jobs[i].result, LEAT_OK);
	ck_assert_int_eq(count_transactions(), 1);
}
END_TEST

START_TEST(together_they_take_no_longer_than_two_milliseconds)
{
	takes(&began, 600 * 1000);
	start_all(ask_when_it_began);
	ck_assert_int_eq(count_transactions(), 3); /* of 3, 3 and 2 */
}
END_TEST

START_TEST(what_has_not_been_measured_goes_alone)
{
	start_all(ask_when_it_began);
	ck_assert_int_eq(count_transactions(), JOBS);
	ck_assert_int_gt(statements_find(&db->statements, &began)->usual_ns, 0);
}
END_TEST

START_TEST(what_was_slow_of_late_goes_alone)
{
	takes(&began, 1000);
	statements_find(&db->statements, &began)->history = 1;
	start_all(ask_when_it_began);
	ck_assert_int_eq(count_transactions(), JOBS);
}
END_TEST

START_TEST(one_that_fails_fails_alone)
{
	takes(&hundred_by, 1000);
	for (int i = 0; i < JOBS; i++)
		jobs[i].arg = i == 3 ? 0 : i + 1;
	start_all(divide_by_arg);
	for (int i = 0; i < JOBS; i++) {
		ck_assert_result(jobs[i].result, i == 3 ? LEAT_INTERNAL : LEAT_OK);
		ck_assert_int_eq(jobs[i].arg, i == 3 ? 0 : 100 / (i + 1));
	}
	ck_assert_int_eq(metrics_total(METRIC_DB_ERRORS), 1);
	ck_assert_int_eq(metrics_total(METRIC_DB_SKIPPED), JOBS - 4);
}
END_TEST

/* Whether the first is answered before the server has come to the second cannot be seen from here. */
START_TEST(one_before_a_late_one_is_moved)
{
	struct job reader = { 0 }, slow = { .arg = 60000 };

	takes(&began, 1000);
	takes(&sleep_s, 1000);
	TURN_UNTIL(db_is_up(db));
	start(&reader, ask_when_it_began, LIMIT_S * 1000);
	start(&slow, read_for_arg, 50);
	finish_all();
	ck_assert_result(slow.result, LEAT_TIMED_OUT);
	ck_assert_result(reader.result, LEAT_OK);
	ck_assert_int_eq(metrics_total(METRIC_DB_RETRIES), 1);
	TURN_UNTIL(!is_asleep());
}
END_TEST

START_TEST(what_an_execution_usually_takes_is_learned)
{
	struct statement statement = { 0 };

	statement_took(&statement, 64000, 1, INT64_MAX);
	ck_assert_int_eq(statement.usual_ns, 64000);
	statement_took(&statement, 64000, 2, INT64_MAX);
	ck_assert_int_eq(statement.usual_ns, 60000);
	statement_took(&statement, 140000, 1, INT64_MAX);
	ck_assert_int_eq(statement.usual_ns, 70000);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("shared");

	postgres_need();
	HARNESS_CASE_WITH(s, "reads", setup, teardown, quick_reads_share_a_transaction,
			  together_they_take_no_longer_than_two_milliseconds, what_has_not_been_measured_goes_alone,
			  what_was_slow_of_late_goes_alone, one_that_fails_fails_alone, one_before_a_late_one_is_moved);
	HARNESS_CASE(s, "learning", what_an_execution_usually_takes_is_learned);
	return s;
}
