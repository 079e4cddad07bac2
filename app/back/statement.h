/* statement.h - the statements that this worker has used, so that a new connection can prepare them all.
 *
 * Use:
 *     struct statements statements = { 0 };
 *     struct statement *statement = statements_find(&statements, &user_by_id);   -- made when it is new
 *     for (unsigned i = 0; i < statements.count; i++)
 *         prepare(lane, statements.items[i]);
 *
 * A statement's index is small and stays: each lane keeps what it knows of a statement in an array at that index.
 *
 * Ownership:      the registry owns its entries until statements_fini; the descriptors are static.
 * Thread-safety:  one thread at a time per object.
 * Errors:         none; running out of memory ends the program. A descriptor whose text has changed is a bug.
 */
#ifndef APP_BACK_STATEMENT_H
#define APP_BACK_STATEMENT_H

#include <leat/db.h>

struct statement {
	const struct leat_statement *is;
	const char *sql; /* as first seen */
	unsigned index;
};

struct statements {
	struct statement **items; /* by index */
	unsigned count;
	unsigned cap;
	struct statement **table; /* by the descriptor's address: open addressing, at most half full */
	unsigned table_size;      /* a power of two, or 0 */
};

void statements_fini(struct statements *statements);
struct statement *statements_find(struct statements *statements, const struct leat_statement *is)
	__attribute__((returns_nonnull));

#endif
