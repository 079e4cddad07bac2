/* rate.c - see leat/rate.h: calls of handlers, and a middleware, called by middleware.c. The buckets: base/bucket_table.h. */
#include <leat/rate.h>

#include <leat/auth.h>
#include <leat/client.h>
#include <string.h>

#include "base/bucket_table.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "http/address.h"
#include "http/request.h"
#include "task/task.h"
#include "task/wait.h"

enum { NAME_MOST = 64 };

static const int64_t reserve_most_ns = 3600 * CLOCK_S;

/* What the header fields tell, of each limit that a request has met. */
struct rate_note {
	struct rate_note *next;
	const struct leat_rate *rate;
	struct bucket_sight sight;
	bool is_told;
};
LEAT_VALUE(rate_notes, struct rate_note);

/* The numbers --------------------------------------------------------------------------------------------------------- */

static uint32_t burst_of(const struct leat_rate *rate)
{
	return rate->burst ? rate->burst : rate->requests;
}

static int64_t period_ns(const struct leat_rate *rate)
{
	return (rate->seconds ? rate->seconds : 1) * CLOCK_S;
}

static struct bucket_limit limit_of(const struct leat_rate *rate)
{
	LEAT_CHECK(rate->requests > 0);
	return bucket_limit(rate->requests, period_ns(rate), burst_of(rate));
}

/* In which all of the burst comes back, rounded up. */
static uint64_t fill_s(const struct leat_rate *rate)
{
	uint64_t product = (uint64_t)(rate->seconds ? rate->seconds : 1) * burst_of(rate);

	return product / rate->requests + (product % rate->requests > 0);
}

static int64_t seconds_up(int64_t ns)
{
	return (ns + CLOCK_S - 1) / CLOCK_S;
}

static bool is_name(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = name ? strlen(name) : 0;

	return len > 0 && len <= NAME_MOST && strspn(name, letters) == len;
}

const char *leat_rate_check_(const void *options)
{
	const struct leat_rate *rate = options;

	if (!rate)
		return "it has no options";
	if (!is_name(rate->name))
		return "it needs a name of letters, digits and . _ -, up to 64 of them";
	if (rate->requests == 0)
		return "it has no requests: a bucket that never fills could never be forgotten";
	if (!bucket_can_be(rate->requests, period_ns(rate), burst_of(rate)))
		return "its seconds, and the time in which its burst comes back, are 366 days at most";
	return NULL;
}

/* Asking -------------------------------------------------------------------------------------------------------------- */

static enum leat_result refuse(struct leat_request *req, const struct leat_rate *rate, int64_t wait_ns)
{
	int64_t seconds = seconds_up(wait_ns);

	metrics_add(METRIC_RATE_REFUSED, 1);
	if (seconds > req->call.retry_after_s)
		req->call.retry_after_s = seconds;
	return leat_fail(req, LEAT_RATE_LIMITED, "Limit %s: %u in %u s.", rate->name, rate->requests,
			 rate->seconds ? rate->seconds : 1);
}

static enum leat_result refuse_count(struct leat_request *req, const struct leat_rate *rate, uint32_t count)
{
	metrics_add(METRIC_RATE_REFUSED, 1);
	return leat_fail(req, LEAT_TOO_LARGE, "Limit %s: %u are asked for; %u at once are the most.", rate->name, count,
			 burst_of(rate));
}

/* Of tokens that are there within 'most_ns'; 'ret_sight' tells how it stands in either case. */
static enum leat_result take(struct leat_request *req, const struct leat_rate *rate, uint64_t key, uint32_t count,
			     int64_t most_ns, struct bucket_sight *ret_sight)
{
	struct bucket_limit limit = limit_of(rate);

	if (!bucket_table_take(&limit, key, clock_now_ns(), count, most_ns, ret_sight))
		return ret_sight->wait_ns == BUCKET_FOREVER ? refuse_count(req, rate, count)
							    : refuse(req, rate, ret_sight->wait_ns);
	metrics_add(ret_sight->wait_ns > 0 ? METRIC_RATE_DELAYED : METRIC_RATE_PASSED, 1);
	return LEAT_OK;
}

static uint64_t key_of(const struct leat_rate *rate, leat_text key)
{
	return bucket_table_key(rate, 0, key.ptr, key.len);
}

enum leat_result leat_rate_allow(struct leat_request *req, const struct leat_rate *rate, leat_text key, uint32_t count)
{
	struct bucket_sight sight;

	return take(req, rate, key_of(rate, key), count, 0, &sight);
}

enum leat_result leat_rate_reserve(struct leat_request *req, const struct leat_rate *rate, leat_text key,
				   uint32_t count, struct leat_reservation *ret_reservation)
{
	uint64_t number = key_of(rate, key);
	struct bucket_sight sight;

	*ret_reservation = (struct leat_reservation){ 0 };
	LEAT_TRY(take(req, rate, number, count, reserve_most_ns, &sight));
	*ret_reservation = (struct leat_reservation){ .delay_ms = (sight.wait_ns + CLOCK_MS - 1) / CLOCK_MS,
						      .rate = rate,
						      .key = number,
						      .at_ns = sight.grant.at_ns,
						      .full = sight.grant.full,
						      .count = sight.grant.count };
	return LEAT_OK;
}

static void give_back(const struct leat_rate *rate, uint64_t key, const struct bucket_grant *grant)
{
	struct bucket_limit limit = limit_of(rate);

	bucket_table_cancel(&limit, key, clock_now_ns(), grant);
}

void leat_rate_cancel(struct leat_reservation *reservation)
{
	const struct bucket_grant grant = { .at_ns = reservation->at_ns,
					    .full = reservation->full,
					    .count = reservation->count };

	if (reservation->rate)
		give_back(reservation->rate, reservation->key, &grant);
	reservation->rate = NULL;
}

/* A request that has ended already takes nothing. */
enum leat_result leat_rate_wait(struct leat_request *req, const struct leat_rate *rate, leat_text key, uint32_t count)
{
	int64_t now_ns = clock_now_ns(), left_ns = req->call.deadline_ns - now_ns;
	uint64_t number = key_of(rate, key);
	struct bucket_sight sight;
	enum leat_result result;

	if (count > burst_of(rate))
		return refuse_count(req, rate, count);
	if (task_is_cancelled(task_self()))
		return LEAT_CANCELLED;
	if (left_ns <= 0)
		return LEAT_TIMED_OUT;
	LEAT_TRY(take(req, rate, number, count, left_ns, &sight));
	if (sight.wait_ns == 0)
		return LEAT_OK;
	result = wait_sleep(clock_now_ns() + sight.wait_ns, req->call.deadline_ns);
	if (result != LEAT_OK)
		give_back(rate, number, &sight.grant);
	return result;
}

/* The middleware ------------------------------------------------------------------------------------------------------- */

static uint64_t add_text(const struct leat_rate *rate, uint64_t before, leat_text text)
{
	return bucket_table_key(rate, before, text.ptr, text.len);
}

/* IPv4 as it is written, one way for each address; of IPv6 the network, for a client has 2^64 addresses as easily as one. What is no address (unix:) is
 * itself. */
static uint64_t key_of_client(struct leat_request *req, const struct leat_rate *rate)
{
	enum { IS_NETWORK = 1 };
	leat_text text = leat_client_address(req);
	char v4[ADDRESS_TEXT_SIZE];
	struct address address;

	if (text.len == 0 || !memchr(text.ptr, ':', text.len) || !address_read(text, &address))
		return key_of(rate, text);
	if (address_is_v4(&address))
		return key_of(rate, (leat_text){ v4, address_write(v4, &address) });
	return bucket_table_key(rate, IS_NETWORK, address.bytes, 8);
}

static enum leat_result key_of_caller(struct leat_request *req, const struct leat_rate *rate, uint64_t *ret_key)
{
	const struct leat_caller *caller = leat_caller_get(req);

	if (!caller || caller->subject.len == 0) {
		log_limited(LOG_LEVEL_ERROR, "bug: rate limit %s: %s", rate->name,
			    caller ? "the caller has no subject" : "nobody before it says who asks");
		return LEAT_INTERNAL;
	}
	*ret_key = bucket_table_key(rate, 0, &caller->kind, sizeof(caller->kind));
	*ret_key = add_text(rate, add_text(rate, *ret_key, caller->issuer), caller->subject);
	return LEAT_OK;
}

static enum leat_result find_key(struct leat_request *req, const struct leat_rate *rate, uint64_t *ret_key)
{
	leat_text text = { NULL, 0 };

	if (rate->key) {
		LEAT_TRY(rate->key(req, &text));
		*ret_key = key_of(rate, text);
		return LEAT_OK;
	}
	if (rate->by == LEAT_RATE_BY_CALLER)
		return key_of_caller(req, rate, ret_key);
	*ret_key = key_of_client(req, rate);
	return LEAT_OK;
}

static struct rate_note *find_note(const struct leat_request *req, const struct leat_rate *rate)
{
	struct rate_note *note = rate_notes_get(req);

	while (note && note->rate != rate)
		note = note->next;
	return note;
}

/* Met twice on one way, it counts once. */
enum leat_result leat_rate_before_(struct leat_request *req, const void *options)
{
	const struct leat_rate *rate = options;
	struct rate_note *note;
	struct bucket_sight sight;
	enum leat_result result;
	uint64_t key;

	if (find_note(req, rate))
		return LEAT_OK;
	LEAT_TRY(find_key(req, rate, &key));
	result = take(req, rate, key, 1, 0, &sight);
	note = leat_alloc(req, sizeof(*note));
	*note = (struct rate_note){ rate_notes_get(req), rate, sight, false };
	rate_notes_set(req, note);
	return result;
}

/* "name";q=20;w=12 */
static void tell(struct leat_request *req, const char *header, const char *name, leat_text amount_is, int64_t amount,
		 leat_text seconds_are, int64_t seconds)
{
	struct buffer item;

	buffer_init(&item, req->call.arena, NAME_MOST + 64);
	buffer_byte(&item, '"');
	buffer_text(&item, leat_text_from(name));
	buffer_text(&item, amount_is);
	buffer_int(&item, amount);
	buffer_text(&item, seconds_are);
	buffer_int(&item, seconds);
	if (leat_reply_header(req, header, buffer_as_text(&item)) != LEAT_OK)
		log_debug("rate limit: no header %s", header);
}

void leat_rate_after_(struct leat_request *req, const void *options)
{
	const struct leat_rate *rate = options;
	struct rate_note *note = find_note(req, rate);
	struct bucket_limit limit = limit_of(rate);

	if (!note || note->is_told)
		return;
	note->is_told = true;
	tell(req, "RateLimit-Policy", rate->name, LEAT_TEXT_OF("\";q="), burst_of(rate), LEAT_TEXT_OF(";w="),
	     (int64_t)fill_s(rate));
	tell(req, "RateLimit", rate->name, LEAT_TEXT_OF("\";r="), bucket_sight_left(&limit, &note->sight),
	     LEAT_TEXT_OF(";t="), seconds_up(bucket_sight_full_in_ns(&limit, &note->sight)));
}
