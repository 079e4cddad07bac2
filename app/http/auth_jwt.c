/* auth_jwt.c - LEAT_JWT of leat/auth.h: a bearer token of the request (RFC 6750), its keys from a file (http/keyfile.c), whether it is good
 * (http/jwt.c). */
#include "base/clock.h"
#include "http/auth.h"
#include "http/jwt.h"
#include "http/keyfile.h"
#include "http/request.h"

enum { LEEWAY_MOST_S = 300 };

static void *read_keys(leat_text document, char *error, size_t size)
{
	return jwks_read(document, error, size);
}

static void free_keys(void *keys)
{
	jwks_free(keys);
}

static const struct keyfile_kind key_sets = { read_keys, free_keys };

const char *leat_jwt_check_(const void *options)
{
	const struct leat_jwt *policy = options;

	if (!policy->keys)
		return "it names no file of keys";
	if (policy->leeway_s > LEEWAY_MOST_S)
		return "leeway_s is 300 at most";
	if (policy->issuer && !*policy->issuer)
		return "its issuer is empty; NULL stands for any";
	if (policy->audience && !*policy->audience)
		return "its audience is empty; NULL stands for none";
	if (auth_realm_fault(policy->realm))
		return auth_realm_fault(policy->realm);
	return keyfile_open(policy->keys, &key_sets);
}

/* b64token of RFC 6750 2.1. */
static bool is_b64token(leat_text text)
{
	static const char others[] = "-._~+/";
	size_t len = text.len;

	while (len > 0 && text.ptr[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		char c = text.ptr[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_letter && !(c >= '0' && c <= '9') && !(c && strchr(others, c)))
			return false;
	}
	return len > 0;
}

/* Of a request without credentials: no error (RFC 6750 3.1). */
static leat_text plain_challenge(struct leat_request *req, const void *options)
{
	const struct leat_jwt *policy = options;

	return leat_format(req, "Bearer%.*s", LEAT_TEXT_PRINTF(auth_realm(req, policy->realm)));
}

static leat_text error_challenge(struct leat_request *req, const struct leat_jwt *policy, const char *error,
				 const char *description)
{
	leat_text realm = auth_realm(req, policy->realm);

	return leat_format(req, "Bearer%.*s%s error=\"%s\", error_description=\"%s\"", LEAT_TEXT_PRINTF(realm),
			   realm.len ? "," : "", error, description);
}

static enum leat_result refuse_missing(struct leat_request *req, const struct leat_jwt *policy)
{
	const struct auth_refusal refusal = { .result = LEAT_UNAUTHORIZED,
					      .metric = METRIC_AUTH_MISSING,
					      .challenge = plain_challenge(req, policy),
					      .detail = "A bearer token is needed." };

	return auth_refuse(req, policy, &refusal);
}

static enum leat_result refuse_malformed(struct leat_request *req, const struct leat_jwt *policy)
{
	static const char detail[] = "Authorization has no bearer token, or more than one.";
	const struct auth_refusal refusal = { .result = LEAT_BAD_REQUEST,
					      .metric = METRIC_AUTH_INVALID,
					      .challenge = error_challenge(req, policy, "invalid_request", detail),
					      .detail = detail };

	return auth_refuse(req, policy, &refusal);
}

static enum leat_result refuse_token(struct leat_request *req, const struct leat_jwt *policy, enum metric metric,
				     const char *fault)
{
	const char *detail = leat_format(req, "The token is refused: %s.", fault).ptr;
	const struct auth_refusal refusal = { .result = LEAT_UNAUTHORIZED,
					      .metric = metric,
					      .challenge = error_challenge(req, policy, "invalid_token", detail),
					      .detail = detail };

	return auth_refuse(req, policy, &refusal);
}

/* Nothing in here waits, so the keys may be held. */
static const char *verify(struct leat_request *req, const struct leat_jwt *policy, leat_text token,
			  struct leat_caller *caller)
{
	struct keyfile_content *held = keyfile_hold(policy->keys, &key_sets);
	const struct jwt_check check = { .keys = keyfile_value(held),
					 .policy = policy,
					 .now_s = clock_wall_ns() / CLOCK_S,
					 .arena = req->call.arena };
	const char *fault = jwt_verify(&check, token, caller);

	keyfile_release(held);
	return fault;
}

enum leat_result leat_jwt_before_(struct leat_request *req, const void *options)
{
	const struct leat_jwt *policy = options;
	struct leat_caller *caller;
	leat_text token;
	const char *fault;

	if (!auth_credentials(req, "Bearer", &token))
		return refuse_missing(req, policy);
	if (auth_is_too_long(token))
		return refuse_token(req, policy, METRIC_AUTH_TOKEN_SIZE, auth_too_long(req));
	if (!is_b64token(token))
		return refuse_malformed(req, policy);
	caller = leat_alloc(req, sizeof(*caller));
	fault = verify(req, policy, token, caller);
	if (fault)
		return refuse_token(req, policy, METRIC_AUTH_INVALID, fault);
	leat_caller_set(req, caller);
	return LEAT_OK;
}

void leat_jwt_after_(struct leat_request *req, const void *options)
{
	auth_leave(req, options, plain_challenge);
}

struct leat_demand leat_jwt_demand_(const void *options)
{
	(void)options;
	return (struct leat_demand){ .scheme = "bearer" };
}
