/* topic.h - one message to many tasks, of any worker of the process.
 *
 * Use:
 *     struct topics *topics = topics_new(64);                                  -- messages that a seat may be behind
 *     struct topic_seat *seat = topic_join(topics, LEAT_TEXT_OF("prices"));    -- in a task
 *     switch (topic_next(seat, deadline_ns, &message)) ...
 *     topic_message_release(message);
 *     topic_leave(seat);
 *     topic_publish(topics, LEAT_TEXT_OF("prices"), bytes);
 *
 * A topic exists while somebody has a seat. It keeps its last messages in a ring that all seats read, each at its own place: a seat costs a
 * few words, and one that does not read costs no more. Whose place the ring has passed is told so.
 *
 * A worker's seats of one topic share a hub, which publishing posts to once; it wakes those that wait in small groups, with
 * pauses in which the worker does other things.
 *
 * Ownership:      a seat is its task's until topic_leave. Messages are counted; the one who got it releases it.
 * Thread-safety:  topic_publish and topics_close: any thread. Seats: only the task that took them. Topics outlive the loops that used them.
 * Errors:         topic_join is NULL after topics_close. topic_next: LEAT_NOT_FOUND after topics_close, when all was read;
 *                 LEAT_UNAVAILABLE when messages were missed, which cannot be undone; LEAT_TIMED_OUT, LEAT_CANCELLED.
 */
#ifndef APP_TASK_TOPIC_H
#define APP_TASK_TOPIC_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdint.h>

struct topic_message;
struct topic_seat;
struct topics;

struct topics *topics_new(unsigned messages_max);

/* When nobody has a seat and no loop is left. */
void topics_free(struct topics *topics);

/* No more seats; those who wait are woken. */
void topics_close(struct topics *topics);

struct topic_seat *topic_join(struct topics *topics, leat_text name);
void topic_leave(struct topic_seat *seat);

enum leat_result topic_next(struct topic_seat *seat, int64_t deadline_ns,
			    struct topic_message **ret_message) LEAT_MUST_USE;

leat_text topic_message_bytes(const struct topic_message *message);
void topic_message_release(struct topic_message *message);

/* 'bytes' are copied. */
void topic_publish(struct topics *topics, leat_text name, leat_text bytes);

#endif
