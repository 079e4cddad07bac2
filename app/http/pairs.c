/* pairs.c - see pairs.h and leat/input.h: the query's parameters and cookies, for handlers. */
#include "http/pairs.h"

#include "base/check.h"
#include "http/cookie.h"
#include "http/request.h"
#include "http/uri.h"

enum { PAIRS_FIRST = 16 };

void pairs_init(struct pairs *pairs, struct arena *arena)
{
	buffer_init(&pairs->items, arena, PAIRS_FIRST * sizeof(struct leat_pair));
}

void pairs_add(struct pairs *pairs, leat_text name, leat_text value)
{
	const struct leat_pair pair = { name, value };

	buffer_bytes(&pairs->items, &pair, sizeof(pair));
}

size_t pairs_count(const struct pairs *pairs)
{
	return pairs->items.len / sizeof(struct leat_pair);
}

struct leat_pairs pairs_done(const struct pairs *pairs)
{
	return (struct leat_pairs){ (const void *)pairs->items.data, pairs_count(pairs) };
}

/* For handlers --------------------------------------------------------------------------------------------------- */

bool leat_pairs_next(const struct leat_pairs *pairs, const char *name, size_t *at, leat_text *ret_value)
{
	leat_text wanted = leat_text_from(name);

	for (; *at < pairs->count; ++*at)
		if (leat_text_equal(pairs->items[*at].name, wanted)) {
			*ret_value = pairs->items[(*at)++].value;
			return true;
		}
	return false;
}

leat_text leat_pairs_find(const struct leat_pairs *pairs, const char *name)
{
	leat_text value = { NULL, 0 };
	size_t at = 0;

	return leat_pairs_next(pairs, name, &at, &value) ? value : (leat_text){ NULL, 0 };
}

static const struct leat_pairs *keep(struct leat_request *req, const struct pairs *pairs)
{
	struct leat_pairs *kept = leat_alloc(req, sizeof(*kept));

	*kept = pairs_done(pairs);
	return kept;
}

const struct leat_pairs *leat_query_all(struct leat_request *req)
{
	leat_text rest = req->query, name, value;
	struct pairs pairs;

	pairs_init(&pairs, req->call.arena);
	while (uri_query_next(&rest, &name, &value)) {
		/* request_parse has seen that all of it can be decoded. */
		LEAT_CHECK(uri_decode(name, URI_QUERY, req->call.arena, &name));
		LEAT_CHECK(uri_decode(value, URI_QUERY, req->call.arena, &value));
		pairs_add(&pairs, name, value);
	}
	return keep(req, &pairs);
}

leat_text leat_cookie(struct leat_request *req, const char *name)
{
	leat_text rest = leat_header(req, "Cookie"), wanted = leat_text_from(name), found, value;

	while (cookie_next(&rest, &found, &value))
		if (leat_text_equal(found, wanted))
			return value;
	return (leat_text){ NULL, 0 };
}

const struct leat_pairs *leat_cookies(struct leat_request *req)
{
	leat_text rest = leat_header(req, "Cookie"), name, value;
	struct pairs pairs;

	pairs_init(&pairs, req->call.arena);
	while (cookie_next(&rest, &name, &value))
		pairs_add(&pairs, name, value);
	return keep(req, &pairs);
}
