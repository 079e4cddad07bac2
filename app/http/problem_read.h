/* problem_read.h - a problem document that was kept, back into the problem it was made of.
 *
 * Use:
 *     if (problem_read(&req->problem, arena, status, document))
 *         req->problem.is_reply = true;        -- renderers (leat/problem.h) have their say again
 *
 * Ownership:      what is read lies in the arena, or is a view of the document.
 * Thread-safety:  one thread at a time per problem.
 * Errors:         false for what problem_write has not made, or a status of no result; the problem is as it was.
 */
#ifndef APP_HTTP_PROBLEM_READ_H
#define APP_HTTP_PROBLEM_READ_H

#include "http/problem.h"

bool problem_read(struct problem *problem, struct arena *arena, int status, leat_text document)
	__attribute__((warn_unused_result));

#endif
