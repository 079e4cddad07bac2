/* leat/request.h - one request: its input, its reply, its time and its memory.
 *
 * Use:
 *     static enum leat_result get_user(struct leat_request *req)
 *     {
 *         int64_t id = leat_path_int(req, "id");
 *         ...
 *         return leat_reply(req, 200, &user_shape, &user);
 *     }
 *
 * A handler is plain, straight-line code. Whatever waits (a query, a sleep, an offloaded call) suspends the
 * request's task, never the worker thread, and ends at the request's deadline with LEAT_TIMED_OUT or, when the
 * client has left or the process is stopping, with LEAT_CANCELLED. Hand both on with LEAT_TRY.
 *
 * Ownership:      everything handed out lives as long as the request; nothing is freed by hand.
 * Thread-safety:  only the task that runs the handler. Offloaded functions must not touch the request.
 * Errors:         enum leat_result; a handler that returns LEAT_OK without a reply is a bug and becomes a 500.
 */
#ifndef LEAT_REQUEST_H
#define LEAT_REQUEST_H

#include <leat/result.h>
#include <leat/route.h>
#include <leat/shape.h>
#include <leat/text.h>
#include <leat/value.h>
#include <stdarg.h>
#include <stdint.h>

struct leat_request;

/* Input ------------------------------------------------------------------------------------------------------- */

LEAT_API enum leat_method leat_method(const struct leat_request *req);

/* The path as it was asked for, escapes and all, without the query. */
LEAT_API leat_text leat_path(const struct leat_request *req);

/* A path parameter, decoded once. Asking for a name or type that the pattern does not have is a bug: the request
 * ends with 500. */
LEAT_API leat_text leat_path_text(struct leat_request *req, const char *name);
LEAT_API int64_t leat_path_int(struct leat_request *req, const char *name); /* of {name:int} and {name:uint} */
LEAT_API leat_uuid leat_path_uuid(struct leat_request *req, const char *name);
LEAT_API leat_time leat_path_date(struct leat_request *req, const char *name); /* midnight in UTC */

/* A query parameter, decoded (RFC 3986 escapes, + is a space); {NULL, 0} when absent; the first of several: leat_query_all
 * (leat/input.h) has them all. */
LEAT_API leat_text leat_query(struct leat_request *req, const char *name);

/* A query parameter as an integer from min to max, 'fallback' when absent. LEAT_INVALID names the parameter. */
LEAT_API enum leat_result leat_query_int(struct leat_request *req, const char *name, int64_t fallback, int64_t min,
					 int64_t max, int64_t *ret_value) LEAT_MUST_USE;

/* A request header by its name in any case; {NULL, 0} when absent. Of several lines the first. */
LEAT_API leat_text leat_header(struct leat_request *req, const char *name);

/* The request's id: X-Request-Id if it has 1 to 128 of A-Z a-z 0-9 . _ - and nothing else; else of a valid traceparent (W3C Trace Context) the ids of the
 * trace and of the caller's span, as they stand there; else 26 characters of our own. It is in log lines, in the access log and in problem
 * documents; LEAT_REQUEST_ID (leat/middleware.h) sends it back. */
LEAT_API leat_text leat_request_id(const struct leat_request *req);

/* Reads the JSON body into 'value', a struct of the route's body shape. LEAT_UNSUPPORTED_TYPE unless it is
 * application/json; LEAT_TOO_LARGE past the limit; LEAT_BAD_REQUEST for what is no JSON; LEAT_INVALID with every
 * fault listed. */
LEAT_API enum leat_result leat_body(struct leat_request *req, const struct leat_shape *shape,
				    void *value) LEAT_MUST_USE;

/* Reads the whole body as it is. LEAT_TOO_LARGE past the limit. Asked again, the same; after a failure, the failure. */
LEAT_API enum leat_result leat_body_text(struct leat_request *req, leat_text *ret_body) LEAT_MUST_USE;

/* Reply: the last one given counts; nothing is sent before the handler returns ---------------------------------- */

/* A struct as JSON. */
LEAT_API enum leat_result leat_reply(struct leat_request *req, int status, const struct leat_shape *shape,
				     const void *value) LEAT_MUST_USE;

/* Bytes of any type, copied. LEAT_INTERNAL for a type with CR or LF. */
LEAT_API enum leat_result leat_reply_text(struct leat_request *req, int status, const char *content_type,
					  leat_text body) LEAT_MUST_USE;

/* No body: 204 and the like. */
LEAT_API enum leat_result leat_reply_empty(struct leat_request *req, int status) LEAT_MUST_USE;

enum { LEAT_ETAG_LEN = 26 }; /* of the tags that leat makes, quotes included */

/* A reply that never changes, rendered once by the compiler:
 *     LEAT_STATIC_JSON(health, "{\"status\":\"ok\"}");
 *     return leat_reply_static(req, &health); */
struct leat_static_reply {
	const char *bytes; /* header and body, as they go to the front server */
	size_t len;
	size_t body_at;              /* where the body begins */
	struct leat_static_tag *tag; /* keeps its ETag (LEAT_ETAG of leat/version.h); NULL: made for each reply */
};
struct leat_static_tag {
	int state; /* leat's own */
	char text[LEAT_ETAG_LEN];
};
#define LEAT_STATIC_HEAD_ "Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
#define LEAT_DIGIT_(number, place) ((number) >= (place) ? '0' + (number) / (place) % 10 : ' ')
#define LEAT_DIGITS_(number) \
	{ LEAT_DIGIT_(number, 100000), LEAT_DIGIT_(number, 10000), LEAT_DIGIT_(number, 1000), LEAT_DIGIT_(number, 100), \
	  LEAT_DIGIT_(number, 10), '0' + (number) % 10 }
#define LEAT_STATIC_JSON(name, json) \
	_Static_assert(sizeof(json) <= 1000000, "a rendered reply has at most 999999 bytes"); \
	static const struct { \
		char head[sizeof(LEAT_STATIC_HEAD_) - 1]; \
		char length[6]; \
		char empty_line[4]; \
		char body[sizeof(json) - 1]; \
	} name##_bytes_ = { LEAT_STATIC_HEAD_, LEAT_DIGITS_(sizeof(json) - 1), "\r\n\r\n", json }; \
	static struct leat_static_tag name##_tag_; \
	static const struct leat_static_reply name = { (const char *)&name##_bytes_, sizeof(name##_bytes_), \
						       sizeof(name##_bytes_) - (sizeof(json) - 1), &name##_tag_ }
LEAT_API enum leat_result leat_reply_static(struct leat_request *req,
					    const struct leat_static_reply *reply) LEAT_MUST_USE;

/* Adds a reply header; refuses CR, LF and NUL and names that are no token (RFC 9110 5.1) with LEAT_INTERNAL. */
LEAT_API enum leat_result leat_reply_header(struct leat_request *req, const char *name, leat_text value);

/* A failure with words for the client: the problem document's detail. Returns 'result'. */
LEAT_API enum leat_result leat_fail(struct leat_request *req, enum leat_result result, const char *format,
				    ...) LEAT_PRINTF(3, 4);

/* Time and memory ------------------------------------------------------------------------------------------------ */

/* Milliseconds until the deadline; 0 when it has passed. */
LEAT_API int64_t leat_time_left_ms(const struct leat_request *req);

/* Waits. LEAT_OK after 'ms' milliseconds, sooner LEAT_TIMED_OUT or LEAT_CANCELLED. */
LEAT_API enum leat_result leat_sleep(struct leat_request *req, int64_t ms) LEAT_MUST_USE;

/* Runs fn(arg) on an offload thread, for calls that block. On LEAT_TIMED_OUT and LEAT_CANCELLED fn may still be
 * running: 'arg' is therefore a block of 'size' bytes that is copied in, and copied back only with LEAT_OK.
 * LEAT_UNAVAILABLE when the offload queue is full. */
LEAT_API enum leat_result leat_offload(struct leat_request *req, void (*fn)(void *arg), void *arg,
				       size_t size) LEAT_MUST_USE;

/* Zeroed memory that lives as long as the request; never NULL. */
LEAT_API void *leat_alloc(struct leat_request *req, size_t size) __attribute__((returns_nonnull));

/* printf into the request's memory. */
LEAT_API leat_text leat_format(struct leat_request *req, const char *format, ...) LEAT_PRINTF(2, 3);

/* A line in the service's log, with the request's id. */
LEAT_API void leat_log(struct leat_request *req, const char *format, ...) LEAT_PRINTF(2, 3);

#endif
