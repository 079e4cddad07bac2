/* leat/problem.h - failures in a form of the service's own, instead of problem documents (RFC 9457).
 *
 * Use:
 *     static enum leat_result as_text(struct leat_request *req, const struct leat_problem *problem)
 *     {
 *         return leat_reply_text(req, problem->status, "text/plain", leat_text_from(problem->title));
 *     }
 *
 *     static const struct leat_problems texts = { as_text };
 *     static const struct leat_middleware all[] = { LEAT_PROBLEMS(&texts), ..., LEAT_MIDDLEWARE_END };
 *
 * It is a middleware: in the service's list it renders the failures of all requests, in a mount's those of the mount; of several the
 * innermost does. Put it first: hooks before it in a list see what it made. Only what a result has become is a problem; a reply that a handler
 * gave itself is not, whatever its status. Headers (Allow, Retry-After) stay. A request that is no HTTP meets no middleware and gets
 * the problem document.
 *
 * Ownership:      a problem lives as long as its request.
 * Thread-safety:  only the task of the request.
 * Errors:         a renderer that does not answer LEAT_OK leaves the problem document in place.
 */
#ifndef LEAT_PROBLEM_H
#define LEAT_PROBLEM_H

#include <leat/middleware.h>
#include <leat/result.h>
#include <leat/text.h>

/* One thing that is wrong with the input. */
struct leat_fault {
	leat_text pointer;   /* to a place in the body, "#/email" (RFC 6901 6), or */
	leat_text parameter; /* the name of a parameter of the query or the path; the other one is {NULL, 0} */
	leat_text detail;
};

struct leat_problem {
	enum leat_result result;
	int status;
	const char *title;
	leat_text detail; /* of leat_fail; {NULL, 0}: none */
	const struct leat_fault *faults;
	unsigned fault_count;
};

typedef enum leat_result (*leat_problem_fn)(struct leat_request *req, const struct leat_problem *problem);

struct leat_problems {
	leat_problem_fn render;
};

#define LEAT_PROBLEMS(problems) \
	{ \
		.name = "problems", .after = leat_problems_after_, .options = (problems) \
	}

LEAT_API void leat_problems_after_(struct leat_request *req, const void *options);

#endif
