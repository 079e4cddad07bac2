/* fetch.c - see leat/fetch.h. A call from its first check to its reply, in the task of the request. */
#include <leat/fetch.h>
#include <leat/request.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/number.h"
#include "base/random.h"
#include "base/settings.h"
#include "fetch/fetcher.h"
#include "fetch/guard.h"
#include "fetch/head.h"
#include "http/request.h"
#include "task/task.h"
#include "task/wait.h"

enum { PAUSE_DOUBLINGS = 6, RETRY_AFTER_MOST_S = 86400 };
#define PAUSE_FIRST_NS (UINT64_C(50) * CLOCK_MS)

/* One call of a handler's. */
struct call_out {
	struct leat_request *req;
	struct fetcher *fetcher;
	const struct leat_fetch *what;
	struct leat_fetch_reply *reply;
	struct order order;
	int64_t deadline_ns;
	unsigned tried; /* again, of what->retries */
};

static const struct {
	const char *name;
	enum leat_result result;
	enum metric metric;
} faults[LEAT_FETCH_FAULT_COUNT] = {
#define FAULT_ROW(name, result) [LEAT_FETCH_##name] = { #name, LEAT_##result, METRIC_FETCH_##name },
	LEAT_FETCH_FAULT_TABLE(FAULT_ROW)
#undef FAULT_ROW
};

const char *leat_fetch_fault_name(enum leat_fetch_fault fault)
{
	return (unsigned)fault < LEAT_FETCH_FAULT_COUNT ? faults[fault].name : "UNKNOWN";
}

/* Faults ---------------------------------------------------------------------------------------------------------------- */

/* Of what ended the task's wait. */
static enum leat_fetch_fault fault_of_wait(enum leat_result result)
{
	return result == LEAT_CANCELLED ? LEAT_FETCH_CANCELLED : LEAT_FETCH_DEADLINE;
}

static enum leat_fetch_fault fail(struct call_out *call, enum leat_fetch_fault fault, leat_text why)
{
	call->reply->why = why;
	return fault;
}

static enum leat_fetch_fault fail_wait(struct call_out *call, enum leat_result result, const char *where)
{
	return fail(call, fault_of_wait(result),
		    arena_format(call->order.arena, "%s %s", result == LEAT_CANCELLED ? "cancelled" : "no time left",
				 where));
}

static leat_text words_of(const struct call_out *call, const struct transfer *transfer)
{
	struct arena *arena = call->order.arena;
	char address[ADDRESS_TEXT_SIZE];

	switch (transfer->fault) {
	case LEAT_FETCH_ADDRESS:
		address_write(address, &transfer->refused);
		return arena_format(arena, "%s is %s, and setting fetch_allow does not have it", address,
				    guard_class_name(guard_classify(&transfer->refused)));
	case LEAT_FETCH_TOO_LARGE:
		return arena_format(arena, "the reply has more than %llu bytes: %s",
				    (unsigned long long)call->order.body_max,
				    call->what->body_max ? "the call's body_max" : "setting fetch_body_max");
	case LEAT_FETCH_HEADERS:
		return LEAT_TEXT_OF("the reply's head is too large: setting fetch_head_max");
	case LEAT_FETCH_CONNECT_TIMEOUT:
		return LEAT_TEXT_OF("no connection in time: setting fetch_connect_timeout");
	default:
		return arena_format(arena, "%s", transfer->words);
	}
}

/* A transfer ------------------------------------------------------------------------------------------------------------ */

static enum leat_fetch_fault take_reply(struct call_out *call, struct transfer *transfer)
{
	struct leat_fetch_reply *reply = call->reply;

	if (transfer->fault != LEAT_FETCH_NONE)
		return fail(call, transfer->fault, words_of(call, transfer));
	head_read(buffer_as_text(&transfer->head), call->order.arena, reply);
	if (!head_has_one_length(reply))
		return fail(call, LEAT_FETCH_LENGTH, LEAT_TEXT_OF("the reply tells two lengths"));
	reply->status = transfer->status;
	reply->body = transfer->body.data ? buffer_as_text(&transfer->body) : (leat_text){ "", 0 };
	return LEAT_FETCH_NONE;
}

/* On a place of the host's, which the transfer gives back. */
static struct transfer *start(struct call_out *call, struct host *host)
{
	struct transfer *transfer = fetcher_take(call->fetcher);

	transfer_set(transfer, &call->order);
	fetcher_start(call->fetcher, transfer, host);
	return transfer;
}

/* The one whose reply counts, if there is one by now: a failure does only while no other is under way. */
static struct transfer *decided(struct transfer *first, struct transfer *second)
{
	if (!second)
		return first->is_done ? first : NULL;
	if (first->is_done && (first->fault == LEAT_FETCH_NONE || second->is_done))
		return second->is_done && second->fault == LEAT_FETCH_NONE ? second : first;
	return second->is_done && second->fault == LEAT_FETCH_NONE ? second : NULL;
}

static enum leat_fetch_fault transfer_on(struct call_out *call, struct host *host)
{
	int64_t hedge_ms = call->order.is_idempotent ? call->what->hedge_ms : 0;
	int64_t hedge_ns = hedge_ms > 0 ? clock_now_ns() + hedge_ms * CLOCK_MS : CLOCK_NEVER;
	struct transfer *first, *second = NULL, *counts = NULL;
	enum leat_result result = LEAT_OK;
	enum leat_fetch_fault fault;

	call->order.addresses = host->is_literal ? NULL : &host->addresses;
	first = start(call, host);
	while (!counts && result == LEAT_OK) {
		bool is_hedge = hedge_ns < call->deadline_ns;

		result = task_wait(is_hedge ? hedge_ns : call->deadline_ns);
		counts = decided(first, second);
		if (result != LEAT_TIMED_OUT || !is_hedge)
			continue;
		result = LEAT_OK;
		hedge_ns = CLOCK_NEVER;
		if (!counts && host_enter_at_once(host)) {
			metrics_add(METRIC_FETCH_HEDGES, 1);
			second = start(call, host);
		}
	}
	fault = counts ? take_reply(call, counts) : fail_wait(call, result, "for the reply");
	fetcher_give(call->fetcher, first);
	if (second)
		fetcher_give(call->fetcher, second);
	return fault;
}

static enum leat_fetch_fault on_host(struct call_out *call, struct host *host)
{
	enum leat_result result = host_resolve(host, call->deadline_ns);

	if (result == LEAT_UNAVAILABLE)
		return fail(call, LEAT_FETCH_RESOLVE, arena_format(call->order.arena, "%s", host->failure));
	if (result != LEAT_OK)
		return fail_wait(call, result, "for the addresses of its name");
	result = host_enter(host, call->deadline_ns);
	if (result == LEAT_UNAVAILABLE)
		return fail(call, LEAT_FETCH_QUEUE,
			    LEAT_TEXT_OF("too many wait for a connection: setting fetch_queue"));
	if (result != LEAT_OK)
		return fail_wait(call, result, "for a connection");
	return transfer_on(call, host);
}

/* The order ------------------------------------------------------------------------------------------------------------- */

static const char *const idempotent[] = {
	"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", NULL
}; /* RFC 9110 9.2.2 */

static bool is_idempotent(const char *method, const struct leat_fetch_header *headers)
{
	for (const char *const *one = idempotent; *one; one++)
		if (strcmp(method, *one) == 0)
			return true;
	return head_has(headers, "Idempotency-Key");
}

static enum leat_fetch_fault fill_order(struct call_out *call)
{
	const struct settings *settings = call->fetcher->settings;
	const struct leat_fetch *what = call->what;
	struct order *order = &call->order;
	const char *fault = target_read(&order->target, order->arena, what->url);

	if (fault)
		return fail(call, LEAT_FETCH_URL, leat_text_from(fault));
	order->method = what->method ? what->method : what->body.ptr ? "POST" : "GET";
	order->body = what->body;
	order->is_idempotent = is_idempotent(order->method, what->headers);
	order->public_only = what->public_only;
	order->body_max = what->body_max ? what->body_max : (uint64_t)settings->fetch_body_max;
	order->head_max = (uint64_t)settings->fetch_head_max;
	order->connect_timeout_ms = settings->fetch_connect_timeout;
	order->ca_file = settings->fetch_ca_file;
	fault = head_write(call->req, what, order->method, &order->headers);
	return fault ? fail(call, LEAT_FETCH_REQUEST, leat_text_from(fault)) : LEAT_FETCH_NONE;
}

/* Both limits hold: the one that is nearer. */
static int64_t deadline_of(const struct leat_request *req, const struct leat_fetch *what)
{
	int64_t own_ns = what->timeout_ms > 0 ? clock_now_ns() + what->timeout_ms * CLOCK_MS : CLOCK_NEVER;

	return own_ns < req->call.deadline_ns ? own_ns : req->call.deadline_ns;
}

static enum leat_fetch_fault call_once(struct call_out *call)
{
	struct host *host = host_take(&call->fetcher->hosts, call->order.target.host, call->order.target.port);
	enum leat_fetch_fault fault = on_host(call, host);

	host_give(host);
	return fault;
}

/* Tries ----------------------------------------------------------------------------------------------------------------- */

static bool may_help_again(enum leat_fetch_fault fault, int status)
{
	switch (fault) {
	case LEAT_FETCH_NONE:
		return status == 502 || status == 503 || status == 504;
	case LEAT_FETCH_RESOLVE:
	case LEAT_FETCH_CONNECT:
	case LEAT_FETCH_CONNECT_TIMEOUT:
	case LEAT_FETCH_CUT:
	case LEAT_FETCH_LENGTH:
		return true;
	default:
		return false;
	}
}

/* By chance, so that those who failed together do not come back together. */
static int64_t pause_of(const struct call_out *call, unsigned tried)
{
	uint64_t most_ns = PAUSE_FIRST_NS << (tried < PAUSE_DOUBLINGS ? tried : PAUSE_DOUBLINGS);
	int64_t pause_ns = (int64_t)(most_ns / 2 + random_below(most_ns / 2)), seconds;

	if (number_read_int(leat_fetch_reply_header(call->reply, "Retry-After"), &seconds) && seconds > 0 &&
	    seconds < RETRY_AFTER_MOST_S && pause_ns < seconds * CLOCK_S)
		pause_ns += seconds * CLOCK_S;
	return pause_ns;
}

static enum leat_fetch_fault call_until_it_helps(struct call_out *call)
{
	enum leat_fetch_fault fault = call_once(call);

	while (call->tried < call->what->retries && call->order.is_idempotent &&
	       may_help_again(fault, call->reply->status)) {
		int64_t until_ns = clock_now_ns() + pause_of(call, call->tried);
		enum leat_result result;

		if (until_ns >= call->deadline_ns)
			break;
		result = wait_sleep(until_ns, call->deadline_ns);
		if (result != LEAT_OK)
			return fail_wait(call, result, "for another try");
		call->tried++;
		metrics_add(METRIC_FETCH_RETRIES, 1);
		*call->reply = (struct leat_fetch_reply){ 0 };
		fault = call_once(call);
	}
	return fault;
}

/* Redirects ------------------------------------------------------------------------------------------------------------- */

static bool is_redirect(const struct leat_fetch_reply *reply)
{
	return (reply->status == 301 || reply->status == 302 || reply->status == 303 || reply->status == 307 ||
		reply->status == 308) &&
	       leat_fetch_reply_header(reply, "Location").ptr;
}

/* RFC 9110 15.4. A HEAD stays one, so that no body comes that nobody wanted. */
static bool becomes_get(int status, const char *method)
{
	if (strcmp(method, "HEAD") == 0)
		return false;
	return status == 303 || ((status == 301 || status == 302) && strcmp(method, "POST") == 0);
}

static enum leat_fetch_fault follow(struct call_out *call)
{
	struct order *order = &call->order;
	struct target target = { 0 };
	const char *fault = target_follow(&target, &order->target, order->arena,
					  leat_fetch_reply_header(call->reply, "Location"));
	bool is_get = becomes_get(call->reply->status, order->method);

	if (!fault && order->target.is_tls && !target.is_tls)
		fault = "it leads from https to http";
	if (fault)
		return fail(call, LEAT_FETCH_REDIRECT, arena_format(order->arena, "redirect: %s", fault));
	head_carry_over(order->headers, !target_is_same_origin(&order->target, &target), is_get && order->body.ptr);
	if (is_get) {
		order->method = "GET";
		order->body = (leat_text){ NULL, 0 };
		order->is_idempotent = true;
	}
	order->target = target;
	*call->reply = (struct leat_fetch_reply){ 0 };
	return LEAT_FETCH_NONE;
}

static enum leat_fetch_fault run(struct call_out *call)
{
	enum leat_fetch_fault fault = fill_order(call);

	for (unsigned followed = 0; fault == LEAT_FETCH_NONE; followed++) {
		fault = call_until_it_helps(call);
		if (fault != LEAT_FETCH_NONE || call->what->redirects == 0 || !is_redirect(call->reply))
			break;
		if (followed == call->what->redirects)
			fault = fail(call, LEAT_FETCH_REDIRECT,
				     arena_format(call->order.arena, "more than %u redirects", followed));
		else
			fault = follow(call);
	}
	if (call->order.target.url)
		call->reply->url = leat_text_from(call->order.target.url);
	if (fault != LEAT_FETCH_NONE)
		call->reply->status = 0;
	return fault;
}

static enum leat_result tell(const struct call_out *call, enum leat_fetch_fault fault, int64_t started_ns)
{
	metrics_add(faults[fault].metric, 1);
	metrics_observe(HISTOGRAM_FETCHES, clock_now_ns() - started_ns);
	call->reply->fault = fault;
	if (fault != LEAT_FETCH_NONE && fault != LEAT_FETCH_CANCELLED)
		log_limited(LOG_LEVEL_WARN, "[%.*s] fetch: %s of %s: %s: %.*s",
			    LEAT_TEXT_PRINTF(call->req->call.request_id),
			    call->order.method ? call->order.method : "call",
			    call->order.target.host ? call->order.target.host : "no host", faults[fault].name,
			    LEAT_TEXT_PRINTF(call->reply->why));
	return faults[fault].result;
}

enum leat_result leat_fetch(struct leat_request *req, const struct leat_fetch *what, struct leat_fetch_reply *ret_reply)
{
	int64_t started_ns = clock_now_ns();
	struct call_out call = { .req = req,
				 .fetcher = req->environment->fetcher,
				 .what = what,
				 .reply = ret_reply,
				 .order.arena = req->call.arena,
				 .deadline_ns = deadline_of(req, what) };

	*ret_reply = (struct leat_fetch_reply){ 0 };
	return tell(&call, run(&call), started_ns);
}

enum leat_result leat_fetch_get(struct leat_request *req, leat_text url, struct leat_fetch_reply *ret_reply)
{
	return leat_fetch(req, &(struct leat_fetch){ .url = url }, ret_reply);
}
