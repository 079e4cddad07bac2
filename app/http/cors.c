/* cors.c - see cors.h and leat/cors.h. Called by middleware.c, and for preflights by pipeline.c. */
#include "http/cors.h"

#include <stdio.h>

#include "base/metrics.h"
#include "http/method.h"
#include "http/origin.h"
#include "http/parameter.h"
#include "http/request.h"

static const char all_methods[] = "DELETE, GET, HEAD, PATCH, POST, PUT";
static const char usual_headers[] = "Authorization, Content-Type";

static bool is_listed(const char *list, leat_text word)
{
	leat_text rest = leat_text_from(list);

	while (rest.ptr)
		if (leat_text_equal(parameter_head(&rest, ','), word))
			return true;
	return false;
}

static void add(struct leat_request *req, const char *name, leat_text value)
{
	response_add_header(&req->response, req->call.arena, leat_text_from(name), value);
}

/* The policy nearest to the route; NULL: its lists have none. */
static const struct leat_cors *nearest(const struct leat_middleware *const *lists)
{
	const struct leat_cors *found = NULL;

	for (; lists && *lists; lists++)
		for (const struct leat_middleware *each = *lists; each->name; each++)
			if (each->before == leat_cors_before_)
				found = each->options;
	return found;
}

/* Whether it allows the request; if so, with the headers that say it. */
static bool allow(struct leat_request *req, const struct leat_cors *policy, leat_text method)
{
	leat_text origin = leat_header(req, "Origin");
	bool is_for_all = origin_list_has_all(policy->origins);

	if (policy->methods && !is_listed(policy->methods, method))
		return false;
	if (!is_for_all && !origin_list_has(policy->origins, origin))
		return false;
	add(req, "Access-Control-Allow-Origin", is_for_all ? LEAT_TEXT_OF("*") : origin);
	if (policy->credentials)
		add(req, "Access-Control-Allow-Credentials", LEAT_TEXT_OF("true"));
	return true;
}

/* Preflights ----------------------------------------------------------------------------------------------------------- */

static const struct leat_cors *policy_asked_for(const struct leat_request *req, leat_text method)
{
	struct router_match match;

	if (router_match(req->environment->router, method_from_text(method), req->path, req->call.arena, &match) !=
	    ROUTER_FOUND)
		return NULL;
	return match.route ? nearest(match.middleware) : NULL;
}

static void say_what_is_allowed(struct leat_request *req, const struct leat_cors *policy)
{
	add(req, "Access-Control-Allow-Methods", leat_text_from(policy->methods ? policy->methods : all_methods));
	add(req, "Access-Control-Allow-Headers", leat_text_from(policy->headers ? policy->headers : usual_headers));
	if (policy->max_age_s > 0)
		add(req, "Access-Control-Max-Age", leat_format(req, "%u", policy->max_age_s));
}

enum leat_result cors_preflight(struct leat_request *req, const struct leat_cors *outer)
{
	leat_text method = leat_header(req, "Access-Control-Request-Method");
	const struct leat_cors *policy;

	if (req->method != LEAT_METHOD_OPTIONS || !method.ptr || !leat_header(req, "Origin").ptr)
		return LEAT_OK;
	policy = policy_asked_for(req, method);
	if (!policy)
		policy = outer;
	if (!policy)
		return LEAT_OK;
	req->is_cors_told = true;
	add(req, "Vary", LEAT_TEXT_OF("Origin, Access-Control-Request-Method"));
	if (allow(req, policy, method))
		say_what_is_allowed(req, policy);
	else
		metrics_add(METRIC_CORS_REFUSED, 1);
	return leat_reply_empty(req, 204);
}

/* The middleware ------------------------------------------------------------------------------------------------------- */

enum leat_result leat_cors_before_(struct leat_request *req, const void *options)
{
	return cors_preflight(req, options);
}

/* The first to run speaks for the nearest, which may stand behind what has refused and then was never begun. */
void leat_cors_after_(struct leat_request *req, const void *options)
{
	const struct leat_cors *policy = nearest(req->match.middleware);

	if (req->is_cors_told)
		return;
	req->is_cors_told = true;
	if (!policy)
		policy = options;
	if (!origin_list_has_all(policy->origins))
		add(req, "Vary", LEAT_TEXT_OF("Origin"));
	if (response_has_header(&req->response, "Access-Control-Allow-Origin"))
		return;
	if (allow(req, policy, req->method_text) && policy->expose)
		add(req, "Access-Control-Expose-Headers", leat_text_from(policy->expose));
}

/* The start ------------------------------------------------------------------------------------------------------------ */

static bool is_method(leat_text word)
{
	return method_from_text(word) != LEAT_METHOD_NONE;
}

/* NULL is a list, too. */
static bool is_list(const char *list, bool (*is_word)(leat_text word))
{
	leat_text rest = list ? leat_text_from(list) : (leat_text){ NULL, 0 };

	while (rest.ptr)
		if (!is_word(parameter_head(&rest, ',')))
			return false;
	return true;
}

static bool has_star(const char *list)
{
	return list && is_listed(list, LEAT_TEXT_OF("*"));
}

const char *leat_cors_check_(const void *options)
{
	const struct leat_cors *policy = options;
	const char *fault = origin_list_fault(policy->origins);

	if (fault)
		return fault;
	if (policy->credentials && origin_list_has_all(policy->origins))
		return "credentials for any origin: every page of the web could ask in the name of its visitor";
	if (policy->credentials && (has_star(policy->headers) || has_star(policy->expose)))
		return "with credentials browsers take the header \"*\" for a name";
	if (!is_list(policy->methods, is_method))
		return ".methods are methods that leat knows, divided by commas";
	if (!is_list(policy->headers, parameter_is_token) || !is_list(policy->expose, parameter_is_token))
		return ".headers and .expose are names of headers, divided by commas";
	return NULL;
}
