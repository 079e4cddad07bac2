/* t_migrate.c - leat migrate on folders made for the purpose, against a real PostgreSQL. */
#include "back/migrate.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "tests/unit/harness.h"
#include "tests/unit/postgres.h"

enum { LIMIT_S = 30 }; /* for a condition; the test fails then */

static char folder[64];
static struct settings settings;

static void setup(void)
{
	strcpy(folder, "/tmp/leat-migrate.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	settings.migrations = folder;
	settings.database_url = getenv("LEAT_TEST_DATABASE");
	settings.migrate_wait = LIMIT_S * 1000;
	postgres_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS leat_migrations, a, b");
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static const char *path_of(const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return path;
}

static void file(const char *name, const char *sql)
{
	FILE *stream = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(stream);
	fputs(sql, stream);
	ck_assert_int_eq(fclose(stream), 0);
}

static void two_files(void)
{
	file("0001_a.sql", "CREATE TABLE a (x int); INSERT INTO a VALUES (1);");
	file("0002_b.sql", "ALTER TABLE a ADD y int;\nCREATE TABLE b (x int);\n");
}

static int up(void)
{
	return migrate_main(&settings, "up");
}

static int status(void)
{
	return migrate_main(&settings, "status");
}

static int down(void)
{
	return migrate_main(&settings, "down");
}

static int redo(void)
{
	return migrate_main(&settings, "redo");
}

static bool has_table(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "SELECT (to_regclass('%s') IS NOT NULL)::int", name);
	return postgres_sql(command);
}

START_TEST(up_runs_the_files_in_order)
{
	two_files();
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(y IS NULL) FROM a"), 1);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations"), 2);
}
END_TEST

START_TEST(a_second_up_does_nothing)
{
	two_files();
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM a"), 1);
}
END_TEST

START_TEST(up_runs_what_was_added)
{
	file("0001_a.sql", "CREATE TABLE a (x int)");
	ck_assert_int_eq(up(), 0);
	file("0002_b.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(a_file_that_fails_leaves_nothing)
{
	file("0001_a.sql", "CREATE TABLE a (x int); SELECT 1 / 0;");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(those_before_one_that_fails_stay)
{
	file("0001_a.sql", "CREATE TABLE a (x int)");
	file("0002_b.sql", "nonsense");
	ck_assert_int_eq(up(), 1);
	ck_assert(has_table("a"));
}
END_TEST

START_TEST(an_edited_file_stops_everything)
{
	file("0001_a.sql", "CREATE TABLE a (x int)");
	ck_assert_int_eq(up(), 0);
	file("0001_a.sql", "CREATE TABLE a (x bigint)");
	file("0002_b.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("b"));
}
END_TEST

START_TEST(a_file_that_is_gone_stops_everything)
{
	two_files();
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(unlink(path_of("0001_a.sql")), 0);
	ck_assert_int_eq(up(), 1);
}
END_TEST

START_TEST(a_number_below_one_that_has_run_is_refused)
{
	file("0002_a.sql", "CREATE TABLE a (x int)");
	ck_assert_int_eq(up(), 0);
	file("0001_b.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("b"));
}
END_TEST

START_TEST(one_number_twice_is_refused)
{
	file("0001_a.sql", "CREATE TABLE a (x int)");
	file("001_b.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(a_name_of_another_form_is_refused)
{
	file("first.sql", "CREATE TABLE a (x int)");
	ck_assert_int_eq(up(), 1);
}
END_TEST

START_TEST(a_file_that_commits_is_told)
{
	file("0001_a.sql", "CREATE TABLE a (x int); COMMIT;");
	ck_assert_int_eq(up(), 1);
}
END_TEST

START_TEST(a_file_may_change_the_search_path)
{
	file("0001_a.sql", "SELECT set_config('search_path', '', false); CREATE TABLE public.a (x int);");
	ck_assert_int_eq(up(), 0);
}
END_TEST

START_TEST(the_checksum_is_the_files_sha256)
{
	file("0001_a.sql", "SELECT 1");
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations WHERE checksum = "
				      "'e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5'"),
			 1);
}
END_TEST

START_TEST(status_says_whether_anything_is_left)
{
	two_files();
	ck_assert_int_eq(status(), 1);
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(status(), 0);
}
END_TEST

START_TEST(status_changes_nothing)
{
	two_files();
	ck_assert_int_eq(status(), 1);
	ck_assert(!has_table("leat_migrations"));
}
END_TEST

/* Undoing ---------------------------------------------------------------------------------------------------------- */

static void two_files_with_undo(void)
{
	file("0001_a.sql", "CREATE TABLE a (x int);\n\n/* leat: down\nDROP TABLE a; /* all of it */\n*/\n");
	file("0002_b.sql", "CREATE TABLE b (x int);\n\n/* leat: down\nDROP TABLE b;\n*/\n");
	ck_assert_int_eq(up(), 0);
}

START_TEST(up_passes_over_the_undo)
{
	two_files_with_undo();
	ck_assert(has_table("a"));
}
END_TEST

START_TEST(down_undoes_the_newest)
{
	two_files_with_undo();
	ck_assert_int_eq(down(), 0);
	ck_assert(!has_table("b"));
	ck_assert(has_table("a"));
}
END_TEST

START_TEST(what_was_undone_is_pending_again)
{
	two_files_with_undo();
	ck_assert_int_eq(down(), 0);
	ck_assert_int_eq(status(), 1);
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(down_goes_back_to_the_beginning)
{
	two_files_with_undo();
	ck_assert_int_eq(down(), 0);
	ck_assert_int_eq(down(), 0);
	ck_assert_int_eq(down(), 1);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(without_an_undo_nothing_changes)
{
	two_files();
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(down(), 1);
	ck_assert_int_eq(redo(), 1);
	ck_assert(has_table("b"));
	ck_assert_int_eq(status(), 0);
}
END_TEST

START_TEST(an_undo_that_fails_changes_nothing)
{
	file("0001_a.sql", "CREATE TABLE a (x int);\n/* leat: down\nDROP TABLE a;\nDROP TABLE b;\n*/");
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(down(), 1);
	ck_assert(has_table("a"));
	ck_assert_int_eq(status(), 0);
}
END_TEST

START_TEST(an_edited_file_is_not_undone)
{
	two_files_with_undo();
	file("0002_b.sql", "CREATE TABLE b (y int);\n/* leat: down\nDROP TABLE b;\n*/");
	ck_assert_int_eq(down(), 1);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(redo_applies_the_file_as_it_stands_now)
{
	two_files_with_undo();
	file("0002_b.sql", "CREATE TABLE b (y int);\n/* leat: down\nDROP TABLE b;\n*/");
	ck_assert_int_eq(redo(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(y) FROM b"), 0);
	ck_assert_int_eq(status(), 0);
}
END_TEST

START_TEST(a_redo_that_fails_changes_nothing)
{
	two_files_with_undo();
	file("0002_b.sql", "CREATE TABLE b (y nonsense);\n/* leat: down\nDROP TABLE b;\n*/");
	ck_assert_int_eq(redo(), 1);
	ck_assert_int_eq(postgres_sql("SELECT count(x) FROM b"), 0);
}
END_TEST

START_TEST(a_file_that_is_too_late_is_let_in_by_going_back)
{
	file("0002_b.sql", "CREATE TABLE b AS SELECT 1 AS x;\n/* leat: down\nDROP TABLE b;\n*/");
	ck_assert_int_eq(up(), 0);
	file("0001_a.sql", "CREATE TABLE a (x int)");
	ck_assert_int_eq(up(), 1);
	ck_assert_int_eq(down(), 0);
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations"), 2);
}
END_TEST

START_TEST(an_undo_may_be_added_after_the_file_has_run)
{
	file("0001_a.sql", "CREATE TABLE a (x int);\n");
	ck_assert_int_eq(up(), 0);
	file("0001_a.sql", "CREATE TABLE a (x int);\n\n/* leat: down\nDROP TABLE a;\n*/\n");
	ck_assert_int_eq(status(), 0);
	ck_assert_int_eq(down(), 0);
}
END_TEST

START_TEST(an_undo_that_is_not_at_the_end_is_refused)
{
	file("0001_a.sql", "CREATE TABLE a (x int);\n/* leat: down\nDROP TABLE a;\n*/\nSELECT 1;\n");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(a_misspelt_comment_is_refused)
{
	file("0001_a.sql", "CREATE TABLE a (x int);\n-- leat: down\nDROP TABLE a;\n");
	ck_assert_int_eq(up(), 1);
	file("0001_a.sql", "-- leat: no transactions\nCREATE TABLE a (x int);\n");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("leat_migrations"));
}
END_TEST

/* Without a transaction --------------------------------------------------------------------------------------------- */

#define ALONE "-- leat: no transaction\n"

static void index_file(void)
{
	file("0001_a.sql", "CREATE TABLE a (x int)");
	file("0002_index.sql", ALONE "CREATE INDEX CONCURRENTLY a_x ON a (x);\nCOMMENT ON INDEX a_x IS 'one; two';\n\n"
				     "/* leat: down\nDROP INDEX CONCURRENTLY a_x;\n*/\n");
}

/* Statement 2 of 3 fails. */
static void file_that_stops(void)
{
	file("0001_a.sql", ALONE "CREATE TABLE a (x int);\nSELECT 1 / 0;\nCREATE TABLE b (x int);\n");
	ck_assert_int_eq(up(), 1);
}

START_TEST(an_index_is_made_and_dropped_concurrently)
{
	index_file();
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("a_x"));
	ck_assert_int_eq(status(), 0);
	ck_assert_int_eq(redo(), 0);
	ck_assert_int_eq(down(), 0);
	ck_assert(!has_table("a_x"));
}
END_TEST

START_TEST(what_ran_before_the_failure_stays_and_the_rest_does_not_run)
{
	file_that_stops();
	ck_assert(has_table("a"));
	ck_assert(!has_table("b"));
}
END_TEST

START_TEST(the_record_says_where_it_stopped)
{
	file_that_stops();
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations "
				      "WHERE unfinished = 'up: statement 2 of 3, line 3'"),
			 1);
}
END_TEST

START_TEST(nothing_runs_while_one_is_unfinished)
{
	file_that_stops();
	file("0002_c.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 1);
	ck_assert_int_eq(down(), 1);
	ck_assert_int_eq(redo(), 1);
	ck_assert_int_eq(status(), 1);
	ck_assert(!has_table("b"));
}
END_TEST

START_TEST(what_was_finished_by_hand_counts_as_done)
{
	file_that_stops();
	postgres_sql("UPDATE leat_migrations SET unfinished = NULL");
	ck_assert_int_eq(status(), 0);
}
END_TEST

START_TEST(what_was_taken_back_by_hand_runs_from_its_start)
{
	file_that_stops();
	postgres_sql("DELETE FROM leat_migrations; DROP TABLE a");
	file("0001_a.sql", ALONE "CREATE TABLE a (x int);\nCREATE TABLE b (x int);\n");
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(a_transaction_of_its_own_is_refused)
{
	file("0001_a.sql", ALONE "BEGIN;\nCREATE TABLE a (x int);\nCOMMIT;\n");
	ck_assert_int_eq(up(), 1);
	ck_assert(!has_table("a"));
}
END_TEST

START_TEST(settings_of_a_file_end_with_it)
{
	file("0001_a.sql", ALONE "SET search_path = '';\nSET leat.test = 'a';\nCREATE TABLE public.a (x int);");
	file("0002_b.sql", "CREATE TABLE b AS SELECT 1 / (current_setting('leat.test', true) <> 'a')::int");
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("b"));
}
END_TEST

START_TEST(a_file_may_change_the_role)
{
	postgres_sql("DROP ROLE IF EXISTS leat_nobody; CREATE ROLE leat_nobody");
	file("0001_a.sql", "CREATE TABLE a (x int); SET ROLE leat_nobody;");
	file("0002_b.sql",
	     ALONE "CREATE TABLE b (x int); SET ROLE leat_nobody; SELECT 1; SET SESSION AUTHORIZATION leat_nobody;");
	ck_assert_int_eq(up(), 0);
	postgres_sql("DROP ROLE leat_nobody");
}
END_TEST

START_TEST(a_role_stays_from_statement_to_statement)
{
	postgres_sql("DROP ROLE IF EXISTS leat_nobody; CREATE ROLE leat_nobody");
	file("0001_a.sql", ALONE "CREATE TABLE a (x name);\nGRANT ALL ON a TO leat_nobody;\nSET ROLE leat_nobody;\n"
				 "INSERT INTO a VALUES (current_user);\n");
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM a WHERE x = 'leat_nobody'"), 1);
	postgres_sql("DROP TABLE a; DROP ROLE leat_nobody");
}
END_TEST

/* More than one, and crashes ----------------------------------------------------------------------------------------- */

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

/* Until so many sessions of leat migrate are as the condition says. */
static void wait_for_sessions(int count, const char *condition)
{
	const struct timespec pause = { .tv_nsec = 10 * CLOCK_MS };
	int64_t limit_ns = clock_now_ns() + LIMIT_S * CLOCK_S;
	char command[256];

	snprintf(command, sizeof(command),
		 "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leat migrate' AND %s", condition);
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

/* Records ------------------------------------------------------------------------------------------------------------ */

START_TEST(the_time_that_it_took_is_recorded)
{
	file("0001_a.sql", "SELECT pg_sleep(0.01)");
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM leat_migrations WHERE name = '0001_a' AND "
				      "duration BETWEEN '10 ms' AND '1 min' AND applied_at > now() - interval '1 min'"),
			 1);
}
END_TEST

START_TEST(a_table_of_earlier_times_goes_on)
{
	postgres_sql("CREATE TABLE leat_migrations (version bigint PRIMARY KEY, name text NOT NULL,"
		     " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
		     "INSERT INTO leat_migrations VALUES (1, '0001_a',"
		     " 'e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5')");
	file("0001_a.sql", "SELECT 1");
	ck_assert_int_eq(status(), 0);
	file("0002_b.sql", "CREATE TABLE b (x int)");
	ck_assert_int_eq(up(), 0);
	ck_assert_int_eq(postgres_sql("SELECT count(duration) FROM leat_migrations"), 1);
}
END_TEST

START_TEST(an_unknown_verb_is_wrong_use)
{
	ck_assert_int_eq(migrate_main(&settings, "sideways"), 2);
}
END_TEST

START_TEST(without_a_folder_it_is_wrong_use)
{
	settings.migrations = "";
	ck_assert_int_eq(up(), 2);
}
END_TEST

START_TEST(a_server_that_is_away_is_a_failure)
{
	settings.database_url = "host=/nonexistent";
	ck_assert_int_eq(up(), 1);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("migrate");

	postgres_need();
	tcase_add_checked_fixture(HARNESS_CASE(s, "up", up_runs_the_files_in_order, a_second_up_does_nothing,
					       up_runs_what_was_added, a_file_that_fails_leaves_nothing,
					       those_before_one_that_fails_stay, an_edited_file_stops_everything,
					       a_file_that_is_gone_stops_everything,
					       a_number_below_one_that_has_run_is_refused, one_number_twice_is_refused,
					       a_name_of_another_form_is_refused, a_file_that_commits_is_told,
					       a_file_may_change_the_search_path, the_checksum_is_the_files_sha256),
				  setup, teardown);
	tcase_add_checked_fixture(
		HARNESS_CASE(s, "status", status_says_whether_anything_is_left, status_changes_nothing), setup,
		teardown);
	tcase_add_checked_fixture(
		HARNESS_CASE(s, "undo", up_passes_over_the_undo, down_undoes_the_newest,
			     what_was_undone_is_pending_again, down_goes_back_to_the_beginning,
			     without_an_undo_nothing_changes, an_undo_that_fails_changes_nothing,
			     an_edited_file_is_not_undone, redo_applies_the_file_as_it_stands_now,
			     a_redo_that_fails_changes_nothing, an_undo_may_be_added_after_the_file_has_run,
			     a_file_that_is_too_late_is_let_in_by_going_back, an_undo_that_is_not_at_the_end_is_refused,
			     a_misspelt_comment_is_refused),
		setup, teardown);
	tcase_add_checked_fixture(HARNESS_CASE(s, "without a transaction", an_index_is_made_and_dropped_concurrently,
					       what_ran_before_the_failure_stays_and_the_rest_does_not_run,
					       the_record_says_where_it_stopped, nothing_runs_while_one_is_unfinished,
					       what_was_finished_by_hand_counts_as_done,
					       what_was_taken_back_by_hand_runs_from_its_start,
					       a_transaction_of_its_own_is_refused, settings_of_a_file_end_with_it,
					       a_file_may_change_the_role, a_role_stays_from_statement_to_statement),
				  setup, teardown);
	tcase_add_checked_fixture(
		HARNESS_CASE(s, "more than one", one_that_is_under_way_is_waited_for, nobody_waits_for_ever,
			     two_starters_apply_each_file_once, one_who_waits_does_not_hold_up_a_concurrent_index,
			     a_crash_leaves_nothing_of_a_transaction, a_crash_without_a_transaction_is_remembered),
		setup, teardown);
	tcase_add_checked_fixture(
		HARNESS_CASE(s, "records", the_time_that_it_took_is_recorded, a_table_of_earlier_times_goes_on), setup,
		teardown);
	tcase_add_checked_fixture(HARNESS_CASE(s, "use", an_unknown_verb_is_wrong_use, without_a_folder_it_is_wrong_use,
					       a_server_that_is_away_is_a_failure),
				  setup, teardown);
	return s;
}
