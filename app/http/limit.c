/* limit.c - time and body size of a group: leat/limit.h. Called by middleware.c; pipeline.c, stream.c and body.c keep to it. */
#include <leat/limit.h>

#include "base/clock.h"
#include "http/request.h"

enum { TIMEOUT_MOST_MS = 3600000 }; /* as of the setting request_deadline */

/* The service's list comes before the route, which may have a deadline of its own. */
enum leat_result leat_timeout_before_(struct leat_request *req, const void *options)
{
	int64_t until_ns = req->started_ns + *(const int64_t *)options * CLOCK_MS;

	if (until_ns < req->deadline_most_ns)
		req->deadline_most_ns = until_ns;
	if (until_ns < req->call.deadline_ns)
		req->call.deadline_ns = until_ns;
	return LEAT_OK;
}

const char *leat_timeout_check_(const void *options)
{
	int64_t ms = *(const int64_t *)options;

	return ms >= 1 && ms <= TIMEOUT_MOST_MS ? NULL : "a timeout is from 1 ms to 1 h";
}

enum leat_result leat_body_limit_before_(struct leat_request *req, const void *options)
{
	uint64_t bytes = *(const uint64_t *)options;

	if (bytes < req->body_most)
		req->body_most = bytes;
	return LEAT_OK;
}
