/* docs.c - the service describes itself; and routes of which the description has much to say. */
#include <leat.h>

struct part {
	uint8_t level;
	bool is_open;
	bool has_level;
};

static const struct leat_shape part_shape = LEAT_SHAPE(struct part,
	LEAT_INT(level, .max = 9, .optional = true, .has = LEAT_HAS(struct part, has_level)),
	LEAT_BOOL(is_open));

/* A field of each kind. */
struct whole {
	int16_t small;
	int64_t large;
	double share;
	leat_text word;
	leat_text mail;
	leat_bytes key;
	leat_time at;
	leat_uuid id;
	leat_json extra;
	leat_ints numbers;
	leat_texts tags;
	struct leat_list parts;
	struct part part;
};

static const struct leat_shape whole_shape = LEAT_SHAPE(struct whole,
	LEAT_INT(small, .min = -10, .max = 10),
	LEAT_INT(large),
	LEAT_FLOAT(share, .min = 0, .max = 1),
	LEAT_TEXT(word, .min = 2, .max = 4),
	LEAT_TEXT(mail, .format = LEAT_FORMAT_EMAIL, .optional = true),
	LEAT_BYTES(key, .min = 3, .max = 6),
	LEAT_TIME(at),
	LEAT_UUID(id),
	LEAT_JSON(extra, .optional = true),
	LEAT_INTS(numbers, .min = 1, .max = 2),
	LEAT_TEXTS(tags, .optional = true),
	LEAT_LIST(parts, &part_shape, .max = 2),
	LEAT_OBJECT(part, &part_shape, .optional = true));

static enum leat_result echo(struct leat_request *req)
{
	struct whole whole;

	LEAT_TRY(leat_body(req, &whole_shape, &whole));
	return leat_reply(req, 200, &whole_shape, &whole);
}

static enum leat_result tell_rest(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain", leat_path_text(req, "rest"));
}

static enum leat_result tick(struct leat_request *req)
{
	LEAT_TRY(leat_events_begin(req));
	for (;;) {
		LEAT_TRY(leat_event_send(req, &(struct leat_event){ .data = LEAT_TEXT_OF("on and on") }));
		LEAT_TRY(leat_sleep(req, 20));
	}
}

const struct leat_route docs_routes[] = {
	LEAT_OPENAPI("/openapi.json"),
	LEAT_DOCS("/docs"),
	{ LEAT_POST, "/described/whole", echo, .name = "whole", .summary = "What </script> came", .body = &whole_shape,
	  .reply = &whole_shape },
	{ LEAT_GET, "/described/rest/{rest...}", tell_rest, .name = "rest" },
	{ LEAT_GET, "/described/ticks", tick, .name = "ticks" },
	LEAT_ROUTES_END
};
