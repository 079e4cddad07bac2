/* leat/event.h - Server-Sent Events (the WHATWG HTML standard, 9.2; EventSource in browsers), to one client or to all that listen.
 *
 * Use, a handler that sends its own:
 *     LEAT_TRY(leat_events_begin(req));
 *     for (;;) {
 *         LEAT_TRY(leat_event_send(req, &(struct leat_event){ .name = LEAT_TEXT_OF("tick"), .data = text }));
 *         LEAT_TRY(leat_sleep(req, 1000));
 *     }
 *
 * One that follows a topic, and the handler that publishes:
 *     LEAT_TRY(leat_topic_join(req, LEAT_TEXT_OF("prices"), &seat));   -- from here on nothing is missed
 *     LEAT_TRY(leat_events_begin(req));
 *     ... what came after leat_last_event_id(req), from the database ...
 *     return leat_events_follow(req, seat);                            -- until the client leaves
 *
 *     leat_topic_publish(req, LEAT_TEXT_OF("prices"), &event);
 *
 * A stream of events is a stream (leat/stream.h): hooks, deadlines and failures are told there. Each event is sent at once.
 *
 * Keep-alive: leat_events_follow sends a comment when there was no event for the time events_keep_alive, so that proxies do not take the
 * silence for the end, and a client that left without a word is found. A handler that waits for something else calls
 * leat_event_comment itself, sooner than the front server gives up (nginx: fastcgi_read_timeout).
 *
 * Topics belong to a process; they exist while somebody has a seat. An event is rendered once, however many listen, and streams are woken in
 * small groups, so that a broadcast does not hold up other requests. A seat that falls more than events_queue events behind
 * loses its stream (leat_streams_cut_total{reason="events_queue"}): the browser connects again, with the last id it has seen. Nothing is
 * dropped in silence. With several worker processes, publish by NOTIFY and let one listener in each process (leat_db_listen) publish to
 * its topics.
 *
 * When the process stops, leat_events_follow ends with LEAT_OK, at once; browsers connect again, to its successor.
 *
 * Ownership:      texts are copied. A seat is given up at the end of its request.
 * Thread-safety:  only the task that runs the handler; topics are shared by all workers of the process.
 * Errors:         leat/stream.h; LEAT_INTERNAL, with a line in the log, for a name or an id with CR, LF or NUL.
 */
#ifndef LEAT_EVENT_H
#define LEAT_EVENT_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdint.h>

struct leat_request;
struct leat_seat;

struct leat_event {
	leat_text name; /* the event's type; {NULL, 0}: "message" */
	leat_text id;   /* comes back as Last-Event-ID; {NULL, 0}: none, {"", 0}: forget the last one */
	leat_text
		data; /* UTF-8, of any number of lines, ended by LF, CR or both; {NULL, 0}: none, and the browser tells nobody */
	uint32_t retry_ms; /* how long the browser waits before it connects again; 0: not said */
};

/* The head, sent at once: 200, text/event-stream, not to be stored. */
LEAT_API enum leat_result leat_events_begin(struct leat_request *req) LEAT_MUST_USE;

LEAT_API enum leat_result leat_event_send(struct leat_request *req, const struct leat_event *event) LEAT_MUST_USE;

/* A line that browsers skip, without CR, LF and NUL; may be empty. */
LEAT_API enum leat_result leat_event_comment(struct leat_request *req, leat_text comment) LEAT_MUST_USE;

/* What a client that connects again has seen last; {NULL, 0}: it is new. */
LEAT_API leat_text leat_last_event_id(struct leat_request *req);

/* Takes a seat: every event that is published from now on waits for leat_events_follow. LEAT_UNAVAILABLE when the process stops. */
LEAT_API enum leat_result leat_topic_join(struct leat_request *req, leat_text topic,
					  struct leat_seat **ret_seat) LEAT_MUST_USE;

/* Sends what is published; returns when the client leaves or falls behind, or the process stops. */
LEAT_API enum leat_result leat_events_follow(struct leat_request *req, struct leat_seat *seat) LEAT_MUST_USE;

/* To all who have a seat now, of whichever worker; never waits. */
LEAT_API enum leat_result leat_topic_publish(struct leat_request *req, leat_text topic,
					     const struct leat_event *event) LEAT_MUST_USE;

#endif
