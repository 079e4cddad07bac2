/* coalesce_route.c - LEAT_COALESCE, see leat/coalesce.h: a middleware, called by middleware.c. Between requests, task/flight.c, which runs what
 * stands behind it once for all of them, and kept.c.
 *
 * The key is all of a request that the work sees: it is made of the target and the chosen headers, and the work's own request is made of the key. So
 * requests with equal keys cannot have different replies. */
#include <leat/auth.h>
#include <leat/cache.h>
#include <leat/coalesce.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/flight_request.h"
#include "http/http_date.h"
#include "http/kept.h"
#include "http/middleware.h"
#include "http/parameter.h"
#include "http/params.h"
#include "http/problems.h"
#include "http/shareable.h"
#include "http/shared_reply.h"
#include "http/version.h"

enum { KEY_ROOM = 256, NAME_MOST = 256, VARY_MOST = 32 };

/* The key: netstrings ------------------------------------------------------------------------------------------------------ */

static void put(struct buffer *key, leat_text text)
{
	if (!text.ptr) {
		buffer_byte(key, '-');
		return;
	}
	buffer_int(key, (int64_t)text.len);
	buffer_byte(key, ':');
	buffer_text(key, text);
}

static leat_text take(leat_text *key)
{
	leat_text text = { NULL, 0 };
	char *colon;

	if (*key->ptr == '-') {
		*key = (leat_text){ key->ptr + 1, key->len - 1 };
		return text;
	}
	text.len = strtoul(key->ptr, &colon, 10);
	text.ptr = colon + 1;
	key->len -= (size_t)(text.ptr + text.len - key->ptr);
	key->ptr = text.ptr + text.len;
	return text;
}

static leat_text write_key(const struct leat_request *req, const struct leat_coalesce *policy)
{
	struct buffer key;

	buffer_init(&key, req->call.arena, KEY_ROOM);
	put(&key, req->target);
	for (const char *const *name = policy->vary; name && *name; name++)
		put(&key, params_list(req->params, *name, req->call.arena));
	return buffer_as_text(&key);
}

/* FastCGI's parameters once more. */
static const char **read_key(const struct leat_coalesce *policy, leat_text key, struct arena *arena)
{
	const char **params = arena_alloc(arena, (VARY_MOST + 3) * sizeof(*params));
	leat_text target = take(&key);
	unsigned count = 0;

	params[count++] = "REQUEST_METHOD=GET";
	params[count++] = arena_format(arena, "REQUEST_URI=%.*s", LEAT_TEXT_PRINTF(target)).ptr;
	for (const char *const *name = policy->vary; name && *name; name++) {
		leat_text value = take(&key);

		if (value.ptr)
			params[count++] = params_write(*name, value, arena);
	}
	params[count] = NULL;
	return params;
}

/* The work, in the flight's task -------------------------------------------------------------------------------------------- */

static bool is_this(const struct leat_middleware *entry, const void *policy)
{
	return entry->before == leat_coalesce_before_ && entry->options == policy;
}

/* What stands behind LEAT_COALESCE: the rest of its list, and the lists further in. */
static enum leat_result enter_rest(struct middleware_walk *walk, struct leat_request *req, const void *policy)
{
	const struct leat_middleware *const *list = req->match.middleware;
	const struct leat_middleware *entry = *list;

	while (!is_this(entry, policy))
		entry = entry->name ? entry + 1 : *++list;
	LEAT_TRY(middleware_enter(walk, req, entry + 1));
	for (list++; *list && leat_reply_status(req) == 0; list++)
		LEAT_TRY(middleware_enter(walk, req, *list));
	return LEAT_OK;
}

static enum leat_result serve(struct leat_request *req, const void *policy)
{
	struct middleware_walk walk = { 0 };
	enum leat_result result = enter_rest(&walk, req, policy);

	if (result == LEAT_OK && leat_reply_status(req) == 0)
		result = request_handle(req);
	if (result != LEAT_OK) { /* for those hooks; each who waits has a document of its own */
		response_clear(&req->response);
		problems_reply(req, result);
	}
	middleware_leave(&walk, req);
	return result;
}

static enum leat_result add_vary(struct leat_request *req, const struct leat_coalesce *policy)
{
	for (const char *const *name = policy->vary; name && *name; name++)
		LEAT_TRY(leat_vary(req, *name));
	return LEAT_OK;
}

static void keep(const struct leat_request *req, const struct leat_coalesce *policy, const struct flight_key *key,
		 struct flight_landed *landed, int64_t fresh_most_ns)
{
	int64_t fresh_ns = policy->fresh_ms * CLOCK_MS, now_ns = clock_now_ns();
	int64_t stale_ms = policy->stale_while_revalidate_ms > policy->stale_if_error_ms
				   ? policy->stale_while_revalidate_ms
				   : policy->stale_if_error_ms;
	struct kept_times times = { .made_ns = now_ns };

	if (fresh_most_ns < fresh_ns)
		fresh_ns = fresh_most_ns;
	times.fresh_until_ns = now_ns + fresh_ns;
	times.until_ns = times.fresh_until_ns + stale_ms * CLOCK_MS;
	if (fresh_ns > 0)
		kept_put(req->environment->kept, key, landed, &times);
}

static struct flight_landed *refuse(const struct leat_request *req, const char *fault)
{
	log_limited(LOG_LEVEL_ERROR, "bug: route %s: its reply is not to be shared (leat/coalesce.h): %s",
		    request_pattern(req), fault);
	return shared_reply_none();
}

/* Not for several: shared_reply_none. */
static struct flight_landed *finish(struct leat_request *req, const struct leat_coalesce *policy,
				    const struct flight_key *key, enum leat_result result)
{
	struct shareable verdict = shareable_judge(&req->response, policy->vary);
	struct flight_landed *landed;

	if (result == LEAT_OK && verdict.fault)
		return refuse(req, verdict.fault);
	if (result == LEAT_OK) {
		response_drop_header(&req->response, LEAT_TEXT_OF("X-Request-Id")); /* each has its own */
		result = add_vary(req, policy);
	}
	landed = shared_reply_pack(req, result);
	if ((result == LEAT_OK || result == LEAT_NOT_FOUND) && verdict.may_be_kept)
		keep(req, policy, key, landed, verdict.fresh_most_ns);
	return landed;
}

/* A route that its own key does not lead to would be a bug of this file. */
static void find_route(struct leat_request *req)
{
	LEAT_CHECK(request_parse(req) == LEAT_OK);
	LEAT_CHECK(router_match(req->environment->router, req->method, req->path, req->call.arena, &req->match) ==
		   ROUTER_FOUND);
	req->call.route = request_pattern(req);
}

static struct flight_landed *run(struct flight *flight)
{
	const struct request_environment *environment = flight_context(flight);
	const struct flight_key *key = flight_key_of(flight);
	const struct leat_coalesce *policy = key->kind;
	struct flight_landed *landed;
	struct arena params, arena;
	struct leat_request *req;

	arena_init(&params, environment->arenas);
	req = flight_request_begin(flight, &arena, read_key(policy, key->bytes, &params));
	find_route(req);
	landed = finish(req, policy, key, serve(req, policy));
	flight_request_end(&arena);
	arena_reset(&params);
	return landed;
}

/* Each request -------------------------------------------------------------------------------------------------------------- */

/* The reply's own validators against this request's conditions. */
static enum leat_result judge(struct leat_request *req)
{
	struct validators validators = { 0 };
	const char *at = NULL;
	leat_text date;

	if (leat_reply_status(req) != 200)
		return LEAT_OK;
	validators.etag = response_next_header(&req->response, LEAT_TEXT_OF("ETag"), &at);
	at = NULL;
	date = response_next_header(&req->response, LEAT_TEXT_OF("Last-Modified"), &at);
	validators.has_modified = date.ptr && http_date_read(date, clock_wall_ns() / CLOCK_US, &validators.modified_us);
	return validators.etag.ptr || validators.has_modified ? version_judge(req, &validators) : LEAT_OK;
}

/* A condition that fails has a document in place of the reply. */
static enum leat_result give(struct leat_request *req, const struct flight_landed *landed)
{
	enum leat_result result;

	LEAT_TRY(shared_reply_give(req, landed));
	result = judge(req);
	if (result == LEAT_NOT_MODIFIED) {
		response_not_modified(&req->response);
		return LEAT_OK;
	}
	return result;
}

static enum leat_result give_kept(struct leat_request *req, const struct kept_found *found, enum metric state)
{
	int64_t age_s = (clock_now_ns() - found->times.made_ns) / CLOCK_S;

	metrics_add(state, 1);
	LEAT_TRY(give(req, found->landed));
	return leat_reply_header(req, "Age", leat_format(req, "%lld", (long long)age_s));
}

/* RFC 5861 4. Too late for this request is an error, too. */
static bool is_error(enum leat_result result, const struct flight_landed *landed)
{
	static const int errors[] = { 500, 502, 503, 504 };
	int status = result == LEAT_OK ? shared_reply_status(landed) : leat_result_status(result);

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (status == errors[i])
			return true;
	return false;
}

static bool is_usable(const struct kept_found *found, int64_t stale_ms)
{
	return found->landed && clock_now_ns() < found->times.fresh_until_ns + stale_ms * CLOCK_MS;
}

static enum leat_result await(struct leat_request *req, const struct leat_coalesce *policy,
			      const struct flight_ask *ask, const struct kept_found *found)
{
	struct flight_landed *landed = NULL;
	enum leat_result result = flight_await(req->environment->flights, ask, &landed);

	if (landed)
		shared_reply_hold(req, landed);
	if (is_error(result, landed) && is_usable(found, policy->stale_if_error_ms))
		return give_kept(req, found, METRIC_KEPT_ERROR);
	if (result != LEAT_OK)
		return result;
	if (!shared_reply_is_none(landed))
		return give(req, landed);
	metrics_add(METRIC_COALESCE_UNSHARED, 1);
	return LEAT_OK; /* to its own handler */
}

static bool is_of_somebody(const struct leat_request *req, const struct leat_coalesce *policy)
{
	return !policy->for_callers &&
	       (leat_caller_get(req) || params_list(req->params, "Authorization", req->call.arena).ptr);
}

static bool is_wanted(const struct leat_request *req, const struct leat_coalesce *policy)
{
	if (policy->by_setting && !req->environment->coalesces)
		return false;
	if (req->method != LEAT_METHOD_GET && req->method != LEAT_METHOD_HEAD)
		return false;
	return req->match.route && req->match.route->verb.method == LEAT_METHOD_GET && req->content_length <= 0 &&
	       !is_of_somebody(req, policy);
}

static void find_kept(struct leat_request *req, const struct flight_key *key, struct kept_found *found)
{
	if (kept_find(req->environment->kept, key, clock_now_ns(), found))
		shared_reply_hold(req, found->landed);
}

enum leat_result leat_coalesce_before_(struct leat_request *req, const void *options)
{
	const struct leat_coalesce *policy = options;
	struct kept_found found = { 0 };
	struct flight_ask ask;

	if (!is_wanted(req, policy))
		return LEAT_OK;
	ask = flight_request_ask(req, flight_key(req->environment->flights, policy, write_key(req, policy)));
	ask.run = run;
	if (policy->fresh_ms > 0)
		find_kept(req, &ask.key, &found);
	if (is_usable(&found, 0))
		return give_kept(req, &found, METRIC_KEPT_FRESH);
	if (is_usable(&found, policy->stale_while_revalidate_ms)) {
		flight_start(req->environment->flights, &ask);
		return give_kept(req, &found, METRIC_KEPT_STALE);
	}
	return await(req, policy, &ask, &found);
}

/* At the start ---------------------------------------------------------------------------------------------------------------- */

static bool has_bad_name(const char *const *vary)
{
	unsigned count = 0;

	for (; vary && *vary; vary++)
		if (++count > VARY_MOST || strlen(*vary) > NAME_MOST || !parameter_is_token(leat_text_from(*vary)))
			return true;
	return false;
}

static bool is_time(int64_t ms)
{
	return ms >= 0 && ms <= INT32_MAX * INT64_C(1000);
}

const char *leat_coalesce_check_(const void *options)
{
	const struct leat_coalesce *policy = options;

	if (!policy)
		return "there is no policy";
	if (has_bad_name(policy->vary))
		return "vary has more than 32 names, or one that is no name of a header";
	if (!is_time(policy->fresh_ms) || !is_time(policy->stale_while_revalidate_ms) ||
	    !is_time(policy->stale_if_error_ms))
		return "a time is below zero, or above 2147483647 seconds";
	if (policy->fresh_ms == 0 && (policy->stale_while_revalidate_ms > 0 || policy->stale_if_error_ms > 0))
		return "without fresh_ms nothing is kept that could be stale";
	return NULL;
}
