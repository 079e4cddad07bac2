/* reply.c - cookies and redirects: leat/reply.h. Between handlers and response.c. */
#include <leat/reply.h>

#include "base/log.h"
#include "http/redirect.h"
#include "http/request.h"
#include "http/set_cookie.h"

enum { COOKIE_ROOM = 256 };

enum leat_result leat_set_cookie(struct leat_request *req, const struct leat_cookie *cookie)
{
	struct buffer value;
	const char *fault;

	buffer_init(&value, req->call.arena, COOKIE_ROOM);
	fault = set_cookie_write(&value, cookie);
	if (fault) {
		log_limited(LOG_LEVEL_ERROR, "route %s: cookie refused: %s", request_pattern(req), fault);
		return LEAT_INTERNAL;
	}
	return leat_reply_header(req, "Set-Cookie", buffer_as_text(&value));
}

static enum leat_result redirect(struct leat_request *req, int status, leat_text url)
{
	if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
		log_limited(LOG_LEVEL_ERROR, "route %s: %d is no redirect", request_pattern(req), status);
		return LEAT_INTERNAL;
	}
	LEAT_TRY(leat_reply_header(req, "Location", url));
	return leat_reply_empty(req, status);
}

enum leat_result leat_redirect(struct leat_request *req, int status, leat_text url)
{
	if (!redirect_stays(url))
		return leat_fail(req, LEAT_BAD_REQUEST, "The redirect leads to another host, or is no URL.");
	return redirect(req, status, url);
}

enum leat_result leat_redirect_away(struct leat_request *req, int status, leat_text url)
{
	if (!redirect_may_leave(url))
		return leat_fail(req, LEAT_BAD_REQUEST, "The redirect is no URL of http or https.");
	return redirect(req, status, url);
}
