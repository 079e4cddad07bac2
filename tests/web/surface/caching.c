/* caching.c - notes with versions, tags made of replies, and Cache-Control. */
#include <inttypes.h>
#include <leat.h>
#include <stdlib.h>

enum { NOTES = 100 };

/* Their text is their version; 0: there is none yet. */
static int versions[NOTES] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
static int reads; /* how often the text was made */

/* A path that names no note has none of its versions either. */
static enum leat_result find(struct leat_request *req, int **ret_version)
{
	int64_t id = leat_path_int(req, "id");

	if (id < 0 || id >= NOTES)
		return LEAT_NOT_FOUND;
	*ret_version = &versions[id];
	return LEAT_OK;
}

static struct leat_version version_of(struct leat_request *req, int version)
{
	return (struct leat_version){
		.tag = leat_format(req, "%d", version),
		.modified = { INT64_C(784111777) * 1000000 },
		.is_absent = version == 0,
		.must_match = true,
	};
}

static enum leat_result get_note(struct leat_request *req)
{
	struct leat_version version;
	int *note, now;

	LEAT_TRY(find(req, &note));
	now = __atomic_load_n(note, __ATOMIC_SEQ_CST);
	if (now == 0)
		return LEAT_NOT_FOUND;
	LEAT_TRY(leat_vary(req, "Accept"));
	version = version_of(req, now);
	LEAT_TRY(leat_check_version(req, &version));
	__atomic_add_fetch(&reads, 1, __ATOMIC_SEQ_CST);
	return leat_reply_text(req, 200, "text/plain", leat_format(req, "version %d\n", now));
}

static enum leat_result put_note(struct leat_request *req)
{
	struct leat_version version;
	int *note, now;

	LEAT_TRY(find(req, &note));
	now = __atomic_load_n(note, __ATOMIC_SEQ_CST);
	version = version_of(req, now);
	LEAT_TRY(leat_check_version(req, &version));
	LEAT_TRY(leat_sleep(req, 20)); /* others come in between */
	if (!__atomic_compare_exchange_n(note, &now, now + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return LEAT_PRECONDITION_FAILED;
	version = version_of(req, now + 1);
	LEAT_TRY(leat_reply_version(req, &version));
	return leat_reply_empty(req, 204);
}

static enum leat_result get_reads(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain",
			       leat_format(req, "%d", __atomic_load_n(&reads, __ATOMIC_SEQ_CST)));
}

/* As many bytes as are asked for. */
static enum leat_result get_text(struct leat_request *req)
{
	int64_t count;
	char *text;

	LEAT_TRY(leat_query_int(req, "count", 10, 0, 1000000, &count));
	text = leat_alloc(req, (size_t)count + 1);
	memset(text, 'x', (size_t)count);
	return leat_reply_text(req, 200, "text/plain", (leat_text){ text, (size_t)count });
}

static enum leat_result get_stream(struct leat_request *req)
{
	LEAT_TRY(leat_stream_begin(req, 200, "text/plain"));
	return leat_stream_write(req, LEAT_TEXT_OF("a stream\n"));
}

static enum leat_result get_fixed(struct leat_request *req)
{
	LEAT_STATIC_JSON(fixed, "{\"fixed\":true}");
	return leat_reply_static(req, &fixed);
}

static enum leat_result get_failing(struct leat_request *req)
{
	(void)req;
	return LEAT_NOT_FOUND;
}

static enum leat_result get_own(struct leat_request *req)
{
	LEAT_TRY(leat_reply_cache(req, &(struct leat_cache){ .max_age_s = 5 }));
	return get_text(req);
}

/* The test makes the folder and names it. */
static enum leat_result get_file(struct leat_request *req)
{
	static struct leat_folder folder;

	folder.path = getenv("SURFACE_FILES");
	return folder.path ? leat_reply_file(req, &folder, leat_path_text(req, "path")) : LEAT_NOT_FOUND;
}

static const struct leat_cache asset = { .is_public = true, .max_age_s = 31536000, .immutable = true };
static const struct leat_middleware tagged[] = { LEAT_ETAG, LEAT_MIDDLEWARE_END };
static const struct leat_middleware kept[] = { LEAT_CACHE(&asset), LEAT_ETAG, LEAT_MIDDLEWARE_END };

static const struct leat_route kept_routes[] = { { LEAT_GET, "/text", get_text, .summary = "Kept for a year" },
						 { LEAT_GET, "/failing", get_failing, .summary = "Is not there" },
						 { LEAT_GET, "/own", get_own, .summary = "Has a policy of its own" },
						 { LEAT_GET, "/files/{path...}", get_file, .summary = "A file" },
						 LEAT_ROUTES_END };

const struct leat_route caching_routes[] = {
	{ LEAT_GET, "/caching/notes/{id:int}", get_note, .summary = "A note" },
	{ LEAT_PUT, "/caching/notes/{id:int}", put_note, .summary = "The next version of a note" },
	{ LEAT_GET, "/caching/reads", get_reads, .summary = "How often a note's text was made" },
	{ LEAT_GET, "/caching/text", get_text, .middleware = tagged },
	{ LEAT_GET, "/caching/stream", get_stream, .middleware = tagged },
	{ LEAT_GET, "/caching/fixed", get_fixed, .middleware = tagged },
	LEAT_MOUNT("/caching/kept", kept_routes, .middleware = kept),
	LEAT_ROUTES_END
};
