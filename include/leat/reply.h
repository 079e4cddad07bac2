/* leat/reply.h - replies of more kinds: cookies, redirects, files.
 *
 * Use:
 *     LEAT_TRY(leat_set_cookie(req, &(struct leat_cookie){ .name = "__Host-session", .value = token, .max_age_s = 86400 }));
 *     return leat_redirect(req, 303, url);
 *
 *     static const struct leat_folder reports = { .path = "/srv/shop/reports", .internal = "/internal/reports/" };
 *     return leat_reply_file(req, &reports, leat_path_text(req, "name"));
 *
 * Ownership:      texts are copied; a folder is static.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         told at each function. What is refused for the service's own mistake is told in the log.
 */
#ifndef LEAT_REPLY_H
#define LEAT_REPLY_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>
#include <stdint.h>

struct leat_request;

/* Cookies (RFC 6265bis) ------------------------------------------------------------------------------------------- */

enum leat_same_site { LEAT_SAME_SITE_LAX, LEAT_SAME_SITE_STRICT, LEAT_SAME_SITE_NONE };

/* What is left out is the safe choice: for this host alone and all of its paths, over HTTPS alone (browsers take localhost for it), not for
 * scripts, SameSite=Lax, until the browser closes. */
struct leat_cookie {
	const char *name;   /* a token */
	leat_text value;    /* printable ASCII without space " , ; and \ */
	const char *path;   /* NULL: "/" */
	const char *domain; /* also for its subdomains; NULL: this host alone */
	int64_t max_age_s; /* seconds; 0: until the browser closes; less: forget it now. Browsers keep none longer than 400 days */
	enum leat_same_site same_site;
	bool for_scripts; /* without HttpOnly */
	bool over_http;   /* without Secure */
};

/* Adds Set-Cookie. LEAT_INTERNAL for bad names, values and attributes; for more than 4096 bytes of name and value; for SameSite=None without
 * Secure; and when a prefix of the name promises what the attributes do not keep: __Secure- (Secure), __Host- (Secure, Path=/, no
 * Domain), __Http- (Secure, HttpOnly), __Host-Http- (all of these). */
LEAT_API enum leat_result leat_set_cookie(struct leat_request *req, const struct leat_cookie *cookie) LEAT_MUST_USE;

/* Redirects (RFC 9110 15.4) ------------------------------------------------------------------------------------------ */

/* To a path of this host: "/..." or "?...", never "//" or "/\", which browsers take for another host. 'status' is 301, 302, 303, 307 or 308.
 * LEAT_BAD_REQUEST for another URL, so one that a client gave may be handed on as it is; URLs are ASCII without blanks
 * and control characters. LEAT_INTERNAL for another status. */
LEAT_API enum leat_result leat_redirect(struct leat_request *req, int status, leat_text url) LEAT_MUST_USE;

/* Anywhere: http:// and https:// too. For URLs that the service made or knows. */
LEAT_API enum leat_result leat_redirect_away(struct leat_request *req, int status, leat_text url) LEAT_MUST_USE;

/* Files ------------------------------------------------------------------------------------------------------------- */

struct leat_folder {
	const char *path; /* absolute */
	const char *
		internal; /* nginx's internal location with this folder as its alias, "/internal/reports/"; NULL: none */
};

/* Replies with a regular file of the folder. 'path' is relative; nothing outside the folder is ever reached, by "..", an absolute path or
 * a symbolic link (openat2, RESOLVE_BENEATH): LEAT_NOT_FOUND, as for what is not there or no regular file.
 *
 * The setting send_files tells who sends it. "own": leat, read through the offload pool, as a stream (leat/stream.h). "accel": nginx, by
 * X-Accel-Redirect, if the folder has an internal location; else leat. "sendfile": lighttpd, by X-Sendfile; the folder must be in its
 * x-sendfile-docroot.
 *
 * The type comes from the name's ending. Sent by leat, to GET and HEAD, it has ETag and Last-Modified, and the request's conditions are judged as leat_check_version does
 * (leat/version.h), with its results; a single range gets 206 (RFC 9110 14; If-Range too), one past the end 416, several ranges the whole.
 *
 * LEAT_INTERNAL when the folder cannot be opened; LEAT_UNAVAILABLE when the offload queue is full. */
LEAT_API enum leat_result leat_reply_file(struct leat_request *req, const struct leat_folder *folder,
					  leat_text path) LEAT_MUST_USE;

#endif
