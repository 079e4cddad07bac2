/* t_migrate_together.c - leat migrate: several at once, and one that is killed. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "tests/unit/migrate_folder.h"

/* Several --------------------------------------------------------------------------------------------------------- */

static PGconn *other_session(const char *command)
{
	PGconn *connection = PQconnectdb(getenv("LEAT_TEST_DATABASE"));
	PGresult *result = PQexec(connection, command);

	ck_assert_int_ne(PQresultStatus(result), PGRES_FATAL_ERROR);
	PQclear(result);
	return connection;
}

static pid_t up_in_background(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(up());
	return pid;
}

static int status_of(pid_t pid)
{
	int how;

	ck_assert_int_eq(waitpid(pid, &how, 0), pid);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* What was there before is of other programs: PgBouncer's pool keeps connections, and their names. */
static int64_t began_us;

static void setup_timed(void)
{
	setup();
	began_us = clock_wall_ns() / CLOCK_US;
}

/* Until so many sessions of leat migrate, begun in this test, are as the condition says. */
static void wait_for_sessions(int count, const char *condition)
{
	const struct timespec pause = { .tv_nsec = 10 * CLOCK_MS };
	int64_t limit_ns = clock_now_ns() + LIMIT_S * CLOCK_S;
	char command[320];

	snprintf(command, sizeof(command),
		 "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat migrate' "
		 "AND backend_start >= 'epoch'::timestamptz + %lld * interval '1 microsecond' AND %s",
		 (long long)began_us, condition);
	while (postgres_sql(command) != count) {
		ck_assert_msg(clock_now_ns() < limit_ns, "not %d sessions ever: %s", count, condition);
		nanosleep(&pause, NULL);
	}
}

#define IS_BLOCKED          "wait_event_type = 'Lock'"
#define IS_WAITING_ITS_TURN "query LIKE '%pg_try_advisory_lock%' AND state = 'idle'"

START_TEST(one_that_is_under_way_is_waited_for)
{
	PGconn *first = other_session("SELECT pg_advisory_lock(1818583412)");
	pid_t second;

	two_files();
	second = up_in_background();
	wait_for_sessions(1, IS_WAITING_ITS_TURN);
	ck_assert(!has_table("a"));
	PQfinish(first);
	ck_assert_int_eq(status_of(second), 0);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(nobody_waits_for_ever)
{
	PGconn *first = other_session("SELECT pg_advisory_lock(1818583412)");

	two_files();
	settings.migrate_wait = 0;
	ck_assert_int_eq(up(), 1);
	PQfinish(first);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(two_starters_apply_each_file_once)
{
	pid_t first, second;

	two_files();
	first = up_in_background();
	second = up_in_background();
	ck_assert_int_eq(status_of(first), 0);
	ck_assert_int_eq(status_of(second), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM a"), 1);
}
END_TEST

/* The index waits for a writer; the second starter, who waits for the first, must not hold it up for ever. */
START_TEST(one_who_waits_does_not_hold_up_a_concurrent_index)
{
	PGconn *writer;
	pid_t first, second;

	postgres_sql("CREATE TABLE a (x int)");
	file("0001_index.sql", ALONE "CREATE INDEX CONCURRENTLY a_x ON a (x);");
	writer = other_session("BEGIN; INSERT INTO a VALUES (1)");
	first = up_in_background();
	wait_for_sessions(1, IS_BLOCKED);
	second = up_in_background();
	wait_for_sessions(1, IS_WAITING_ITS_TURN);
	PQfinish(writer);
	ck_assert_int_eq(status_of(first), 0);
	ck_assert_int_eq(status_of(second), 0);
}
END_TEST

/* Crashes --------------------------------------------------------------------------------------------------------- */

/* Killed while its last statement waits for a lock, which 'holder' has. */
static void kill_in_the_middle(const char *sql)
{
	PGconn *holder = other_session("SELECT pg_advisory_lock(7)");
	pid_t pid;

	file("0001_a.sql", sql);
	pid = up_in_background();
	wait_for_sessions(1, IS_BLOCKED);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(status_of(pid), -1);
	PQfinish(holder);
	wait_for_sessions(0, "true");
}

START_TEST(a_crash_leaves_nothing_of_a_transaction)
{
	kill_in_the_middle("CREATE TABLE a (x int); SELECT pg_advisory_lock(7);");
	ck_assert(!has_table("a"));
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("a"));
}
END_TEST

START_TEST(a_crash_without_a_transaction_is_remembered)
{
	kill_in_the_middle(ALONE "CREATE TABLE a (x int); SELECT pg_advisory_lock(7);");
	ck_assert_int_eq(up(), 1);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations "
				      "WHERE unfinished = 'up: statement 2 of 2, line 2'"),
			 1);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("migrate_together");

	postgres_need();
	HARNESS_CASE_WITH(s, "more than one", setup_timed, teardown, one_that_is_under_way_is_waited_for,
			  nobody_waits_for_ever, two_starters_apply_each_file_once,
			  one_who_waits_does_not_hold_up_a_concurrent_index);
	HARNESS_CASE_WITH(s, "crashes", setup_timed, teardown, a_crash_leaves_nothing_of_a_transaction,
			  a_crash_without_a_transaction_is_remembered);
	return s;
}
