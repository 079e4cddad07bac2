/* shared_reply.c - see shared_reply.h. Between flights and the requests that wait for them: coalesce.c, coalesce_route.c. */
#include "http/shared_reply.h"

#include <string.h>

/* At the beginning of the block; what it points to is behind it, or static. */
struct shared_reply {
	int status; /* 0: none */
	const struct leat_static_reply *rendered;
	const char *content_type;
	leat_text lines, body, detail;
	unsigned fault_count;
	struct fault faults[];
};

/* What landed without a reply has no bytes. */
static const struct shared_reply *reply_of(const struct flight_landed *landed)
{
	static const struct shared_reply nothing;

	return landed->len > 0 ? (const struct shared_reply *)(const void *)landed->bytes : &nothing;
}

/* Packing ------------------------------------------------------------------------------------------------------------------- */

enum { ALIGNED = 16 };

static size_t round_up(size_t size)
{
	return (size + ALIGNED - 1) & ~(size_t)(ALIGNED - 1);
}

/* What is absent stays so. */
static leat_text put(char **at, leat_text text)
{
	leat_text copy = { text.ptr ? *at : NULL, text.len };

	if (text.len > 0)
		memcpy(*at, text.ptr, text.len);
	*at += text.len;
	return copy;
}

static size_t size_of_faults(const struct problem *problem)
{
	size_t size = problem->fault_count * sizeof(struct fault);

	for (const struct fault *fault = problem->faults; fault; fault = fault->next)
		size += fault->pointer.len + fault->detail.len;
	return size;
}

static void put_faults(char **at, struct shared_reply *reply, const struct problem *problem)
{
	for (const struct fault *fault = problem->faults; fault; fault = fault->next)
		reply->faults[reply->fault_count++] = (struct fault){ .in_parameter = fault->in_parameter,
								      .pointer = put(at, fault->pointer),
								      .detail = put(at, fault->detail) };
}

/* The body first, for alignment. */
static struct flight_landed *pack(enum leat_result result, const struct shared_reply *from,
				  const struct problem *problem)
{
	leat_text type = from->content_type ? leat_text_from(from->content_type) : (leat_text){ NULL, 0 };
	size_t head = round_up(sizeof(*from) + problem->fault_count * sizeof(struct fault));
	size_t size = head + from->body.len + type.len + 1 + from->lines.len + problem->detail.len +
		      size_of_faults(problem);
	struct flight_landed *landed = flight_landed_new(result, size);
	struct shared_reply *reply = (struct shared_reply *)(void *)landed->bytes;
	char *at = landed->bytes + head;

	*reply = *from;
	reply->body = put(&at, from->body);
	if (type.ptr) {
		reply->content_type = put(&at, type).ptr;
		*at++ = '\0';
	}
	reply->lines = put(&at, from->lines);
	reply->detail = put(&at, problem->detail);
	put_faults(&at, reply, problem);
	return landed;
}

struct flight_landed *shared_reply_pack(const struct leat_request *req, enum leat_result result)
{
	const struct response *response = &req->response;
	struct shared_reply from = { .status = leat_result_status(result) };

	if (result == LEAT_OK) {
		from = (struct shared_reply){ .status = response_status(response), .rendered = response->rendered };
		if (response->headers.data)
			from.lines = buffer_as_text(&response->headers);
		if (!response->rendered) {
			from.content_type = response->content_type;
			from.body = response->body;
		}
	}
	return pack(result, &from, &req->problem);
}

struct flight_landed *shared_reply_pack_bytes(const struct leat_request *req, enum leat_result result, leat_text bytes)
{
	return pack(result, &(struct shared_reply){ .body = bytes }, &req->problem);
}

struct flight_landed *shared_reply_none(void)
{
	return flight_landed_new(LEAT_OK, 0);
}

bool shared_reply_is_none(const struct flight_landed *landed)
{
	return landed->result == LEAT_OK && landed->len == 0;
}

/* Giving ---------------------------------------------------------------------------------------------------------------------- */

static void release(void *landed)
{
	flight_landed_release(landed);
}

void shared_reply_hold(struct leat_request *req, struct flight_landed *landed)
{
	arena_on_reset(req->call.arena, release, landed);
}

void shared_reply_explain(struct leat_request *req, const struct flight_landed *landed)
{
	const struct shared_reply *reply = reply_of(landed);

	req->problem.detail = reply->detail;
	for (unsigned i = 0; i < reply->fault_count; i++) {
		const struct fault *fault = &reply->faults[i];

		(fault->in_parameter ? problem_fault_parameter : problem_fault)(
			&req->problem, req->call.arena, fault->pointer, "%.*s", LEAT_TEXT_PRINTF(fault->detail));
	}
}

enum leat_result shared_reply_give(struct leat_request *req, const struct flight_landed *landed)
{
	const struct shared_reply *reply = reply_of(landed);

	if (landed->result != LEAT_OK) {
		shared_reply_explain(req, landed);
		return landed->result;
	}
	if (reply->rendered)
		response_set_static(&req->response, reply->rendered);
	else
		response_set(&req->response, reply->status, reply->content_type, reply->body);
	if (reply->lines.len > 0)
		response_add_lines(&req->response, req->call.arena, reply->lines);
	return LEAT_OK;
}

int shared_reply_status(const struct flight_landed *landed)
{
	return landed->result == LEAT_OK ? reply_of(landed)->status : leat_result_status(landed->result);
}

leat_text shared_reply_body(const struct flight_landed *landed)
{
	return reply_of(landed)->body;
}
