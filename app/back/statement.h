/* statement.h - the statements that this worker knows, so that a new connection can prepare them all: those that the
 * program lists (LEAT_STATEMENT), and those that were used.
 *
 * Use:
 *     statements_list(first, end);                      -- once, at the start
 *
 *     struct statements statements;
 *     statements_init(&statements);                     -- knows those on the list
 *     struct statement *statement = statements_find(&statements, &user_by_id);   -- made when it is new
 *     for (unsigned i = 0; i < statements.count; i++)
 *         prepare(lane, statements.items[i]);
 *
 * A statement's index is small, stays, and is the same in every worker of the process: each lane keeps what it knows of a statement
 * in an array at that index, and a lane that is lent goes from worker to worker.
 *
 * Ownership:      the registry owns its entries until statements_fini; the descriptors are static.
 * Thread-safety:  one thread at a time per object; statements_list before any other thread exists.
 * Errors:         none; running out of memory ends the program. A descriptor whose text has changed is a bug.
 */
#ifndef APP_BACK_STATEMENT_H
#define APP_BACK_STATEMENT_H

#include <leat/db.h>
#include <stdbool.h>
#include <stdint.h>

enum { STATEMENT_NAME_SIZE = sizeof("leat_") + 13 };

struct statement {
	const struct leat_statement *is;
	const char *sql; /* as first seen */
	char *text;      /* for the log: "user_by_id: SELECT ..." */
	char name
		[STATEMENT_NAME_SIZE]; /* on the server: from a hash of the text, so that one name never means two texts */
	unsigned index;                /* the same in every worker */
	int64_t usual_ns; /* what an execution takes on average, the way to the server and back included; 0: not known yet */
	uint8_t history;     /* of the last eight executions, a bit each: it was slow */
	bool is_for_primary; /* it says read_only, but a standby refused it as a write */
	bool is_slow;        /* it is run on a lent connection, where nobody stands behind it */
};

struct statements {
	struct statement **items; /* in the order of their first use */
	unsigned count;
	unsigned cap;
	struct statement **table; /* by the descriptor's address: open addressing, at most half full */
	unsigned table_size;      /* a power of two, or 0 */
};

/* What the program lists, from 'first' up to 'end'; static. */
void statements_list(const struct leat_statement *const *first, const struct leat_statement *const *end);
const struct leat_statement *const *statements_listed(unsigned *ret_count);

void statements_init(struct statements *statements);
void statements_fini(struct statements *statements);
struct statement *statements_find(struct statements *statements, const struct leat_statement *is)
	__attribute__((returns_nonnull));

/* It was executed in 'ns', as one of 'among' that share a Sync. Three of eight executions over 'limit_ns' make it slow, seven below make it
 * fast again: one stall of the server, or a rare argument, does not. Which one of several was slow cannot be seen: as
 * long as its history is not clean, it should run alone, and be measured. */
void statement_took(struct statement *statement, int64_t ns, unsigned among, int64_t limit_ns);

#endif
