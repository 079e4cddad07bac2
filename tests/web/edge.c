/* edge.c - a service with the ready-made middleware of the edge in its own list, and some on routes. Used by test_edge.py and test_cors.py. */
#include <leat.h>

static const struct leat_cors policy = { .origins = "https://shop.example.org https://*.shop.example.org",
					 .headers = "Authorization, Content-Type, X-Key",
					 .expose = "X-Request-Id",
					 .credentials = true,
					 .max_age_s = 600 };
static const struct leat_cors open_policy = { .origins = "*", .methods = "GET, HEAD" };
static const struct leat_security security = { .hsts_max_age_s = 3600 };

/* As authentication does: who has no key, is refused. Behind CORS in the list, so a preflight needs none. */
static enum leat_result want_key(struct leat_request *req, const void *options)
{
	(void)options;
	return leat_header(req, "X-No-Key").ptr ? LEAT_UNAUTHORIZED : LEAT_OK;
}

static const struct leat_middleware service_middleware[] = { LEAT_REQUEST_ID,
							     LEAT_SECURITY(&security),
							     LEAT_CORS(&policy),
							     { "key", .before = want_key },
							     LEAT_MIDDLEWARE_END };
static const struct leat_middleware open_middleware[] = { LEAT_CORS(&open_policy), LEAT_MIDDLEWARE_END };
static const struct leat_middleware limits[] = { LEAT_TIMEOUT(200), LEAT_BODY_LIMIT(10), LEAT_MIDDLEWARE_END };

LEAT_STATIC_JSON(constant, "{\"constant\":true}");

static enum leat_result get_constant(struct leat_request *req)
{
	return leat_reply_static(req, &constant);
}

static enum leat_result get_text(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("text\n"));
}

static enum leat_result get_moved(struct leat_request *req)
{
	return leat_redirect(req, 303, LEAT_TEXT_OF("/text"));
}

static enum leat_result get_unchanged(struct leat_request *req)
{
	LEAT_TRY(leat_reply_header(req, "ETag", LEAT_TEXT_OF("\"1\"")));
	return leat_reply_empty(req, 304);
}

static enum leat_result get_failing(struct leat_request *req)
{
	return leat_fail(req, LEAT_CONFLICT, "It fails.");
}

static enum leat_result get_stream(struct leat_request *req)
{
	LEAT_TRY(leat_stream_begin(req, 200, "text/plain"));
	return leat_stream_write(req, LEAT_TEXT_OF("stream\n"));
}

static enum leat_result get_own(struct leat_request *req)
{
	LEAT_TRY(leat_reply_header(req, "Content-Security-Policy", LEAT_TEXT_OF("default-src 'self'")));
	LEAT_TRY(leat_reply_header(req, "X-Request-Id", LEAT_TEXT_OF("own")));
	return get_text(req);
}

static enum leat_result get_client(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain",
			       leat_format(req, "%.*s %s", LEAT_TEXT_PRINTF(leat_client_address(req)),
					   leat_client_is_https(req) ? "https" : "http"));
}

static enum leat_result get_slow(struct leat_request *req)
{
	LEAT_TRY(leat_sleep(req, 3600000));
	return get_text(req);
}

/* For as long as it may. */
static enum leat_result get_endless(struct leat_request *req)
{
	LEAT_TRY(leat_stream_begin(req, 200, "text/plain"));
	for (;;) {
		LEAT_TRY(leat_stream_write(req, LEAT_TEXT_OF("on and on\n")));
		LEAT_TRY(leat_stream_flush(req));
		LEAT_TRY(leat_sleep(req, 5));
	}
}

static enum leat_result post_body(struct leat_request *req)
{
	leat_text body;

	LEAT_TRY(leat_body_text(req, &body));
	return leat_reply_text(req, 200, "text/plain", body);
}

static const struct leat_route limited[] = { { LEAT_GET, "/slow", get_slow, .deadline_ms = 60000 },
					     { LEAT_GET, "/endless", get_endless, .summary = "Ends by the timeout" },
					     { LEAT_POST, "/body", post_body, .body_limit = 1000 },
					     LEAT_ROUTES_END };

static const struct leat_route routes[] = { { LEAT_GET, "/constant", get_constant, .summary = "Rendered" },
					    { LEAT_GET, "/text", get_text, .summary = "Text" },
					    { LEAT_PUT, "/text", get_text, .summary = "Text" },
					    { LEAT_GET, "/moved", get_moved, .summary = "A redirect" },
					    { LEAT_GET, "/unchanged", get_unchanged, .summary = "304" },
					    { LEAT_GET, "/failing", get_failing, .summary = "A problem" },
					    { LEAT_GET, "/stream", get_stream, .summary = "A stream" },
					    { LEAT_GET, "/own", get_own, .summary = "Headers of its own" },
					    { LEAT_GET, "/client", get_client, .summary = "Who asks" },
					    { LEAT_GET, "/open", get_text, .middleware = open_middleware },
					    LEAT_MOUNT("/limited", limited, .middleware = limits),
					    LEAT_ROUTES_END };

int main(int argc, char **argv)
{
	static const struct leat_route *const tables[] = { routes, NULL };
	static const struct leat_service service = {
		.name = "edge", .version = "1", .routes = tables, .middleware = service_middleware
	};

	return leat_main(argc, argv, &service);
}
