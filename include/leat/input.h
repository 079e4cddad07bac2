/* leat/input.h - more of a request's input: names with several values, cookies, and the body as a stream.
 *
 * Use:
 *     leat_text tag;
 *     const struct leat_pairs *query = leat_query_all(req);
 *     for (size_t at = 0; leat_pairs_next(query, "tag", &at, &tag);)     -- ?tag=a&tag=b
 *         ...
 *     leat_text session = leat_cookie(req, "session");
 *
 *     char piece[16384];
 *     size_t len;
 *     do {
 *         LEAT_TRY(leat_body_read(req, piece, sizeof(piece), &len));
 *         ...
 *     } while (len > 0);
 *
 * Ownership:      everything handed out lives as long as the request.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         leat_body_read: LEAT_TOO_LARGE past the limit of the route, LEAT_BAD_REQUEST when the body has another length than
 *                 Content-Length says, LEAT_TIMED_OUT at the request's deadline, LEAT_CANCELLED when the client has left.
 */
#ifndef LEAT_INPUT_H
#define LEAT_INPUT_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>

struct leat_request;

/* Names with values -------------------------------------------------------------------------------------------- */

struct leat_pair {
	leat_text name;
	leat_text value;
};

/* In the order in which they came; names may come again. */
struct leat_pairs {
	const struct leat_pair *items;
	size_t count;
};

/* The first value of that name; {NULL, 0} when there is none. */
LEAT_API leat_text leat_pairs_find(const struct leat_pairs *pairs, const char *name);

/* The next value of that name from item *at on; *at, 0 at first, is then the item behind it. False: no more. */
LEAT_API bool leat_pairs_next(const struct leat_pairs *pairs, const char *name, size_t *at, leat_text *ret_value);

/* All parameters of the query, decoded as leat_query does it. "a" is "a="; nothing between two '&' is no parameter. */
LEAT_API const struct leat_pairs *leat_query_all(struct leat_request *req);

/* Cookies (RFC 6265 4.2.1, as strict as written there): names are tokens, values hold no blanks, commas, semicolons, backslashes or
 * inner quotes; quotes around a value are part of it; nothing is decoded. What is otherwise is not there, and does not hurt its neighbours:
 * a cookie that another service of the same domain has set may look like anything. Of two with one name the first counts, which is the one with
 * the longer path in all browsers. */
LEAT_API leat_text leat_cookie(struct leat_request *req, const char *name);
LEAT_API const struct leat_pairs *leat_cookies(struct leat_request *req);

/* The body ------------------------------------------------------------------------------------------------------ */

/* Waits for the next piece of the body, of at most 'size' bytes, and gives it as it comes; *ret_len is 0 at the end, and only there. The
 * memory it takes does not depend on the body's length, which need not be known (chunked requests). The route's body_limit counts; with
 * LEAT_BODY_UNLIMITED (leat/route.h) nothing does. The deadline is the request's: a route for large bodies sets deadline_ms so that slow
 * clients have their time.
 *
 * The front server must hand the body on as it comes: nginx by "fastcgi_request_buffering off", lighttpd by
 * "server.stream-request-body = 2". Otherwise it works as well, but the body lies in their files first.
 *
 * After leat_body_text it reads the same bytes again. Once it was called, leat_body_text, leat_body and leat_form are bugs and
 * answer LEAT_INTERNAL. */
LEAT_API enum leat_result leat_body_read(struct leat_request *req, void *buffer, size_t size,
					 size_t *ret_len) LEAT_MUST_USE;

#endif
