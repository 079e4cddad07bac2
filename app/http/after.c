/* after.c - see after.h and leat/after.h. Between handlers and task/background.c; called by pipeline.c at the end of a request. */
#include "http/after.h"

#include <leat/after.h>
#include <string.h>

#include "base/metrics.h"
#include "http/request.h"
#include "task/background.h"
#include "task/crash.h"

struct after_work {
	struct after_work *next;
	void (*fn)(void *arg);
	size_t size;
	char data[];
};

enum leat_result leat_after_reply(struct leat_request *req, void (*fn)(void *arg), const void *arg, size_t size)
{
	struct after_work **end = &req->after;
	struct after_work *work;

	if (!background_reserve(req->environment->background))
		return leat_fail(req, LEAT_UNAVAILABLE,
				 "Too much work after replies waits already (setting after_queue).");
	work = arena_alloc(req->call.arena, sizeof(*work) + size);
	*work = (struct after_work){ .fn = fn, .size = size };
	if (size > 0)
		memcpy(work->data, arg, size);
	while (*end)
		end = &(*end)->next;
	*end = work;
	return LEAT_OK;
}

void after_run(struct leat_request *req)
{
	struct crash_subject subject = crash_subject_of(req->match.route ? request_pattern(req) : NULL,
						     req->call.request_id);

	for (const struct after_work *work = req->after; work; work = work->next)
		background_run(req->environment->background, work->fn, work->data, work->size, &subject);
	req->after = NULL;
}

void after_drop(struct leat_request *req)
{
	for (const struct after_work *work = req->after; work; work = work->next) {
		background_release(req->environment->background);
		metrics_add(METRIC_AFTER_DROPPED, 1);
	}
	req->after = NULL;
}
