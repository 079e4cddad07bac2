/* guard.c - circuit breakers, semaphores, and work after replies. What a call answers stands in the query. */
#include <fcntl.h>
#include <leat.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

LEAT_BREAKER(bank, .failures = 3, .open_ms = 1500);
LEAT_BREAKER(early, .failures = 1, .open_ms = 3600000);
LEAT_BREAKER(fragile, .failures = 1, .open_ms = 3600000);
LEAT_BREAKER(group, .failure_percent = 50, .calls_least = 2, .open_ms = 3600000);

static enum leat_result work(struct leat_request *req)
{
	leat_text answer = leat_query(req, "answer");
	int64_t after_ms;

	LEAT_TRY(leat_query_int(req, "after", 0, 0, 10000, &after_ms));
	LEAT_TRY(leat_sleep(req, after_ms));
	if (leat_text_equal(answer, LEAT_TEXT_OF("fail")))
		return leat_fail(req, LEAT_UNAVAILABLE, "The bank is away.");
	if (leat_text_equal(answer, LEAT_TEXT_OF("missing")))
		return LEAT_NOT_FOUND;
	return LEAT_OK;
}

static enum leat_result guarded(struct leat_request *req)
{
	LEAT_TRY(leat_breaker_enter(req, &bank));
	LEAT_TRY(leat_breaker_leave(req, &bank, work(req)));
	return leat_reply_empty(req, 204);
}

/* A way out that does not leave. */
static enum leat_result forgetful(struct leat_request *req)
{
	LEAT_TRY(leat_breaker_enter(req, &early));
	LEAT_TRY(work(req));
	return leat_reply_empty(req, 204);
}

static enum leat_result crashing(struct leat_request *req)
{
	LEAT_TRY(leat_breaker_enter(req, &fragile));
	__builtin_trap();
}

static enum leat_result plain(struct leat_request *req)
{
	LEAT_TRY(work(req));
	return leat_reply_empty(req, 204);
}

LEAT_SEMAPHORE(desk, .places = 2, .queue = 1);

static enum leat_result at_desk(struct leat_request *req)
{
	int64_t places;

	LEAT_TRY(leat_query_int(req, "places", 1, 0, 10, &places));
	LEAT_TRY(leat_semaphore_take(req, &desk, (unsigned)places));
	if (leat_text_equal(leat_query(req, "answer"), LEAT_TEXT_OF("crash")))
		__builtin_trap();
	LEAT_TRY(work(req));
	leat_semaphore_give(req, &desk);
	return leat_reply_empty(req, 204);
}

struct note {
	char path[256];
	int64_t after_ms;
	bool crashes;
};

/* Its path is a file that is made. */
static void leave_note(void *arg)
{
	const struct note *note = arg;

	usleep((useconds_t)note->after_ms * 1000);
	if (note->crashes)
		__builtin_trap();
	close(open(note->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static enum leat_result reply_first(struct leat_request *req)
{
	leat_text path = leat_query(req, "path");
	struct note note = { .crashes = leat_text_equal(leat_query(req, "answer"), LEAT_TEXT_OF("crash")) };

	snprintf(note.path, sizeof(note.path), "%.*s", LEAT_TEXT_PRINTF(path));
	LEAT_TRY(leat_query_int(req, "then", 0, 0, 10000, &note.after_ms));
	LEAT_TRY(leat_after_reply(req, leave_note, &note, sizeof(note)));
	LEAT_TRY(work(req));
	return leat_reply_empty(req, 204);
}

static const struct leat_middleware queued[] = { LEAT_SEMAPHORE_AROUND(&desk), LEAT_MIDDLEWARE_END };
static const struct leat_middleware around[] = { LEAT_BREAKER_AROUND(&group), LEAT_MIDDLEWARE_END };

extern const struct leat_route guard_routes[];
const struct leat_route guard_routes[] = {
	{ LEAT_GET, "/guard/breaker", guarded, .summary = "A call to the bank" },
	{ LEAT_GET, "/guard/breaker/forgetful", forgetful, .summary = "A way out that does not leave" },
	{ LEAT_GET, "/guard/breaker/crashing", crashing, .summary = "Crashes within" },
	{ LEAT_GET, "/guard/breaker/group", plain, .middleware = around },
	{ LEAT_GET, "/guard/semaphore", at_desk, .summary = "Takes places" },
	{ LEAT_GET, "/guard/semaphore/group", plain, .middleware = queued },
	{ LEAT_GET, "/guard/after", reply_first, .summary = "Makes a file when it has replied" },
	LEAT_ROUTES_END,
};
