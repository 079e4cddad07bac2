/* service.c - a service outside the tree: one route and a main of three lines, built against the installed library. */
#include <leat.h>

static enum leat_result get_hello(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("hello from outside\n"));
}

static const struct leat_route routes[] = {
	{ LEAT_GET, "/hello", get_hello, .summary = "A greeting" },
	LEAT_ROUTES_END
};
static const struct leat_route *const tables[] = { routes, NULL };
static const struct leat_service service = { .name = "outside", .version = "1", .routes = tables };

int main(int argc, char **argv)
{
	return leat_main(argc, argv, &service);
}
