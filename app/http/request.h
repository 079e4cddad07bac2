/* request.h - a request as the runtime sees it; handlers see leat/request.h.
 *
 * Use (pipeline.c):
 *     struct leat_request *req = request_new(arena, params, &environment);
 *     LEAT_TRY(request_parse(req));
 *
 * Ownership:      lives in the arena of its request; texts are views into libfcgi's parameters or lie in the arena.
 * Thread-safety:  only the request's task.
 * Errors:         request_parse: LEAT_BAD_REQUEST for what is no HTTP request, with words in req->problem.
 */
#ifndef APP_HTTP_REQUEST_H
#define APP_HTTP_REQUEST_H

#include <leat/request.h>

#include "http/problem.h"
#include "http/response.h"
#include "http/router.h"
#include "task/call.h"

struct after_work;
struct arena_pool;
struct background;
struct fetcher;
struct flights;
struct kept;
struct offload;
struct topics;

/* Where the body comes from: waits for bytes, and gives what has come; none at the body's end. */
typedef enum leat_result (*request_read_fn)(void *source, char *into, size_t size, int64_t deadline_ns,
					    size_t *ret_len);

/* See the settings of the same names. */
struct form_limits {
	size_t parts_max, field_max, spool_at;
	const char *spool_dir;
};

/* Streams: hooks are left and the head goes; then bytes, which wait until the front server takes them, with 'must_leave' all that has
 * gathered. 'until_ns' bounds the whole stream. */
typedef enum leat_result (*request_begin_fn)(void *source);
typedef enum leat_result (*request_write_fn)(void *source, leat_text bytes, bool must_leave, int64_t until_ns);

/* What a request has of its worker. */
struct request_environment {
	const struct router *router;
	struct db *db;
	struct fetcher *fetcher; /* app/fetch */
	struct offload *offload;
	struct background *background;
	struct topics *topics;
	struct arena_pool *arenas; /* for work that is no request's: flight_request.c */
	struct flights *flights;
	struct kept *kept;
	bool coalesces; /* the setting coalesce */
	int64_t default_deadline_ns;
	uint64_t default_body_limit;
	struct form_limits form;
	int64_t stream_idle_ns;
	int64_t events_keep_alive_ns;
	unsigned send_files; /* the setting of that name */
};

/* Where its body comes from, and its stream goes. */
struct request_way {
	request_read_fn read;
	request_begin_fn begin;
	request_write_fn write;
};

struct request_body {
	leat_text text; /* when it is read as a whole; else {NULL, 0} */
	uint64_t taken; /* bytes read in pieces */
	bool is_piecewise;
	bool is_ended;
	enum leat_result failure; /* of reading it as a whole: what is left of it is not to be taken for a body */
};

enum stream_state {
	STREAM_NONE,
	STREAM_OPEN,
	STREAM_UNWANTED, /* begun, but nobody wants a body */
};

/* Of a reply that is a stream: http/stream.c. */
struct request_stream {
	enum stream_state state;
	const char *refusal; /* why the reply must not be a stream; NULL: it may */
	bool is_behind;      /* its seat fell behind what is published */
	int64_t until_ns;    /* the end of all */
	size_t since_yield;  /* bytes */
	struct buffer text;  /* one event */
};

struct leat_request {
	struct call call; /* first: the layers below see only this, see call_of() */
	const struct request_environment *environment;
	const struct request_way *way;
	void *source; /* for its functions */
	const char *const *params;
	int64_t started_ns;
	enum leat_method method;
	leat_text method_text;
	leat_text target;
	leat_text path;
	leat_text query;
	leat_text client; /* REMOTE_ADDR, until client.c knows better */
	bool is_client_known;
	bool is_https;
	bool is_cors_told; /* the reply has what http/cors.c has to say */
	leat_text content_type;
	leat_text content_length_text;
	leat_text traceparent;
	int64_t content_length;   /* -1: not told */
	int64_t deadline_most_ns; /* http/limit.c; CLOCK_NEVER: none */
	uint64_t body_most;       /* http/limit.c; UINT64_MAX: none */
	struct request_body body;
	const struct leat_form *form; /* NULL: not read */
	struct router_match match;
	struct response response;
	struct request_stream stream;
	struct after_work *after;     /* http/after.c; NULL: none */
	struct request_value *values; /* leat/middleware.h */
	struct problem problem;
};

/* 'params' are "NAME=value" strings, ended by NULL. */
struct leat_request *request_new(struct arena *arena, const char *const *params,
				 const struct request_environment *environment, int64_t started_ns);

enum leat_result request_parse(struct leat_request *req) LEAT_MUST_USE;

/* Runs the route's handler: after LEAT_OK there is a reply. */
enum leat_result request_handle(struct leat_request *req) LEAT_MUST_USE;

/* The pattern of its route; "" before it has one. */
const char *request_pattern(const struct leat_request *req);

#endif
