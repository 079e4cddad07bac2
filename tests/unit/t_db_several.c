/* t_db_several.c - several statements at once, of one request and of many, on a lane and on several. */
#include "base/annotate.h"
#include "tests/unit/people.h"

#ifdef LEAT_WITH_TSAN /* takes ten times as long, more on a busy machine */
enum { MANY = 500 };
#else
enum { MANY = 3000 };
#endif

TASK_TEST(several_statements_travel_together)
{
	struct leat_query *queries[20];
	struct leat_list list;

	for (int i = 0; i < 20; i++)
		ck_assert_result(leat_db_send(req, &twice, &queries[i], LEAT_ARG(i)), LEAT_OK);
	for (int i = 19; i >= 0; i--) {
		ck_assert_result(leat_db_wait(req, queries[i], &list), LEAT_OK);
		ck_assert_int_eq(((struct number *)list.items)->n, 2 * i);
	}
}

TASK_TEST(one_that_was_sent_counts_the_rows_it_changed)
{
	struct leat_query *query;
	int64_t count;

	ck_assert_result(leat_db_send(req, &rename_all, &query, LEAT_ARG("Ida")), LEAT_OK);
	ck_assert_result(leat_db_wait_count(req, query, &count), LEAT_OK);
	ck_assert_int_eq(count, 3);
}

TASK_TEST(each_that_was_sent_comes_once)
{
	struct leat_query *queries[20] = { 0 };
	int64_t sum = 0;

	for (int64_t i = 1; i < 20; i++) /* the first entry stays NULL */
		ck_assert_result(leat_db_send(req, &twice, &queries[i], LEAT_ARG(i)), LEAT_OK);
	for (int i = 1; i < 20; i++) {
		struct leat_list list;
		size_t at;

		ck_assert_result(leat_db_wait_any(req, queries, 20, &at), LEAT_OK);
		ck_assert_result(leat_db_wait(req, queries[at], &list), LEAT_OK);
		sum += ((struct number *)list.items)->n;
	}
	ck_assert_int_eq(sum, 2 * 190);
}

TASK_TEST(a_failure_touches_no_neighbour)
{
	struct leat_query *queries[5];

	ck_assert_result(leat_db_send(req, &add_person, &queries[0], LEAT_ARG(10), LEAT_ARG("Lin")), LEAT_OK);
	ck_assert_result(leat_db_send(req, &divide, &queries[1], LEAT_ARG(0)), LEAT_OK);
	ck_assert_result(leat_db_send(req, &add_person, &queries[2], LEAT_ARG(11), LEAT_ARG("Mae")), LEAT_OK);
	ck_assert_result(leat_db_send(req, &add_person, &queries[3], LEAT_ARG(1), LEAT_ARG("Ada")), LEAT_OK);
	ck_assert_result(leat_db_send(req, &person_by_id, &queries[4], LEAT_ARG(1)), LEAT_OK);
	ck_assert_result(leat_db_wait(req, queries[0], NULL), LEAT_OK);
	ck_assert_result(leat_db_wait(req, queries[1], NULL), LEAT_INTERNAL);
	ck_assert_result(leat_db_wait(req, queries[2], NULL), LEAT_OK);
	ck_assert_result(leat_db_wait(req, queries[3], NULL), LEAT_CONFLICT);
	ck_assert_result(leat_db_wait(req, queries[4], NULL), LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id IN (10, 11)"), 2);
}

TASK_TEST(what_was_sent_and_never_awaited_still_happens)
{
	struct leat_query *query;

	ck_assert_result(leat_db_send(req, &add_person, &query, LEAT_ARG(10), LEAT_ARG("Lin")), LEAT_OK);
	ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(11), LEAT_ARG("Mae")), LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id IN (10, 11)"), 2);
}

static void ask_many(struct leat_request *req)
{
	struct job *job = job_of(req);
	struct number number;

	for (int64_t i = 0; i < 20; i++) {
		ck_assert_result(leat_db_one(req, &twice, &number, LEAT_ARG(job->arg + i)), LEAT_OK);
		ck_assert_int_eq(number.n, 2 * (job->arg + i));
	}
}

static void run_many(int count)
{
	struct job *jobs = calloc((size_t)count, sizeof(*jobs));

	for (int i = 0; i < count; i++) {
		jobs[i].arg = i;
		start(&jobs[i], ask_many, LIMIT_S * 1000);
	}
	finish_all();
	free(jobs);
}

START_TEST(thousands_of_tasks_share_one_lane)
{
	settings.db_lane_depth = 5000;
	run_many(MANY);
}
END_TEST

START_TEST(several_lanes_share_the_work)
{
	end();
	settings.db_lanes = 3;
	begin();
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECTIONS) == 3);
	run_many(500);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM pg_stat_activity "
				      "WHERE application_name = 'leat' AND query LIKE '%$1%'"),
			 3);
}
END_TEST

START_TEST(a_full_lane_refuses)
{
	struct job jobs[5] = { 0 };

	TURN_UNTIL(db_is_up(db));
	settings.db_lane_depth = 3;
	for (int i = 0; i < 5; i++)
		start(&jobs[i], read_one, 5000);
	finish_all();
	for (int i = 0; i < 5; i++)
		ck_assert_result(jobs[i].result, i < 3 ? LEAT_OK : LEAT_UNAVAILABLE);
	ck_assert_int_eq(metrics_total(METRIC_DB_UNAVAILABLE), 2);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("db_several");

	postgres_need();
	HARNESS_CASE_WITH(s, "of one request", setup, teardown, several_statements_travel_together,
			  each_that_was_sent_comes_once, one_that_was_sent_counts_the_rows_it_changed,
			  a_failure_touches_no_neighbour, what_was_sent_and_never_awaited_still_happens);
	HARNESS_CASE_WITH(s, "of many requests", setup, teardown, thousands_of_tasks_share_one_lane,
			  several_lanes_share_the_work, a_full_lane_refuses);
	return s;
}
