/* migrate_split.h - SQL text into its statements, for migrations that run without a transaction.
 *
 * Use:
 *     struct migrate_split split = { .rest = sql, .line = 1 };
 *     struct migrate_statement statement;
 *     while (migrate_split_next(&split, &statement))
 *         ...statement.text, with its semicolon; it begins on statement.line...
 *
 * Statements end where psql ends them: at a semicolon outside of quotes, dollar quotes, comments, parentheses and the
 * BEGIN ATOMIC body of a function. (standard_conforming_strings is on.) White space and comments in front of a statement
 * are no part of it, and nothing between two semicolons is no statement. What is not closed goes to the end of the text:
 * the server tells what is wrong with it.
 *
 * Ownership:      views of the text.
 * Thread-safety:  one thread at a time per object.
 * Errors:         none.
 */
#ifndef APP_BACK_MIGRATE_SPLIT_H
#define APP_BACK_MIGRATE_SPLIT_H

#include <leat/text.h>
#include <stdbool.h>

struct migrate_split {
	leat_text rest;
	unsigned line; /* of the first byte of rest */
};

struct migrate_statement {
	leat_text text;
	unsigned line;
};

/* False when nothing is left. */
bool migrate_split_next(struct migrate_split *split, struct migrate_statement *ret_statement);

#endif
