/* t_migrate_pooler.c - leat migrate behind PgBouncer. Without PgBouncer there is nothing to test. */
#include <stdio.h>

#include "tests/unit/migrate_folder.h"

static FILE *standard_error;

static void setup_transactions(void)
{
	setup();
	settings.database_url = getenv("LEAT_TEST_BOUNCER");
	standard_error = tmpfile();
	ck_assert_ptr_nonnull(standard_error);
	ck_assert_int_eq(dup2(fileno(standard_error), STDERR_FILENO), STDERR_FILENO);
	file("0001_a.sql", "CREATE TABLE a (x int)");
}

static void setup_sessions(void)
{
	static char url[1024];

	setup_transactions();
	snprintf(url, sizeof(url), "%s dbname=own_sessions", settings.database_url);
	settings.database_url = url;
}

static void ck_assert_said(const char *words)
{
	char said[4096];

	rewind(standard_error);
	said[fread(said, 1, sizeof(said) - 1, standard_error)] = '\0';
	ck_assert_msg(strstr(said, words), "it says: %s", said);
}

/* A connection of the pool's own is in use for as long as this one is. */
static PGconn *transaction(void)
{
	PGconn *connection = PQconnectdb(settings.database_url);

	PQclear(PQexec(connection, "BEGIN"));
	ck_assert_int_eq(PQtransactionStatus(connection), PQTRANS_INTRANS);
	return connection;
}

/* So many connections are idle in the pool then. */
static void fill_pool(int count)
{
	PGconn *connections[3];

	for (int i = 0; i < count; i++)
		connections[i] = transaction();
	for (int i = 0; i < count; i++)
		PQfinish(connections[i]);
}

static void is_refused(void)
{
	ck_assert_int_eq(up(), 1);
	ck_assert_said("a pooler that hands sessions out by transaction");
	ck_assert_said("leat migrate --set database_url=");
	ck_assert(!has_table("a"));
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0);
}

START_TEST(sessions_by_transaction_are_refused)
{
	is_refused();
}
END_TEST

/* server_round_robin: the next one each time. */
START_TEST(two_sessions_in_turn_are_refused)
{
	fill_pool(2);
	is_refused();
}
END_TEST

START_TEST(three_sessions_in_turn_are_refused)
{
	fill_pool(3);
	is_refused();
}
END_TEST

START_TEST(all_but_one_in_use_are_refused)
{
	PGconn *one = transaction(), *two = transaction();

	is_refused();
	PQfinish(one);
	PQfinish(two);
}
END_TEST

START_TEST(all_in_use_cannot_be_told_in_time)
{
	PGconn *connections[3];

	for (int i = 0; i < 3; i++)
		connections[i] = transaction();
	settings.db_connect_timeout = 100;
	ck_assert_int_eq(up(), 1);
	ck_assert_said("cannot be found out within db_connect_timeout");
	for (int i = 0; i < 3; i++)
		PQfinish(connections[i]);
}
END_TEST

START_TEST(a_session_for_each_connection_is_as_good_as_none_between)
{
	ck_assert_int_eq(up(), 0);
	ck_assert(has_table("a"));
	ck_assert_int_eq(down(), 1); /* it has no undo: but that is all that is wrong */
	ck_assert_said("undo");
}
END_TEST

Suite *suite(void)
{
	Suite *s;

	postgres_need();
	s = suite_create("migrate_pooler");
	if (!getenv("LEAT_TEST_BOUNCER") || !*getenv("LEAT_TEST_BOUNCER"))
		return s;
	HARNESS_CASE_WITH(s, "transactions", setup_transactions, teardown, sessions_by_transaction_are_refused,
			  two_sessions_in_turn_are_refused, three_sessions_in_turn_are_refused,
			  all_but_one_in_use_are_refused, all_in_use_cannot_be_told_in_time);
	HARNESS_CASE_WITH(s, "sessions", setup_sessions, teardown,
			  a_session_for_each_connection_is_as_good_as_none_between);
	return s;
}
