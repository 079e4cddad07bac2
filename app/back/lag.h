/* lag.h - how old the data of a standby are, proved by positions in the write-ahead log. Pure.
 *
 * Use:
 *     struct lag lag;
 *     lag_init(&lag, db_read_lag_most);
 *     lag_sampled(&lag, sent_ns, lsn);                  -- the primary was asked at sent_ns, and said lsn
 *
 *     struct lag_view view = { 0 };                     -- of one connection to a standby
 *     lag_replayed(&lag, &view, lsn, now_ns);           -- the standby has said by now_ns what it has replayed
 *     lag_confirm(&lag, &view);                         -- after each sample
 *     if (now_ns - view.as_of_ns <= limit_ns) ...
 *     if (view.has_all) ...as new as the primary was when it was last asked...
 *
 * What the primary had written when it was asked is at or before the position that it tells. A standby that has replayed that position
 * shows all of it, so its data are at least as new as the question: the time of the newest sample that it has passed. This needs no clock of
 * the servers, is right when nobody writes (the position then stays where it is, and each sample makes it newer), and when the stream to the
 * standby is cut (the position it has replayed stays behind). pg_last_xact_replay_timestamp() is wrong both times: on an idle primary its age
 * grows, and a standby that is cut off cannot be told from one whose primary is idle.
 *
 * A standby of this primary is never ahead of it. One that is follows another server, such as a former primary; positions of another log
 * prove nothing. So a position counts only once a sample that was taken after it has reached it.
 *
 * A commit with synchronous_commit = off is seen by others before it is written, up to three times wal_writer_delay: that much is not
 * counted.
 *
 * Ownership:      nothing to own.
 * Thread-safety:  one thread at a time per object.
 * Errors:         none.
 */
#ifndef APP_BACK_LAG_H
#define APP_BACK_LAG_H

#include <stdbool.h>
#include <stdint.h>

#define LAG_UNKNOWN 0 /* no time of a sample is that early */

enum { LAG_SAMPLES = 32 };

struct lag_sample {
	int64_t sent_ns;
	uint64_t lsn;
};

struct lag {
	int64_t spacing_ns; /* of samples that are kept: all together reach back for longer than the limit */
	unsigned count;     /* all there ever were; the newest is at (count - 1) % LAG_SAMPLES */
	struct lag_sample samples[LAG_SAMPLES];
};

struct lag_view {
	uint64_t lsn;          /* told last, and not confirmed; 0: none */
	int64_t told_ns;       /* by then */
	int64_t told_as_of_ns; /* what the samples made of it */
	int64_t as_of_ns;      /* the data are at least as new as that; LAG_UNKNOWN */
	bool has_all;          /* of the newest sample, by what was told last */
	bool is_ahead;         /* of the primary: not its standby */
};

/* What is older than 'most_ns' need not be told from what is older still. */
void lag_init(struct lag *lag, int64_t most_ns);

/* In the order of their times. */
void lag_sampled(struct lag *lag, int64_t sent_ns, uint64_t lsn);

void lag_replayed(const struct lag *lag, struct lag_view *view, uint64_t lsn, int64_t now_ns);
void lag_confirm(const struct lag *lag, struct lag_view *view);

/* When the newest sample was taken; LAG_UNKNOWN. */
int64_t lag_sampled_ns(const struct lag *lag);

#endif
