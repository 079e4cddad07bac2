/* output.c - replies of every kind: cookies, redirects, files, streams, events, and problems in another form. */
#include <leat.h>
#include <stdlib.h>

/* Cookies and redirects ------------------------------------------------------------------------------------------- */

static enum leat_result get_cookie(struct leat_request *req)
{
	leat_text name = leat_query(req, "name");
	struct leat_cookie cookie = { .value = leat_query(req, "value"), .max_age_s = 60 };

	cookie.name = leat_format(req, "%.*s", LEAT_TEXT_PRINTF(name)).ptr;
	LEAT_TRY(leat_set_cookie(req, &cookie));
	LEAT_TRY(leat_set_cookie(req, &(struct leat_cookie){ .name = "second", .value = LEAT_TEXT_OF("2") }));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("set\n"));
}

static enum leat_result get_redirect(struct leat_request *req)
{
	return leat_redirect(req, 303, leat_query(req, "to"));
}

static enum leat_result get_type(struct leat_request *req)
{
	leat_text type = leat_format(req, "%.*s", LEAT_TEXT_PRINTF(leat_query(req, "type")));

	return leat_reply_text(req, 200, type.ptr, LEAT_TEXT_OF("typed\n"));
}

static enum leat_result get_streamed_type(struct leat_request *req)
{
	leat_text type = leat_format(req, "%.*s", LEAT_TEXT_PRINTF(leat_query(req, "type")));

	LEAT_TRY(leat_stream_begin(req, 200, type.ptr));
	return leat_stream_write(req, LEAT_TEXT_OF("typed\n"));
}

static enum leat_result get_header(struct leat_request *req)
{
	LEAT_TRY(leat_reply_header(req, "X-Given", leat_query(req, "value")));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("given\n"));
}

/* Files -------------------------------------------------------------------------------------------------------------- */

/* The test makes the folder and names it. */
static enum leat_result get_file(struct leat_request *req)
{
	static struct leat_folder folder;

	folder = (struct leat_folder){ .path = getenv("SURFACE_FILES"), .internal = "/internal/files" };
	if (!folder.path)
		return LEAT_NOT_FOUND;
	return leat_reply_file(req, &folder, leat_path_text(req, "path"));
}

/* Streams ------------------------------------------------------------------------------------------------------------ */

/* As many bytes as are asked for, in pieces of 1000. */
static enum leat_result get_bytes(struct leat_request *req)
{
	static const char piece[1000] = { [0 ... 998] = 'x', [999] = '\n' };
	int64_t count;

	LEAT_TRY(leat_query_int(req, "count", 1000, 0, INT64_MAX, &count));
	LEAT_TRY(leat_stream_begin(req, 200, "application/octet-stream"));
	for (; count > 0; count -= (int64_t)sizeof(piece))
		LEAT_TRY(leat_stream_write(req, (leat_text){ piece, count < 1000 ? (size_t)count : sizeof(piece) }));
	return LEAT_OK;
}

/* A line, and then silence for as long as asked for. */
static enum leat_result get_silence(struct leat_request *req)
{
	int64_t ms;

	LEAT_TRY(leat_query_int(req, "ms", 0, 0, 3600000, &ms));
	LEAT_TRY(leat_stream_begin(req, 200, "text/plain"));
	LEAT_TRY(leat_stream_write(req, LEAT_TEXT_OF("first\n")));
	LEAT_TRY(leat_stream_flush(req));
	LEAT_TRY(leat_sleep(req, ms));
	return leat_stream_write(req, LEAT_TEXT_OF("last\n"));
}

static enum leat_result get_broken(struct leat_request *req)
{
	LEAT_TRY(leat_stream_begin(req, 200, "text/plain"));
	LEAT_TRY(leat_stream_write(req, LEAT_TEXT_OF("half of it\n")));
	LEAT_TRY(leat_stream_flush(req));
	return LEAT_CONFLICT;
}

static void stamp(struct leat_request *req, const void *options)
{
	(void)options;
	if (leat_reply_header(req, "X-Stamp",
			      leat_format(req, "%d%s", leat_reply_status(req),
					  leat_reply_body(req).ptr ? " body" : "")) != LEAT_OK)
		leat_log(req, "no stamp");
}

static void replace(struct leat_request *req, const void *options)
{
	(void)options;
	if (leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("replaced\n")) != LEAT_OK)
		leat_log(req, "not replaced");
}

static const struct leat_middleware stamped[] = { { .name = "stamp", .after = stamp }, LEAT_MIDDLEWARE_END };
static const struct leat_middleware replaced[] = { { .name = "replace", .after = replace }, LEAT_MIDDLEWARE_END };

/* Events --------------------------------------------------------------------------------------------------------------- */

/* One event for each so many milliseconds, as long as the client stays. */
static enum leat_result get_ticks(struct leat_request *req)
{
	int64_t ms;

	LEAT_TRY(leat_query_int(req, "ms", 1000, 1, 60000, &ms));
	LEAT_TRY(leat_events_begin(req));
	for (unsigned tick = 1;; tick++) {
		LEAT_TRY(leat_event_send(req, &(struct leat_event){ .name = LEAT_TEXT_OF("tick"),
								    .id = leat_format(req, "%u", tick),
								    .data = LEAT_TEXT_OF("one\ntwo") }));
		LEAT_TRY(leat_sleep(req, ms));
	}
}

static enum leat_result get_topic(struct leat_request *req)
{
	leat_text seen = leat_last_event_id(req);
	struct leat_seat *seat;

	LEAT_TRY(leat_topic_join(req, leat_path_text(req, "topic"), &seat));
	LEAT_TRY(leat_events_begin(req));
	LEAT_TRY(leat_event_send(req, &(struct leat_event){ .name = LEAT_TEXT_OF("welcome"),
							    .data = seen.ptr ? seen : LEAT_TEXT_OF("new"),
							    .retry_ms = 500 }));
	return leat_events_follow(req, seat);
}

static enum leat_result post_topic(struct leat_request *req)
{
	leat_text data;

	LEAT_TRY(leat_body_text(req, &data));
	LEAT_TRY(leat_topic_publish(req, leat_path_text(req, "topic"),
				    &(struct leat_event){ .id = leat_query(req, "id"), .data = data }));
	return leat_reply_empty(req, 204);
}

/* Problems ----------------------------------------------------------------------------------------------------------------- */

static enum leat_result as_text(struct leat_request *req, const struct leat_problem *problem)
{
	leat_text first = problem->fault_count > 0 ? problem->faults[0].parameter : LEAT_TEXT_OF("");

	return leat_reply_text(req, problem->status, "text/plain",
			       leat_format(req, "%s: %.*s", problem->title, LEAT_TEXT_PRINTF(first)));
}

static enum leat_result fails(struct leat_request *req, const struct leat_problem *problem)
{
	LEAT_TRY(leat_reply_text(req, problem->status, "text/plain", LEAT_TEXT_OF("unfinished")));
	LEAT_TRY(leat_reply_cache(req, &(struct leat_cache){ .max_age_s = 60 }));
	return LEAT_INTERNAL;
}

static enum leat_result get_number(struct leat_request *req)
{
	int64_t number;

	LEAT_TRY(leat_query_int(req, "number", 0, 1, 9, &number));
	return leat_reply_text(req, 200, "text/plain", leat_format(req, "%d", (int)number));
}

static enum leat_result get_busy(struct leat_request *req)
{
	(void)req;
	return LEAT_UNAVAILABLE;
}

static const struct leat_problems texts = { as_text }, failing = { fails };
static const struct leat_middleware in_text[] = { LEAT_PROBLEMS(&texts), LEAT_MIDDLEWARE_END };
static const struct leat_cache not_kept = { .no_store = true };
static const struct leat_middleware in_vain[] = { LEAT_PROBLEMS(&failing), LEAT_CACHE(&not_kept), LEAT_MIDDLEWARE_END };

static const struct leat_route numbers[] = { { LEAT_GET, "/number", get_number, .summary = "Takes 1 to 9" },
					     { LEAT_GET, "/busy", get_busy, .summary = "Has no time" },
					     { LEAT_GET, "/vain", get_busy, .middleware = in_vain },
					     LEAT_ROUTES_END };

const struct leat_route output_routes[] = {
	{ LEAT_GET, "/output/cookie", get_cookie, .summary = "Two cookies" },
	{ LEAT_GET, "/output/redirect", get_redirect, .summary = "303" },
	{ LEAT_GET, "/output/header", get_header, .summary = "A header of the client's wish" },
	{ LEAT_GET, "/output/type", get_type, .summary = "A content type of the client's wish" },
	{ LEAT_GET, "/output/streamed-type", get_streamed_type, .summary = "The same, streamed" },
	{ LEAT_GET, "/output/files/{path...}", get_file, .summary = "A file" },
	{ LEAT_GET, "/output/bytes", get_bytes, .summary = "Many bytes", .middleware = stamped },
	{ LEAT_GET, "/output/replaced", get_bytes, .middleware = replaced },
	{ LEAT_GET, "/output/silence", get_silence, .summary = "A line, and silence" },
	{ LEAT_GET, "/output/bounded", get_silence, .deadline_ms = 300 },
	{ LEAT_GET, "/output/broken", get_broken, .summary = "Fails in the middle" },
	{ LEAT_GET, "/output/ticks", get_ticks, .summary = "Events, one by one" },
	{ LEAT_GET, "/output/topics/{topic}", get_topic, .summary = "Events of a topic" },
	{ LEAT_POST, "/output/topics/{topic}", post_topic, .summary = "An event for all" },
	LEAT_MOUNT("/output/problems", numbers),
	LEAT_MOUNT("/output/texts", numbers, .middleware = in_text),
	LEAT_ROUTES_END
};
