/* routing.c - a service for test_routing.py: one route of each kind. Most answer with the value of their parameter. */
#include <leat.h>

#include <inttypes.h>

static enum leat_result show(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain", leat_path_text(req, "value"));
}

static enum leat_result show_file(struct leat_request *req)
{
	leat_text value = leat_path_text(req, "value"), ext = leat_path_text(req, "ext");

	return leat_reply_text(req, 200, "text/plain",
			       leat_format(req, "%.*s|%.*s", LEAT_TEXT_PRINTF(value), LEAT_TEXT_PRINTF(ext)));
}

static enum leat_result show_int(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain", leat_format(req, "%" PRId64, leat_path_int(req, "value") + 1));
}

/* Answers with the same UUID, in lower case. */
static enum leat_result show_uuid(struct leat_request *req)
{
	leat_text url;

	LEAT_TRY(leat_url(req, "uuid", &url, LEAT_ARG(leat_path_uuid(req, "value"))));
	return leat_reply_text(req, 200, "text/plain", url);
}

static enum leat_result show_day(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain",
			       leat_format(req, "%" PRId64, leat_path_date(req, "value").us / 1000000));
}

static enum leat_result answer_empty(struct leat_request *req)
{
	return leat_reply_empty(req, 204);
}

/* The URL of the named route with the value as its text. */
static enum leat_result give_url(struct leat_request *req)
{
	leat_text name = leat_path_text(req, "name"), url;

	LEAT_TRY(leat_url(req, leat_format(req, "%.*s", LEAT_TEXT_PRINTF(name)).ptr, &url,
			  LEAT_ARG(leat_path_text(req, "value"))));
	LEAT_TRY(leat_reply_header(req, "Location", url));
	return leat_reply_empty(req, 201);
}

static const struct leat_route item_routes[] = { { LEAT_GET, "", answer_empty, .summary = "All items" },
						 { LEAT_GET, "/{value:int}", show_int, .name = "item" },
						 { LEAT_POST, "/{value:int}", .handler = show_int },
						 { LEAT_PUT, "/{value}", .handler = show },
						 LEAT_ROUTES_END };

static const struct leat_route routes[] = { { LEAT_GET, "/{value}", show, .name = "top" },
					    { LEAT_GET, "/pages/{value:[a-z0-9/-]+}", show, .name = "page" },
					    { LEAT_GET, "/texts/{value}", show, .name = "text" },
					    { LEAT_GET, "/files/{value}.{ext}", .handler = show_file },
					    { LEAT_GET, "/trees/{value...}", show, .name = "tree" },
					    { LEAT_GET, "/uuids/{value:uuid}", show_uuid, .name = "uuid" },
					    { LEAT_GET, "/days/{value:date}", .handler = show_day },
					    { LEAT_GET, "/slow/{value:(a+)+[bc]}", .handler = show },
					    { LEAT_POST, "/in/folders/", .handler = answer_empty },
					    { LEAT_GET, "/urls/{name}/{value}", .handler = give_url },
					    LEAT_MOUNT("/v1/items", item_routes, .name = "v1"),
					    LEAT_MOUNT("/v2/items", item_routes, .name = "v2"),
					    LEAT_ROUTES_END };

int main(int argc, char **argv)
{
	static const struct leat_route *const tables[] = { routes, NULL };
	static const struct leat_service service = { .name = "routing", .version = "1", .routes = tables };

	return leat_main(argc, argv, &service);
}
