/* rows.c - see leat/rows.h. Between the handlers and stream.c, or a result that is in memory (db.c).
 *
 * Values point into libpq's result of the moment. What else they need, the elements of arrays, lies in an arena of the rows that is
 * emptied for each row: so the millionth row takes no more memory than the first. */
#include <inttypes.h>
#include <leat/rows.h>
#include <libpq-fe.h>
#include <stdarg.h>

#include "back/argument.h"
#include "back/column.h"
#include "back/db_internal.h"
#include "back/row.h"
#include "back/stream.h"
#include "base/check.h"
#include "base/log.h"

/* How a column was read the last time. */
struct habit {
	enum leat_kind kind;
	column_put_fn put; /* NULL: it was not, yet */
};

struct leat_rows {
	const struct leat_statement *statement;
	struct stream *stream; /* NULL: all is in memory */
	PGresult *result;      /* with the current row, and maybe others */
	int row;               /* in the result; -1 before the first */
	bool is_at_row;
	int64_t number; /* of the current row, from 1 on */
	enum leat_result outcome;
	struct arena *arena;       /* of the request */
	struct arena scratch;      /* of the row */
	struct row_reader *reader; /* once a struct was asked for */
	struct habit *habits;      /* by column, once one was asked for */
};

/* Beginning and ending ------------------------------------------------------------------------------------------------- */

static void let_go(struct leat_rows *rows)
{
	PQclear(rows->result);
	rows->result = NULL;
	arena_reset(&rows->scratch);
	rows->is_at_row = false;
}

/* At the end of the request. */
static void release(void *object)
{
	struct leat_rows *rows = object;

	if (rows->stream)
		stream_drop(rows->stream);
	let_go(rows);
}

static struct leat_rows *rows_new(const struct call *call, const struct leat_statement *statement)
{
	struct leat_rows *rows = arena_zalloc(call->arena, sizeof(*rows));

	*rows = (struct leat_rows){ .statement = statement, .arena = call->arena, .row = -1 };
	arena_init(&rows->scratch, call->arena->pool);
	arena_on_reset(call->arena, release, rows);
	return rows;
}

enum leat_result leat_db_rows_(struct leat_request *req, const struct leat_statement *statement,
			       struct leat_rows **ret_rows, const struct leat_arg *args, unsigned arg_count)
{
	struct call *call = call_of(req);
	struct query *query;
	struct leat_rows *rows;

	LEAT_TRY(db_ask(call, statement, args, arg_count, &query));
	rows = rows_new(call, statement);
	rows->result = query->result;
	query->result = NULL;
	query_give(&call->db->queries, query);
	*ret_rows = rows;
	return LEAT_OK;
}

enum leat_result leat_db_stream_(struct leat_request *req, const struct leat_statement *statement,
				 struct leat_rows **ret_rows, const struct leat_arg *args, unsigned arg_count)
{
	struct call *call = call_of(req);
	struct leat_rows *rows = rows_new(call, statement);
	struct arguments arguments;
	enum leat_result result;

	LEAT_TRY(db_write_arguments(call, statement->sql, args, arg_count, &arguments));
	call->reads_primary = call->reads_primary || !statement->read_only;
	result = stream_open(call, statement, &arguments, &rows->stream, &rows->result);
	if (result != LEAT_OK && result != LEAT_NOT_FOUND) /* where there are no rows, the columns still have names */
		return result;
	*ret_rows = rows;
	return LEAT_OK;
}

enum leat_result leat_rows_end(struct leat_rows *rows)
{
	enum leat_result result = rows->stream ? stream_end(rows->stream) : LEAT_OK;

	let_go(rows);
	if (rows->outcome == LEAT_OK || rows->outcome == LEAT_NOT_FOUND)
		rows->outcome = result == LEAT_OK ? LEAT_NOT_FOUND : result;
	return rows->outcome == LEAT_NOT_FOUND ? LEAT_OK : rows->outcome;
}

/* Rows -------------------------------------------------------------------------------------------------------------------- */

static enum leat_result advance(struct leat_rows *rows)
{
	PGresult *next;
	enum leat_result result;

	if (++rows->row < PQntuples(rows->result))
		return LEAT_OK;
	if (!rows->stream)
		return LEAT_NOT_FOUND;
	result = stream_next(rows->stream, &next);
	if (next) {
		PQclear(rows->result);
		rows->result = next;
		rows->row = 0;
	}
	return result;
}

static enum leat_result read_into(struct leat_rows *rows, void *row)
{
	const struct row_at at = { rows->result, rows->row, rows->number };

	LEAT_CHECK(rows->statement->row);
	if (!rows->reader)
		LEAT_TRY(row_match(rows->result, rows->statement, rows->arena, &rows->reader));
	return row_read(rows->reader, at, &(struct column_room){ .arena = &rows->scratch }, row);
}

enum leat_result leat_rows_next(struct leat_rows *rows, void *row)
{
	rows->is_at_row = false;
	if (rows->outcome != LEAT_OK)
		return rows->outcome;
	arena_reset(&rows->scratch);
	rows->outcome = advance(rows);
	if (rows->outcome != LEAT_OK)
		return rows->outcome;
	rows->number++;
	if (row)
		rows->outcome = read_into(rows, row);
	rows->is_at_row = rows->outcome == LEAT_OK;
	return rows->outcome;
}

/* Columns ------------------------------------------------------------------------------------------------------------------- */

int leat_rows_column(const struct leat_rows *rows, const char *name)
{
	return row_column(rows->result, name, 0);
}

static bool is_column(const struct leat_rows *rows, int column)
{
	return column >= 0 && column < PQnfields(rows->result);
}

/* Always false. */
static bool fail(struct leat_rows *rows, int column, const char *format, ...) LEAT_PRINTF(3, 4);
static bool fail(struct leat_rows *rows, int column, const char *format, ...)
{
	va_list args;
	leat_text why;

	if (rows->outcome != LEAT_OK)
		return false; /* told before */
	rows->outcome = LEAT_INTERNAL;
	va_start(args, format);
	why = arena_vformat(&rows->scratch, format, args);
	va_end(args);
	log_limited(LOG_LEVEL_ERROR, "database: column %d%s%s %s in: %s", column, is_column(rows, column) ? ", " : "",
		    is_column(rows, column) ? PQfname(rows->result, column) : "", why.ptr, rows->statement->sql);
	return false;
}

static bool fail_for_type(struct leat_rows *rows, int column, enum leat_kind kind)
{
	struct buffer why;

	buffer_init(&why, &rows->scratch, 64);
	column_write_misfit(PQftype(rows->result, column), kind, &why);
	return fail(rows, column, "%.*s", (int)why.len, why.data);
}

static column_put_fn put_for(struct leat_rows *rows, int column, enum leat_kind kind)
{
	struct habit *habit;

	if (!rows->habits)
		rows->habits = arena_zalloc(rows->arena, (size_t)PQnfields(rows->result) * sizeof(*rows->habits));
	habit = &rows->habits[column];
	if (!habit->put || habit->kind != kind)
		*habit = (struct habit){ kind, column_put_for(PQftype(rows->result, column), column_field(kind)) };
	return habit->put;
}

/* False: the member is of no use. */
static bool get(struct leat_rows *rows, int column, enum leat_kind kind, void *member)
{
	const struct column_room room = { .arena = &rows->scratch };
	struct column_value value;
	column_put_fn put;
	const char *why_not;

	LEAT_CHECK(rows->is_at_row);
	if (!is_column(rows, column))
		return fail(rows, column, "is not there");
	put = put_for(rows, column, kind);
	if (!put)
		return fail_for_type(rows, column, kind);
	value = (struct column_value){ PQgetvalue(rows->result, rows->row, column),
				       (size_t)PQgetlength(rows->result, rows->row, column) };
	if (value.len == 0 && PQgetisnull(rows->result, rows->row, column))
		return false;
	why_not = put(column_field(kind), value, &room, member);
	return !why_not || fail(rows, column, "has in row %" PRId64 " a value %s", rows->number, why_not);
}

bool leat_rows_is_null(struct leat_rows *rows, int column)
{
	LEAT_CHECK(rows->is_at_row);
	if (!is_column(rows, column)) {
		fail(rows, column, "is not there");
		return true;
	}
	return PQgetisnull(rows->result, rows->row, column);
}

#define GETTER(name, type, KIND) \
	type leat_rows_##name(struct leat_rows *rows, int column) \
	{ \
		type value = { 0 }; \
\
		return get(rows, column, LEAT_KIND_##KIND, &value) ? value : (type){ 0 }; \
	}

GETTER(int, int64_t, INT)
GETTER(float, double, FLOAT)
GETTER(bool, bool, BOOL)
GETTER(text, leat_text, TEXT)
GETTER(bytes, leat_bytes, BYTES)
GETTER(time, leat_time, TIME)
GETTER(uuid, leat_uuid, UUID)
GETTER(json, leat_json, JSON)
GETTER(ints, leat_ints, INTS)
GETTER(texts, leat_texts, TEXTS)
