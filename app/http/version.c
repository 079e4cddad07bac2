/* version.c - see version.h and leat/version.h. Between handlers, files and etag.c, which know versions, and condition.c, which judges. */
#include "http/version.h"

#include "base/calendar.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/http_date.h"
#include "http/request.h"

static int64_t now_us(void)
{
	return clock_wall_ns() / CLOCK_US;
}

static bool is_read(const struct leat_request *req)
{
	return req->method == LEAT_METHOD_GET || req->method == LEAT_METHOD_HEAD;
}

static void replace(struct leat_request *req, leat_text name, leat_text value)
{
	response_drop_header(&req->response, name);
	response_add_header(&req->response, req->call.arena, name, value); /* a tag and a date are values */
}

void version_write(struct leat_request *req, const struct validators *validators)
{
	char date[HTTP_DATE_LEN];

	if (validators->etag.ptr)
		replace(req, LEAT_TEXT_OF("ETag"), validators->etag);
	if (!validators->has_modified)
		return;
	http_date_write(date, validators->modified_us < now_us() ? validators->modified_us : now_us());
	replace(req, LEAT_TEXT_OF("Last-Modified"), (leat_text){ date, sizeof(date) });
}

/* Judging ---------------------------------------------------------------------------------------------------------- */

static enum leat_result judge(struct leat_request *req, const struct conditions *conditions,
			      const struct validators *validators)
{
	switch (conditions_judge(conditions, is_read(req), validators, now_us())) {
	case CONDITION_HOLDS:
		return LEAT_OK;
	case CONDITION_NOT_MODIFIED:
		return LEAT_NOT_MODIFIED;
	case CONDITION_FAILS:
		return leat_fail(req, LEAT_PRECONDITION_FAILED,
				 "The resource is not what the request's conditions say: read it again.");
	case CONDITION_MALFORMED:
		break;
	}
	return leat_fail(req, LEAT_BAD_REQUEST, "If-Match or If-None-Match is no list of entity tags.");
}

enum leat_result version_judge(struct leat_request *req, const struct validators *validators)
{
	struct conditions conditions;

	conditions_read(&conditions, req->params, req->call.arena);
	return judge(req, &conditions, validators);
}

bool version_allows_range(struct leat_request *req, const struct validators *validators)
{
	struct conditions conditions;

	conditions_read(&conditions, req->params, req->call.arena);
	return conditions_allow_range(&conditions, validators, now_us());
}

/* Versions of handlers --------------------------------------------------------------------------------------------- */

/* What is wrong with it, or NULL. */
static const char *fault_of(const struct leat_version *version)
{
	if (version->is_absent)
		return NULL;
	if (!version->tag.ptr && version->modified.us == 0)
		return "it has neither tag nor time";
	if (version->tag.ptr && !condition_is_tag(version->tag))
		return "the tag is empty, or has a blank, a quote or a control character";
	if (!calendar_holds(version->modified.us))
		return "the time is not in the years 1 to 9999";
	if (version->must_match && version->is_weak)
		return "what must match cannot be weak";
	return NULL;
}

static enum leat_result take_version(struct leat_request *req, const struct leat_version *version,
				     struct validators *ret_validators)
{
	const char *fault = fault_of(version);
	const char *weak = version->is_weak ? "W/" : "";

	*ret_validators = (struct validators){ .is_absent = version->is_absent };
	if (fault) {
		log_limited(LOG_LEVEL_ERROR, "bug: route %s: no version of a resource: %s", request_pattern(req),
			    fault);
		return LEAT_INTERNAL;
	}
	if (version->is_absent)
		return LEAT_OK;
	ret_validators->has_modified = version->modified.us != 0;
	ret_validators->modified_us = version->modified.us;
	ret_validators->etag = version->tag.ptr
				       ? leat_format(req, "%s\"%.*s\"", weak, LEAT_TEXT_PRINTF(version->tag))
				       : leat_format(req, "%s\"%llx\"", weak, (unsigned long long)version->modified.us);
	return LEAT_OK;
}

enum leat_result leat_reply_version(struct leat_request *req, const struct leat_version *version)
{
	struct validators validators;

	LEAT_TRY(take_version(req, version, &validators));
	version_write(req, &validators);
	return LEAT_OK;
}

enum leat_result leat_check_version(struct leat_request *req, const struct leat_version *version)
{
	struct validators validators;
	struct conditions conditions;

	LEAT_TRY(take_version(req, version, &validators));
	if (req->method == LEAT_METHOD_OPTIONS)
		return LEAT_OK;
	conditions_read(&conditions, req->params, req->call.arena);
	if (version->must_match && !version->is_absent && !is_read(req) && !conditions.match.ptr)
		return leat_fail(req, LEAT_PRECONDITION_REQUIRED,
				 "Read the resource, and send its ETag with the change, in If-Match.");
	if (is_read(req))
		version_write(req, &validators);
	return judge(req, &conditions, &validators);
}
