/* middleware.c - see middleware.h and leat/middleware.h. Between pipeline.c and the hooks. */
#include "http/middleware.h"

#include <string.h>

#include "base/check.h"
#include "http/request.h"

enum { BEGUN_MOST = 2 * LEAT_MIDDLEWARE_MAX }; /* the service's, and a route's */

/* Values are few: a list. */
struct request_value {
	struct request_value *next;
	const char *key; /* its address counts */
	const void *value;
};

enum leat_result middleware_enter(struct middleware_walk *way, struct leat_request *req,
				  const struct leat_middleware *list)
{
	for (; list && list->name; list++) {
		LEAT_CHECK(way->count < BEGUN_MOST); /* they were counted at the start */
		if (!way->begun)
			way->begun = arena_alloc(req->call.arena, BEGUN_MOST * sizeof(*way->begun));
		way->begun[way->count++] = list;
		if (!list->before)
			continue;
		LEAT_TRY(list->before(req, list->options));
		if (leat_reply_status(req) != 0)
			break;
	}
	return LEAT_OK;
}

void middleware_leave(struct middleware_walk *way, struct leat_request *req)
{
	while (way->count > 0) {
		const struct leat_middleware *last = way->begun[--way->count];

		if (last->after)
			last->after(req, last->options);
	}
}

unsigned middleware_count(const struct leat_middleware *list)
{
	unsigned count = 0;

	while (list && list[count].name)
		count++;
	return count;
}

int leat_reply_status(const struct leat_request *req)
{
	return response_status(&req->response);
}

leat_text leat_reply_body(const struct leat_request *req)
{
	return response_body(&req->response);
}

static struct request_value *find(const struct leat_request *req, const char *key)
{
	struct request_value *value = req->values;

	while (value && value->key != key)
		value = value->next;
	return value;
}

void leat_set_(struct leat_request *req, const char *key, const void *value)
{
	struct request_value *kept = find(req, key);

	if (!kept) {
		kept = arena_alloc(req->call.arena, sizeof(*kept));
		*kept = (struct request_value){ .next = req->values, .key = key };
		req->values = kept;
	}
	kept->value = value;
}

void *leat_get_(const struct leat_request *req, const char *key)
{
	const struct request_value *kept = find(req, key);

	return kept ? (void *)kept->value : NULL; /* as const as it was set: LEAT_VALUE sees to it */
}
