/* auth.c - see auth.h and leat/auth.h: refusals, and what a caller may. */
#include "http/auth.h"

#include <strings.h>

#include "base/log.h"
#include "http/keyfile.h"
#include "http/request.h"
#include "http/words.h"

/* Who refused, and with what. */
struct auth_answer {
	const void *by;
	leat_text challenge;
};
LEAT_VALUE(auth_answer, const struct auth_answer);

/* Its address is the caller's key. A LEAT_VALUE in a public header would have one in libleat and another in the program. */
static const char caller_value[] = "caller";

static size_t token_max = 8192;

void auth_setup(const char *folder, size_t file_max, size_t max)
{
	keyfile_setup(folder, file_max);
	token_max = max;
}

/* Credentials ------------------------------------------------------------------------------------------------------ */

bool auth_credentials(struct leat_request *req, const char *scheme, leat_text *ret_credentials)
{
	leat_text header = leat_header(req, "Authorization");
	size_t len = strlen(scheme);

	if (header.len < len || strncasecmp(header.ptr, scheme, len) != 0 ||
	    (header.len > len && header.ptr[len] != ' '))
		return false;
	while (len < header.len && header.ptr[len] == ' ')
		len++;
	*ret_credentials = (leat_text){ header.ptr + len, header.len - len };
	return true;
}

bool auth_is_too_long(leat_text credential)
{
	return credential.len > token_max;
}

const char *auth_too_long(struct leat_request *req)
{
	return leat_format(req, "it has more than %zu bytes (setting auth_token_max)", token_max).ptr;
}

/* Refusals --------------------------------------------------------------------------------------------------------- */

enum leat_result auth_refuse(struct leat_request *req, const void *by, const struct auth_refusal *refusal)
{
	struct auth_answer *answer = leat_alloc(req, sizeof(*answer));

	*answer = (struct auth_answer){ .by = by, .challenge = refusal->challenge };
	auth_answer_set(req, answer);
	metrics_add(refusal->metric, 1);
	return refusal->detail ? leat_fail(req, refusal->result, "%s", refusal->detail) : refusal->result;
}

enum leat_result auth_unauthorized(struct leat_request *req, const void *by,
				   leat_text (*challenge)(struct leat_request *req, const void *options),
				   enum metric metric, const char *detail)
{
	return auth_refuse(req, by,
			   &(struct auth_refusal){ .result = LEAT_UNAUTHORIZED,
						   .metric = metric,
						   .challenge = challenge(req, by),
						   .detail = detail });
}

void auth_leave(struct leat_request *req, const void *by,
		leat_text (*challenge)(struct leat_request *req, const void *options))
{
	const struct auth_answer *answer = auth_answer_get(req);
	struct auth_answer *own;

	if (!answer && challenge && leat_reply_status(req) == 401) {
		own = leat_alloc(req, sizeof(*own));
		*own = (struct auth_answer){ .by = by, .challenge = challenge(req, by) };
		auth_answer_set(req, own);
		answer = own;
	}
	if (answer && answer->by == by && answer->challenge.ptr &&
	    leat_reply_header(req, "WWW-Authenticate", answer->challenge) != LEAT_OK)
		log_error("bug: a challenge that is no header");
}

leat_text auth_realm(struct leat_request *req, const char *realm)
{
	char *text, *at;

	if (!realm)
		return LEAT_TEXT_OF("");
	text = at = leat_alloc(req, sizeof(" realm=\"\"") + 2 * strlen(realm));
	at = stpcpy(at, " realm=\"");
	for (; *realm; realm++) {
		if (*realm == '"' || *realm == '\\')
			*at++ = '\\';
		*at++ = *realm;
	}
	*at++ = '"';
	return (leat_text){ text, (size_t)(at - text) };
}

const char *auth_realm_fault(const char *realm)
{
	for (; realm && *realm; realm++)
		if (*realm < ' ' || *realm > '~')
			return "a realm has printable ASCII alone";
	return NULL;
}

/* What a caller may ------------------------------------------------------------------------------------------------ */

const struct leat_caller *leat_caller_get(const struct leat_request *req)
{
	return leat_get_(req, caller_value);
}

void leat_caller_set(struct leat_request *req, const struct leat_caller *caller)
{
	leat_set_(req, caller_value, caller);
}

/* The caller, whom a middleware before this one must have found. */
static const struct leat_caller *caller_for(struct leat_request *req, const char *what)
{
	const struct leat_caller *caller = leat_caller_get(req);

	if (!caller)
		log_limited(LOG_LEVEL_ERROR, "bug: route %s wants a %s, and nothing before it says who asks",
			    request_pattern(req), what);
	return caller;
}

static leat_text scope_challenge(struct leat_request *req, const struct leat_caller *caller, const char *scopes)
{
	if (caller->kind != LEAT_CALLER_JWT)
		return (leat_text){ NULL, 0 };
	return leat_format(req, "Bearer error=\"insufficient_scope\", scope=\"%s\"", scopes);
}

enum leat_result leat_scope_before_(struct leat_request *req, const void *options)
{
	const struct leat_caller *caller = caller_for(req, "scope");
	leat_texts wanted;

	if (!caller)
		return LEAT_INTERNAL;
	wanted = words_split(req->call.arena, leat_text_from(options));
	for (size_t i = 0; i < wanted.count; i++)
		if (!words_have(caller->scopes, wanted.items[i]))
			return auth_refuse(
				req, options,
				&(struct auth_refusal){ .result = LEAT_FORBIDDEN,
							.metric = METRIC_AUTH_FORBIDDEN,
							.challenge = scope_challenge(req, caller, options),
							.detail = "The caller has not the scope for this." });
	return LEAT_OK;
}

void leat_scope_after_(struct leat_request *req, const void *options)
{
	auth_leave(req, options, NULL);
}

/* RFC 6749 3.3. */
const char *leat_scope_check_(const void *options)
{
	for (const char *at = options; *at; at++)
		if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\')
			return "a scope has printable ASCII but for \" and \\";
	return *(const char *)options ? NULL : "it names no scope";
}

enum leat_result leat_role_before_(struct leat_request *req, const void *options)
{
	const struct leat_caller *caller = caller_for(req, "role");

	if (!caller)
		return LEAT_INTERNAL;
	if (words_have(caller->roles, leat_text_from(options)))
		return LEAT_OK;
	return auth_refuse(req, options,
			   &(struct auth_refusal){ .result = LEAT_FORBIDDEN,
						   .metric = METRIC_AUTH_FORBIDDEN,
						   .detail = "The caller has not the role for this." });
}

const char *leat_role_check_(const void *options)
{
	return *(const char *)options ? NULL : "it names no role";
}

struct leat_demand leat_scope_demand_(const void *options)
{
	return (struct leat_demand){ .scopes = options };
}

struct leat_demand leat_role_demand_(const void *options)
{
	return (struct leat_demand){ .scopes = options };
}
