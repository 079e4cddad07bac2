/* problems.c - see problems.h, called by pipeline.c and etag.c; and failures in the service's own form, leat/problem.h: a middleware, called by middleware.c. */
#include "http/problems.h"

#include <leat/problem.h>

#include "base/log.h"
#include "http/request.h"

enum { DOCUMENT_ROOM = 512 };

void problems_reply(struct leat_request *req, enum leat_result result)
{
	struct buffer body;

	req->problem.result = result;
	buffer_init(&body, req->call.arena, DOCUMENT_ROOM);
	problem_write(&body, &req->problem, req->call.request_id);
	response_set(&req->response, leat_result_status(result), "application/problem+json", buffer_as_text(&body));
	req->problem.is_reply = true;
}

static const struct leat_fault *list_faults(struct leat_request *req)
{
	struct leat_fault *list = arena_alloc(req->call.arena, req->problem.fault_count * sizeof(*list));
	unsigned count = 0;

	for (const struct fault *fault = req->problem.faults; fault; fault = fault->next)
		list[count++] = (struct leat_fault){
			.pointer = fault->in_parameter ? (leat_text){ NULL, 0 } : fault->pointer,
			.parameter = fault->in_parameter ? fault->pointer : (leat_text){ NULL, 0 },
			.detail = fault->detail,
		};
	return list;
}

void leat_problems_after_(struct leat_request *req, const void *options)
{
	const struct leat_problems *problems = options;
	struct response before = req->response;
	struct leat_problem problem = {
		.result = req->problem.result,
		.status = leat_result_status(req->problem.result),
		.title = problem_title(req->problem.result),
		.detail = req->problem.detail,
		.fault_count = req->problem.fault_count,
	};

	if (!req->problem.is_reply)
		return;
	problem.faults = list_faults(req);
	req->response = response_copy(&before, req->call.arena);
	if (problems->render(req, &problem) == LEAT_OK) {
		req->problem.is_reply = false; /* for those further out */
		return;
	}
	log_limited(LOG_LEVEL_ERROR, "route %s: the renderer of problems fails; the problem document is sent",
		    request_pattern(req));
	req->response = before;
}
