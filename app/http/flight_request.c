/* flight_request.c - see flight_request.h. Called by coalesce.c and coalesce_route.c. */
#include "http/flight_request.h"

#include "base/clock.h"

static enum leat_result read_nothing(void *source, char *into, size_t size, int64_t deadline_ns, size_t *ret_len)
{
	(void)source, (void)into, (void)size, (void)deadline_ns;
	*ret_len = 0;
	return LEAT_OK;
}

/* It reads nothing; it never begins a stream, so it has nothing to write to. */
static const struct request_way way = { .read = read_nothing };

struct leat_request *flight_request_begin(struct flight *flight, struct arena *arena, const char *const *params)
{
	const struct request_environment *environment = flight_context(flight);
	struct leat_request *req;

	arena_init(arena, environment->arenas);
	req = request_new(arena, params, environment, clock_now_ns());
	req->call.request_id = flight_id(flight);
	req->call.deadline_ns = CLOCK_NEVER;
	req->way = &way;
	req->is_client_known = true; /* nobody */
	req->stream.refusal = "a reply that is shared (leat/coalesce.h) cannot be a stream";
	flight_serve(flight, &req->call);
	return req;
}

void flight_request_end(struct arena *arena)
{
	arena_reset(arena);
}

struct flight_ask flight_request_ask(const struct leat_request *req, struct flight_key key)
{
	return (struct flight_ask){ .key = key,
				    .context = req->environment,
				    .route = req->call.route,
				    .id = req->call.request_id,
				    .deadline_ns = req->call.deadline_ns };
}
