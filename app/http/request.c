/* request.c - see request.h and leat/request.h. From libfcgi's parameters (front/fcgi.c) to what handlers ask for. */
#include "http/request.h"

#include <leat/middleware.h>
#include <leat/url.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/uuid.h"
#include "http/json_write.h"
#include "http/method.h"
#include "http/params.h"
#include "http/request_id.h"
#include "http/segment.h"
#include "http/uri.h"
#include "http/url.h"
#include "task/offload.h"
#include "task/wait.h"

enum {
	REPLY_ROOM = 512,
};

/* Taking it in -------------------------------------------------------------------------------------------------------- */

/* The parameters that every request is asked for; the others are looked up when somebody asks. */
static const struct {
	leat_text name;
	size_t member;
} known[] = {
#define KNOWN(name, member) \
	{ \
		{ name, sizeof(name) - 1 }, offsetof(struct leat_request, member) \
	}
	KNOWN("REQUEST_METHOD", method_text),
	KNOWN("REQUEST_URI", target),
	KNOWN("REMOTE_ADDR", client),
	KNOWN("CONTENT_TYPE", content_type),
	KNOWN("CONTENT_LENGTH", content_length_text),
	KNOWN("HTTP_X_REQUEST_ID", call.request_id),
	KNOWN("HTTP_TRACEPARENT", traceparent),
#undef KNOWN
};

static void note(struct leat_request *req, const char *param)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		leat_text name = known[i].name;
		leat_text *value = (leat_text *)((char *)req + known[i].member);

		/* The gate saw to it that a name holds no "=". Most differ in their first letter. */
		if (*param == *name.ptr && !value->ptr && strncmp(param, name.ptr, name.len) == 0 &&
		    param[name.len] == '=') {
			*value = leat_text_from(param + name.len + 1);
			return;
		}
	}
}

struct leat_request *request_new(struct arena *arena, const char *const *params,
				 const struct request_environment *environment, int64_t started_ns)
{
	struct leat_request *req = arena_zalloc(arena, sizeof(*req));

	req->call.arena = arena;
	req->call.db = environment->db;
	req->call.deadline_ns = started_ns + environment->default_deadline_ns;
	req->environment = environment;
	req->params = params;
	req->started_ns = started_ns;
	req->deadline_most_ns = CLOCK_NEVER;
	req->body_most = UINT64_MAX;
	for (; *params; params++)
		note(req, *params);
	req->call.request_id = request_id(arena, req->call.request_id, req->traceparent);
	return req;
}

static bool read_content_length(struct leat_request *req)
{
	req->content_length = -1;
	if (req->content_length_text.len == 0)
		return true;
	return number_read_int(req->content_length_text, &req->content_length) && req->content_length >= 0;
}

enum leat_result request_parse(struct leat_request *req)
{
	req->method = method_from_text(req->method_text);
	if (!read_content_length(req))
		return leat_fail(req, LEAT_BAD_REQUEST, "Content-Length is no number.");
	if (!uri_split(req->target, &req->path, &req->query))
		return leat_fail(req, LEAT_BAD_REQUEST, "The request's target is no path.");
	if (!uri_query_is_valid(req->query, req->call.arena))
		return leat_fail(req, LEAT_BAD_REQUEST, "The query has a bad escape, NUL, or is not UTF-8.");
	return LEAT_OK;
}

enum leat_result request_handle(struct leat_request *req)
{
	LEAT_TRY(req->match.route->handler(req));
	if (response_status(&req->response) != 0)
		return LEAT_OK;
	log_error("bug: the handler of %s returned LEAT_OK without a reply", request_pattern(req));
	return LEAT_INTERNAL;
}

const char *request_pattern(const struct leat_request *req)
{
	return req->match.route ? req->match.pattern : "";
}

/* Input --------------------------------------------------------------------------------------------------------------- */

enum leat_method leat_method(const struct leat_request *req)
{
	return req->method;
}

leat_text leat_path(const struct leat_request *req)
{
	return req->path;
}

leat_text leat_request_id(const struct leat_request *req)
{
	return req->call.request_id;
}

void leat_request_id_after_(struct leat_request *req, const void *options)
{
	(void)options;
	if (!response_has_header(&req->response, "X-Request-Id"))
		response_add_header(&req->response, req->call.arena, LEAT_TEXT_OF("X-Request-Id"),
				    req->call.request_id);
}

/* The value of a parameter; NULL, with a line in the log, when the pattern has none of that name. */
static const leat_text *path_value(struct leat_request *req, const char *name, enum pattern_kind *ret_kind)
{
	leat_text wanted = leat_text_from(name);

	for (unsigned i = 0; i < req->match.param_count; i++)
		if (leat_text_equal(req->match.params[i].name, wanted)) {
			*ret_kind = req->match.params[i].kind;
			return &req->match.values[i];
		}
	log_error("bug: route %s has no path parameter {%s}", request_pattern(req), name);
	return NULL;
}

leat_text leat_path_text(struct leat_request *req, const char *name)
{
	enum pattern_kind kind;
	const leat_text *value = path_value(req, name, &kind);

	return value ? *value : (leat_text){ NULL, 0 };
}

int64_t leat_path_int(struct leat_request *req, const char *name)
{
	enum pattern_kind kind;
	const leat_text *value = path_value(req, name, &kind);
	int64_t number = 0;

	LEAT_CHECK(!value || kind == PATTERN_INT || kind == PATTERN_UINT);
	LEAT_CHECK(!value || number_read_int(*value, &number));
	return number;
}

leat_uuid leat_path_uuid(struct leat_request *req, const char *name)
{
	enum pattern_kind kind;
	const leat_text *value = path_value(req, name, &kind);
	leat_uuid uuid = { { 0 } };

	LEAT_CHECK(!value || (kind == PATTERN_UUID && uuid_read(*value, &uuid)));
	return uuid;
}

leat_time leat_path_date(struct leat_request *req, const char *name)
{
	enum pattern_kind kind;
	const leat_text *value = path_value(req, name, &kind);
	leat_time time = { 0 };

	LEAT_CHECK(!value || (kind == PATTERN_DATE && segment_read_date(*value, &time.us)));
	return time;
}

leat_text leat_query(struct leat_request *req, const char *name)
{
	leat_text value = { NULL, 0 };

	if (!uri_query_find(req->query, leat_text_from(name), req->call.arena, &value))
		return (leat_text){ NULL, 0 };
	return value;
}

enum leat_result leat_query_int(struct leat_request *req, const char *name, int64_t fallback, int64_t min, int64_t max,
				int64_t *ret_value)
{
	leat_text text = leat_query(req, name);

	*ret_value = fallback;
	if (!text.ptr)
		return LEAT_OK;
	if (number_read_int(text, ret_value) && *ret_value >= min && *ret_value <= max)
		return LEAT_OK;
	problem_fault_parameter(&req->problem, req->call.arena, leat_text_from(name),
				"must be a whole number from %lld to %lld", (long long)min, (long long)max);
	return LEAT_INVALID;
}

leat_text leat_header(struct leat_request *req, const char *name)
{
	if (strcasecmp(name, "Content-Type") == 0)
		return req->content_type;
	if (strcasecmp(name, "Content-Length") == 0)
		return req->content_length_text;
	for (const char *const *param = req->params; *param; param++) {
		const char *value = params_match(*param, name);

		if (value)
			return leat_text_from(value);
	}
	return (leat_text){ NULL, 0 };
}

enum leat_result leat_url_(struct leat_request *req, const char *name, leat_text *ret_url, const struct leat_arg *args,
			   unsigned arg_count)
{
	char fault[URL_FAULT_SIZE];

	if (url_write(req->environment->router, name, args, arg_count, req->call.arena, ret_url, fault))
		return LEAT_OK;
	log_limited(LOG_LEVEL_ERROR, "route %s: no URL of '%s': %s", request_pattern(req), name, fault);
	return LEAT_INTERNAL;
}

/* Reply --------------------------------------------------------------------------------------------------------------- */

enum leat_result leat_reply(struct leat_request *req, int status, const struct leat_shape *shape, const void *value)
{
	struct buffer body;

	buffer_init(&body, req->call.arena, REPLY_ROOM);
	json_write_shape(&body, shape, value);
	response_set(&req->response, status, "application/json", buffer_as_text(&body));
	return LEAT_OK;
}

enum leat_result leat_reply_text(struct leat_request *req, int status, const char *content_type, leat_text body)
{
	char *copy;

	if (!response_is_type(content_type)) {
		log_limited(LOG_LEVEL_ERROR, "bug: route %s: a content type holds CR or LF", request_pattern(req));
		return LEAT_INTERNAL;
	}
	copy = arena_copy(req->call.arena, body.ptr, body.len);
	response_set(&req->response, status, content_type, (leat_text){ copy, body.len });
	return LEAT_OK;
}

enum leat_result leat_reply_empty(struct leat_request *req, int status)
{
	response_set(&req->response, status, NULL, (leat_text){ "", 0 });
	return LEAT_OK;
}

enum leat_result leat_reply_static(struct leat_request *req, const struct leat_static_reply *reply)
{
	response_set_static(&req->response, reply);
	return LEAT_OK;
}

enum leat_result leat_reply_header(struct leat_request *req, const char *name, leat_text value)
{
	const char *fault = "the head has gone";

	if (req->stream.state != STREAM_OPEN)
		fault = response_add_header(&req->response, req->call.arena, leat_text_from(name), value);
	if (!fault)
		return LEAT_OK;
	log_limited(LOG_LEVEL_ERROR, "route %s: reply header '%s' refused: %s", request_pattern(req), name, fault);
	return LEAT_INTERNAL;
}

enum leat_result leat_fail(struct leat_request *req, enum leat_result result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	req->problem.detail = arena_vformat(req->call.arena, format, args);
	va_end(args);
	return result;
}

/* Time and memory ------------------------------------------------------------------------------------------------------ */

int64_t leat_time_left_ms(const struct leat_request *req)
{
	int64_t left = req->call.deadline_ns - clock_now_ns();

	return left > 0 ? left / CLOCK_MS : 0;
}

enum leat_result leat_sleep(struct leat_request *req, int64_t ms)
{
	return wait_sleep(clock_now_ns() + ms * CLOCK_MS, req->call.deadline_ns);
}

enum leat_result leat_offload(struct leat_request *req, void (*fn)(void *arg), void *arg, size_t size)
{
	return offload_call(req->environment->offload, fn, arg, size, req->call.deadline_ns);
}

void *leat_alloc(struct leat_request *req, size_t size)
{
	return arena_zalloc(req->call.arena, size);
}

leat_text leat_format(struct leat_request *req, const char *format, ...)
{
	va_list args;
	leat_text text;

	va_start(args, format);
	text = arena_vformat(req->call.arena, format, args);
	va_end(args);
	return text;
}

void leat_log(struct leat_request *req, const char *format, ...)
{
	va_list args;
	leat_text text;

	va_start(args, format);
	text = arena_vformat(req->call.arena, format, args);
	va_end(args);
	log_info("[%.*s] %s: %.*s", LEAT_TEXT_PRINTF(req->call.request_id), request_pattern(req),
		 LEAT_TEXT_PRINTF(text));
}
