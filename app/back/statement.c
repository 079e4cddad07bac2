/* statement.c - see statement.h. Called by db.c for every query, and by lane.c when a connection is made. */
#include "back/statement.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum {
	LEAST_CAP = 16,
	SLOW_OF_EIGHT = 3,
	USUAL_OF = 8, /* the latest execution counts for an eighth of what is usual */
};

static const struct leat_statement *const *listed;
static unsigned listed_count;

void statements_list(const struct leat_statement *const *first, const struct leat_statement *const *end)
{
	listed = first;
	listed_count = (unsigned)(end - first);
}

const struct leat_statement *const *statements_listed(unsigned *ret_count)
{
	*ret_count = listed_count;
	return listed;
}

void leat_statement_list(const struct leat_statement *statement)
{
	static const struct leat_statement **own; /* for good */
	const struct leat_statement **list;

	for (unsigned i = 0; i < listed_count; i++)
		if (listed[i] == statement)
			return;
	list = realloc(own, (listed_count + 1) * sizeof(*list));
	if (!list)
		check_out_of_memory((listed_count + 1) * sizeof(*list), "the list of statements");
	for (unsigned i = 0; !own && i < listed_count; i++)
		list[i] = listed[i];
	list[listed_count++] = statement;
	listed = own = list;
}

void statements_init(struct statements *statements)
{
	*statements = (struct statements){ 0 };
	for (unsigned i = 0; i < listed_count; i++)
		statements_find(statements, listed[i]);
}

void statements_fini(struct statements *statements)
{
	for (unsigned i = 0; i < statements->count; i++) {
		free(statements->items[i]->text);
		free(statements->items[i]);
	}
	free(statements->items);
	free(statements->table);
	*statements = (struct statements){ 0 };
}

/* The entry's place in the table, or the free place where it belongs. */
static struct statement **place_of(const struct statements *statements, const struct leat_statement *is)
{
	/* Fibonacci hashing: descriptors stand side by side, a multiple of 8 bytes apart. */
	uint64_t hash = ((uint64_t)(uintptr_t)is >> 3) * UINT64_C(0x9E3779B97F4A7C15);
	unsigned mask = statements->table_size - 1;
	unsigned at = (unsigned)(hash >> 32) & mask;

	while (statements->table[at] && statements->table[at]->is != is)
		at = (at + 1) & mask;
	return &statements->table[at];
}

static void grow(struct statements *statements)
{
	unsigned cap = statements->cap ? statements->cap * 2 : LEAST_CAP;

	statements->items = realloc(statements->items, cap * sizeof(*statements->items));
	free(statements->table);
	statements->table = calloc(2 * cap, sizeof(*statements->table));
	if (!statements->items || !statements->table)
		check_out_of_memory(cap * sizeof(*statements->table), "the list of statements");
	statements->cap = cap;
	statements->table_size = 2 * cap;
	for (unsigned i = 0; i < statements->count; i++)
		*place_of(statements, statements->items[i]->is) = statements->items[i];
}

/* FNV-1a, and a finalizer, since short texts differ in few of its bits. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
	hash = (hash ^ (hash >> 33)) * UINT64_C(0xFF51AFD7ED558CCD);
	return hash ^ (hash >> 33);
}

/* Digits of five bits each; the last one has the four that are left. */
static void write_name(char name[static STATEMENT_NAME_SIZE], const char *text)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	uint64_t hash = hash_of(text);
	char *at = name + sizeof("leat_") - 1;

	memcpy(name, "leat_", sizeof("leat_"));
	for (; at < name + STATEMENT_NAME_SIZE - 1; at++, hash >>= 5)
		*at = digits[hash & 31];
	*at = '\0';
}

static char *describe(const struct leat_statement *is)
{
	char *text = NULL;

	if (asprintf(&text, "%s%s%s", is->name ? is->name : "", is->name ? ": " : "", is->sql) < 0)
		check_out_of_memory(strlen(is->sql), "a statement's description");
	return text;
}

static struct statement *add(struct statements *statements, const struct leat_statement *is, unsigned index)
{
	struct statement *statement = malloc(sizeof(*statement));

	if (!statement)
		check_out_of_memory(sizeof(*statement), "a statement");
	if (statements->count == statements->cap)
		grow(statements);
	*statement = (struct statement){ .is = is, .sql = is->sql, .text = describe(is), .index = index };
	write_name(statement->name, is->sql);
	statements->items[statements->count++] = statement;
	*place_of(statements, is) = statement;
	return statement;
}

static struct statement *known(const struct statements *statements, const struct leat_statement *is)
{
	return statements->table_size ? *place_of(statements, is) : NULL;
}

/* Every statement that any worker of this process has used. */
static unsigned index_of(const struct leat_statement *is)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct statements all;
	struct statement *statement;
	unsigned index;

	pthread_mutex_lock(&lock);
	statement = known(&all, is);
	if (!statement)
		statement = add(&all, is, all.count);
	index = statement->index;
	pthread_mutex_unlock(&lock);
	return index;
}

struct statement *statements_find(struct statements *statements, const struct leat_statement *is)
{
	struct statement *statement = known(statements, is);

	if (!statement)
		return add(statements, is, index_of(is));
	LEAT_CHECK(statement->sql == is->sql); /* descriptors are static: the text prepared must be the text meant */
	return statement;
}

void statement_took(struct statement *statement, int64_t ns, unsigned among, int64_t limit_ns)
{
	int64_t share_ns = ns > among ? ns / among
				      : 1; /* answers that come together: the first has taken all the time */
	int slow;

	statement->usual_ns += statement->usual_ns ? (share_ns - statement->usual_ns) / USUAL_OF : share_ns;
	if (among > 1 && ns > limit_ns) {
		statement->history |= 1;
		return;
	}
	statement->history = (uint8_t)(statement->history << 1 | (ns > limit_ns));
	slow = __builtin_popcount(statement->history);
	statement->is_slow = slow >= SLOW_OF_EIGHT || (statement->is_slow && slow > 1);
}
