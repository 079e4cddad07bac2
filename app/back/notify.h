/* notify.h - LISTEN and NOTIFY: one connection of a process listens for all its requests. The public half is leat/db.h.
 *
 * Use:
 *     struct notify *notify = notify_new(&settings);   -- costs nothing until somebody listens
 *     ...
 *     notify_stop(notify, deadline_ns);                -- after the workers have ended
 *     notify_free(notify);
 *
 * A thread of its own, made when the first request listens, holds the connection while any channel has subscribers. What arrives is copied to each
 * subscriber's queue, db_notify_queue long, and wakes its task. When the connection is lost, and when a queue is full, notifications are missed:
 * each subscriber is told, and listens on. After a loss it is told once more when the connection listens again, for what was said in
 * between. A loss without a sign of it (a network that drops everything) is noticed after db_notify_silence and db_connect_timeout at most.
 *
 * Ownership:      subscriptions are the request's; they end with its arena. The connection counts for db_connections_max.
 * Thread-safety:  any thread; subscriptions are their task's.
 * Errors:         those of leat_db_listen and leat_db_notified.
 */
#ifndef APP_BACK_NOTIFY_H
#define APP_BACK_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify;
struct settings;

struct notify *notify_new(const struct settings *settings) __attribute__((returns_nonnull));

/* False when the thread has not ended by then. */
bool notify_stop(struct notify *notify, int64_t deadline_ns) __attribute__((warn_unused_result));

/* No subscription may be left, and the loops of those that there were are freed: what was posted to them has run. */
void notify_free(struct notify *notify);

#endif
