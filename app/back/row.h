/* row.h - a result of PostgreSQL, in binary form, into structs of a shape. Which columns fit is told in column.h.
 *
 * Use:
 *     enum leat_result result = row_read_one(answer, statement, &arena, &user);   -- LEAT_NOT_FOUND: no row
 *     enum leat_result result = row_read_all(&answer, statement, &arena, &list);
 *     PQclear(answer);
 *
 *     LEAT_TRY(row_match(answer, statement, &arena, &reader));                    -- or row by row, of one result or of
 *     LEAT_TRY(row_read(reader, (struct row_at){ answer, 0, 1 }, &room, &user));  -- several with the same columns
 *
 * Columns are matched to fields by name; the first of several counts; a column without a field is not read.
 * NULL, and a column that is not there, leave an optional field zero, and the bool of its LEAT_HAS false.
 *
 * Ownership:      the result stays the caller's and can be cleared at once, with one exception: that of a long list is kept by
 *                 the arena, for the list's texts point into it; the caller's pointer is then NULL. (For a few rows that would
 *                 save little: libpq's result takes 2 KiB and more for the smallest.) What row_read makes points into the
 *                 result unless the room says that it is copied.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         LEAT_INTERNAL, with a line in the log that names column, statement, and what does not fit. A
 *                 statement without a shape is a bug.
 */
#ifndef APP_BACK_ROW_H
#define APP_BACK_ROW_H

#include <leat/db.h>

#include "back/column.h"
#include "base/arena.h"

struct pg_result; /* libpq's PGresult */
struct row_reader;

enum leat_result row_read_one(const struct pg_result *result, const struct leat_statement *statement,
			      struct arena *arena, void *ret_row) LEAT_MUST_USE;
enum leat_result row_read_all(struct pg_result **result, const struct leat_statement *statement, struct arena *arena,
			      struct leat_list *ret_list) LEAT_MUST_USE;

enum leat_result row_match(const struct pg_result *result, const struct leat_statement *statement, struct arena *arena,
			   struct row_reader **ret_reader) LEAT_MUST_USE;

struct row_at {
	const struct pg_result *result;
	int row;
	int64_t number; /* from 1 on, for messages */
};

enum leat_result row_read(const struct row_reader *reader, struct row_at at, const struct column_room *room,
			  void *ret_row) LEAT_MUST_USE;

/* The column of a name, -1 when there is none; 'expected' is looked at first. */
int row_column(const struct pg_result *result, const char *name, int expected);

#endif
