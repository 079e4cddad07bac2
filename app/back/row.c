/* row.c - see row.h. Called by db.c and rows.c, on the task's stack. The bytes are the server's, and still checked: a length or a
 * type that is not what it should be ends in LEAT_INTERNAL.
 *
 * A result is first matched to the shape, once for all its rows: a list of cells, each a column, a field and the
 * function that carries the one into the other. */
#include "back/row.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/check.h"
#include "base/log.h"

enum { LONG_LIST = 16 }; /* rows; see row.h, Ownership */

struct cell {
	int column;
	const struct leat_field *field;
	column_put_fn put;
};

struct row_reader {
	const struct leat_statement *statement;
	struct arena *arena; /* for messages */
	bool can_point;      /* a field is such that its value may point into the result */
	unsigned cell_count;
	struct cell cells[];
};

enum leat_result row_read_one(const PGresult *result, const struct leat_statement *statement, struct arena *arena,
			      void *ret_row)
{
	struct row_reader *reader;

	LEAT_CHECK(statement->row);
	if (PQntuples(result) == 0)
		return LEAT_NOT_FOUND;
	LEAT_TRY(row_match(result, statement, arena, &reader));
	return row_read(reader, (struct row_at){ result, 0, 1 }, &(struct column_room){ arena, true }, ret_row);
}

static void clear(void *result)
{
	PQclear(result);
}

enum leat_result row_read_all(PGresult **result, const struct leat_statement *statement, struct arena *arena,
			      struct leat_list *ret_list)
{
	struct row_at at = { .result = *result };
	struct column_room room = { .arena = arena };
	int count = PQntuples(at.result);
	struct row_reader *reader;
	char *items;

	LEAT_CHECK(statement->row);
	*ret_list = (struct leat_list){ 0 };
	if (count == 0)
		return LEAT_OK;
	LEAT_TRY(row_match(at.result, statement, arena, &reader));
	room.is_copying = count < LONG_LIST;
	items = arena_alloc(arena, (size_t)count * statement->row->size);
	for (; at.row < count; at.row++) {
		at.number = at.row + 1;
		LEAT_TRY(row_read(reader, at, &room, items + (size_t)at.row * statement->row->size));
	}
	if (reader->can_point && !room.is_copying) {
		arena_on_reset(arena, clear, *result);
		*result = NULL;
	}
	*ret_list = (struct leat_list){ .items = items, .count = (size_t)count };
	return LEAT_OK;
}

/* One line for whoever wrote the statement. */
static enum leat_result misfit(const struct row_reader *reader, const char *name, const char *format, ...)
	LEAT_PRINTF(3, 4);
static enum leat_result misfit(const struct row_reader *reader, const char *name, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	log_limited(LOG_LEVEL_ERROR, "database: column %s for %s %s in: %s", name, reader->statement->row->name, what,
		    reader->statement->sql);
	return LEAT_INTERNAL;
}

/* Matching ----------------------------------------------------------------------------------------------------------- */

/* Statements usually list their columns in the fields' order. (PQfnumber folds case like SQL and parses quotes; a name is taken
 * as it is.) */
int row_column(const PGresult *result, const char *name, int expected)
{
	int count = PQnfields(result);

	if (expected < count && strcmp(PQfname(result, expected), name) == 0)
		return expected;
	for (int column = 0; column < count; column++)
		if (strcmp(PQfname(result, column), name) == 0)
			return column;
	return -1;
}

static enum leat_result misfit_of_type(const struct row_reader *reader, Oid type, const struct leat_field *field)
{
	struct buffer what;

	buffer_init(&what, reader->arena, 64);
	column_write_misfit(type, (enum leat_kind)field->kind, &what);
	return misfit(reader, field->name, "%.*s", (int)what.len, what.data);
}

static bool can_point(enum leat_kind kind)
{
	return kind == LEAT_KIND_TEXT || kind == LEAT_KIND_BYTES || kind == LEAT_KIND_JSON || kind == LEAT_KIND_TEXTS;
}

static enum leat_result match_field(struct row_reader *reader, const PGresult *result, const struct leat_field *field,
				    int column)
{
	Oid type = PQftype(result, column);
	column_put_fn put = column_put_for(type, field);

	if (!put)
		return misfit_of_type(reader, type, field);
	if (PQfformat(result, column) != 1)
		return misfit(reader, field->name, "is not in binary form");
	reader->cells[reader->cell_count++] = (struct cell){ column, field, put };
	reader->can_point |= can_point((enum leat_kind)field->kind);
	return LEAT_OK;
}

enum leat_result row_match(const PGresult *result, const struct leat_statement *statement, struct arena *arena,
			   struct row_reader **ret_reader)
{
	const struct leat_shape *shape = statement->row;
	struct row_reader *reader = arena_alloc(arena, sizeof(*reader) + shape->field_count * sizeof(reader->cells[0]));

	*reader = (struct row_reader){ .statement = statement, .arena = arena };
	for (int i = 0; i < shape->field_count; i++) {
		const struct leat_field *field = &shape->fields[i];
		int column = row_column(result, field->name, i);

		if (column < 0 && field->optional)
			continue;
		if (column < 0)
			return misfit(reader, field->name, "is missing");
		LEAT_TRY(match_field(reader, result, field, column));
	}
	*ret_reader = reader;
	return LEAT_OK;
}

/* Reading ------------------------------------------------------------------------------------------------------------- */

enum leat_result row_read(const struct row_reader *reader, struct row_at at, const struct column_room *room,
			  void *ret_row)
{
	const struct cell *end = reader->cells + reader->cell_count;

	memset(ret_row, 0, reader->statement->row->size);
	for (const struct cell *cell = reader->cells; cell < end; cell++) {
		const struct leat_field *field = cell->field;
		struct column_value value = { PQgetvalue(at.result, at.row, cell->column),
					      (size_t)PQgetlength(at.result, at.row, cell->column) };
		const char *why_not;

		if (value.len == 0 && PQgetisnull(at.result, at.row, cell->column)) {
			if (!field->optional)
				return misfit(reader, field->name,
					      "is NULL in row %" PRId64 ", and its field not optional", at.number);
			continue;
		}
		why_not = cell->put(field, value, room, (char *)ret_row + field->offset);
		if (why_not)
			return misfit(reader, field->name, "has in row %" PRId64 " a value %s", at.number, why_not);
		leat_field_set_there(field, ret_row);
	}
	return LEAT_OK;
}
