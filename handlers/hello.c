/* handlers/hello.c: the smallest endpoint that answers with a struct. */
#include <leat.h>

struct hello {
	leat_text message;
};

static const struct leat_shape hello_shape = LEAT_SHAPE(struct hello,
	LEAT_TEXT(message));

static enum leat_result get_hello(struct leat_request *req)
{
	struct hello hello = { .message = LEAT_TEXT_OF("hello") };

	return leat_reply(req, 200, &hello_shape, &hello);
}

const struct leat_route hello_routes[] = {
	{ LEAT_GET, "/api/hello", get_hello, .summary = "A greeting", .reply = &hello_shape },
	LEAT_ROUTES_END
};
