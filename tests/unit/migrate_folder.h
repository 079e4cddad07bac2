/* migrate_folder.h - a folder of migrations made for each test, and leat migrate on it, against a real PostgreSQL.
 *
 * Use:
 *     START_TEST(a_sentence)
 *     {
 *         file("0001_a.sql", "CREATE TABLE a (x int)");
 *         ck_assert_int_eq(up(), 0);
 *         ck_assert(has_table("a"));
 *     }
 *     END_TEST
 *
 *     HARNESS_CASE_WITH(s, "name", setup, teardown, a_sentence);
 *
 * Ownership:      the folder goes with the test; the tables a and b before the next one.
 * Thread-safety:  the main thread.
 * Errors:         postgres.h's.
 */
#ifndef TESTS_UNIT_MIGRATE_FOLDER_H
#define TESTS_UNIT_MIGRATE_FOLDER_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "back/migrate.h"
#include "tests/unit/harness.h"
#include "tests/unit/postgres.h"

enum { LIMIT_S = 30 }; /* for a condition; the test fails then */

static char folder[64];
static struct settings settings;

static inline void setup(void)
{
	strcpy(folder, "/tmp/leat-migrate.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	settings.migrations = folder;
	settings.database_url = getenv("LEAT_TEST_DATABASE");
	settings.migrate_wait = LIMIT_S * 1000;
	settings.db_connect_timeout = 5000;
	postgres_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS leat_migrations, a, b");
}

static inline void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static inline const char *path_of(const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return path;
}

static inline void file(const char *name, const char *sql)
{
	FILE *stream = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(stream);
	fputs(sql, stream);
	ck_assert_int_eq(fclose(stream), 0);
}

static inline void two_files(void)
{
	file("0001_a.sql", "CREATE TABLE a (x int); INSERT INTO a VALUES (1);");
	file("0002_b.sql", "ALTER TABLE a ADD y int;\nCREATE TABLE b (x int);\n");
}

static inline int up(void)
{
	return migrate_main(&settings, "up");
}

static inline int status(void)
{
	return migrate_main(&settings, "status");
}

static inline int down(void)
{
	return migrate_main(&settings, "down");
}

static inline int redo(void)
{
	return migrate_main(&settings, "redo");
}

static inline bool has_table(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "SELECT (to_regclass('%s') IS NOT NULL)::int", name);
	return postgres_sql(command);
}

/* The first line of a file that is to run without a transaction. */
#define ALONE "-- leat: no transaction\n"

#endif
