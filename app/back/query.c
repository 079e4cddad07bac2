/* query.c - see query.h. Between db.c, which sends and waits, and lane.c, which carries. */
#include "back/query.h"

#include <libpq-fe.h>
#include <stdlib.h>

#include "back/statement.h"
#include "base/check.h"
#include "task/task.h"

void query_list_append(struct query_list *list, struct query *query)
{
	query->next = NULL;
	query->prev = list->last;
	if (list->last)
		list->last->next = query;
	else
		list->first = query;
	list->last = query;
	list->count++;
}

void query_list_remove(struct query_list *list, struct query *query)
{
	if (query->prev)
		query->prev->next = query->next;
	else
		list->first = query->next;
	if (query->next)
		query->next->prev = query->prev;
	else
		list->last = query->prev;
	list->count--;
}

const char *query_text(const struct query *query)
{
	return query->statement ? query->statement->text : query->command;
}

void query_pool_fini(struct query_pool *pool)
{
	LEAT_CHECK(pool->out == 0);
	while (pool->free) {
		struct query *query = pool->free;

		pool->free = query->next;
		free(query);
	}
}

struct query *query_take(struct query_pool *pool)
{
	struct query *query = pool->free;

	if (query)
		pool->free = query->next;
	else if (!(query = malloc(sizeof(*query))))
		check_out_of_memory(sizeof(*query), "a query");
	*query = (struct query){ .state = QUERY_QUEUED };
	pool->out++;
	return query;
}

void query_give(struct query_pool *pool, struct query *query)
{
	LEAT_CHECK(query->state != QUERY_FREE);
	PQclear(query->result);
	query->state = QUERY_FREE;
	query->next = pool->free;
	pool->free = query;
	pool->out--;
}

void query_forget(struct query *query)
{
	PQclear(query->result);
	query->result = NULL;
	query->batch = NULL;
}

void query_finish(struct query_pool *pool, struct query *query, enum leat_result outcome, struct pg_result *result)
{
	if (query->result != result)
		PQclear(query->result);
	query->result = result;
	if (query->state == QUERY_ABANDONED) {
		query_give(pool, query);
		return;
	}
	query->state = QUERY_DONE;
	query->outcome = outcome;
	if (query->waiter)
		task_wake(query->waiter, LEAT_OK);
}
