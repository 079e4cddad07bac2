/* coalesce.c - leat_coalesce, see leat/coalesce.h: between handlers and task/flight.c. */
#include <leat/coalesce.h>

#include "http/flight_request.h"
#include "http/shared_reply.h"

/* In the flight's task. */
static struct flight_landed *run(struct flight *flight)
{
	static const char *const nothing[] = { NULL };
	const struct leat_work *work = flight_key_of(flight)->kind;
	struct flight_landed *landed;
	struct arena arena;
	struct leat_request *req = flight_request_begin(flight, &arena, nothing);
	leat_text bytes = { NULL, 0 };
	enum leat_result result;

	req->call.route = work->name;
	result = work->run(req, flight_key_of(flight)->bytes, &bytes);
	landed = shared_reply_pack_bytes(req, result, result == LEAT_OK ? bytes : (leat_text){ NULL, 0 });
	flight_request_end(&arena);
	return landed;
}

enum leat_result leat_coalesce(struct leat_request *req, const struct leat_work *work, leat_text key,
			       leat_text *ret_result, bool *ret_is_shared)
{
	struct flights *flights = req->environment->flights;
	struct flight_ask ask = flight_request_ask(req, flight_key(flights, work, key));
	struct flight_landed *landed;

	ask.run = run;
	LEAT_TRY(flight_await(flights, &ask, &landed));
	shared_reply_hold(req, landed);
	if (landed->result != LEAT_OK) {
		shared_reply_explain(req, landed);
		return landed->result;
	}
	*ret_result = shared_reply_body(landed);
	if (ret_is_shared)
		*ret_is_shared = landed->is_shared;
	return LEAT_OK;
}

void leat_coalesce_forget(struct leat_request *req, const struct leat_work *work, leat_text key)
{
	struct flights *flights = req->environment->flights;
	struct flight_key which = flight_key(flights, work, key);

	flight_forget(flights, &which);
}
