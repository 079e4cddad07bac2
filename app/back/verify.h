/* verify.h - statements against the database they are written for: what `check` finds before a request would.
 *
 * Use:
 *     switch (verify_statements(&settings, statements, count, stderr)) ...
 *
 * Each statement is prepared, and never executed. Its columns are compared with its shape: a field that is not optional and
 * has no column, a column of a type that its field does not take (row.h), two columns for one field, a shape where there
 * are no rows at all. A column of a table that may be NULL, for a field that is not optional, is a warning: it changes no verdict, for a
 * condition of the statement may keep NULL away. Not seen: the NULL of an outer join, of an expression, or of a view; and how many
 * arguments a handler gives, which the server refuses when it is asked (the log names the statement and both numbers).
 *
 * Ownership:      nothing is kept.
 * Thread-safety:  the main thread; it blocks, for db_connect_timeout at most for connecting and for each lock.
 * Errors:         every fault of every statement is a line on 'out' with the statement's name and how its text begins, and so
 *                 is every warning, with that word in front;
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
