/* leat/fetch.h - calls to other HTTP servers.
 *
 * Use:
 *     struct leat_fetch_reply reply;
 *     LEAT_TRY(leat_fetch_get(req, LEAT_TEXT_OF("http://stock.internal/items/7"), &reply));
 *     if (reply.status != 200) ...
 *
 *     const struct leat_fetch_header headers[] = { { "Accept", LEAT_TEXT_OF("application/json") }, LEAT_FETCH_HEADERS_END };
 *     LEAT_TRY(leat_fetch(req, &(struct leat_fetch){ .method = "PUT", .url = url, .headers = headers, .body = json,
 *                                                    .content_type = "application/json", .timeout_ms = 300 }, &reply));
 *
 * A call waits as every wait of a handler does: other requests run meanwhile, it ends at the request's deadline at the latest, and when the client
 * has left. Connections are kept and used again, HTTP/2 where TLS offers it. A worker has at most fetch_connections calls under way, and
 * fetch_host_connections to one host; more wait in line, first come, first served, within their time.
 *
 * Any status is a reply and LEAT_OK. Else reply->fault says what went wrong, and reply->why in words, for the log:
 *
 *     URL       it is none, is not of http or https, or holds a user's name
 *     REQUEST   the method, or a header, cannot be sent
 *     RESOLVE   the host's name has no address
 *     ADDRESS   it has, but one that is not to be called: setting fetch_allow
 *     QUEUE     too many wait for a connection: setting fetch_queue
 *     CONNECT   the server refuses the connection, or there is no way to it
 *     CONNECT_TIMEOUT   no connection in time: setting fetch_connect_timeout
 *     TLS       no common protocol, or a certificate that is not trusted
 *     DEADLINE  no reply in time
 *     CANCELLED the request was
 *     CUT       the connection was lost, or what came on it made no sense, before the end of the reply
 *     LENGTH    the reply's body is shorter than it says, or it says two things
 *     TOO_LARGE the reply's body: setting fetch_body_max, or body_max
 *     HEADERS   the reply's head is too large: setting fetch_head_max
 *     REDIRECT  too many, or one that may not be followed
 *     PROTOCOL  what came is no HTTP
 *
 * Redirects (301, 302, 303, 307, 308 with a Location) are followed as often as .redirects says. 303, and 301 and 302 of a POST, become a GET without
 * a body; the others repeat method and body. To another scheme, host or port, Authorization, Cookie and Proxy-Authorization are not taken along. From https to
 * http none is followed. Each is a call of its own: its address is looked at, too.
 *
 * What may be done twice (GET, HEAD, PUT, DELETE, OPTIONS, TRACE, or with an Idempotency-Key) is tried again as often as .retries says: after RESOLVE, CONNECT,
 * CONNECT_TIMEOUT, CUT and LENGTH, and after 502, 503 and 504. The pauses grow from 50 ms by chance, are no shorter than a Retry-After in seconds, and no try begins for
 * whose pause the time does not suffice: then the last answer counts. .hedge_ms is for calls that are mostly quick: if no reply has come by then, and there is
 * a place without waiting, the same is sent a second time; the first reply counts, and the other call is given up.
 *
 * What is sent for the caller: X-Request-Id, and traceparent and tracestate if the request came with them; unless 'headers' has them.
 *
 * Only public addresses are called unless setting fetch_allow names others: loopback, private, link-local, metadata, multicast, reserved, or networks. It is the
 * address of the very connection that is looked at, so a name that changes its address gains nothing. A URL that somebody else has chosen wants
 * .public_only = true: then fetch_allow does not count.
 *
 * Ownership:      what is given must live until the call returns; the reply lives as long as the request.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         the results of the table below; each is counted, in leat_fetch_calls_total. After a failure the reply has status 0.
 */
#ifndef LEAT_FETCH_H
#define LEAT_FETCH_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>
#include <stdint.h>

struct leat_request;

/*      name             result */
#define LEAT_FETCH_FAULT_TABLE(X) \
	X(NONE, OK) \
	X(URL, INVALID) \
	X(REQUEST, INTERNAL) \
	X(RESOLVE, UNAVAILABLE) \
	X(ADDRESS, FORBIDDEN) \
	X(QUEUE, UNAVAILABLE) \
	X(CONNECT, UNAVAILABLE) \
	X(CONNECT_TIMEOUT, UNAVAILABLE) \
	X(TLS, BAD_GATEWAY) \
	X(DEADLINE, TIMED_OUT) \
	X(CANCELLED, CANCELLED) \
	X(CUT, BAD_GATEWAY) \
	X(LENGTH, BAD_GATEWAY) \
	X(TOO_LARGE, BAD_GATEWAY) \
	X(HEADERS, BAD_GATEWAY) \
	X(REDIRECT, BAD_GATEWAY) \
	X(PROTOCOL, BAD_GATEWAY)

#define LEAT_FETCH_FAULT_ENUM(name, result) LEAT_FETCH_##name,
enum leat_fetch_fault { LEAT_FETCH_FAULT_TABLE(LEAT_FETCH_FAULT_ENUM) LEAT_FETCH_FAULT_COUNT };
#undef LEAT_FETCH_FAULT_ENUM

struct leat_fetch_header {
	const char *name;
	leat_text value;
};
#define LEAT_FETCH_HEADERS_END \
	{ \
		NULL, \
		{ \
			NULL, 0 \
		} \
	}

struct leat_fetch {
	leat_text url;
	const char *method;                      /* NULL: GET, or POST with a body */
	const struct leat_fetch_header *headers; /* NULL: none */
	leat_text body;                          /* {NULL, 0}: none */
	const char *content_type;                /* of the body; NULL: not told */
	int64_t timeout_ms;                      /* for all of it; 0: as long as the request has */
	uint64_t body_max;                       /* of the reply, in bytes; 0: setting fetch_body_max */
	unsigned redirects;                      /* followed at most; 0: a redirect is a reply like others */
	unsigned retries;                        /* at most; see above */
	int64_t hedge_ms;                        /* a second call after that time; 0: none */
	bool public_only;                        /* the URL comes from outside */
};

struct leat_fetch_reply {
	int status; /* 0: none came */
	leat_text body;
	const struct leat_fetch_header *headers; /* in the order they came */
	size_t header_count;
	leat_text url; /* of the last call; it differs from what was asked for after redirects */
	enum leat_fetch_fault fault;
	leat_text why; /* {NULL, 0} with LEAT_OK */
};

LEAT_API enum leat_result leat_fetch(struct leat_request *req, const struct leat_fetch *what,
				     struct leat_fetch_reply *ret_reply) LEAT_MUST_USE;

LEAT_API enum leat_result leat_fetch_get(struct leat_request *req, leat_text url,
					 struct leat_fetch_reply *ret_reply) LEAT_MUST_USE;

/* The first header of that name, in any case; {NULL, 0}: none. */
LEAT_API leat_text leat_fetch_reply_header(const struct leat_fetch_reply *reply, const char *name);

/* "connect_timeout" for LEAT_FETCH_CONNECT_TIMEOUT; never NULL. */
LEAT_API const char *leat_fetch_fault_name(enum leat_fetch_fault fault);

#endif
