/* metrics_table.h - the one list of counters: id, type, Prometheus name, labels, help. See metrics.h.
 * Rows of one name stand together; the first one's help is printed. */
#ifndef APP_BASE_METRICS_TABLE_H
#define APP_BASE_METRICS_TABLE_H

#define METRICS_TABLE(X) \
	X(REQUESTS_2XX,      COUNTER, "leat_requests_total", "code=\"2xx\"", "Requests answered, by class of status.") \
	X(REQUESTS_3XX,      COUNTER, "leat_requests_total", "code=\"3xx\"", "") \
	X(REQUESTS_4XX,      COUNTER, "leat_requests_total", "code=\"4xx\"", "") \
	X(REQUESTS_5XX,      COUNTER, "leat_requests_total", "code=\"5xx\"", "") \
	X(REQUESTS_TIMED_OUT, COUNTER, "leat_requests_timed_out_total", "", "Requests that reached their deadline (504).") \
	X(REQUESTS_ABORTED,  COUNTER, "leat_requests_aborted_total", "", "Requests whose client left before the answer (499 in the log).") \
	X(REQUESTS_ACTIVE,   GAUGE,   "leat_requests_active", "", "Requests being worked on now.") \
	X(STREAMS_OPEN,      GAUGE,   "leat_streams_open", "", "Replies being streamed now.") \
	X(STREAMS_IDLE,      COUNTER, "leat_streams_cut_total", "reason=\"stream_idle\"", "Streams that ended before their end, by reason; those whose client left are not among them.") \
	X(STREAMS_BEHIND,    COUNTER, "leat_streams_cut_total", "reason=\"events_queue\"", "") \
	X(STREAMS_FAILED,    COUNTER, "leat_streams_cut_total", "reason=\"error\"", "") \
	X(EVENTS_PUBLISHED,  COUNTER, "leat_events_published_total", "", "Events published to topics.") \
	X(CONNECTIONS_OPEN,  GAUGE,   "leat_connections_open", "", "Connections of front servers, idle ones included.") \
	X(CONNECTIONS_ACCEPTED, COUNTER, "leat_connections_accepted_total", "", "Connections accepted.") \
	X(CONNECTIONS_REFUSED, COUNTER, "leat_connections_refused_total", "", "Connections closed at once: setting connections_max.") \
	X(ACCEPT_PAUSES,     COUNTER, "leat_accept_pauses_total", "", "Times accepting paused because descriptors or memory ran out.") \
	X(GATE_PROTOCOL,     COUNTER, "leat_gate_refusals_total", "reason=\"protocol\"", "Connections closed for what they sent.") \
	X(GATE_PARAMS_SIZE,  COUNTER, "leat_gate_refusals_total", "reason=\"params_size\"", "") \
	X(GATE_PARAMS_COUNT, COUNTER, "leat_gate_refusals_total", "reason=\"params_count\"", "") \
	X(GATE_PARAM_BYTES,  COUNTER, "leat_gate_refusals_total", "reason=\"param_bytes\"", "") \
	X(GATE_TIMEOUT,      COUNTER, "leat_gate_refusals_total", "reason=\"header_timeout\"", "") \
	X(GATE_ROLE,         COUNTER, "leat_gate_refusals_total", "reason=\"role\"", "") \
	X(BODY_TOO_LARGE,    COUNTER, "leat_bodies_too_large_total", "", "Request bodies over body_limit (413).") \
	X(FORM_PARTS,        COUNTER, "leat_form_refusals_total", "reason=\"form_parts_max\"", "Forms refused (413), by the setting that refused them.") \
	X(FORM_FIELD,        COUNTER, "leat_form_refusals_total", "reason=\"form_field_max\"", "") \
	X(FORM_SPOOLED,      COUNTER, "leat_form_files_spooled_total", "", "Files of forms put on disk: setting form_spool_at.") \
	X(FORM_SPOOL_FAILURES, COUNTER, "leat_form_spool_failures_total", "", "Files of forms that could not be written to or read from disk, or saved.") \
	X(BODY_DRAINED,      COUNTER, "leat_bodies_drained_total", "", "Unread request bodies read and thrown away to keep a connection.") \
	X(BODY_CLOSED,       COUNTER, "leat_bodies_closed_total", "", "Connections closed because an unread body was over the drain limit.") \
	X(CORS_REFUSED,      COUNTER, "leat_cors_refused_total", "", "Preflights of an origin or for a method that no policy allows.") \
	X(FORWARDED_MALFORMED, COUNTER, "leat_forwarded_stops_total", "reason=\"malformed\"", "Requests of trusted proxies whose X-Forwarded-For or Forwarded was not read to the client.") \
	X(FORWARDED_LINES,   COUNTER, "leat_forwarded_stops_total", "reason=\"several_lines\"", "") \
	X(FORWARDED_MAX,     COUNTER, "leat_forwarded_stops_total", "reason=\"forwarded_max\"", "") \
	X(TASKS_REFUSED,     COUNTER, "leat_tasks_refused_total", "", "Requests refused with 503: setting requests_max.") \
	X(ROUTE_LIMIT,       COUNTER, "leat_route_limit_total", "", "Requests refused with 400: setting route_match_limit.") \
	X(AUTH_MISSING,      COUNTER, "leat_auth_refused_total", "reason=\"missing\"", "Requests that authentication refused: without credentials, with bad or too long ones (setting auth_token_max), or of a caller who may not.") \
	X(AUTH_INVALID,      COUNTER, "leat_auth_refused_total", "reason=\"invalid\"", "") \
	X(AUTH_TOKEN_SIZE,   COUNTER, "leat_auth_refused_total", "reason=\"auth_token_max\"", "") \
	X(AUTH_FORBIDDEN,    COUNTER, "leat_auth_refused_total", "reason=\"forbidden\"", "") \
	X(AUTH_FILE_READS,   COUNTER, "leat_auth_file_changes_total", "result=\"read\"", "Files of keys and passwords that changed while the process ran.") \
	X(AUTH_FILE_FAULTS,  COUNTER, "leat_auth_file_changes_total", "result=\"fault\"", "") \
	X(RATE_PASSED,       COUNTER, "leat_rate_total", "outcome=\"passed\"", "Requests and calls that met a rate limit, by outcome: passed at once, told to wait, refused.") \
	X(RATE_DELAYED,      COUNTER, "leat_rate_total", "outcome=\"delayed\"", "") \
	X(RATE_REFUSED,      COUNTER, "leat_rate_total", "outcome=\"refused\"", "") \
	X(RATE_FORGOTTEN,    COUNTER, "leat_rate_forgotten_total", "", "Keys whose rate limit was forgotten before its time, so that they had a burst more: setting rate_keys.") \
	X(IDEMPOTENCY_STORED, COUNTER, "leat_idempotency_total", "outcome=\"stored\"", "Requests with an Idempotency-Key, by outcome: the reply was stored, or replayed; 409 while another one ran; 422 for another request; the key was free again, since nothing was done; the reply was not stored though it should have been.") \
	X(IDEMPOTENCY_REPLAYED, COUNTER, "leat_idempotency_total", "outcome=\"replayed\"", "") \
	X(IDEMPOTENCY_CONFLICT, COUNTER, "leat_idempotency_total", "outcome=\"conflict\"", "") \
	X(IDEMPOTENCY_MISMATCH, COUNTER, "leat_idempotency_total", "outcome=\"mismatch\"", "") \
	X(IDEMPOTENCY_RELEASED, COUNTER, "leat_idempotency_total", "outcome=\"released\"", "") \
	X(IDEMPOTENCY_LOST,  COUNTER, "leat_idempotency_total", "outcome=\"lost\"", "") \
	X(IDEMPOTENCY_TOO_LARGE, COUNTER, "leat_idempotency_too_large_total", "", "Replies not kept for an Idempotency-Key: setting idempotency_reply_max.") \
	X(IDEMPOTENCY_LEFT,  COUNTER, "leat_idempotency_left_total", "", "Keys taken over from a request that never ended.") \
	X(IDEMPOTENCY_PURGED, COUNTER, "leat_idempotency_purged_total", "", "Expired keys removed.") \
	X(COALESCE_STARTED,  COUNTER, "leat_coalesce_total", "outcome=\"started\"", "Asks for work that may be shared: it was started for them, or under way and joined; and those who did their own work in the end, since the reply was for one client alone.") \
	X(COALESCE_JOINED,   COUNTER, "leat_coalesce_total", "outcome=\"joined\"", "") \
	X(COALESCE_UNSHARED, COUNTER, "leat_coalesce_total", "outcome=\"unshared\"", "") \
	X(COALESCE_ABANDONED, COUNTER, "leat_coalesce_given_up_total", "reason=\"nobody_waits\"", "Shared work that was cancelled because everybody had left, and such that nobody could join any more because it took longer than the first one would wait.") \
	X(COALESCE_OUTLIVED, COUNTER, "leat_coalesce_given_up_total", "reason=\"deadline\"", "") \
	X(KEPT_FRESH,        COUNTER, "leat_kept_replies_used_total", "state=\"fresh\"", "Requests answered with a kept reply: a fresh one, a stale one while another was asked for, a stale one after a failure.") \
	X(KEPT_STALE,        COUNTER, "leat_kept_replies_used_total", "state=\"stale\"", "") \
	X(KEPT_ERROR,        COUNTER, "leat_kept_replies_used_total", "state=\"error\"", "") \
	X(KEPT_COUNT,        GAUGE,   "leat_kept_replies", "", "Replies kept now.") \
	X(KEPT_BYTES,        GAUGE,   "leat_kept_replies_bytes", "", "Their memory: setting coalesce_keep.") \
	X(KEPT_EVICTED,      COUNTER, "leat_kept_replies_dropped_total", "reason=\"coalesce_keep\"", "Kept replies dropped for others, and replies not kept because one was larger than all may be (setting coalesce_keep).") \
	X(KEPT_TOO_LARGE,    COUNTER, "leat_kept_replies_dropped_total", "reason=\"too_large\"", "") \
	X(DRAIN_REFUSED,     COUNTER, "leat_drain_refused_total", "", "Requests refused with 503 because the process was stopping.") \
	X(LOG_LOST,          COUNTER, "leat_log_lines_lost_total", "log=\"service\"", "Log lines that could not be written.") \
	X(ACCESS_LOG_LOST,   COUNTER, "leat_log_lines_lost_total", "log=\"access\"", "") \
	X(OFFLOAD_REFUSED,   COUNTER, "leat_offload_refused_total", "", "Calls refused because offload_queue was full.") \
	X(AFTER_DONE,        COUNTER, "leat_after_reply_total", "outcome=\"done\"", "Work after replies: done; not done, since it waited longer than after_wait, or its request failed; refused by after_queue.") \
	X(AFTER_EXPIRED,     COUNTER, "leat_after_reply_total", "outcome=\"after_wait\"", "") \
	X(AFTER_DROPPED,     COUNTER, "leat_after_reply_total", "outcome=\"failed\"", "") \
	X(AFTER_REFUSED,     COUNTER, "leat_after_reply_total", "outcome=\"after_queue\"", "") \
	X(AFTER_WAITING,     GAUGE,   "leat_after_reply_waiting", "", "Work after replies that waits now, or whose reply has not left.") \
	X(SEMAPHORE_TAKEN,   GAUGE,   "leat_semaphore_places_taken", "", "Places of semaphores that are taken now.") \
	X(SEMAPHORE_WAITING, GAUGE,   "leat_semaphore_waiting", "", "Requests that wait for places of semaphores now.") \
	X(DB_QUERIES,        COUNTER, "leat_db_queries_total", "", "Statements sent.") \
	X(DB_ERRORS,         COUNTER, "leat_db_errors_total", "", "Statements that PostgreSQL answered with an error.") \
	X(DB_TIMEOUTS,       COUNTER, "leat_db_timeouts_total", "", "Statements given up at the request's deadline.") \
	X(DB_UNAVAILABLE,    COUNTER, "leat_db_unavailable_total", "", "Statements refused because no lane was connected or all were full.") \
	X(DB_STALE,          COUNTER, "leat_db_stale_statements_total", "", "Executions for which a statement had to be prepared again.") \
	X(DB_SKIPPED,        COUNTER, "leat_db_skipped_total", "", "Statements sent again because one before them in their batch failed.") \
	X(DB_RETRIES,        COUNTER, "leat_db_retries_total", "", "Statements sent again on another connection.") \
	X(DB_CONNECTS,       COUNTER, "leat_db_connects_total", "", "Connections to PostgreSQL made.") \
	X(DB_CONNECT_FAILURES, COUNTER, "leat_db_connect_failures_total", "", "Attempts to connect that failed.") \
	X(DB_CONNECTIONS,    GAUGE,   "leat_db_connections", "", "Connections to PostgreSQL open now.") \
	X(DB_LENT_OPEN,      GAUGE,   "leat_db_lent_open_connections", "", "Connections for lending: idle, lent, or being made.") \
	X(DB_LENT_IDLE,      GAUGE,   "leat_db_lent_idle_connections", "", "Connections that wait to be lent.") \
	X(DB_LENT_REFUSED,   COUNTER, "leat_db_lent_refused_total", "reason=\"db_lent_queue\"", "Requests that got no connection to borrow, by the setting that refused them.") \
	X(DB_LENT_LATE,      COUNTER, "leat_db_lent_refused_total", "reason=\"db_lent_wait\"", "") \
	X(DB_LENT_IDLE_CLOSED, COUNTER, "leat_db_lent_closed_total", "reason=\"max_idle\"", "Connections for lending that were closed, by reason.") \
	X(DB_LENT_IDLE_TIME_CLOSED, COUNTER, "leat_db_lent_closed_total", "reason=\"max_idle_time\"", "") \
	X(DB_LENT_LIFETIME_CLOSED, COUNTER, "leat_db_lent_closed_total", "reason=\"max_lifetime\"", "") \
	X(DB_LENT_BAD_CLOSED, COUNTER, "leat_db_lent_closed_total", "reason=\"bad\"", "") \
	X(DB_LENT_STOP_CLOSED, COUNTER, "leat_db_lent_closed_total", "reason=\"stop\"", "") \
	X(DB_NOTIFICATIONS,  COUNTER, "leat_db_notifications_total", "", "Notifications received from PostgreSQL.") \
	X(DB_NOTIFICATIONS_LOST, COUNTER, "leat_db_notifications_lost_total", "", "Notifications dropped for a request that did not fetch them: setting db_notify_queue.") \
	X(DB_LISTENERS_LOST, COUNTER, "leat_db_listeners_lost_total", "", "Connections that listened for notifications and were lost.") \
	X(DB_TX,             COUNTER, "leat_db_transactions_total", "end=\"commit\"", "Transactions, by their end.") \
	X(DB_TX_ROLLED_BACK, COUNTER, "leat_db_transactions_total", "end=\"rollback\"", "") \
	X(DB_TX_RETRIES,     COUNTER, "leat_db_transaction_retries_total", "", "Transactions run again after a serialization failure or a deadlock.") \
	X(DB_SLOW,           COUNTER, "leat_db_slow_statements_total", "", "Statements run on a lent connection because they are known to be slow.") \
	X(DB_ROWS_STREAMED,  COUNTER, "leat_db_streamed_rows_total", "", "Rows read one by one from a stream, or thrown away at its end.") \
	X(DB_READS,          COUNTER, "leat_db_reads_total", "", "Statements sent to a standby.") \
	X(DB_READ_LATE,      COUNTER, "leat_db_read_fallbacks_total", "reason=\"lag\"", "Reads that no standby answered, so that the primary was asked: its data may be older than db_read_lag_most; none is connected, or the connection was lost; lanes are full (db_lane_depth), or taken by slow statements; it answered with an error.") \
	X(DB_READ_DOWN,      COUNTER, "leat_db_read_fallbacks_total", "reason=\"down\"", "") \
	X(DB_READ_BUSY,      COUNTER, "leat_db_read_fallbacks_total", "reason=\"busy\"", "") \
	X(DB_READ_REFUSED,   COUNTER, "leat_db_read_fallbacks_total", "reason=\"error\"", "") \
	X(DB_READ_LAG,       HIGHEST, "leat_db_read_lag_milliseconds", "", "How old the data of any standby that is connected are at most, as far as it is proved.") \
	X(DB_READ_CONNECTS,  COUNTER, "leat_db_read_connects_total", "", "Connections made to standbys; leat_db_connects_total has them, too.") \
	X(DB_READ_CONNECTIONS, GAUGE, "leat_db_read_connections", "", "Connections to standbys open now; leat_db_connections has them, too.") \
	X(DB_IN_FLIGHT,      GAUGE,   "leat_db_in_flight", "", "Statements sent and not answered yet.") \
	X(FETCH_NONE,          COUNTER, "leat_fetch_calls_total", "end=\"ok\"", "Calls to other HTTP servers, by end: a reply of any status (ok), or what went wrong, if it is a limit by its setting.") \
	X(FETCH_URL,           COUNTER, "leat_fetch_calls_total", "end=\"url\"", "") \
	X(FETCH_REQUEST,       COUNTER, "leat_fetch_calls_total", "end=\"request\"", "") \
	X(FETCH_RESOLVE,       COUNTER, "leat_fetch_calls_total", "end=\"resolve\"", "") \
	X(FETCH_ADDRESS,       COUNTER, "leat_fetch_calls_total", "end=\"fetch_allow\"", "") \
	X(FETCH_QUEUE,         COUNTER, "leat_fetch_calls_total", "end=\"fetch_queue\"", "") \
	X(FETCH_CONNECT,       COUNTER, "leat_fetch_calls_total", "end=\"connect\"", "") \
	X(FETCH_CONNECT_TIMEOUT, COUNTER, "leat_fetch_calls_total", "end=\"fetch_connect_timeout\"", "") \
	X(FETCH_TLS,           COUNTER, "leat_fetch_calls_total", "end=\"tls\"", "") \
	X(FETCH_DEADLINE,      COUNTER, "leat_fetch_calls_total", "end=\"deadline\"", "") \
	X(FETCH_CANCELLED,     COUNTER, "leat_fetch_calls_total", "end=\"cancelled\"", "") \
	X(FETCH_CUT,           COUNTER, "leat_fetch_calls_total", "end=\"cut\"", "") \
	X(FETCH_LENGTH,        COUNTER, "leat_fetch_calls_total", "end=\"length\"", "") \
	X(FETCH_TOO_LARGE,     COUNTER, "leat_fetch_calls_total", "end=\"fetch_body_max\"", "") \
	X(FETCH_HEADERS,       COUNTER, "leat_fetch_calls_total", "end=\"fetch_head_max\"", "") \
	X(FETCH_REDIRECT,      COUNTER, "leat_fetch_calls_total", "end=\"redirect\"", "") \
	X(FETCH_PROTOCOL,      COUNTER, "leat_fetch_calls_total", "end=\"protocol\"", "") \
	X(FETCH_ACTIVE,      GAUGE,   "leat_fetch_active", "", "Calls to other HTTP servers under way, without those in line.") \
	X(FETCH_OPEN,        GAUGE,   "leat_fetch_connections", "", "Connections to other HTTP servers, idle ones included.") \
	X(FETCH_IDLE,        GAUGE,   "leat_fetch_idle_connections", "", "Connections to other HTTP servers that wait for a call.") \
	X(FETCH_CONNECTS,    COUNTER, "leat_fetch_connects_total", "", "Attempts to connect to other HTTP servers.") \
	X(FETCH_LOOKUPS,     COUNTER, "leat_fetch_lookups_total", "", "Names of other HTTP servers looked up.") \
	X(FETCH_RETRIES,     COUNTER, "leat_fetch_retries_total", "", "Calls to other HTTP servers that were tried again.") \
	X(FETCH_HEDGES,      COUNTER, "leat_fetch_hedges_total", "", "Calls to other HTTP servers sent a second time, because no reply had come.") \
	X(FETCH_CLOSED_IDLE_MAX, COUNTER, "leat_fetch_closed_total", "reason=\"fetch_idle_max\"", "Idle connections to other HTTP servers that a setting has closed.") \
	X(FETCH_CLOSED_IDLE_TIME, COUNTER, "leat_fetch_closed_total", "reason=\"fetch_idle_time\"", "") \
	X(FETCH_CLOSED_LIFETIME, COUNTER, "leat_fetch_closed_total", "reason=\"fetch_lifetime\"", "") \
	X(WORKER_STARTS,     COUNTER, "leat_worker_starts_total", "", "Worker processes started.") \
	X(WORKER_CRASHES,    COUNTER, "leat_worker_crashes_total", "", "Worker processes that ended on their own.") \
	X(CRASHES_CONTAINED, COUNTER, "leat_crashes_total", "end=\"contained\"", "Crashes of handlers that cost their own request alone, and of those that ended the process at once.") \
	X(CRASHES_FATAL,     COUNTER, "leat_crashes_total", "end=\"fatal\"", "")

/* Of times: id, Prometheus name, help. */
#define METRICS_HISTOGRAMS(X) \
	X(REQUESTS, "leat_request_duration_seconds", "Time from the first byte of a request to the end of its answer.") \
	X(DB_WAITS, "leat_db_lent_wait_duration_seconds", "Time that requests waited for a connection to borrow.") \
	X(SEMAPHORE_WAITS, "leat_semaphore_wait_duration_seconds", "Time that requests waited for places of semaphores, in vain, too.") \
	X(FETCHES, "leat_fetch_duration_seconds", "Time of calls to other HTTP servers, waiting in line included.") \
	X(FETCH_WAITS, "leat_fetch_wait_duration_seconds", "Time that calls to other HTTP servers waited in line.")

#endif
