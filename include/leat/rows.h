/* leat/rows.h - results that are read row by row: those too large to be held at once, and those that need no struct.
 *
 * Use: a result of any size, in the memory of one row.
 *     struct leat_rows *rows;
 *     struct user user;
 *
 *     LEAT_TRY(leat_db_stream(req, &all_users, &rows, LEAT_ARG(since)));
 *     while (leat_rows_next(rows, &user) == LEAT_OK)
 *         total += user.points;
 *     return leat_rows_end(rows);              -- what went wrong on the way; LEAT_OK after the last row
 *
 * By column, without a struct and without a copy; leat_db_rows for results that fit into memory:
 *     LEAT_TRY(leat_db_rows(req, &report, &rows));
 *     int name = leat_rows_column(rows, "name"), points = leat_rows_column(rows, "points");
 *     while (leat_rows_next(rows, NULL) == LEAT_OK)
 *         add(leat_rows_text(rows, name), leat_rows_int(rows, points));
 *     return leat_rows_end(rows);
 *
 * leat_db_rows takes the whole result over a lane, like leat_db_all, and is the faster one. leat_db_stream is for results of many
 * thousand rows, or of unknown size: it runs on a connection of its own (of the limit db_lent_max) or on its transaction's, and the server
 * goes on only as fast as rows are asked for. It returns with the first row at hand, so that most errors are known before anything was
 * read; one that comes later leaves the rows before it delivered.
 *
 * While a stream is open, the request's other statements go to the lanes. A second stream, or a transaction, would wait for a second
 * connection while holding one: that is refused. Within leat_tx the stream has the transaction's connection, so there every other
 * statement is refused until it has ended.
 *
 * Ownership:      leat_rows lives as long as the request. Texts, bytes, JSON and arrays of a row, in the struct as well, are good until
 *                 the next call of leat_rows_next or leat_rows_end: what is to stay is copied (leat_format). A stream that is not read
 *                 to its end is ended by leat_rows_end; one that is forgotten ends with the request, or with its transaction, which it
 *                 undoes, and costs the connection.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         those of leat/db.h, in leat_db_rows, leat_db_stream and leat_rows_next. The first error stays: leat_rows_next and
 *                 leat_rows_end repeat it. A column that is missing, or asked for as what it is not, reads as zero, is told in the log,
 *                 and is such an error: LEAT_INTERNAL. LEAT_INTERNAL too for what is refused while a stream is open.
 */
#ifndef LEAT_ROWS_H
#define LEAT_ROWS_H

#include <leat/db.h>
#include <leat/result.h>
#include <leat/text.h>
#include <leat/value.h>
#include <stdbool.h>
#include <stdint.h>

struct leat_rows;

/* The whole result, in memory until leat_rows_end or the end of the request. */
#define leat_db_rows(req, statement, ret_rows, ...) leat_db_rows_(req, statement, ret_rows, LEAT_ARGS_(__VA_ARGS__))

/* The result as it comes. */
#define leat_db_stream(req, statement, ret_rows, ...) leat_db_stream_(req, statement, ret_rows, LEAT_ARGS_(__VA_ARGS__))

/* The next row; into 'row', a struct of the statement's shape, unless that is NULL. LEAT_NOT_FOUND after the last one.
 * Waits for the server, until the request's deadline. */
LEAT_API enum leat_result leat_rows_next(struct leat_rows *rows, void *row) LEAT_MUST_USE;

/* No more rows are wanted. The first error that leat_rows_next met, else LEAT_OK. Of a stream, the rest is cancelled, and the
 * connection free again; within leat_tx, where a cancelled statement would end the transaction, the rest is read and thrown away, and
 * what goes wrong with it is told. Nothing but this may be called again afterwards, and it answers the same. */
LEAT_API enum leat_result leat_rows_end(struct leat_rows *rows) LEAT_MUST_USE;

/* The column of that name, from 0 on, the first of several; -1 when there is none. At any time before leat_rows_end. */
LEAT_API int leat_rows_column(const struct leat_rows *rows, const char *name);

/* One value of the current row. NULL is zero, or absent. */
LEAT_API bool leat_rows_is_null(struct leat_rows *rows, int column);
LEAT_API int64_t leat_rows_int(struct leat_rows *rows, int column);      /* int2, int4, int8 */
LEAT_API double leat_rows_float(struct leat_rows *rows, int column);     /* float4, float8 */
LEAT_API bool leat_rows_bool(struct leat_rows *rows, int column);        /* bool */
LEAT_API leat_text leat_rows_text(struct leat_rows *rows, int column);   /* text, varchar, char, name, json */
LEAT_API leat_bytes leat_rows_bytes(struct leat_rows *rows, int column); /* bytea */
LEAT_API leat_time leat_rows_time(struct leat_rows *rows, int column);   /* timestamptz, timestamp */
LEAT_API leat_uuid leat_rows_uuid(struct leat_rows *rows, int column);   /* uuid */
LEAT_API leat_json leat_rows_json(struct leat_rows *rows, int column);   /* json, jsonb */
LEAT_API leat_ints leat_rows_ints(struct leat_rows *rows, int column);   /* int2[], int4[], int8[] */
LEAT_API leat_texts leat_rows_texts(struct leat_rows *rows, int column); /* text[], varchar[], char[], name[] */

LEAT_API enum leat_result leat_db_rows_(struct leat_request *req, const struct leat_statement *statement,
					struct leat_rows **ret_rows, const struct leat_arg *args,
					unsigned arg_count) LEAT_MUST_USE;
LEAT_API enum leat_result leat_db_stream_(struct leat_request *req, const struct leat_statement *statement,
					  struct leat_rows **ret_rows, const struct leat_arg *args,
					  unsigned arg_count) LEAT_MUST_USE;

#endif
