/* replica.h - reads from standbys: a worker's lanes to the servers of database_read_url, and how old their data are.
 *
 * Use:
 *     struct replica *replica = replica_new(&host, &db->primary);   -- NULL: database_read_url is empty
 *     if (replica && statement->is->read_only && !statement->is_for_primary)
 *         lane_set_submit(replica_lanes(replica), query);
 *     ...
 *     replica_stop(replica);                                        -- no request will ask any more
 *     replica_free(replica);                                        -- after the last turn of the loop, and the primary's lanes are closed
 *
 * A read goes to a lane whose standby's data are no older than db_read_lag_most, or else to the primary's lanes; there it also goes when the
 * standby is lost, or answers it with an error (a conflict with what it replays, a table it has not heard of yet): a standby costs no
 * request. A statement that turns out to write (25006) is the primary's from then on.
 *
 * Several times within db_read_lag_most the primary and each standby are asked for their positions in the log, on the lanes themselves, so that
 * each connection is judged by itself, whichever standby it leads to; lag.h has the argument. Each worker asks for itself: workers share
 * nothing, and a position costs a server some microseconds.
 *
 * While no lane of the primary is ready, how old a standby's data are cannot be proved any more, and there is nobody else to ask. Then reads go on
 * where everything is that the primary had written when it was last asked. That is all there is when it has failed, and old when only we cannot
 * reach it and others still write; a statement that must not risk that says '.current'.
 *
 * A connection is left, for another that may lead to a better standby, when its server is none any more, when it stays behind, and at the age of
 * db_lent_lifetime, so that those who read spread out again after a standby was away.
 *
 * Ownership:      the worker's. What 'host' names and the primary's lanes outlive it, but see replica_free.
 * Thread-safety:  only the worker whose loop it is on.
 * Errors:         none: what cannot be read here is the primary's.
 */
#ifndef APP_BACK_REPLICA_H
#define APP_BACK_REPLICA_H

#include <stdbool.h>

struct lane_host;
struct lane_set;
struct replica;

/* Of 'host' all but the functions, as for the primary's. */
struct replica *replica_new(const struct lane_host *host, struct lane_set *primary);
void replica_stop(struct replica *replica);
void replica_free(struct replica *replica);

struct lane_set *replica_lanes(struct replica *replica) __attribute__((returns_nonnull));

/* A statement that takes long can have a lane for itself, and leaves another one to the others. While it runs there, nobody stands behind it. */
bool replica_has_room_apart(struct replica *replica);

#endif
