/* fuzz_uri.c - what holds for request targets and the router's decoding whatever a client sends. See README.md for how
 * it is built and run. Checked, against a second and simple way to the same end:
 *   - a path decodes as a whole exactly when each of its segments does, and to the same;
 *   - what is decoded is UTF-8 without NUL, and encoded again and decoded again it is the same;
 *   - a valid query gives each of its parameters; the first of a name is the one that is found;
 *   - the router's parameters are the decoded segments. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/utf8.h"
#include "http/router.h"
#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static leat_text take_until(leat_text *rest, char separator)
{
	leat_text taken = { rest->ptr, 0 };

	while (taken.len < rest->len && rest->ptr[taken.len] != separator)
		taken.len++;
	rest->ptr += taken.len < rest->len ? taken.len + 1 : taken.len;
	rest->len -= taken.len < rest->len ? taken.len + 1 : taken.len;
	return taken;
}

static void check_decoded(struct arena *arena, leat_text decoded, enum uri_part part)
{
	char *escapes = arena_alloc(arena, 3 * decoded.len + 1);
	leat_text again;

	LEAT_CHECK(utf8_is_valid(decoded));
	LEAT_CHECK(!decoded.len || !memchr(decoded.ptr, '\0', decoded.len));
	for (size_t i = 0; i < decoded.len; i++)
		sprintf(escapes + 3 * i, i % 2 ? "%%%02X" : "%%%02x", (unsigned char)decoded.ptr[i]);
	LEAT_CHECK(uri_decode((leat_text){ escapes, 3 * decoded.len }, part, arena, &again));
	LEAT_CHECK(leat_text_equal(decoded, again));
}

/* Whether all segments can be decoded; what they are, with URI_ESCAPED_SLASH, is compared with the whole. */
static bool check_segments(struct arena *arena, leat_text path, const leat_text *whole)
{
	size_t at = 0;

	take_until(&path, '/');
	for (bool goes_on = true; goes_on;) {
		leat_text raw = take_until(&path, '/');
		leat_text segment;

		goes_on = path.ptr > raw.ptr + raw.len;
		if (!uri_decode(raw, URI_SEGMENT, arena, &segment))
			return false;
		check_decoded(arena, segment, URI_SEGMENT);
		if (!whole)
			continue;
		LEAT_CHECK(whole->ptr[at++] == '/');
		for (size_t i = 0; i < segment.len; i++, at++)
			LEAT_CHECK(whole->ptr[at] == segment.ptr[i] ||
				   (whole->ptr[at] == URI_ESCAPED_SLASH && segment.ptr[i] == '/'));
	}
	LEAT_CHECK(!whole || at == whole->len);
	return true;
}

static void check_query(struct arena *arena, leat_text query)
{
	leat_text rest = query;
	leat_text name, value, found;
	bool is_empty;

	if (!uri_query_is_valid(query, arena))
		return;
	while (rest.len > 0 && *rest.ptr == '&') /* nothing stands there */
		take_until(&rest, '&');
	is_empty = rest.len == 0;
	value = take_until(&rest, '&');
	name = take_until(&value, '=');
	LEAT_CHECK(uri_query_find(query, LEAT_TEXT_OF("a"), arena, &found));
	LEAT_CHECK(uri_decode(name, URI_QUERY, arena, &name) && uri_decode(value, URI_QUERY, arena, &value));
	LEAT_CHECK(uri_query_find(query, name, arena, &found));
	LEAT_CHECK(is_empty ? !found.ptr : leat_text_equal(found, value));
	check_decoded(arena, found, URI_QUERY);
}

static enum leat_result handler(struct leat_request *req)
{
	(void)req;
	return LEAT_OK;
}

static void check_router(struct arena *arena, leat_text path, bool is_good)
{
	static const struct leat_route routes[] = { { LEAT_GET, "/{first}/{rest...}", .handler = handler },
						    { LEAT_GET, "/{n:int}/b\xC3\xA9/{x}", .handler = handler },
						    { LEAT_GET, "/a b/c", .handler = handler },
						    LEAT_ROUTES_END };
	static const struct leat_route *const tables[] = { routes, NULL };
	static struct router *router;
	struct router_match match;
	enum router_verdict verdict;
	char error[256];
	leat_text first;

	if (!router)
		router = router_new(tables, error, sizeof(error));
	verdict = router_match(router, LEAT_METHOD_GET, path, arena, &match);
	LEAT_CHECK((verdict == ROUTER_BAD_PATH) == !is_good);
	if (verdict != ROUTER_FOUND || match.route != &routes[0])
		return;
	take_until(&path, '/');
	LEAT_CHECK(uri_decode(take_until(&path, '/'), URI_SEGMENT, arena, &first));
	LEAT_CHECK(match.param_count == 2 && leat_text_equal(match.values[0], first));
	LEAT_CHECK(uri_decode(path, URI_SEGMENT, arena, &first) && leat_text_equal(match.values[1], first));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena_pool *pool = arena_pool_new(0);
	struct arena arena;
	leat_text path, query, whole;

	arena_init(&arena, pool);
	if (uri_split((leat_text){ (const char *)data, size }, &path, &query)) {
		bool is_good = uri_decode(path, URI_PATH, &arena, &whole);

		LEAT_CHECK(path.len > 0 && path.ptr[0] == '/');
		LEAT_CHECK(check_segments(&arena, path, is_good ? &whole : NULL) == is_good);
		check_router(&arena, path, is_good);
		if (query.ptr)
			check_query(&arena, query);
	}
	arena_reset(&arena);
	arena_pool_free(pool);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif
