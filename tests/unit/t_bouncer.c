/* t_bouncer.c - behind PgBouncer in transaction mode: three servers in turn. Without PgBouncer there is nothing to test. */
#include "tests/unit/people.h"

static const struct leat_statement tripled = { .sql = "SELECT $1::int8 * 3 AS n",
					       .row = &number_shape,
					       .read_only = true };

static void ask_in_turn(struct leat_request *req)
{
	struct number number;

	for (int64_t i = 0; i < 100; i++) {
		ck_assert_result(leat_db_one(req, &twice, &number, LEAT_ARG(i)), LEAT_OK);
		ck_assert_int_eq(number.n, 2 * i);
		ck_assert_result(leat_db_one(req, &tripled, &number, LEAT_ARG(i)), LEAT_OK);
		ck_assert_int_eq(number.n, 3 * i);
	}
}

/* How many statements had become stale. */
static uint64_t ask_all_in_turn(void)
{
	static struct job jobs[20];
	uint64_t before = metrics_total(METRIC_DB_STALE);

	for (int i = 0; i < 20; i++) {
		jobs[i] = (struct job){ 0 };
		start(&jobs[i], ask_in_turn, LIMIT_S * 1000);
	}
	finish_all();
	return metrics_total(METRIC_DB_STALE) - before;
}

START_TEST(disappearing_statements_are_noticed_and_sent_unnamed)
{
	int rounds = 1;

	ck_assert_uint_gt(ask_all_in_turn(), 0);
	while (ask_all_in_turn() > 0)
		ck_assert_int_lt(++rounds, 10);
}
END_TEST

START_TEST(unnamed_from_the_start_nothing_is_stale)
{
	ck_assert_uint_eq(ask_all_in_turn(), 0);
}
END_TEST

TASK_TEST(a_transaction_stays_on_one_server)
{
	ck_assert_result(leat_tx(req, NULL, all_on_one, NULL), LEAT_OK);
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK);
	ck_assert_int_eq(count_rows(), 5);
}

static void setup_bouncer(void)
{
	set_defaults();
	settings.database_url = getenv("LEAT_TEST_BOUNCER");
	settings.db_lanes = 3;
	set_up_stand();
}

static void setup_bouncer_unnamed(void)
{
	set_defaults();
	settings.database_url = getenv("LEAT_TEST_BOUNCER");
	settings.db_lanes = 3;
	settings.db_prepare = 2;
	set_up_stand();
}

Suite *suite(void)
{
	Suite *s = suite_create("bouncer");

	postgres_need();
	if (!getenv("LEAT_TEST_BOUNCER") || !*getenv("LEAT_TEST_BOUNCER"))
		return s;
	HARNESS_CASE_WITH(s, "bouncer", setup_bouncer, teardown, disappearing_statements_are_noticed_and_sent_unnamed);
	HARNESS_CASE_WITH(s, "bouncer-unnamed", setup_bouncer_unnamed, teardown,
			  unnamed_from_the_start_nothing_is_stale, a_transaction_stays_on_one_server);
	return s;
}
