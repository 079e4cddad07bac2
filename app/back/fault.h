/* fault.h - what an error of PostgreSQL means to a handler.
 *
 * Use:
 *     enum fault fault = fault_of(result);
 *     if (fault == FAULT_CONNECTION) ...the server ends this connection; others may live...
 *     if (fault == FAULT_STALE) ...prepare again and send again...
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
	FAULT_STALE,      /* the prepared form is gone or no longer fits; nothing was executed */
	FAULT_TRANSIENT,  /* serialization failure or deadlock: the transaction may be run again */
	FAULT_CONNECTION, /* FATAL or PANIC: the connection ends */
};

enum fault fault_of(const struct pg_result *result);

/* The result for the handler. Logs what is neither the handler's to expect nor the server's being away. */
enum leat_result fault_report(const struct pg_result *result, const char *sql);

#endif
