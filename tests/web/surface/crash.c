/* crash.c - handlers that die, in every way there is, and at moments that matter. */
#include <assert.h>
#include <leat.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Ways to die ------------------------------------------------------------------------------------------------------ */

static void *volatile nowhere;
static volatile int none;
static void (*volatile no_function)(void);

static void by_null(void)
{
	*(volatile int *)nowhere = 1;
}

static void by_call(void)
{
	no_function();
}

static int descend(volatile char *above)
{
	volatile char frame[1024];

	frame[0] = above[0];
	return above[0] == 1 ? 0 : descend(frame) + frame[0];
}

static void by_overflow(void)
{
	volatile char first = 0;

	none = descend(&first);
}

static void by_abort(void)
{
	abort();
}

static void by_assert(void)
{
	assert(none == 1);
}

static void by_zero(void)
{
#if defined(__x86_64__)
	none = 100 / none;
#else
	raise(SIGFPE); /* where a division by zero is no fault */
#endif
}

static void by_trap(void)
{
	raise(SIGILL);
}

/* A page behind the end of a file. */
static void by_bus(void)
{
	int fd = memfd_create("empty", MFD_CLOEXEC);
	volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	none = page[0];
}

static void *volatile freed;

/* malloc finds it without its lock. */
static void by_double_free(void)
{
	freed = malloc(24);
	free(freed);
	free(freed);
}

/* Runs past the end of a piece that is too large for malloc's cache. malloc finds it under its lock, and aborts with it. */
static void by_heap(void)
{
	size_t size;

	freed = malloc(5000);
	size = malloc_usable_size(freed);
	memset(freed, 'x', size + 16);
	free(freed);
}

/* Overwrites what its callers have on the stack, up to its end and what stands there; the protector, if there is one, has no say. */
static void by_smashing(void)
{
	char *volatile here = (char *)&here;
	uintptr_t end = ((uintptr_t)here | 4095) + 1;

	memset(here + 64, 0, end - (uintptr_t)here - 64);
	*(volatile int *)nowhere = 1;
}

static const struct {
	const char *name;
	void (*die)(void);
} ways[] = {
	{ "null", by_null },        { "call", by_call }, { "overflow", by_overflow }, { "abort", by_abort },
	{ "assert", by_assert },    { "zero", by_zero }, { "trap", by_trap },         { "bus", by_bus },
	{ "free", by_double_free }, { "heap", by_heap }, { "smash", by_smashing },
};

static void die(const char *how)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, how) == 0)
			ways[i].die();
}

static const char *way(struct leat_request *req)
{
	return leat_format(req, "%.*s", LEAT_TEXT_PRINTF(leat_path_text(req, "how"))).ptr;
}

/* Moments ---------------------------------------------------------------------------------------------------------- */

static enum leat_result get_crash(struct leat_request *req)
{
	int64_t ms;

	LEAT_TRY(leat_query_int(req, "after", 0, 0, 10000, &ms));
	if (ms > 0)
		LEAT_TRY(leat_sleep(req, ms));
	die(way(req));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("alive\n"));
}

static enum leat_result get_fine(struct leat_request *req)
{
	int64_t ms;

	LEAT_TRY(leat_query_int(req, "after", 0, 0, 10000, &ms));
	if (ms > 0)
		LEAT_TRY(leat_sleep(req, ms));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("fine\n"));
}

static enum leat_result get_stream(struct leat_request *req)
{
	LEAT_TRY(leat_stream_begin(req, 200, "text/plain"));
	for (int i = 0; i < 10; i++)
		LEAT_TRY(leat_stream_write(req, LEAT_TEXT_OF("a line\n")));
	LEAT_TRY(leat_stream_flush(req));
	LEAT_TRY(leat_sleep(req, 100));
	die(way(req));
	return LEAT_OK;
}

static void die_elsewhere(void *how)
{
	die(how);
}

static enum leat_result get_offload(struct leat_request *req)
{
	char how[16] = "";

	strncpy(how, way(req), sizeof(how) - 1);
	LEAT_TRY(leat_offload(req, die_elsewhere, how, sizeof(how)));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("alive\n"));
}

/* Not on the program's list: the table is there for some tests only. */
static const struct leat_statement touch_users = { .sql = "UPDATE users SET name = name WHERE id = 1" };
static const struct leat_statement numbers = { .sql = "SELECT n::bigint AS n FROM generate_series(1, 1000000) n",
					       .read_only = true };

static enum leat_result hold_row(struct leat_request *req, void *how)
{
	int64_t count;

	LEAT_TRY(leat_db_exec(req, &touch_users, &count));
	die(how);
	return LEAT_OK;
}

static enum leat_result get_transaction(struct leat_request *req)
{
	LEAT_TRY(leat_tx(req, NULL, hold_row, (void *)way(req)));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("alive\n"));
}

static enum leat_result get_rows(struct leat_request *req)
{
	struct leat_rows *rows;

	LEAT_TRY(leat_db_stream(req, &numbers, &rows));
	LEAT_TRY(leat_rows_next(rows, NULL));
	die(way(req));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("alive\n"));
}

/* A statement on a shared lane that is not awaited. */
static enum leat_result get_sent(struct leat_request *req)
{
	struct leat_query *query;

	LEAT_TRY(leat_db_send(req, &touch_users, &query));
	die(way(req));
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("alive\n"));
}

const struct leat_route crash_routes[] = { { LEAT_GET, "/crash/fine", get_fine, .summary = "" },
					   { LEAT_GET, "/crash/handler/{how}", get_crash, .summary = "" },
					   { LEAT_GET, "/crash/stream/{how}", get_stream, .summary = "" },
					   { LEAT_GET, "/crash/offload/{how}", get_offload, .summary = "" },
					   { LEAT_GET, "/crash/transaction/{how}", get_transaction, .summary = "" },
					   { LEAT_GET, "/crash/rows/{how}", get_rows, .summary = "" },
					   { LEAT_GET, "/crash/sent/{how}", get_sent, .summary = "" },
					   LEAT_ROUTES_END };
