/* pipeline.c - the way of a request through leat. The first file to read.
 *
 * front/poller.c, front/connection.c and front/exchange.c have brought a request into a task, libfcgi (front/fcgi.c) has decoded
 * it. The steps below run in order; the first one that replies, or does not answer LEAT_OK, ends the walk; a
 * result becomes a problem document. Then hooks are left, the reply goes back, and one line to the access log. */
#include "pipeline.h"

#include <leat/client.h>
#include <string.h>

#include "back/db.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/metrics_route.h"
#include "front/connection.h"
#include "front/exchange.h"
#include "front/fcgi.h"
#include "http/accesslog.h"
#include "http/after.h"
#include "http/cors.h"
#include "http/middleware.h"
#include "http/problems.h"
#include "http/url.h"
#include "task/crash.h"
#include "task/held.h"
#include "task/loop.h"
#include "task/task.h"

enum { PIECES_A_TURN = 8 }; /* of a body, 8 KiB each at most */

struct walk {
	struct leat_request *req;
	struct pipeline *pipeline;
	struct exchange *exchange;
	struct middleware_walk middleware; /* hooks that were begun, and are to be ended */
	bool has_left;                     /* the hooks were ended for a stream; there is nothing more to explain */
	bool is_streaming;                 /* the head has gone */
	int status;                        /* that was sent */
	uint64_t sent;                     /* bytes of the body */
	int64_t head_ns;                   /* when it did */
};

static enum leat_result parse(struct walk *walk);
static enum leat_result enter_service(struct walk *walk);
static enum leat_result route(struct walk *walk);
static enum leat_result enter_route(struct walk *walk);
static enum leat_result handle(struct walk *walk);

static const struct step {
	const char *name;
	enum leat_result (*run)(struct walk *walk);
} steps[] = {
	{ "parse", parse },                 /* parameters -> method, path, query (http/request.c) */
	{ "enter service", enter_service }, /* hooks for all requests (http/middleware.c) */
	{ "route", route },                 /* method and path -> a route of handlers/ (http/router.c) */
	{ "enter route", enter_route },     /* hooks of the route and its mounts */
	{ "handle", handle },               /* the handler; it may wait for the database, a clock, another thread */
};

static void explain(struct walk *walk, enum leat_result result);
static void reply(struct walk *walk);
static void record(struct walk *walk, bool has_gone);
static void hand_over_after(struct walk *walk, enum leat_result result);
static void end_stream(struct walk *walk, enum leat_result result);
static enum leat_result read_body(void *source, char *into, size_t size, int64_t deadline_ns, size_t *ret_len);
static enum leat_result begin_stream(void *source);
static enum leat_result write_stream(void *source, leat_text bytes, bool must_leave, int64_t until_ns);

static const struct request_way way = { read_body, begin_stream, write_stream };

static void count_active(const struct pipeline *pipeline, int64_t more)
{
	if (pipeline->is_counted)
		metrics_add(METRIC_REQUESTS_ACTIVE, more);
}

/* The client left; for a stream, the front server's taking nothing is not that. */
static bool is_aborted(const struct walk *walk)
{
	return exchange_is_gone(walk->exchange) && !(walk->is_streaming && walk->exchange->fault == LEAT_TIMED_OUT);
}

static bool has_reply(const struct walk *walk)
{
	return response_status(&walk->req->response) != 0;
}

/* In the request's memory: when a handler crashes, what is on its stack is not to be trusted. */
static struct walk *begin(struct exchange *exchange, struct pipeline *pipeline)
{
	struct walk *walk = arena_zalloc(&exchange->arena, sizeof(*walk));

	walk->pipeline = pipeline;
	walk->exchange = exchange;
	walk->req = request_new(&exchange->arena, fcgi_params(exchange), &pipeline->environment, exchange->started_ns);
	walk->req->way = &way;
	walk->req->source = walk;
	exchange->connection->serving = walk;
	count_active(pipeline, 1);
	return walk;
}

void pipeline_serve(struct exchange *exchange, void *arg)
{
	struct walk *walk = begin(exchange, arg);
	enum leat_result result = LEAT_OK;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && result == LEAT_OK && !has_reply(walk); i++) {
#ifdef LEAT_DEV
		log_debug("[%.*s] step %s", LEAT_TEXT_PRINTF(walk->req->call.request_id), steps[i].name);
#endif
		result = steps[i].run(walk);
	}
	if (result != LEAT_OK && !walk->has_left)
		explain(walk, result);
	middleware_leave(&walk->middleware, walk->req);
	held_let_go_all(&walk->req->call, result);
	if (walk->is_streaming)
		end_stream(walk, result);
	else
		reply(walk);
	if (walk->req->after)
		hand_over_after(walk, result);
	record(walk, is_aborted(walk));
	count_active(walk->pipeline, -1);
}

void pipeline_describe(const void *serving, struct crash_subject *ret_subject, bool *ret_is_head)
{
	const struct leat_request *req = ((const struct walk *)serving)->req;

	*ret_is_head = req->method == LEAT_METHOD_HEAD;
	*ret_subject = crash_subject_of(req->match.route ? request_pattern(req) : NULL, req->call.request_id);
}

void pipeline_abandoned(void *serving, bool was_cut, uint64_t body_size)
{
	struct walk *walk = serving;

	if (walk->is_streaming)
		metrics_add(METRIC_STREAMS_OPEN, -1);
	if (was_cut) {
		metrics_add(METRIC_STREAMS_FAILED, 1);
	} else {
		walk->is_streaming = false;
		walk->status = 500;
		walk->sent = body_size;
	}
	db_abandon(&walk->req->call);
	held_let_go_all(&walk->req->call, LEAT_INTERNAL);
	after_drop(walk->req);
	record(walk, false);
	count_active(walk->pipeline, -1);
}

/* The steps ------------------------------------------------------------------------------------------------------------ */

static enum leat_result parse(struct walk *walk)
{
	return request_parse(walk->req);
}

static enum leat_result enter_service(struct walk *walk)
{
	return middleware_enter(&walk->middleware, walk->req, walk->pipeline->middleware);
}

static enum leat_result allow(struct leat_request *req)
{
	return leat_reply_header(req, "Allow", leat_text_from(req->match.allow));
}

/* Nothing answers the path. With another slash at its end, something may. */
static enum leat_result redirect(const struct walk *walk)
{
	struct leat_request *req = walk->req;
	leat_text url;

	if (!walk->pipeline->redirects_slash ||
	    !url_other_slash(walk->pipeline->router, req->method, req->path, req->query, req->call.arena, &url))
		return LEAT_NOT_FOUND;
	LEAT_TRY(leat_reply_header(req, "Location", url));
	return leat_reply_empty(req, 308);
}

static enum leat_result route(struct walk *walk)
{
	struct leat_request *req = walk->req;

	if (req->method == LEAT_METHOD_OPTIONS) {
		LEAT_TRY(cors_preflight(req, NULL));
		if (has_reply(walk))
			return LEAT_OK;
	}
	switch (router_match(walk->pipeline->router, req->method, req->path, req->call.arena, &req->match)) {
	case ROUTER_BAD_PATH:
		return leat_fail(req, LEAT_BAD_REQUEST, "The path has a bad escape, NUL, or is not UTF-8.");
	case ROUTER_LIMIT:
		metrics_add(METRIC_ROUTE_LIMIT, 1);
		return leat_fail(req, LEAT_BAD_REQUEST,
				 "Matching the path takes too long (setting route_match_limit).");
	case ROUTER_NOT_FOUND:
		return redirect(walk);
	case ROUTER_METHOD_NOT_ALLOWED:
		return LEAT_METHOD_NOT_ALLOWED;
	case ROUTER_FOUND:
		break;
	}
	req->call.route = request_pattern(req);
	if (req->match.route && req->match.route->deadline_ms)
		req->call.deadline_ns = req->started_ns + req->match.route->deadline_ms * CLOCK_MS;
	if (req->call.deadline_ns > req->deadline_most_ns)
		req->call.deadline_ns = req->deadline_most_ns;
	return LEAT_OK;
}

static enum leat_result enter_route(struct walk *walk)
{
	const struct leat_middleware *const *list = walk->req->match.route ? walk->req->match.middleware : NULL;

	for (; list && *list && !has_reply(walk); list++)
		LEAT_TRY(middleware_enter(&walk->middleware, walk->req, *list));
	return LEAT_OK;
}

static enum leat_result handle(struct walk *walk)
{
	struct leat_request *req = walk->req;

	if (!req->match.route) { /* OPTIONS, without a route of its own */
		LEAT_TRY(allow(req));
		return leat_reply_empty(req, 204);
	}
	return request_handle(req);
}

/* Reads for request.c. The exchange knows why there are fewer bytes than there should be. */
static enum leat_result read_body(void *source, char *into, size_t size, int64_t deadline_ns, size_t *ret_len)
{
	struct exchange *exchange = ((struct walk *)source)->exchange;

	exchange->deadline_ns = deadline_ns;
	*ret_len = fcgi_read(exchange, into, size);
	if (++exchange->pieces % PIECES_A_TURN == 0)
		task_yield(); /* a fast sender may not keep others from running */
	return exchange->fault;
}

/* Streams ------------------------------------------------------------------------------------------------------------- */

/* The hooks must have their say before the head goes. */
static enum leat_result begin_stream(void *source)
{
	struct walk *walk = source;
	struct leat_request *req = walk->req;
	leat_text head;

	middleware_leave(&walk->middleware, req);
	walk->has_left = true;
	if (!req->response.is_stream || req->method == LEAT_METHOD_HEAD || !response_has_content(&req->response))
		return LEAT_CANCELLED; /* what the hooks have made of it, or the head alone, is the reply */
	walk->is_streaming = true;
	walk->status = response_status(&req->response);
	walk->head_ns = clock_now_ns();
	walk->exchange->send_timeout_ns = req->environment->stream_idle_ns;
	metrics_add(METRIC_STREAMS_OPEN, 1);
	fcgi_settle(walk->exchange);
	head = response_head(&req->response, req->call.arena);
	fcgi_write(walk->exchange, head.ptr, head.len);
	return exchange_is_gone(walk->exchange) ? LEAT_CANCELLED : LEAT_OK;
}

static enum leat_result write_stream(void *source, leat_text bytes, bool must_leave, int64_t until_ns)
{
	struct walk *walk = source;
	struct exchange *exchange = walk->exchange;

	exchange->send_until_ns = until_ns;
	fcgi_write(exchange, bytes.ptr, bytes.len);
	if (must_leave)
		fcgi_flush(exchange);
	if (exchange_is_gone(exchange))
		return exchange->fault == LEAT_TIMED_OUT ? LEAT_TIMED_OUT : LEAT_CANCELLED;
	walk->sent += bytes.len;
	return LEAT_OK;
}

static enum metric why_cut(const struct walk *walk, enum leat_result result)
{
	if (walk->req->stream.is_behind)
		return METRIC_STREAMS_BEHIND;
	return result == LEAT_TIMED_OUT ? METRIC_STREAMS_IDLE : METRIC_STREAMS_FAILED;
}

/* After the head there is no other way to tell of a failure than to end before the end. */
static void end_stream(struct walk *walk, enum leat_result result)
{
	struct leat_request *req = walk->req;
	int64_t length = req->response.stream_length;

	metrics_add(METRIC_STREAMS_OPEN, -1);
	if (!req->response.is_stream)
		log_limited(LOG_LEVEL_ERROR, "bug: route %s: a reply was given after the stream's head had gone",
			    request_pattern(req));
	if (result == LEAT_OK && length >= 0 && walk->sent != (uint64_t)length)
		result = LEAT_INTERNAL;
	if (result == LEAT_OK || is_aborted(walk))
		return;
	metrics_add(why_cut(walk, result), 1);
	log_limited(LOG_LEVEL_WARN, "route %s: stream cut after %llu bytes: %s%s", request_pattern(req),
		    (unsigned long long)walk->sent, leat_result_name(result),
		    req->stream.is_behind      ? " (setting events_queue)"
		    : result == LEAT_TIMED_OUT ? " (setting stream_idle, or the request's own deadline)"
					       : "");
	fcgi_cut(walk->exchange);
}

/* The end -------------------------------------------------------------------------------------------------------------- */

static leat_text retry_after(const struct leat_request *req)
{
	int64_t seconds = req->call.retry_after_s;

	return seconds == 0 ? LEAT_TEXT_OF("1") : arena_format(req->call.arena, "%lld", (long long)seconds);
}

/* A result becomes a problem document, with the headers that HTTP wants for it; one of them a reply without a body. */
static void explain(struct walk *walk, enum leat_result result)
{
	struct leat_request *req = walk->req;

	if (result == LEAT_NOT_MODIFIED) {
		response_not_modified(&req->response);
		return;
	}
	if (result == LEAT_CANCELLED && !exchange_is_gone(walk->exchange))
		result = LEAT_UNAVAILABLE; /* the process stops: nobody left */
	response_clear(&req->response);
	if (result == LEAT_METHOD_NOT_ALLOWED && req->match.allow && allow(req) != LEAT_OK)
		result = LEAT_INTERNAL;
	if (result == LEAT_UNAVAILABLE || result == LEAT_RATE_LIMITED)
		response_add_header(&req->response, req->call.arena, LEAT_TEXT_OF("Retry-After"), retry_after(req));
	problems_reply(req, result);
}

static void reply(struct walk *walk)
{
	struct leat_request *req = walk->req;
	leat_text head = response_head(&req->response, req->call.arena);
	leat_text body = response_body(&req->response);

	walk->status = response_status(&req->response);
	walk->sent = req->method == LEAT_METHOD_HEAD ? 0 : body.len;
	if (exchange_is_gone(walk->exchange)) {
		walk->exchange->is_discarding = true;
		return;
	}
	fcgi_write(walk->exchange, head.ptr, head.len);
	fcgi_write(walk->exchange, body.ptr, walk->sent);
}

/* Work that the handler wants done when its reply has left. */
static void hand_over_after(struct walk *walk, enum leat_result result)
{
	if (result != LEAT_OK) {
		after_drop(walk->req);
		return;
	}
	fcgi_flush(walk->exchange);
	after_run(walk->req);
}

static void count(const struct leat_request *req, int status, int64_t duration_ns)
{
	metrics_add(status < 300   ? METRIC_REQUESTS_2XX
		    : status < 400 ? METRIC_REQUESTS_3XX
		    : status < 500 ? METRIC_REQUESTS_4XX
				   : METRIC_REQUESTS_5XX,
		    1);
	if (status == 504)
		metrics_add(METRIC_REQUESTS_TIMED_OUT, 1);
	metrics_observe(HISTOGRAM_REQUESTS, duration_ns);
	if (req->match.route)
		metrics_route_observe(req->match.index, status, duration_ns);
}

static void record(struct walk *walk, bool has_gone)
{
	const struct pipeline *pipeline = walk->pipeline;
	struct leat_request *req = walk->req;
	int status = has_gone ? 499 : walk->status;
	int64_t duration_ns = clock_now_ns() - req->started_ns;

	if (has_gone)
		metrics_add(METRIC_REQUESTS_ABORTED, 1);
	else if (pipeline->is_counted)
		count(req, status, walk->is_streaming ? walk->head_ns - req->started_ns : duration_ns);
	if (pipeline->accesslog) {
		struct accesslog_entry entry = {
			.wall_ns = clock_wall_ns(),
			.id = req->call.request_id,
			.client = leat_client_address(req),
			.method = req->method_text,
			.path = req->path.ptr ? req->path : req->target,
			.route = req->match.route ? req->match.pattern : NULL,
			.status = status,
			.bytes = has_gone && !walk->is_streaming ? 0 : walk->sent,
			.duration_ns = duration_ns,
		};
		char line[ACCESSLOG_LINE_SIZE];

		accesslog_write(pipeline->accesslog, pipeline->writer, line, accesslog_format(line, &entry));
	}
}
