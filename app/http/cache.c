/* cache.c - Cache-Control and Vary on replies: leat/cache.h. Called by handlers, and as a middleware by middleware.c. */
#include <leat/auth.h>
#include <leat/cache.h>

#include "base/log.h"
#include "http/cache_control.h"
#include "http/parameter.h"
#include "http/request.h"

enum { VALUE_ROOM = 128 };

static const leat_text cache_control = { "Cache-Control", 13 };
static const leat_text vary = { "Vary", 4 };

static bool has(const struct leat_request *req, leat_text name)
{
	const char *at = NULL;

	return response_next_header(&req->response, name, &at).ptr;
}

/* Cache-Control ---------------------------------------------------------------------------------------------------- */

static enum leat_result add_policy(struct leat_request *req, const struct leat_cache *policy)
{
	struct buffer value;

	buffer_init(&value, req->call.arena, VALUE_ROOM);
	cache_control_write(&value, policy);
	return leat_reply_header(req, cache_control.ptr, buffer_as_text(&value));
}

enum leat_result leat_reply_cache(struct leat_request *req, const struct leat_cache *policy)
{
	const char *fault = cache_control_fault(policy);

	if (fault) {
		log_limited(LOG_LEVEL_ERROR, "bug: route %s: Cache-Control refused: %s", request_pattern(req), fault);
		return LEAT_INTERNAL;
	}
	response_drop_header(&req->response, cache_control);
	return add_policy(req, policy);
}

/* What caches may keep without being told (RFC 9110 15.1), short of errors; and what tells them to go on. */
static bool may_be_kept(const struct leat_request *req, int status)
{
	if (req->method != LEAT_METHOD_GET && req->method != LEAT_METHOD_HEAD)
		return false;
	switch (status) {
	case 200:
	case 203:
	case 204:
	case 206:
	case 300:
	case 301:
	case 304:
	case 308:
		return true;
	default:
		return false;
	}
}

static bool is_for_one(const struct leat_request *req)
{
	return leat_caller_get(req) || has(req, LEAT_TEXT_OF("Set-Cookie"));
}

void leat_cache_after_(struct leat_request *req, const void *options)
{
	static const struct leat_cache not_at_all = { .no_store = true };
	struct leat_cache policy = *(const struct leat_cache *)options;
	int status = response_status(&req->response);

	if (has(req, cache_control))
		return;
	if (status >= 400) {
		policy = not_at_all;
	} else if (!policy.no_store) {
		if (!may_be_kept(req, status))
			return;
		if (!policy.is_public && policy.s_maxage_s == 0 && is_for_one(req))
			policy.is_private = true;
		policy.proxy_revalidate = policy.proxy_revalidate && !policy.is_private;
	}
	if (add_policy(req, &policy) != LEAT_OK)
		log_limited(LOG_LEVEL_ERROR, "bug: route %s: no Cache-Control", request_pattern(req));
}

const char *leat_cache_check_(const void *options)
{
	return options ? cache_control_fault(options) : "there is no policy";
}

/* Vary ------------------------------------------------------------------------------------------------------------- */

/* Takes one name, with commas and blanks around it, off the list; {"", 0} at its end. */
static leat_text take_name(leat_text *list)
{
	leat_text name = { "", 0 };

	while (name.len == 0 && list->ptr)
		name = parameter_head(list, ',');
	return name;
}

static void add_name(struct buffer *out, leat_text name)
{
	if (out->len > 0)
		buffer_text(out, LEAT_TEXT_OF(", "));
	buffer_text(out, name);
}

enum leat_result leat_vary(struct leat_request *req, const char *name)
{
	leat_text line, known;
	const char *at = NULL;
	struct buffer value;

	if (!parameter_is_token(leat_text_from(name))) {
		log_limited(LOG_LEVEL_ERROR, "bug: route %s: '%s' is no name for Vary", request_pattern(req), name);
		return LEAT_INTERNAL;
	}
	buffer_init(&value, req->call.arena, VALUE_ROOM);
	while ((line = response_next_header(&req->response, vary, &at)).ptr)
		while ((known = take_name(&line)).len > 0) {
			if (parameter_equals(known, name) || parameter_equals(known, "*"))
				return LEAT_OK;
			add_name(&value, known);
		}
	add_name(&value, leat_text_from(name));
	response_drop_header(&req->response, vary);
	return leat_reply_header(req, "Vary", buffer_as_text(&value));
}
