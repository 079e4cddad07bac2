/* stream.c - see stream.h and leat/stream.h. Between handlers and pipeline.c, which sends. */
#include "http/stream.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/request.h"
#include "task/task.h"

enum { WRITTEN_A_TURN = 262144 }; /* bytes, until others of the worker run, too */

/* The default deadline is for replies that are made and then sent. */
static bool has_own_deadline(const struct leat_request *req)
{
	return (req->match.route && req->match.route->deadline_ms) ||
	       req->call.deadline_ns != req->started_ns + req->environment->default_deadline_ns;
}

/* Something went forward: time to wait for the next step. */
static void renew(struct leat_request *req)
{
	int64_t idle_ns = clock_now_ns() + req->environment->stream_idle_ns;

	req->call.deadline_ns = idle_ns < req->stream.until_ns ? idle_ns : req->stream.until_ns;
}

static enum leat_result misused(const struct leat_request *req, const char *what)
{
	log_limited(LOG_LEVEL_ERROR, "bug: route %s: %s", request_pattern(req), what);
	return LEAT_INTERNAL;
}

enum leat_result stream_begin(struct leat_request *req, int status, const char *content_type, int64_t length)
{
	if (req->stream.state != STREAM_NONE)
		return misused(req, "a stream is begun twice");
	if (req->stream.refusal)
		return misused(req, req->stream.refusal);
	if (!response_is_type(content_type))
		return misused(req, "a content type holds CR or LF");
	response_set_stream(&req->response, status, content_type, length);
	response_add_header(&req->response, req->call.arena, LEAT_TEXT_OF("X-Accel-Buffering"), LEAT_TEXT_OF("no"));
	req->stream.until_ns = has_own_deadline(req) ? req->call.deadline_ns : req->deadline_most_ns;
	req->stream.state = STREAM_UNWANTED;
	LEAT_TRY(req->way->begin(req->source));
	req->stream.state = STREAM_OPEN;
	renew(req);
	return LEAT_OK;
}

enum leat_result leat_stream_begin(struct leat_request *req, int status, const char *content_type)
{
	return stream_begin(req, status, content_type, -1);
}

static enum leat_result put(struct leat_request *req, leat_text bytes, bool must_leave)
{
	if (req->stream.state == STREAM_NONE)
		return misused(req, "a stream is written to before it is begun");
	if (req->stream.state == STREAM_UNWANTED)
		return LEAT_CANCELLED;
	if (clock_now_ns() >= req->stream.until_ns)
		return LEAT_TIMED_OUT;
	LEAT_TRY(req->way->write(req->source, bytes, must_leave, req->stream.until_ns));
	req->stream.since_yield += bytes.len;
	if (req->stream.since_yield >= WRITTEN_A_TURN) {
		req->stream.since_yield = 0;
		task_yield();
	}
	renew(req);
	return LEAT_OK;
}

enum leat_result leat_stream_write(struct leat_request *req, leat_text bytes)
{
	return put(req, bytes, false);
}

enum leat_result leat_stream_flush(struct leat_request *req)
{
	return put(req, (leat_text){ NULL, 0 }, true);
}
