/* stream.h - a statement's result row by row, as it comes from the server. Under rows.c; the public half is leat/rows.h.
 *
 * Use, in a task:
 *     LEAT_TRY(stream_open(call, statement, &arguments, &stream, &first));   -- waits for the first row
 *     while ((result = stream_next(stream, &next)) == LEAT_OK) ...           -- one row in each; LEAT_NOT_FOUND after the last
 *     LEAT_TRY(stream_end(stream));                                          -- may leave rows unread
 *     stream_drop(stream);                                                   -- at the end of the request, in any case
 *
 * The statement runs on the transaction's connection, else on one that is lent for it; that lane is paused meanwhile (lane.h). While the
 * task does not ask for the next row nothing is read, so the server waits.
 *
 * While it is open it is call->stream. What takes the connection away (a transaction's end) clears that, and so ends it.
 *
 * Ownership:      the arena's of the call. Results are the caller's; the one that comes with LEAT_NOT_FOUND has no rows, but the
 *                 columns' names.
 * Thread-safety:  only the task that opened it; stream_drop does not wait.
 * Errors:         those of leat/rows.h. stream_next goes on answering as it did at last.
 */
#ifndef APP_BACK_STREAM_H
#define APP_BACK_STREAM_H

#include <leat/result.h>

struct arguments;
struct call;
struct lane;
struct leat_statement;
struct pg_result; /* libpq's PGresult */
struct stream;

/* LEAT_NOT_FOUND: no rows; 'ret_stream' is set then, too. */
enum leat_result stream_open(struct call *call, const struct leat_statement *statement,
			     const struct arguments *arguments, struct stream **ret_stream,
			     struct pg_result **ret_first) LEAT_MUST_USE;

enum leat_result stream_next(struct stream *stream, struct pg_result **ret_result) LEAT_MUST_USE;

enum leat_result stream_end(struct stream *stream) LEAT_MUST_USE;

void stream_drop(struct stream *stream);

/* Its task crashed (db_abandon): the lane that it had, for the caller to give up. */
struct lane *stream_abandon(struct stream *stream);

#endif
