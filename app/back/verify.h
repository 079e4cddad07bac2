/* verify.h - statements against the database they are written for: what `check` finds before a request would.
 *
 * Use:
 *     switch (verify_statements(&settings, statements, count, stderr)) ...
 *
 * Each statement is prepared, and never executed. Its columns are compared with its shape: a field that is not optional and
 * has no column, a column of a type that its field does not take (row.h), two columns for one field, a shape where there
 * are no rows at all. NULL in a column that must not be NULL is not seen: the server does not tell it of a result.
 *
 * Ownership:      nothing is kept.
 * Thread-safety:  the main thread; it blocks, for db_connect_timeout at most for connecting and for each lock.
 * Errors:         every fault of every statement is a line on 'out' with the statement's name and how its text begins;
 *                 VERIFY_NOT_DONE has one line that says why.
 */
#ifndef APP_BACK_VERIFY_H
#define APP_BACK_VERIFY_H

#include <leat/db.h>
#include <stdio.h>

struct settings;

enum verify_verdict {
	VERIFY_FINE,
	VERIFY_FAULTY,
	VERIFY_NOT_DONE, /* no database_url, or the server cannot be reached */
};

enum verify_verdict verify_statements(const struct settings *settings, const struct leat_statement *const *statements,
				      unsigned count, FILE *out);

#endif
