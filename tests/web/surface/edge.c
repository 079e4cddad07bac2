/* edge.c - CORS for a part of a service, whose own list has none. */
#include <leat.h>

static const struct leat_cors policy = { .origins = "https://shop.example.org", .headers = "X-Key" };

static enum leat_result refuse(struct leat_request *req, const void *options)
{
	(void)options;
	return leat_header(req, "X-Key").ptr ? LEAT_OK : leat_fail(req, LEAT_FORBIDDEN, "No key.");
}

static const struct leat_middleware shared[] = { LEAT_CORS(&policy), { "key", .before = refuse }, LEAT_MIDDLEWARE_END };

static enum leat_result answer(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("shared\n"));
}

static const struct leat_route mounted[] = { { LEAT_GET, "/{id:int}", answer, .name = "shared" },
					     { LEAT_PUT, "/{id:int}", answer, .summary = "Changes nothing" },
					     LEAT_ROUTES_END };

const struct leat_route edge_routes[] = { LEAT_MOUNT("/edge/shared", mounted, .middleware = shared),
					  { LEAT_GET, "/edge/apart", answer, .summary = "For nobody else" },
					  LEAT_ROUTES_END };
