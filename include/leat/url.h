/* leat/url.h - the path to a named route.
 *
 * Use:
 *     leat_text url;
 *     LEAT_TRY(leat_url(req, "user", &url, LEAT_ARG(user.id)));      -- "/api/users/7"
 *     LEAT_TRY(leat_reply_header(req, "Location", url));
 *
 * The name is that of a route (.name in leat/route.h; "mount.route" in a mount with a name). One value for each parameter of the
 * pattern, in their order: LEAT_ARG of an integer, a text, a leat_uuid, or a leat_time that is midnight in UTC. Each segment
 * is encoded, so a '/' in a value becomes %2F; that of {rest...} is a path, whose slashes stay.
 *
 * Ownership:      the URL lives as long as the request.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         LEAT_INTERNAL, with the reason in the log: no such name, a value is missing, there is one too many, one
 *                 does not fit its parameter or would not come back as it is ("a-b" for {from} in {from}-{to}), a segment would
 *                 be "." or "..", or the URL would begin with "//" and so lead to another host.
 */
#ifndef LEAT_URL_H
#define LEAT_URL_H

#include <leat/db.h>
#include <leat/result.h>
#include <leat/text.h>

struct leat_request;

#define leat_url(req, name, ret_url, ...) leat_url_(req, name, ret_url, LEAT_ARGS_(__VA_ARGS__))

LEAT_API enum leat_result leat_url_(struct leat_request *req, const char *name, leat_text *ret_url,
				    const struct leat_arg *args, unsigned arg_count) LEAT_MUST_USE;

#endif
