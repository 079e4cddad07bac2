/* events.c - Server-Sent Events: leat/event.h. Between handlers, stream.c and task/topic.c. */
#include <leat/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/event_text.h"
#include "http/request.h"
#include "http/stream.h"
#include "task/topic.h"

enum { EVENT_ROOM = 256 };

leat_text leat_last_event_id(struct leat_request *req)
{
	return leat_header(req, "Last-Event-ID");
}

enum leat_result leat_events_begin(struct leat_request *req)
{
	LEAT_TRY(leat_reply_header(req, "Cache-Control", LEAT_TEXT_OF("no-store")));
	LEAT_TRY(stream_begin(req, 200, "text/event-stream", -1));
	return leat_stream_flush(req);
}

static enum leat_result refuse(const struct leat_request *req)
{
	log_limited(LOG_LEVEL_ERROR, "route %s: event refused: its name, its id or the comment holds CR, LF or NUL",
		    request_pattern(req));
	return LEAT_INTERNAL;
}

static enum leat_result send_now(struct leat_request *req, leat_text bytes)
{
	LEAT_TRY(leat_stream_write(req, bytes));
	return leat_stream_flush(req);
}

/* A stream may live for days: what it renders must not stay in its arena. */
static void begin_text(struct leat_request *req, struct buffer *out)
{
	if (!req->stream.text.data)
		buffer_init(&req->stream.text, req->call.arena, EVENT_ROOM);
	*out = req->stream.text;
	out->len = 0;
}

enum leat_result leat_event_send(struct leat_request *req, const struct leat_event *event)
{
	struct buffer out;

	begin_text(req, &out);
	if (!event_text_write(&out, event))
		return refuse(req);
	req->stream.text = out;
	return send_now(req, buffer_as_text(&out));
}

enum leat_result leat_event_comment(struct leat_request *req, leat_text comment)
{
	struct buffer out;

	begin_text(req, &out);
	if (!event_text_comment(&out, comment))
		return refuse(req);
	req->stream.text = out;
	return send_now(req, buffer_as_text(&out));
}

/* Topics ------------------------------------------------------------------------------------------------------------------- */

static void leave(void *seat)
{
	topic_leave(seat);
}

enum leat_result leat_topic_join(struct leat_request *req, leat_text topic, struct leat_seat **ret_seat)
{
	struct topic_seat *seat = topic_join(req->environment->topics, topic);

	if (!seat)
		return LEAT_UNAVAILABLE;
	arena_on_reset(req->call.arena, leave, seat);
	*ret_seat = (struct leat_seat *)seat;
	return LEAT_OK;
}

enum leat_result leat_topic_publish(struct leat_request *req, leat_text topic, const struct leat_event *event)
{
	struct buffer out;

	buffer_init(&out, req->call.arena, EVENT_ROOM);
	if (!event_text_write(&out, event))
		return refuse(req);
	metrics_add(METRIC_EVENTS_PUBLISHED, 1);
	topic_publish(req->environment->topics, topic, buffer_as_text(&out));
	return LEAT_OK;
}

/* An event, and all that have come behind it, in one go. */
static enum leat_result pass_on(struct leat_request *req, struct topic_seat *seat, struct topic_message *message)
{
	enum leat_result next = LEAT_OK;

	while (next == LEAT_OK) {
		enum leat_result result = leat_stream_write(req, topic_message_bytes(message));

		topic_message_release(message);
		LEAT_TRY(result);
		next = topic_next(seat, 0, &message);
	}
	LEAT_TRY(leat_stream_flush(req));
	return next == LEAT_TIMED_OUT ? LEAT_OK : next; /* there is no more yet */
}

/* The next events, or a sign of life. */
static enum leat_result follow_once(struct leat_request *req, struct topic_seat *seat)
{
	struct topic_message *message = NULL;
	int64_t until_ns = clock_now_ns() + req->environment->events_keep_alive_ns;
	enum leat_result result;

	result = topic_next(seat, until_ns < req->stream.until_ns ? until_ns : req->stream.until_ns, &message);
	if (result == LEAT_OK)
		return pass_on(req, seat, message);
	if (result == LEAT_TIMED_OUT && until_ns < req->stream.until_ns)
		return leat_event_comment(req, LEAT_TEXT_OF(""));
	return result;
}

enum leat_result leat_events_follow(struct leat_request *req, struct leat_seat *seat)
{
	enum leat_result result = req->stream.state == STREAM_OPEN ? LEAT_OK : leat_stream_flush(req);

	while (result == LEAT_OK)
		result = follow_once(req, (struct topic_seat *)seat);
	if (result == LEAT_UNAVAILABLE)
		req->stream.is_behind = true;
	return result == LEAT_NOT_FOUND ? LEAT_OK : result; /* the process stops: the stream ends as it should */
}
