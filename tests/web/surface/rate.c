/* rate.c - rate limits: of all together, of addresses, of callers, and in handlers. */
#include <leat.h>
#include <unistd.h>

static enum leat_result everybody(struct leat_request *req, leat_text *ret_key)
{
	(void)req;
	*ret_key = LEAT_TEXT_OF("");
	return LEAT_OK;
}

static const struct leat_rate hot = { .name = "hot", .requests = 200, .seconds = 1, .burst = 20, .key = everybody };
static const struct leat_rate visitors = { .name = "visitors", .requests = 3, .seconds = 3600 };
static const struct leat_rate members = {
	.name = "members", .requests = 2, .seconds = 3600, .by = LEAT_RATE_BY_CALLER
};
static const struct leat_rate mails = { .name = "mails", .requests = 2, .seconds = 60 };
static const struct leat_rate pace = { .name = "pace", .requests = 20, .burst = 1 };

static enum leat_result name_caller(struct leat_request *req, const void *options)
{
	struct leat_caller *caller = leat_alloc(req, sizeof(*caller));

	(void)options;
	caller->subject = leat_header(req, "X-Member");
	leat_caller_set(req, caller);
	return LEAT_OK;
}

static const struct leat_middleware hot_list[] = { LEAT_RATE_LIMIT(&hot), LEAT_MIDDLEWARE_END };
static const struct leat_middleware visitor_list[] = { LEAT_RATE_LIMIT(&visitors), LEAT_MIDDLEWARE_END };
static const struct leat_middleware member_list[] = { { "caller", .before = name_caller },
						      LEAT_RATE_LIMIT(&members),
						      LEAT_MIDDLEWARE_END };
static const struct leat_middleware nobody_list[] = { LEAT_RATE_LIMIT(&members), LEAT_MIDDLEWARE_END };

static enum leat_result get_process(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain", leat_format(req, "%d", (int)getpid()));
}

static enum leat_result fail(struct leat_request *req)
{
	(void)req;
	return LEAT_NOT_FOUND;
}

static enum leat_result send_mail(struct leat_request *req)
{
	int64_t count;

	LEAT_TRY(leat_query_int(req, "count", 1, 0, 100, &count));
	LEAT_TRY(leat_rate_allow(req, &mails, leat_query(req, "to"), (uint32_t)count));
	return get_process(req);
}

static enum leat_result walk(struct leat_request *req)
{
	LEAT_TRY(leat_rate_wait(req, &pace, leat_query(req, "who"), 1));
	return get_process(req);
}

const struct leat_route rate_routes[] = {
	{ LEAT_GET, "/rate/hot", get_process, .middleware = hot_list },
	{ LEAT_GET, "/rate/visit", get_process, .middleware = visitor_list },
	{ LEAT_GET, "/rate/visit/failing", fail, .middleware = visitor_list },
	{ LEAT_GET, "/rate/member", get_process, .middleware = member_list },
	{ LEAT_GET, "/rate/nobody", get_process, .middleware = nobody_list },
	{ LEAT_GET, "/rate/mail", send_mail, .summary = "Twice a minute" },
	{ LEAT_GET, "/rate/walk", walk, .deadline_ms = 400 },
	LEAT_ROUTES_END,
};
