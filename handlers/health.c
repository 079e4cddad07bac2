/* handlers/health.c: says that requests reach the service; a reply that never changes.
 * Whether the service can do its work is another question: /readyz on the admin socket answers it. */
#include <leat.h>

struct health {
	leat_text status;
};

static const struct leat_shape health_shape = LEAT_SHAPE(struct health,
	LEAT_TEXT(status));

LEAT_STATIC_JSON(health, "{\"status\":\"ok\"}");

static enum leat_result get_health(struct leat_request *req)
{
	return leat_reply_static(req, &health);
}

const struct leat_route health_routes[] = {
	{ LEAT_GET, "/health", get_health, .summary = "Whether the service answers", .reply = &health_shape },
	LEAT_ROUTES_END
};
