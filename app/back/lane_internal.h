/* lane_internal.h - what the files of a lane share; nobody else includes it.
 *
 * Use: lane.c has the life of a lane and its states; lane_send.c puts statements into libpq's buffer, lane_answer.c takes the
 * server's answers to them; lane_late.c gets past a statement that nobody waits for any more; lane_lent.c has what only
 * a lane does that is lent.
 *
 * Ownership:      see lane.h.
 * Thread-safety:  only the worker whose loop the lane is on.
 * Errors:         lane_lose ends the connection and all that was in flight on it; lane->connection is NULL afterwards.
 */
#ifndef APP_BACK_LANE_INTERNAL_H
#define APP_BACK_LANE_INTERNAL_H

#include "back/lane.h"

/* lane.c */
void lane_enter(struct lane *lane, enum lane_state state);
void lane_become_ready(struct lane *lane);
void lane_begin(struct lane *lane); /* it is connected: what has to be done before it takes work */
int64_t lane_now_ns(const struct lane *lane);
void lane_set_timer(struct lane *lane, int64_t ms);

/* Watches for 'events'; 0: not at all. False when the system refuses. */
bool lane_watch_for(struct lane *lane, uint32_t events);

struct query *lane_pop(struct lane *lane);
void lane_lose(struct lane *lane, const char *why);
void lane_lose_by_libpq(struct lane *lane);

/* lane_send.c */
void lane_put(struct lane *lane, struct query *query);
void lane_flush(struct lane *lane);
void lane_on_turn_end(struct loop_turn *turn);

/* The lane's own: nobody waits. False when the connection was lost over it. */
bool lane_put_own(struct lane *lane, enum query_work work, struct statement *statement,
		  const char *command) LEAT_MUST_USE;

/* The server does not know the name under which it was sent. Later queries may have prepared the statement already, under another
 * name. */
void lane_forget_name(struct lane *lane, const struct query *query);

/* It was sent with its Parse, and the server has not read that: the name is still free. */
void lane_forget_parse(struct lane *lane, const struct query *query);

/* lane_answer.c */
void lane_read_answers(struct lane *lane);

/* lane_late.c */
void lane_cancel_late(struct lane *lane);

#endif
