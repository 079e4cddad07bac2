/* body.c - the body of a request: as a whole, as JSON, in pieces. See leat/request.h, leat/input.h. Called by handlers and http/form. */
#include <leat/input.h>
#include <strings.h>

#include "base/log.h"
#include "base/metrics.h"
#include "http/json_read.h"
#include "http/request.h"

enum { BODY_FIRST = 8192 }; /* first piece of a body of unknown length */

static uint64_t limit_of_route(const struct leat_request *req)
{
	return req->match.route && req->match.route->body_limit ? req->match.route->body_limit
								: req->environment->default_body_limit;
}

static uint64_t limit_of(const struct leat_request *req)
{
	uint64_t limit = limit_of_route(req);

	return limit < req->body_most ? limit : req->body_most;
}

/* Of what is held in memory. */
static uint64_t limit_of_whole(const struct leat_request *req)
{
	uint64_t limit = limit_of_route(req);

	if (limit == LEAT_BODY_UNLIMITED)
		limit = req->environment->default_body_limit;
	return limit < req->body_most ? limit : req->body_most;
}

static enum leat_result too_large(struct leat_request *req, uint64_t limit)
{
	metrics_add(METRIC_BODY_TOO_LARGE, 1);
	return leat_fail(req, LEAT_TOO_LARGE, "The body has more than %llu bytes.", (unsigned long long)limit);
}

static enum leat_result other_length(struct leat_request *req)
{
	return leat_fail(req, LEAT_BAD_REQUEST, "The body has another length than Content-Length says.");
}

static enum leat_result read_piece(struct leat_request *req, char *into, size_t size, size_t *ret_len)
{
	return req->way->read(req->source, into, size, req->call.deadline_ns, ret_len);
}

/* As a whole ---------------------------------------------------------------------------------------------------- */

/* Fewer bytes than 'size' only at the body's end. */
static enum leat_result read_full(struct leat_request *req, char *into, size_t size, size_t *ret_len)
{
	size_t have = 0, len;

	do {
		LEAT_TRY(read_piece(req, into + have, size - have, &len));
		have += len;
	} while (len > 0 && have < size);
	*ret_len = have;
	return LEAT_OK;
}

static enum leat_result read_known(struct leat_request *req)
{
	size_t size = (size_t)req->content_length, len;
	char *body = arena_alloc(req->call.arena, size + 1); /* one more byte shows that there is more */

	LEAT_TRY(read_full(req, body, size + 1, &len));
	if (len != size)
		return other_length(req);
	req->body.text = (leat_text){ body, len };
	return LEAT_OK;
}

/* Chunked requests have no length; front servers can hand them on as they come. */
static enum leat_result read_unknown(struct leat_request *req, uint64_t limit)
{
	struct buffer body;

	buffer_init(&body, req->call.arena, BODY_FIRST);
	for (;;) {
		size_t room = body.cap - body.len < BODY_FIRST ? BODY_FIRST : body.cap - body.len, len;

		LEAT_TRY(read_full(req, buffer_reserve(&body, room), room, &len));
		buffer_commit(&body, len);
		if (body.len > limit)
			return too_large(req, limit);
		if (len < room)
			break;
	}
	req->body.text = buffer_as_text(&body);
	return LEAT_OK;
}

static enum leat_result read_whole(struct leat_request *req)
{
	uint64_t limit = limit_of_whole(req);

	if (req->body.is_piecewise) {
		log_error("bug: the handler of %s reads its body as a whole after leat_body_read",
			  request_pattern(req));
		return LEAT_INTERNAL;
	}
	if (req->content_length >= 0 && (uint64_t)req->content_length > limit)
		return too_large(req, limit);
	return req->content_length >= 0 ? read_known(req) : read_unknown(req, limit);
}

enum leat_result leat_body_text(struct leat_request *req, leat_text *ret_body)
{
	if (!req->body.text.ptr && req->body.failure == LEAT_OK)
		req->body.failure = read_whole(req);
	LEAT_TRY(req->body.failure);
	*ret_body = req->body.text;
	return LEAT_OK;
}

/* As JSON ------------------------------------------------------------------------------------------------------- */

/* application/json, or application/<something>+json (RFC 6839), with or without parameters. */
static bool is_json(leat_text type)
{
	size_t len = 0;

	while (len < type.len && type.ptr[len] != ';' && type.ptr[len] != ' ')
		len++;
	if (len == 16 && strncasecmp(type.ptr, "application/json", 16) == 0)
		return true;
	return len > 17 && strncasecmp(type.ptr, "application/", 12) == 0 &&
	       strncasecmp(type.ptr + len - 5, "+json", 5) == 0;
}

enum leat_result leat_body(struct leat_request *req, const struct leat_shape *shape, void *value)
{
	leat_text body;

	if (!is_json(req->content_type))
		return leat_fail(req, LEAT_UNSUPPORTED_TYPE, "The body must be application/json.");
	LEAT_TRY(leat_body_text(req, &body));
	return json_read(req->call.arena, body, shape, value, &req->problem);
}

/* In pieces ----------------------------------------------------------------------------------------------------- */

/* What leat_body_text has read already. */
static size_t copy_piece(struct request_body *body, char *into, size_t size)
{
	size_t left = body->text.len - (size_t)body->taken;
	size_t len = left < size ? left : size;

	memcpy(into, body->text.ptr + body->taken, len);
	body->taken += len;
	return len;
}

static enum leat_result take_piece(struct leat_request *req, char *into, size_t size, size_t *ret_len)
{
	struct request_body *body = &req->body;
	uint64_t limit = limit_of(req);
	bool is_known = req->content_length >= 0;

	if (is_known && (uint64_t)req->content_length > limit)
		return too_large(req, limit);
	LEAT_TRY(read_piece(req, into, size, ret_len));
	body->taken += *ret_len;
	if (body->taken > limit)
		return too_large(req, limit);
	if (is_known && (body->taken > (uint64_t)req->content_length ||
			 (*ret_len == 0 && body->taken != (uint64_t)req->content_length)))
		return other_length(req);
	body->is_ended = *ret_len == 0;
	return LEAT_OK;
}

enum leat_result leat_body_read(struct leat_request *req, void *buffer, size_t size, size_t *ret_len)
{
	struct request_body *body = &req->body;

	*ret_len = 0;
	if (size == 0) {
		log_error("bug: the handler of %s reads its body into a buffer of no bytes", request_pattern(req));
		return LEAT_INTERNAL;
	}
	if (body->text.ptr) {
		*ret_len = copy_piece(body, buffer, size);
		return LEAT_OK;
	}
	if (!body->is_piecewise)
		LEAT_TRY(body->failure);
	body->is_piecewise = true;
	return body->is_ended ? LEAT_OK : take_piece(req, buffer, size, ret_len);
}
