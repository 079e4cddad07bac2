/* t_slow.c - statements that turn out to be slow leave the lanes, and come back. */
#include "tests/unit/people.h"

static void setup_slow(void)
{
	set_defaults();
	settings.db_slow = 150;
	set_up_stand();
}

TASK_TEST(a_statement_that_is_slow_three_times_leaves_the_lanes)
{
	struct number number;

	for (int i = 0; i < 3; i++)
		ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.3)), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), 0);
	ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.3)), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), 1);
}

TASK_TEST(one_slow_execution_among_fast_ones_changes_nothing)
{
	struct number number;

	for (int i = 0; i < 20; i++)
		ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(i == 5 ? 0.3 : 0.0)), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), 0);
}

TASK_TEST(a_statement_that_is_fast_again_comes_back)
{
	struct number number;
	uint64_t slow;

	for (int i = 0; i < 4; i++)
		ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.3)), LEAT_OK);
	for (int i = 0; i < 8; i++)
		ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.0)), LEAT_OK);
	slow = metrics_total(METRIC_DB_SLOW);
	ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.0)), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), slow);
}

static const struct leat_statement slow_shape = { .sql = "SELECT n FROM shapes, pg_sleep(0.3)",
						  .row = &number_shape,
						  .read_only = true };

TASK_TEST(a_slow_statement_survives_a_changed_table)
{
	struct number number;

	postgres_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS shapes; CREATE TABLE shapes (n int8); "
		     "INSERT INTO shapes VALUES (1)");
	for (int i = 0; i < 5; i++)
		ck_assert_result(leat_db_one(req, &slow_shape, &number), LEAT_OK);
	ck_assert_uint_gt(metrics_total(METRIC_DB_SLOW), 0);
	postgres_sql("ALTER TABLE shapes ALTER n TYPE int4");
	ck_assert_result(leat_db_one(req, &slow_shape, &number), LEAT_OK);
}

static void compute_ms(int64_t ms)
{
	int64_t until_ns = clock_now_ns() + ms * CLOCK_MS;

	while (clock_now_ns() < until_ns)
		;
}

TASK_TEST(own_computing_is_not_the_statements_time)
{
	struct number number;

	for (int i = 0; i < 8; i++) {
		compute_ms(200);
		ck_assert_result(leat_db_one(req, &backend, &number), LEAT_OK);
	}
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), 0);
}

static void setup_backslashes(void)
{
	static char url[1024];

	set_defaults();
	snprintf(url, sizeof(url), "%s options='-c standard_conforming_strings=off'", settings.database_url);
	settings.database_url = url;
	settings.db_connect_timeout = 600;
	settings.db_slow = 150;
	set_up_stand();
}

TASK_TEST(a_long_first_statement_outlives_the_time_for_connecting)
{
	struct number number;

	for (int i = 0; i < 3; i++)
		ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(0.3)), LEAT_OK);
	ck_assert_result(leat_db_one(req, &sleep_s, &number, LEAT_ARG(1.2)), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_SLOW), 1);
}

Suite *suite(void)
{
	Suite *s = suite_create("slow");

	postgres_need();
	HARNESS_CASE_WITH(s, "slow", setup_slow, teardown, a_statement_that_is_slow_three_times_leaves_the_lanes,
			  one_slow_execution_among_fast_ones_changes_nothing, a_statement_that_is_fast_again_comes_back,
			  a_slow_statement_survives_a_changed_table, own_computing_is_not_the_statements_time);
	HARNESS_CASE_WITH(s, "backslashes", setup_backslashes, teardown,
			  a_long_first_statement_outlives_the_time_for_connecting);
	return s;
}
