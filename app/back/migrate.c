/* migrate.c - see migrate.h. Called by the command line.
 *
 * Three steps: read the files (migrate_file.c), read the table (migrate_server.c), compare. What the comparison finds is a
 * state of each migration; all verbs work from the list of these, and migrate_run.c does what they decide.
 *
 * Decided:
 *  - The undo stands in the file itself, in a comment at its end. It stays beside what it undoes, as in other tools that have
 *    a line like "-- leat: down"; but with such a line the file would no longer be SQL: psql -f would apply it and undo it.
 *  - The checksum leaves the undo out: an undo that turns out to be wrong can be corrected after the file has run.
 *  - A file that was edited after it ran stops up and down: what its undo takes back is not what was applied. redo takes the
 *    file as it stands now, for that is how one works on a migration before it is given away; one transaction holds both
 *    halves, so a redo that fails changes nothing.
 *  - Starters are kept apart by an advisory lock that nobody waits for inside the server: see the top of migrate_server.c.
 *  - A migration without a transaction that stopped is neither run on nor rolled back by guess: its record says where it
 *    stopped, every verb says what to do, and the user's own SQL statement on the record says what was done. */
#include "back/migrate.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "back/migrate_file.h"
#include "back/migrate_run.h"
#include "back/migrate_server.h"
#include "base/arena.h"

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USE = 2 };

/*       state        what status says */
#define MIGRATION_STATES(X) \
	X(DONE, "done") \
	X(PENDING, "pending") \
	X(UNFINISHED, "UNFINISHED") \
	X(EDITED, "EDITED after it ran; bring the file back, and make the change in a new one") \
	X(MISSING, "MISSING; it has run, but there is no such file any more") \
	X(LATE, "TOO LATE; a higher number has run, so give it a new one")

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
	const char *name;
	const struct migrate_file *file; /* NULL: there is none */
	const char *unfinished;          /* where it stopped; NULL: it did not */
	enum migration_state state;
};

struct migrate {
	const struct settings *settings;
	struct arena arena;
	struct migrate_server server;
	struct migrate_folder folder;
	struct migration *items; /* by version */
	size_t count;
};

static bool compare(struct migrate *migrate);

/* Verbs ---------------------------------------------------------------------------------------------------------- */

static const char *explain(struct migrate *migrate, const struct migration *migration)
{
	const char *text = state_texts[migration->state];

	if (migration->state != MIGRATION_UNFINISHED)
		return text;
	return arena_format(&migrate->arena, "%s: %s", text,
			    migrate_advice(&migrate->server, migration->file, migration->unfinished))
		.ptr;
}

static void complain_about(struct migrate *migrate, const struct migration *migration)
{
	migrate_complain("%s.sql is %s", migration->name, explain(migrate, migration));
}

static bool is_broken(const struct migration *migration)
{
	return migration->state != MIGRATION_DONE && migration->state != MIGRATION_PENDING;
}

/* Alone, with the table, and the list made. */
static bool prepare(struct migrate *migrate)
{
	return migrate_lock(&migrate->server, migrate->settings->migrate_wait) &&
	       migrate_make_table(&migrate->server) && compare(migrate);
}

static enum exit_status up(struct migrate *migrate)
{
	unsigned broken = 0, applied = 0;

	if (!prepare(migrate))
		return EXIT_FAILED;
	for (size_t i = 0; i < migrate->count; i++) {
		if (is_broken(&migrate->items[i])) {
			complain_about(migrate, &migrate->items[i]);
			broken++;
		}
	}
	if (broken)
		return EXIT_FAILED;
	for (size_t i = 0; i < migrate->count; i++) {
		if (migrate->items[i].state != MIGRATION_PENDING)
			continue;
		if (!migrate_apply(&migrate->server, migrate->items[i].file))
			return EXIT_FAILED;
		applied++;
	}
	printf("%u applied, %zu in all\n", applied, migrate->count);
	return EXIT_DONE;
}

static bool has_run(const struct migration *migration)
{
	return migration->state != MIGRATION_PENDING && migration->state != MIGRATION_LATE;
}

/* The newest that has run, when it can be undone; NULL after a complaint. */
static const struct migration *find_undoable(struct migrate *migrate, bool may_be_edited)
{
	const struct migration *newest = NULL;

	for (size_t i = 0; i < migrate->count; i++)
		if (has_run(&migrate->items[i]))
			newest = &migrate->items[i];
	if (!newest) {
		migrate_complain("nothing has run that could be undone");
	} else if (is_broken(newest) && !(may_be_edited && newest->state == MIGRATION_EDITED)) {
		complain_about(migrate, newest);
	} else if (!newest->file->down.ptr) {
		migrate_complain(
			"%s has no undo; it would be a comment at its end: a line '/* leat: down', the SQL, a line "
			"'*/'. Nothing was changed",
			newest->file->path);
	} else {
		return newest;
	}
	return NULL;
}

static enum exit_status take_back(struct migrate *migrate, bool may_be_edited,
				  bool (*fn)(struct migrate_server *server, const struct migrate_file *file))
{
	const struct migration *migration = prepare(migrate) ? find_undoable(migrate, may_be_edited) : NULL;

	return migration && fn(&migrate->server, migration->file) ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_status down(struct migrate *migrate)
{
	return take_back(migrate, false, migrate_undo);
}

static enum exit_status redo(struct migrate *migrate)
{
	return take_back(migrate, true, migrate_redo);
}

static enum exit_status status(struct migrate *migrate)
{
	enum exit_status result = EXIT_DONE;

	if (!compare(migrate))
		return EXIT_FAILED;
	for (size_t i = 0; i < migrate->count; i++) {
		const struct migration *migration = &migrate->items[i];
		bool can_be_undone = migration->state == MIGRATION_DONE && migration->file->down.ptr;

		printf("%-40s %s%s\n", migration->name, explain(migrate, migration),
		       can_be_undone ? ", can be undone" : "");
		if (migration->state != MIGRATION_DONE)
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
	{ "redo", redo },
	{ "down", down },
};

static enum exit_status run(struct migrate *migrate, enum exit_status (*fn)(struct migrate *migrate))
{
	const struct settings *settings = migrate->settings;
	char error[1024];

	if (!*settings->migrations || !*settings->database_url) {
		migrate_complain("the settings migrations (the folder of SQL files) and database_url are both needed");
		return EXIT_WRONG_USE;
	}
	if (!migrate_read(&migrate->folder, settings->migrations, &migrate->arena, error, sizeof(error))) {
		migrate_complain("%s", error);
		return EXIT_FAILED;
	}
	if (!migrate_connect(&migrate->server, settings, &migrate->arena))
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
		migrate_complain("unknown: %s; known are up, status, redo and down", verb);
	migrate_disconnect(&migrate.server);
	arena_reset(&migrate.arena);
	arena_pool_free(pool);
	return result;
}

/* Comparing ----------------------------------------------------------------------------------------------------------- */

/* A row of the table, as it was asked for. */
enum column { COLUMN_VERSION, COLUMN_NAME, COLUMN_CHECKSUM, COLUMN_UNFINISHED };

static int by_version(const void *a, const void *b)
{
	int64_t left = ((const struct migration *)a)->version, right = ((const struct migration *)b)->version;

	return (left > right) - (left < right);
}

static struct migration *find(struct migrate *migrate, size_t count, int64_t version)
{
	const struct migration wanted = { .version = version };

	return count > 0 ? bsearch(&wanted, migrate->items, count, sizeof(wanted), by_version) : NULL;
}

static bool is_edited(struct migrate *migrate, const struct migration *migration, const char *checksum,
		      bool *ret_is_edited)
{
	const char *now = migrate_checksum(&migrate->server, migration->file->up);

	*ret_is_edited = now && strcmp(now, checksum) != 0;
	return now;
}

static bool take_row(struct migrate *migrate, const PGresult *rows, int row, struct migration *migration)
{
	bool edited = false;

	if (!PQgetisnull(rows, row, COLUMN_UNFINISHED)) {
		migration->unfinished = PQgetvalue(rows, row, COLUMN_UNFINISHED);
		migration->state = MIGRATION_UNFINISHED;
		return true;
	}
	if (!is_edited(migrate, migration, PQgetvalue(rows, row, COLUMN_CHECKSUM), &edited))
		return false;
	migration->state = edited ? MIGRATION_EDITED : MIGRATION_DONE;
	return true;
}

/* The files are sorted; what has no file is added behind them, and all is sorted then. */
static bool take_rows(struct migrate *migrate, const PGresult *rows)
{
	size_t files = migrate->count;
	int64_t last = 0;

	for (int row = 0; row < PQntuples(rows); row++) {
		int64_t version = strtoll(PQgetvalue(rows, row, COLUMN_VERSION), NULL, 10);
		struct migration *migration = find(migrate, files, version);

		if (version > last)
			last = version;
		if (!migration)
			migrate->items[migrate->count++] = (struct migration){
				.version = version,
				.name = PQgetvalue(rows, row, COLUMN_NAME),
				.state = MIGRATION_MISSING,
			};
		else if (!take_row(migrate, rows, row, migration))
			return false;
	}
	for (size_t i = 0; i < files; i++)
		if (migrate->items[i].state == MIGRATION_PENDING && migrate->items[i].version < last)
			migrate->items[i].state = MIGRATION_LATE;
	if (migrate->count > 0)
		qsort(migrate->items, migrate->count, sizeof(*migrate->items), by_version);
	return true;
}

static void take_files(struct migrate *migrate, size_t row_count)
{
	const struct migrate_folder *folder = &migrate->folder;

	migrate->items = arena_alloc(&migrate->arena, (folder->count + row_count) * sizeof(*migrate->items));
	for (size_t i = 0; i < folder->count; i++)
		migrate->items[migrate->count++] = (struct migration){
			.version = folder->files[i].version,
			.name = folder->files[i].name,
			.file = &folder->files[i],
			.state = MIGRATION_PENDING,
		};
}

static bool compare(struct migrate *migrate)
{
	char command[256];
	const PGresult *rows;

	if (!migrate->server.has_table) {
		take_files(migrate, 0);
		return true;
	}
	/* By JSON: tables of earlier times have no column unfinished. */
	snprintf(command, sizeof(command),
		 "SELECT version, name, checksum, to_jsonb(m) ->> 'unfinished' FROM %s AS m ORDER BY version",
		 migrate->server.table);
	rows = migrate_ask(&migrate->server, command, 0, NULL);
	if (!rows)
		return false;
	take_files(migrate, (size_t)PQntuples(rows));
	return take_rows(migrate, rows);
}
