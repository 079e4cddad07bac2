/* migrate.c - see migrate.h. Called by the command line; a connection of its own, and blocking, since nothing else runs.
 *
 * Three steps: read the files, read the table, compare. What the comparison finds is a state of each migration; both verbs
 * work from the list of these. */
#include "back/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <leat/result.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/number.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USE = 2 };

/* The advisory lock: "leat" in ASCII. */
#define LOCK_KEY "1818583412"

/*       state    what status says */
#define MIGRATION_STATES(X) \
	X(DONE,    "done") \
	X(PENDING, "pending") \
	X(EDITED,  "EDITED after it ran; bring the file back, and make the change in a new one") \
	X(MISSING, "MISSING; it has run, but there is no such file any more") \
	X(LATE,    "TOO LATE; a higher number has run, so give it a new one")

#define MIGRATION_ENUM(state, text) MIGRATION_##state,
enum migration_state { MIGRATION_STATES(MIGRATION_ENUM) };
#undef MIGRATION_ENUM

static const char *const state_texts[] = {
#define MIGRATION_TEXT(state, text) text,
	MIGRATION_STATES(MIGRATION_TEXT)
#undef MIGRATION_TEXT
};

struct migration {
	int64_t version;
	const char *name; /* the file's, without .sql */
	leat_text sql;    /* absent: no file */
	const char *checksum;
	enum migration_state state;
};

struct migrate {
	const struct settings *settings;
	struct arena arena;
	PGconn *connection;
	struct migration *items; /* by version */
	size_t count;
	int64_t last_done;
};

static bool read_files(struct migrate *migrate);
static bool open_database(struct migrate *migrate);
static bool lock(struct migrate *migrate);
static bool compare(struct migrate *migrate);
static bool apply(struct migrate *migrate, const struct migration *migration);

static void complain(const char *format, ...) LEAT_PRINTF(1, 2);
static void complain(const char *format, ...)
{
	char text[4096];
	size_t len;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	len = strlen(text);
	while (len > 0 && text[len - 1] == '\n') /* libpq's messages end in one */
		len--;
	fprintf(stderr, "leat migrate: %.*s\n", (int)len, text);
}

/* Verbs ---------------------------------------------------------------------------------------------------------- */

static bool is_broken(const struct migration *migration)
{
	return migration->state != MIGRATION_DONE && migration->state != MIGRATION_PENDING;
}

static enum exit_status up(struct migrate *migrate)
{
	unsigned broken = 0, applied = 0;

	if (!lock(migrate) || !compare(migrate))
		return EXIT_FAILED;
	for (size_t i = 0; i < migrate->count; i++) {
		if (is_broken(&migrate->items[i])) {
			complain("%s.sql is %s", migrate->items[i].name, state_texts[migrate->items[i].state]);
			broken++;
		}
	}
	if (broken)
		return EXIT_FAILED;
	for (size_t i = 0; i < migrate->count; i++) {
		if (migrate->items[i].state != MIGRATION_PENDING)
			continue;
		if (!apply(migrate, &migrate->items[i]))
			return EXIT_FAILED;
		applied++;
	}
	printf("%u applied, %zu in all\n", applied, migrate->count);
	return EXIT_DONE;
}

static enum exit_status status(struct migrate *migrate)
{
	enum exit_status result = EXIT_DONE;

	if (!compare(migrate))
		return EXIT_FAILED;
	for (size_t i = 0; i < migrate->count; i++) {
		printf("%-40s %s\n", migrate->items[i].name, state_texts[migrate->items[i].state]);
		if (migrate->items[i].state != MIGRATION_DONE)
			result = EXIT_FAILED;
	}
	return result;
}

static const struct {
	const char *name;
	enum exit_status (*fn)(struct migrate *migrate);
} verbs[] = {
	{ "up", up },
	{ "status", status },
};

static enum exit_status run(struct migrate *migrate, enum exit_status (*fn)(struct migrate *migrate))
{
	if (!*migrate->settings->migrations || !*migrate->settings->database_url) {
		complain("the settings migrations (the folder of SQL files) and database_url are both needed");
		return EXIT_WRONG_USE;
	}
	if (!read_files(migrate) || !open_database(migrate))
		return EXIT_FAILED;
	return fn(migrate);
}

int migrate_main(const struct settings *settings, const char *verb)
{
	struct arena_pool *pool = arena_pool_new(0);
	struct migrate migrate = { .settings = settings };
	enum exit_status result = EXIT_WRONG_USE;
	size_t i = 0;

	while (i < sizeof(verbs) / sizeof(verbs[0]) && strcmp(verbs[i].name, verb) != 0)
		i++;
	arena_init(&migrate.arena, pool);
	if (i < sizeof(verbs) / sizeof(verbs[0]))
		result = run(&migrate, verbs[i].fn);
	else
		complain("unknown: %s; known are up and status", verb);
	PQfinish(migrate.connection);
	arena_reset(&migrate.arena);
	arena_pool_free(pool);
	return result;
}

/* Files ------------------------------------------------------------------------------------------------------------- */

static int ends_in_sql(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".sql") == 0;
}

/* "0012_users.sql": 12. 0 when it has another form. */
static int64_t version_of(const char *file)
{
	size_t digits = strspn(file, "0123456789");
	size_t zeros = strspn(file, "0");
	int64_t version;

	if (digits == 0 || file[digits] != '_' || strlen(file + digits) <= strlen("_.sql") ||
	    !number_read_int((leat_text){ file + zeros, digits - zeros }, &version))
		return 0;
	return version;
}

static bool read_whole(struct migrate *migrate, FILE *stream, const char *path, leat_text *ret_text)
{
	struct stat facts;
	char *bytes;
	size_t size;

	if (fstat(fileno(stream), &facts) != 0 || !S_ISREG(facts.st_mode)) {
		complain("%s: no regular file", path);
		return false;
	}
	bytes = arena_zalloc(&migrate->arena, (size_t)facts.st_size + 1);
	size = fread(bytes, 1, (size_t)facts.st_size, stream);
	if (ferror(stream) || memchr(bytes, '\0', size)) {
		complain("%s: %s", path, ferror(stream) ? strerror(errno) : "it holds a NUL byte, so it is no SQL");
		return false;
	}
	*ret_text = (leat_text){ bytes, size };
	return true;
}

static bool read_file(struct migrate *migrate, const char *file, struct migration *ret_migration)
{
	const char *path = arena_format(&migrate->arena, "%s/%s", migrate->settings->migrations, file).ptr;
	int64_t version = version_of(file);
	FILE *stream;
	bool is_read;

	if (version <= 0) {
		complain("%s: the name is not of the form NNNN_name.sql", path);
		return false;
	}
	*ret_migration = (struct migration){
		.version = version,
		.name = arena_copy(&migrate->arena, file, strlen(file) - strlen(".sql")),
		.state = MIGRATION_PENDING,
	};
	stream = fopen(path, "re");
	if (!stream) {
		complain("%s: %s", path, strerror(errno));
		return false;
	}
	is_read = read_whole(migrate, stream, path, &ret_migration->sql);
	fclose(stream);
	return is_read;
}

static int by_version(const void *a, const void *b)
{
	int64_t left = ((const struct migration *)a)->version, right = ((const struct migration *)b)->version;

	return (left > right) - (left < right);
}

static bool sort(struct migrate *migrate)
{
	if (migrate->count > 0)
		qsort(migrate->items, migrate->count, sizeof(*migrate->items), by_version);
	for (size_t i = 1; i < migrate->count; i++) {
		if (migrate->items[i].version == migrate->items[i - 1].version) {
			complain("%s and %s have the same number", migrate->items[i - 1].name, migrate->items[i].name);
			return false;
		}
	}
	return true;
}

static bool read_files(struct migrate *migrate)
{
	struct dirent **entries;
	int count = scandir(migrate->settings->migrations, &entries, ends_in_sql, NULL);
	bool are_read = true;

	if (count < 0) {
		complain("%s: %s", migrate->settings->migrations, strerror(errno));
		return false;
	}
	migrate->items = arena_alloc(&migrate->arena, (size_t)count * sizeof(*migrate->items));
	for (int i = 0; i < count; i++) {
		are_read = are_read && read_file(migrate, entries[i]->d_name, &migrate->items[i]);
		free(entries[i]);
	}
	free(entries);
	migrate->count = (size_t)count;
	return are_read && sort(migrate);
}

/* The server -------------------------------------------------------------------------------------------------------- */

static void release(void *result)
{
	PQclear(result);
}

/* The result lives as long as the run; NULL, with a complaint, when the command failed. */
static PGresult *ask(struct migrate *migrate, const char *command, int count, const char *const *values)
{
	PGresult *result = PQexecParams(migrate->connection, command, count, NULL, values, NULL, NULL, 0);

	arena_on_reset(&migrate->arena, release, result);
	if (PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	complain("%s", PQerrorMessage(migrate->connection));
	return NULL;
}

static bool command(struct migrate *migrate, const char *text)
{
	return ask(migrate, text, 0, NULL);
}

static bool open_database(struct migrate *migrate)
{
	const char *const names[] = { "fallback_application_name", "dbname", "client_encoding", NULL };
	const char *const values[] = { "leat migrate", migrate->settings->database_url, "UTF8", NULL };

	migrate->connection = PQconnectdbParams(names, values, 1);
	if (PQstatus(migrate->connection) != CONNECTION_OK) {
		complain("%s", PQerrorMessage(migrate->connection));
		return false;
	}
	/* A limit meant for requests is none for migrations. */
	return command(migrate, "SET statement_timeout = 0") && command(migrate, "SET client_min_messages = warning") &&
	       command(migrate, "SET standard_conforming_strings = on");
}

/* Held until the connection ends. */
static bool lock(struct migrate *migrate)
{
	const PGresult *result = ask(migrate, "SELECT pg_try_advisory_lock(" LOCK_KEY ")", 0, NULL);

	if (!result)
		return false;
	if (PQgetvalue(result, 0, 0)[0] == 't')
		return true;
	complain("waiting for another one that is under way");
	return command(migrate, "SELECT pg_advisory_lock(" LOCK_KEY ")");
}

/* SHA-256 of the bytes, by the server. */
static bool sum(struct migrate *migrate, struct migration *migration)
{
	const char *values[] = { migration->sql.ptr };
	int lengths[] = { (int)migration->sql.len };
	int formats[] = { 1 };
	PGresult *result = PQexecParams(migrate->connection, "SELECT encode(sha256($1::bytea), 'hex')", 1, NULL, values,
					lengths, formats, 0);

	arena_on_reset(&migrate->arena, release, result);
	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		complain("%s.sql: %s", migration->name, PQerrorMessage(migrate->connection));
		return false;
	}
	migration->checksum = PQgetvalue(result, 0, 0);
	return true;
}

/* Comparing ----------------------------------------------------------------------------------------------------------- */

static struct migration *find(struct migrate *migrate, int64_t version)
{
	struct migration wanted = { .version = version };

	if (migrate->count == 0)
		return NULL;
	return bsearch(&wanted, migrate->items, migrate->count, sizeof(wanted), by_version);
}

static void add_missing(struct migrate *migrate, const PGresult *done)
{
	size_t files = migrate->count, rows = (size_t)PQntuples(done);
	struct migration *all = arena_alloc(&migrate->arena, (files + rows) * sizeof(*all));

	if (files > 0)
		memcpy(all, migrate->items, files * sizeof(*all));
	for (size_t row = 0; row < rows; row++) {
		int64_t version = strtoll(PQgetvalue(done, (int)row, 0), NULL, 10);

		if (version > migrate->last_done)
			migrate->last_done = version;
		if (find(migrate, version))
			continue;
		all[files++] = (struct migration){
			.version = version,
			.name = PQgetvalue(done, (int)row, 1),
			.state = MIGRATION_MISSING,
		};
	}
	migrate->items = all;
	migrate->count = files;
	sort(migrate);
}

static bool mark_done(struct migrate *migrate, const PGresult *done)
{
	for (int row = 0; row < PQntuples(done); row++) {
		struct migration *migration = find(migrate, strtoll(PQgetvalue(done, row, 0), NULL, 10));

		if (migration->state == MIGRATION_MISSING)
			continue;
		if (!sum(migrate, migration))
			return false;
		migration->state = strcmp(migration->checksum, PQgetvalue(done, row, 2)) == 0 ? MIGRATION_DONE
											      : MIGRATION_EDITED;
	}
	return true;
}

static bool compare(struct migrate *migrate)
{
	const PGresult *table = ask(migrate, "SELECT to_regclass('leat_migrations') IS NOT NULL", 0, NULL);
	const PGresult *done;

	if (!table)
		return false;
	if (PQgetvalue(table, 0, 0)[0] != 't')
		return true; /* nothing has run */
	done = ask(migrate, "SELECT version, name, checksum FROM leat_migrations", 0, NULL);
	if (!done)
		return false;
	add_missing(migrate, done);
	if (!mark_done(migrate, done))
		return false;
	for (size_t i = 0; i < migrate->count; i++)
		if (migrate->items[i].state == MIGRATION_PENDING && migrate->items[i].version < migrate->last_done)
			migrate->items[i].state = MIGRATION_LATE;
	return true;
}

/* Applying ------------------------------------------------------------------------------------------------------------ */

/* The line of the n-th character, both counted from 1. */
static unsigned line_of(leat_text sql, long character)
{
	unsigned line = 1;

	for (size_t i = 0; i < sql.len && character > 1; i++) {
		character -= (sql.ptr[i] & 0xC0) != 0x80; /* not a UTF-8 character's second or later byte */
		line += sql.ptr[i] == '\n';
	}
	return line;
}

/* The server tells where for what it finds before it executes. */
static void complain_about_file(const struct migrate *migrate, const struct migration *migration,
				const PGresult *result)
{
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	char line[16] = "";

	if (position)
		snprintf(line, sizeof(line), ":%u", line_of(migration->sql, strtol(position, NULL, 10)));
	complain("%s/%s.sql%s: %s", migrate->settings->migrations, migration->name, line,
		 PQerrorMessage(migrate->connection));
}

static bool run_file(struct migrate *migrate, const struct migration *migration)
{
	PGresult *result = PQexec(migrate->connection, migration->sql.ptr);
	ExecStatusType state = PQresultStatus(result);

	arena_on_reset(&migrate->arena, release, result);
	if (state == PGRES_FATAL_ERROR || state == PGRES_BAD_RESPONSE) {
		complain_about_file(migrate, migration, result);
		return false;
	}
	if (PQtransactionStatus(migrate->connection) != PQTRANS_INTRANS) {
		complain("%s.sql ends the transaction it runs in, or copies from the client: it must do neither; look "
			 "at what it has left behind",
			 migration->name);
		return false;
	}
	return true;
}

static bool remember(struct migrate *migrate, struct migration *migration)
{
	char version[NUMBER_INT_MAX + 1];
	const char *values[] = { version, migration->name, NULL };

	version[number_write_int(version, migration->version)] = '\0';
	if (!command(migrate, "RESET search_path") || !sum(migrate, migration)) /* files may set it: pg_dump's do */
		return false;
	values[2] = migration->checksum;
	return ask(migrate, "INSERT INTO leat_migrations (version, name, checksum) VALUES ($1, $2, $3)", 3, values);
}

static const char create_table[] = "CREATE TABLE IF NOT EXISTS leat_migrations ("
				   " version bigint PRIMARY KEY,"
				   " name text NOT NULL,"
				   " checksum text NOT NULL," /* SHA-256 of the file, in hexadecimal */
				   " applied_at timestamptz NOT NULL DEFAULT now())";

/* All of it, or nothing: on failure the connection ends, and with it the transaction. */
static bool apply(struct migrate *migrate, const struct migration *migration)
{
	struct migration copy = *migration;
	int64_t started_ns = clock_now_ns();

	if (!command(migrate, "BEGIN") || !command(migrate, create_table) || !run_file(migrate, migration) ||
	    !remember(migrate, &copy) || !command(migrate, "COMMIT"))
		return false;
	printf("%s (%" PRId64 " ms)\n", migration->name, (clock_now_ns() - started_ns) / CLOCK_MS);
	return true;
}
