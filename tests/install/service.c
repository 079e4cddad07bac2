/* service.c - a service outside the tree: two routes and a main of three lines, built against the installed library. With
 * -DWITHOUT_STATEMENTS it has one route. */
#include <leat.h>

static enum leat_result get_hello(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain", LEAT_TEXT_OF("hello from outside\n"));
}

#ifndef WITHOUT_STATEMENTS
struct answer {
	int64_t number;
};

static const struct leat_shape answer_shape = LEAT_SHAPE(struct answer, LEAT_INT(number));

LEAT_STATEMENT(answer_by_number, .sql = "SELECT $1::int8 AS number", .row = &answer_shape, .read_only = true);
LEAT_STATEMENT(answer_forget, .sql = "DELETE FROM answers WHERE number = $1");

static enum leat_result get_answer(struct leat_request *req)
{
	struct answer answer;

	LEAT_TRY(leat_db_exec(req, &answer_forget, NULL, LEAT_ARG(leat_path_int(req, "number"))));
	LEAT_TRY(leat_db_one(req, &answer_by_number, &answer, LEAT_ARG(leat_path_int(req, "number"))));
	return leat_reply(req, 200, &answer_shape, &answer);
}
#endif

static const struct leat_route routes[] = {
	{ LEAT_GET, "/hello", get_hello, .summary = "A greeting" },
#ifndef WITHOUT_STATEMENTS
	{ LEAT_GET, "/answers/{number:int}", get_answer, .summary = "An answer" },
#endif
	LEAT_ROUTES_END
};
static const struct leat_route *const tables[] = { routes, NULL };
static const struct leat_service service = { .name = "outside", .version = "1", .routes = tables };

int main(int argc, char **argv)
{
	return leat_main(argc, argv, &service);
}
