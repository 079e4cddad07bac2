/* leat/stream.h - replies that leave piece by piece: their length, and perhaps their end, is not known at the start.
 *
 * Use:
 *     LEAT_TRY(leat_stream_begin(req, 200, "text/csv; charset=utf-8"));
 *     while (more)
 *         LEAT_TRY(leat_stream_write(req, line));
 *     return LEAT_OK;                                  -- the end of the reply
 *
 * leat_stream_begin is the end of the way in: 'after' hooks run there and then, see the head and may change it (leat/middleware.h), and
 * the head leaves with the first bytes. Headers are added before; a reply that is given later goes nowhere. What is written gathers,
 * 64 KiB at most; leat_stream_flush sends it now. The front server is told not to buffer (X-Accel-Buffering: no, for nginx; deploy/ has what lighttpd needs), so a write waits
 * while the client takes no more, and memory stays flat.
 *
 * Time: the setting request_deadline ends with leat_stream_begin. From then on a stream may take as long as it wants, but must go on:
 * each write gives the request a new deadline, the setting stream_idle from then. A route's own deadline, or one that a hook
 * has set, bounds the whole stream.
 *
 * Failing: once the head has gone there is no other status to send. A handler that returns anything but LEAT_OK after that has its
 * connection closed without the end of the reply, and the front server does the same to the client: what came is not taken for
 * the whole. That is counted (leat_streams_cut_total) and told in the log.
 *
 * Ownership:      what is written is copied. What the handler allocates (leat_alloc, leat_format) stays until the stream ends: a loop that may
 *                 run for days writes from variables of its own.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         hand them on with LEAT_TRY: LEAT_CANCELLED when the client has left, or nobody wants a body: the request is HEAD, the
 *                 status has none, or a hook has replied in the stream's place. LEAT_TIMED_OUT when the front server took nothing for the
 *                 time stream_idle. LEAT_INTERNAL, with a line in the log, for a second beginning or a write before the first.
 */
#ifndef LEAT_STREAM_H
#define LEAT_STREAM_H

#include <leat/result.h>
#include <leat/text.h>

struct leat_request;

LEAT_API enum leat_result leat_stream_begin(struct leat_request *req, int status,
					    const char *content_type) LEAT_MUST_USE;

LEAT_API enum leat_result leat_stream_write(struct leat_request *req, leat_text bytes) LEAT_MUST_USE;

/* Sends what has gathered, the head too. */
LEAT_API enum leat_result leat_stream_flush(struct leat_request *req) LEAT_MUST_USE;

#endif
