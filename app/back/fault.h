/* fault.h - what an error of PostgreSQL means to a handler.
 *
 * Use:
 *     enum fault fault = fault_of(result);
 *     if (fault == FAULT_CONNECTION) ...the server ends this connection; others may live...
 *     if (fault == FAULT_STALE || fault == FAULT_GONE) ...prepare again and send again...
 *     outcome = fault_report(result, sql);
 *
 * Ownership:      results stay the caller's.
 * Thread-safety:  any thread.
 * Errors:         these are they. The list of SQLSTATEs is in fault.c.
 */
#ifndef APP_BACK_FAULT_H
#define APP_BACK_FAULT_H

#include <leat/result.h>

struct pg_result; /* libpq's PGresult */

enum fault {
	FAULT_STATEMENT,  /* the statement's own: an answer like any other */
	FAULT_STALE,      /* the prepared form no longer fits: a table was changed; nothing was executed */
	FAULT_GONE,       /* the prepared form is not there, or another of its name is; nothing was executed */
	FAULT_READ_ONLY,  /* a write where the transaction, or the server, allows none; nothing was executed */
	FAULT_TRANSIENT,  /* given up for the sake of others: the transaction may be run again */
	FAULT_CONNECTION, /* FATAL or PANIC: the connection ends */
};

enum fault fault_of(const struct pg_result *result);

/* The result for the handler. Logs what is neither the handler's to expect nor the server's being away. */
enum leat_result fault_report(const struct pg_result *result, const char *sql);

#endif
