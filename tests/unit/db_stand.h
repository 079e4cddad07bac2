/* db_stand.h - a worker as far as the database sees one, before a real PostgreSQL: loop, lanes, memory, requests.
 *
 * Use:
 *     TASK_TEST(a_sentence)
 *     {
 *         ck_assert_result(leat_db_exec(req, &statement, NULL), LEAT_OK);   -- in a request's task
 *     }
 *     HARNESS_CASE_WITH(s, "name", setup, teardown, a_sentence);
 *
 * A program with settings of its own changes them between set_defaults and set_up_stand, in its own setup. people.h has the
 * statements on the table that is made.
 *
 * Ownership:      the stand goes with the test; a job is the test's, and must outlive its task.
 * Thread-safety:  the main thread, and in its tasks.
 * Errors:         a condition that never comes true fails the test by name; so do statements and connections left over at the end.
 */
#ifndef TESTS_UNIT_DB_STAND_H
#define TESTS_UNIT_DB_STAND_H

#include <inttypes.h>
#include <leat.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "back/db.h"
#include "back/lend.h"
#include "back/notify.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "task/call.h"
#include "task/loop.h"
#include "task/offload.h"
#include "task/task.h"
#include "task/wait.h"
#include "tests/unit/harness.h"
#include "tests/unit/postgres.h"

enum {
	LIMIT_S = 30,     /* for a test; it fails then */
	LENIENT_MS = 150, /* how late a deadline may be kept on a busy machine */
};

/* A worker without a front: loop, lanes, memory --------------------------------------------------------------------- */

static struct settings settings;
static struct loop *loop;
static struct offload *offload;
static struct lend *lend;
static struct notify *notify;
static struct arena_pool *pool;
static struct db *db;

typedef void (*job_fn)(struct leat_request *req);

/* A request as far as the database sees one. */
struct job {
	struct call call; /* first: a struct leat_request begins with it */
	struct arena arena;
	struct task *task;
	job_fn fn;
	int64_t arg;
	enum leat_result result;
	int64_t took_ms;
};

static inline struct job *job_of(struct leat_request *req)
{
	return (struct job *)req;
}

static void job_run(void *arg)
{
	struct job *job = arg;
	int64_t started_ns = clock_now_ns();

	job->task = task_self();
	job->fn((struct leat_request *)job);
	job->took_ms = (clock_now_ns() - started_ns) / CLOCK_MS;
	job->task = NULL;
	arena_reset(&job->arena);
}

static void start(struct job *job, job_fn fn, int64_t deadline_ms)
{
	arena_init(&job->arena, pool);
	job->fn = fn;
	job->call = (struct call){
		.arena = &job->arena,
		.db = db,
		.deadline_ns = clock_now_ns() + deadline_ms * CLOCK_MS,
	};
	ck_assert(task_start(loop, job_run, job));
}

static void turn(void)
{
	int64_t soon_ns = clock_now_ns() + 20 * CLOCK_MS;
	int64_t until_ns = loop_sleep_until(loop);

	loop_poll(loop, until_ns < soon_ns ? until_ns : soon_ns);
	loop_run_ready(loop);
}

#define TURN_UNTIL(condition) \
	do { \
		int64_t limit_ns_ = clock_now_ns() + LIMIT_S * CLOCK_S; \
		while (!(condition)) { \
			ck_assert_msg(clock_now_ns() < limit_ns_, "never came true: %s", #condition); \
			turn(); \
		} \
	} while (0)

static void finish_all(void)
{
	TURN_UNTIL(loop_task_count(loop) == 0);
}

/* A test whose body is a request's task. */
#define TASK_TEST(name) \
	static void name##_in_task(struct leat_request *req); \
	START_TEST(name) \
	{ \
		struct job job = { 0 }; \
\
		start(&job, name##_in_task, LIMIT_S * 1000); \
		finish_all(); \
	} \
	END_TEST \
	static void name##_in_task(struct leat_request *req)

#define ck_assert_result(actual, expected) ck_assert_str_eq(leat_result_name(actual), leat_result_name(expected))

static void begin(void)
{
	loop = loop_new(&(struct loop_options){ .stack_size = 256 * 1024, .tasks_max = 10000 });
	offload = offload_new(2, 64);
	pool = arena_pool_new(1024 * 1024);
	lend = lend_new(&settings, (unsigned)settings.db_lent_max, offload);
	notify = notify_new(&settings);
	db = db_new(loop, &settings, offload, offload, lend, notify);
	ck_assert(loop && offload && db);
}

static void end(void)
{
	finish_all();
	db_free(db);
	lend_stop(lend);
	offload_free(offload);
	lend_free(lend);
	ck_assert(notify_stop(notify, clock_now_ns() + 5 * CLOCK_S));
	arena_pool_free(pool);
	loop_free(loop); /* runs what was posted */
	notify_free(notify);
	ck_assert_int_eq(metrics_total(METRIC_DB_IN_FLIGHT), 0);
	ck_assert_int_eq(metrics_total(METRIC_DB_CONNECTIONS), 0);
}

/* The server from outside ---------------------------------------------------------------------------------------------- */

/* Runs outside of the loop: the worker meets what has happened when it turns again. */
static inline void control(const char *arguments)
{
	char command[512];

	snprintf(command, sizeof(command), "%s %s", getenv("LEAT_TEST_POSTGRES_CTL"), arguments);
	ck_assert_int_eq(system(command), 0);
}

static inline bool is_asleep(void)
{
	return postgres_sql("SELECT count(*) FROM pg_stat_activity "
			    "WHERE application_name = 'leat' AND wait_event = 'PgSleep'") > 0;
}

static void kill_backends(void)
{
	postgres_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leat'");
}

static void set_defaults(void)
{
	settings.database_url = getenv("LEAT_TEST_DATABASE");
	settings.db_lanes = 1;
	settings.db_lane_depth = 1024;
	settings.db_connect_timeout = 5000;
	settings.db_retry_least = 20;
	settings.db_retry_most = 100;
	settings.db_cancel_grace = 200;
	settings.db_slow = 60000;
	settings.db_lent_max = 4;
	settings.db_lent_idle_max = 4;
	settings.db_lent_lifetime = 60000;
	settings.db_lent_idle_time = 60000;
	settings.db_lent_wait = 5000;
	settings.db_lent_queue = 1000;
	settings.db_notify_queue = 5;
	settings.db_notify_silence = 60000;
}

/* With the settings as they are. */
static void set_up_stand(void)
{
	kill_backends(); /* whatever a test that failed has left */
	postgres_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS people; DROP SEQUENCE IF EXISTS written;"
		     "CREATE SEQUENCE written;"
		     "CREATE TABLE people (id int8 PRIMARY KEY, name text NOT NULL, note text);"
		     "INSERT INTO people VALUES (1, 'Ada', 'first'), (2, 'Grace', NULL), (3, 'Zoë', '')");
	begin();
}

static inline void setup(void)
{
	set_defaults();
	set_up_stand();
}

static void teardown(void)
{
	end();
}

#endif
