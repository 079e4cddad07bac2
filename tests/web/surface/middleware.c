/* middleware.c - hooks that leave a trace of their order in the header X-Trace, some that refuse, and some that answer. */
#include <leat.h>

LEAT_VALUE(trace, leat_text);

/* "+name" on the way in, "-name" on the way out. */
static void note(struct leat_request *req, char sign, const char *name)
{
	leat_text *text = leat_alloc(req, sizeof(*text));
	const leat_text *before = trace_get(req);

	*text = before ? leat_format(req, "%.*s %c%s", LEAT_TEXT_PRINTF(*before), sign, name)
		       : leat_format(req, "%c%s", sign, name);
	trace_set(req, text);
}

static enum leat_result go_on(struct leat_request *req, const void *options)
{
	note(req, '+', options);
	return LEAT_OK;
}

static void go_back(struct leat_request *req, const void *options)
{
	note(req, '-', options);
}

static enum leat_result refuse(struct leat_request *req, const void *options)
{
	note(req, '!', options);
	return leat_fail(req, LEAT_FORBIDDEN, "Not today.");
}

static enum leat_result answer(struct leat_request *req, const void *options)
{
	note(req, '=', options);
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("early\n"));
}

/* The outermost, so it sees all others. */
static void show(struct leat_request *req, const void *options)
{
	const leat_text *trace = trace_get(req);

	(void)options;
	if (trace && leat_reply_header(req, "X-Trace", *trace) != LEAT_OK)
		leat_log(req, "no trace");
}

const struct leat_middleware service_middleware[] = { { "show", NULL, .after = show },
						      { "service", go_on, go_back, .options = "service" },
						      LEAT_MIDDLEWARE_END };

static const struct leat_middleware mount_middleware[] = { { "mount", go_on, go_back, .options = "mount" },
							   LEAT_MIDDLEWARE_END };
static const struct leat_middleware route_middleware[] = { { "first", go_on, go_back, .options = "first" },
							   { "second", go_on, go_back, .options = "second" },
							   LEAT_MIDDLEWARE_END };
static const struct leat_middleware refusing[] = { { "refuse", refuse, go_back, .options = "refuse" },
						   LEAT_MIDDLEWARE_END };
static const struct leat_middleware answering[] = { { "answer", answer, go_back, .options = "answer" },
						    LEAT_MIDDLEWARE_END };

static enum leat_result get_plain(struct leat_request *req)
{
	note(req, '*', "handler");
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("plain\n"));
}

static enum leat_result get_failing(struct leat_request *req)
{
	(void)req;
	return LEAT_CONFLICT;
}

static const struct leat_route mounted[] = { { LEAT_GET, "/plain", get_plain, .middleware = route_middleware },
					     { LEAT_GET, "/failing", get_failing, .summary = "Fails" },
					     { LEAT_GET, "/refused", get_plain, .middleware = refusing },
					     { LEAT_GET, "/answered", get_plain, .middleware = answering },
					     LEAT_ROUTES_END };

const struct leat_route middleware_routes[] = { LEAT_MOUNT("/middleware", mounted, .middleware = mount_middleware),
						LEAT_ROUTES_END };
