/* settings_table.h - the one list of settings. See settings.h.
 *
 * A row: type, name, default, least, most, unit, help. From it come the INI file's keys, LEAT_<NAME>, --<name>,
 * --help, `leat config`, deploy's example file and the checks of them.
 *
 *   TEXT      any text                           SECRET    text that is masked wherever it is shown
 *   NUMBER    a whole number                     DURATION  250ms, 2s, 5m, 1h; kept in milliseconds
 *   SIZE      bytes: 4096, 64k, 1m, 1g           MODE      octal permissions: 0660
 *   FLAG      on or off                      CHOICE    one of the words in the column unit, a|b|c; kept as 0, 1, 2
 *
 * Least and most bound the value (for texts: the length). */
#ifndef APP_BASE_SETTINGS_TABLE_H
#define APP_BASE_SETTINGS_TABLE_H

#define SETTINGS_TABLE(X) \
	X(TEXT,     listen,            "unix:/run/leat/leat.sock", 1, 4000, "", \
	  "Where the front server connects: unix:/path, HOST:PORT, [IPv6]:PORT, several separated by commas; or inherit: descriptor 0 (spawn-fcgi, lighttpd) or systemd's sockets. Sockets that are inherited win over this setting.") \
	X(MODE,     listen_mode,       "0660", 0, 0777, "", "Permissions of Unix sockets that leat makes.") \
	X(NUMBER,   listen_backlog,    "1024", 1, 65535, "connections", "Connections the kernel keeps waiting before they are accepted (capped by net.core.somaxconn).") \
	X(TEXT,     admin_listen,      "unix:/run/leat/admin.sock", 0, 4000, "", "Where /metrics, /livez and /readyz answer, as FastCGI; empty: nowhere.") \
	X(NUMBER,   processes,         "1", 1, 64, "processes", "Worker processes; each is a crash domain of its own.") \
	X(NUMBER,   workers,           "0", 0, 256, "threads", "Worker threads a process; 0: one a processor.") \
	X(NUMBER,   connections_max,   "20000", 1, 1000000, "connections", "Front connections a process keeps open; more are closed at once.") \
	X(NUMBER,   requests_max,      "16384", 1, 1000000, "requests", "Requests a process works on at once; more get 503.") \
	X(SIZE,     stack_size,        "64k", 16384, 8388608, "bytes", "Stack of one request's task.") \
	X(SIZE,     arena_keep,        "64m", 0, 4294967296, "bytes", "Request memory a worker keeps for later requests.") \
	X(DURATION, request_deadline,  "10s", 1, 3600000, "", "Time for a request whose route sets none.") \
	X(DURATION, header_timeout,    "10s", 1, 3600000, "", "Time from the first byte of a request to the last of its parameters.") \
	X(DURATION, send_timeout,      "30s", 1, 3600000, "", "Time the front server may take to accept the next piece of a reply; then the connection is closed.") \
	X(DURATION, drain_timeout,     "1s", 1, 60000, "", "Time for reading what is left of a body that the handler did not read; then the connection is closed.") \
	X(SIZE,     drain_limit,       "256k", 0, 1073741824, "bytes", "Most bytes of an unread body read to keep a connection.") \
	X(DURATION, stream_idle,       "30s", 1, 3600000, "", "Time in which a reply that is streamed must go on: the handler's next write, or the front server's taking of the last one.") \
	X(DURATION, events_keep_alive, "10s", 1, 3600000, "", "Silence after which a stream of events gets a comment; less than stream_idle and the front server's patience.") \
	X(NUMBER,   events_queue,      "64", 1, 100000, "events", "Published events that a stream may be behind; then it is cut, and the browser connects again.") \
	X(CHOICE,   send_files,        "own", 0, 2, "own|accel|sendfile", "Who sends files: leat itself; nginx, by X-Accel-Redirect; lighttpd, by X-Sendfile.") \
	X(SIZE,     body_limit,        "1m", 0, 1073741824, "bytes", "Largest request body of a route that sets no limit.") \
	X(NUMBER,   form_parts_max,    "128", 1, 100000, "parts", "Most fields and files of a form; then 413.") \
	X(SIZE,     form_field_max,    "64k", 256, 1073741824, "bytes", "Largest value of a form's field, and largest header of a multipart part; then 413.") \
	X(SIZE,     form_spool_at,     "256k", 0, 1073741824, "bytes", "Bytes of a form's files kept in memory; what is more goes to disk.") \
	X(TEXT,     form_spool_dir,    "/var/tmp", 1, 4000, "", "Folder on whose disk files of forms lie while the request lasts; they have no names.") \
	X(NUMBER,   route_match_limit, "20000", 100, 10000000, "steps", "Most steps for matching a path with regular expressions and with parameters inside segments; then 400.") \
	X(FLAG,     redirect_slash,    "off", 0, 1, "", "A path that only lacks a slash at its end, or has one too many, is redirected (308) to the one that has a route.") \
	X(TEXT,     trusted_proxies,   "", 0, 4000, "", "Proxies in front of the front server that are believed who the client is: addresses, networks (10.0.0.0/8, 2001:db8::/32) and unix:, separated by commas; empty: none.") \
	X(CHOICE,   forwarded_header,  "x-forwarded-for", 0, 1, "x-forwarded-for|forwarded", "The header in which trusted_proxies tell of the client; the other one is not read.") \
	X(NUMBER,   forwarded_max,     "16", 1, 1000, "addresses", "Most addresses of that header that are read.") \
	X(SIZE,     params_size,       "64k", 1024, 16777216, "bytes", "Most bytes of FastCGI parameters (request headers) in a request.") \
	X(NUMBER,   params_count,      "256", 8, 65535, "parameters", "Most FastCGI parameters in a request.") \
	X(TEXT,     auth_folder,       "/etc/leat", 1, 4000, "", "Folder of the files of keys and passwords that a service names without a leading slash.") \
	X(SIZE,     auth_file_max,     "1m", 1024, 67108864, "bytes", "Largest file of keys or passwords.") \
	X(SIZE,     auth_token_max,    "8k", 64, 1048576, "bytes", "Longest token, API key, or user and password in a request; then 401.") \
	X(DURATION, idempotency_keep,  "24h", 60000, 2592000000, "", "How long an Idempotency-Key and the reply it had are kept.") \
	X(DURATION, idempotency_lease, "10s", 1, 3600000, "", "How long past the deadline of its request a key stays taken when the process that worked on it has died.") \
	X(SIZE,     idempotency_reply_max, "64k", 0, 67108864, "bytes", "Largest reply, headers and body, kept for an Idempotency-Key; of a larger one 409 tells that it was done.") \
	X(NUMBER,   rate_keys,         "65536", 64, 16777216, "keys", "Keys (addresses, callers) that rate limits remember at once, in all processes together; 16 bytes each. Several times as many as are busy at a time: where there is no room, one is forgotten too soon.") \
	X(FLAG,     coalesce,          "off", 0, 1, "", "Routes that leave it to this setting share one work, and its reply, among all who ask for the same at once.") \
	X(SIZE,     coalesce_keep,     "16m", 0, 4294967296, "bytes", "Most bytes of replies that a process keeps for routes that share them for a time; the one that was not asked for longest goes first.") \
	X(DURATION, grace,             "10s", 0, 3600000, "", "Time for requests in flight after TERM.") \
	X(DURATION, crash_grace,       "10s", 0, 3600000, "", "Time for the other requests of a process in which a handler crashed. 0: they end with it, at once.") \
	X(NUMBER,   offload_threads,   "4", 1, 256, "threads", "Threads a process for calls that block.") \
	X(NUMBER,   offload_queue,     "1024", 1, 1000000, "calls", "Calls that wait for an offload thread; more get 503.") \
	X(NUMBER,   after_threads,     "2", 1, 256, "threads", "Threads a process for work after replies (leat_after_reply); made when there is any.") \
	X(NUMBER,   after_queue,       "1024", 1, 1000000, "pieces", "Work after replies that waits in a process; for more a handler gets 503.") \
	X(DURATION, after_wait,        "60s", 1, 3600000, "", "Longest wait of work after a reply; then it is not done.") \
	X(SECRET,   database_url,      "", 0, 4000, "", "PostgreSQL: postgresql://user@host/name or key=value words; empty: no database.") \
	X(SECRET,   database_read_url, "", 0, 4000, "", "Standbys of that server, for single statements that are read_only; several hosts are tried in any order. Each worker has db_lanes connections to them, too. Empty: none.") \
	X(DURATION, db_read_lag_most,  "1s", 10, 3600000, "", "How old a standby's data may be; else reads go to the primary. While that is away, reads of what it had written go on.") \
	X(NUMBER,   db_lanes,          "2", 1, 64, "connections", "Pipelined connections a worker shares among its requests.") \
	X(NUMBER,   db_lane_depth,     "1024", 1, 100000, "statements", "Statements in flight on one lane; more get 503.") \
	X(DURATION, db_connect_timeout, "5s", 1, 600000, "", "Time for one attempt to connect.") \
	X(DURATION, db_retry_least,    "100ms", 1, 600000, "", "First pause after a failed attempt to connect; doubles, with jitter, up to db_retry_most.") \
	X(DURATION, db_retry_most,     "10s", 1, 600000, "", "Longest pause between attempts to connect.") \
	X(DURATION, db_cancel_grace,   "1s", 1, 600000, "", "How long a statement that was given up may hold its lane before it is cancelled.") \
	X(NUMBER,   db_connections_max, "0", 0, 100000, "connections", "Connections to PostgreSQL of all processes together: lanes, those to standbys, lent ones, and one a process to listen; each process has an even share. 0: what the other settings add up to.") \
	X(NUMBER,   db_lent_max,       "8", 1, 10000, "connections", "Connections a process lends at once, for transactions and slow statements.") \
	X(NUMBER,   db_lent_idle_max,  "4", 0, 10000, "connections", "Connections a process keeps for the next to borrow; more are closed when given back.") \
	X(NUMBER,   db_lent_idle_min,  "0", 0, 10000, "connections", "Connections a process holds ready to be lent.") \
	X(DURATION, db_lent_lifetime,  "30m", 1000, 604800000, "", "Age at which a connection that is lent is replaced, up to a tenth less, by chance; and one to a standby.") \
	X(DURATION, db_lent_idle_time, "5m", 1000, 604800000, "", "Time after which a connection that nobody borrows is closed.") \
	X(DURATION, db_lent_wait,      "2s", 1, 3600000, "", "Longest wait for a connection to borrow; then 503.") \
	X(NUMBER,   db_lent_queue,     "256", 1, 1000000, "requests", "Requests of a process that wait for a connection to borrow; more get 503.") \
	X(NUMBER,   db_notify_queue,   "256", 1, 1000000, "notifications", "Notifications that wait for a request that listens; more are dropped, and it is told.") \
	X(DURATION, db_notify_silence, "30s", 1, 3600000, "", "Silence after which the connection that listens is asked for a sign of life; it is lost when none comes within db_connect_timeout.") \
	X(CHOICE,   db_prepare,        "auto", 0, 2, "auto|named|unnamed", "Whether statements are prepared once a connection. unnamed: parsed each time, for PgBouncer in transaction mode; auto: named, until prepared ones keep disappearing.") \
	X(DURATION, db_slow,           "20ms", 1, 3600000, "", "A statement that often takes longer leaves the lanes for lent connections.") \
	X(NUMBER,   fetch_connections, "256", 1, 100000, "connections", "Connections of a worker to other HTTP servers, and its calls to them at once; more wait in line.") \
	X(NUMBER,   fetch_host_connections, "64", 1, 100000, "connections", "The same to one server.") \
	X(NUMBER,   fetch_queue,       "1024", 0, 1000000, "calls", "Calls to other servers of a worker that wait in line; more fail at once (503).") \
	X(NUMBER,   fetch_idle_max,    "64", 0, 100000, "connections", "Idle connections to other servers that a worker keeps.") \
	X(DURATION, fetch_idle_time,   "30s", 1000, 3600000, "", "Time after which an idle connection to another server is closed; less than those servers' own.") \
	X(DURATION, fetch_lifetime,    "5m", 1000, 604800000, "", "Age at which a connection to another server is not used again, up to a tenth less, by chance, so that a name's new addresses are found.") \
	X(DURATION, fetch_resolve_time, "30s", 0, 86400000, "", "How long the addresses of a server's name are kept.") \
	X(DURATION, fetch_connect_timeout, "3s", 1, 600000, "", "Time for connecting to another server, TLS included.") \
	X(SIZE,     fetch_body_max,    "8m", 0, 4294967296, "bytes", "Largest body of another server's reply, for calls that set no limit.") \
	X(SIZE,     fetch_head_max,    "64k", 1024, 262144, "bytes", "Largest head of another server's reply; each line counts 32 bytes more.") \
	X(TEXT,     fetch_allow,       "", 0, 4000, "", "Addresses that may be called though they are not public: networks, and the words loopback, private, link-local, metadata, multicast, reserved, separated by commas; empty: none.") \
	X(TEXT,     fetch_ca_file,     "", 0, 4000, "", "File of the certificates that other servers' ones are to be signed by; empty: the system's.") \
	X(TEXT,     migrations,        "", 0, 4000, "", "Folder of the SQL files for leat migrate.") \
	X(DURATION, migrate_wait,      "5m", 0, 3600000, "", "How long leat migrate waits for another one that is under way.") \
	X(TEXT,     access_log,        "", 0, 4000, "", "File for one JSON line a request; - is standard output; empty: none.") \
	X(CHOICE,   log_level,         "info", 0, 3, "error|warn|info|debug", "The least important lines still logged (enum log_level).") \
	X(FLAG,     log_json,          "off", 0, 1, "", "The service's log as JSON lines.")

#endif
