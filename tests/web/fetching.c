/* fetching.c - a service whose handlers call another HTTP server, as the request tells them. Used by test_fetch.py. */
#include <inttypes.h>
#include <leat.h>

/* A number of the query, 0 when it is absent. */
static enum leat_result number(struct leat_request *req, const char *name, int64_t *ret_value)
{
	return leat_query_int(req, name, 0, 0, 1000000000, ret_value);
}

/* Its reply's status and body, or what went wrong and why. */
static enum leat_result tell(struct leat_request *req, enum leat_result result, const struct leat_fetch_reply *reply)
{
	LEAT_TRY(leat_reply_header(req, "X-Fault", leat_text_from(leat_fetch_fault_name(reply->fault))));
	LEAT_TRY(leat_reply_header(req, "X-Result", leat_text_from(leat_result_name(result))));
	LEAT_TRY(leat_reply_header(req, "X-Status", leat_format(req, "%d", reply->status)));
	LEAT_TRY(leat_reply_header(req, "X-Headers", leat_format(req, "%zu", reply->header_count)));
	LEAT_TRY(leat_reply_header(req, "X-Probe", leat_fetch_reply_header(reply, "x-probe")));
	if (reply->url.ptr)
		LEAT_TRY(leat_reply_header(req, "X-Url", reply->url));
	return leat_reply_text(req, 200, "application/octet-stream", result == LEAT_OK ? reply->body : reply->why);
}

/* Calls 'url' by the request's own method and body. */
static enum leat_result call(struct leat_request *req)
{
	struct leat_fetch what = { .url = leat_query(req, "url") };
	leat_text method = leat_query(req, "method");
	struct leat_fetch_reply reply;
	int64_t public_only, body_max, redirects, retries;

	LEAT_TRY(number(req, "timeout", &what.timeout_ms));
	LEAT_TRY(number(req, "body_max", &body_max));
	LEAT_TRY(number(req, "public_only", &public_only));
	LEAT_TRY(number(req, "redirects", &redirects));
	LEAT_TRY(number(req, "retries", &retries));
	LEAT_TRY(number(req, "hedge", &what.hedge_ms));
	what.retries = (unsigned)retries;
	what.redirects = (unsigned)redirects;
	what.body_max = (uint64_t)body_max;
	what.public_only = public_only;
	if (method.ptr)
		what.method = leat_format(req, "%.*s", LEAT_TEXT_PRINTF(method)).ptr;
	if (leat_method(req) == LEAT_METHOD_POST) {
		LEAT_TRY(leat_body_text(req, &what.body));
		what.content_type = "text/plain";
	}
	return tell(req, leat_fetch(req, &what, &reply), &reply);
}

/* With a header whose name and value the query tells. */
static enum leat_result with_header(struct leat_request *req)
{
	leat_text name = leat_query(req, "name");
	const struct leat_fetch_header headers[] = { { leat_format(req, "%.*s", LEAT_TEXT_PRINTF(name)).ptr,
						       leat_query(req, "value") },
						     LEAT_FETCH_HEADERS_END };
	struct leat_fetch_reply reply;

	return tell(
		req,
		leat_fetch(req,
			   &(struct leat_fetch){ .url = leat_query(req, "url"), .headers = headers, .redirects = 5 },
			   &reply),
		&reply);
}

/* As most handlers would: a failure is the reply's. */
static enum leat_result plain(struct leat_request *req)
{
	struct leat_fetch_reply reply;

	LEAT_TRY(leat_fetch_get(req, leat_query(req, "url"), &reply));
	return leat_reply_text(req, 200, "text/plain", reply.body);
}

static const struct leat_route routes[] = { { LEAT_GET, "/call", .handler = call },
					    { LEAT_POST, "/call", .handler = call },
					    { LEAT_GET, "/with_header", .handler = with_header },
					    { LEAT_GET, "/plain", .handler = plain, .deadline_ms = 500 },
					    LEAT_ROUTES_END };

int main(int argc, char **argv)
{
	static const struct leat_route *const tables[] = { routes, NULL };
	static const struct leat_service service = { .name = "fetching", .version = "1", .routes = tables };

	return leat_main(argc, argv, &service);
}
