/* t_rate.c - rate limits of requests: whom they count, what the reply says, and waiting. */
#include <leat.h>
#include <string.h>

#include "base/bucket_table.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "http/request.h"
#include "task/loop.h"
#include "task/task.h"
#include "tests/unit/arena_stand.h"

static const struct request_environment environment = { .default_deadline_ns = 3600 * CLOCK_S };
static const struct leat_rate two = { .name = "two", .requests = 2, .seconds = 3600 };
static const struct leat_rate other = { .name = "other", .requests = 100, .seconds = 60, .burst = 20 };
static const struct leat_rate callers = { .name = "callers", .requests = 1, .by = LEAT_RATE_BY_CALLER, .seconds = 60 };
static const leat_text key = { "key", 3 };

static void set_up(void)
{
	set_up_arena();
	bucket_table_create(1024);
}

static struct leat_request *request_of(const char *address)
{
	const char **params = arena_zalloc(&arena, 2 * sizeof(*params));

	params[0] = arena_format(&arena, "REMOTE_ADDR=%s", address).ptr;
	return request_new(&arena, params, &environment, clock_now_ns());
}

static struct leat_request *any(void)
{
	return request_of("192.0.2.1");
}

static enum leat_result pass(struct leat_request *req, const struct leat_rate *rate)
{
	return leat_rate_before_(req, rate);
}

static const char *headers_of(struct leat_request *req)
{
	return arena_format(&arena, "%.*s", LEAT_TEXT_PRINTF(buffer_as_text(&req->response.headers))).ptr;
}

/* Calls ---------------------------------------------------------------------------------------------------------------- */

START_TEST(there_are_as_many_as_the_rate_says)
{
	struct leat_request *req = any();

	ck_assert_int_eq(leat_rate_allow(req, &two, key, 1), LEAT_OK);
	ck_assert_int_eq(leat_rate_allow(req, &two, key, 2), LEAT_RATE_LIMITED);
	ck_assert_int_eq(leat_rate_allow(req, &two, key, 1), LEAT_OK);
	ck_assert_int_eq(leat_rate_allow(req, &two, key, 0), LEAT_OK);
	ck_assert_int_eq(leat_rate_allow(req, &two, LEAT_TEXT_OF("kex"), 2), LEAT_OK);
	ck_assert_int_eq(leat_rate_allow(req, &other, key, 2), LEAT_OK);
	ck_assert_int_eq(req->call.retry_after_s, 1800);
	ck_assert(leat_text_equal(req->problem.detail, LEAT_TEXT_OF("Limit two: 2 in 3600 s.")));
	ck_assert_uint_eq(metrics_total(METRIC_RATE_PASSED), 5);
	ck_assert_uint_eq(metrics_total(METRIC_RATE_REFUSED), 1);
}
END_TEST

START_TEST(more_than_the_burst_is_another_error)
{
	struct leat_reservation reservation;

	ck_assert_int_eq(leat_rate_allow(any(), &two, key, 3), LEAT_TOO_LARGE);
	ck_assert_int_eq(leat_rate_reserve(any(), &two, key, 3, &reservation), LEAT_TOO_LARGE);
	leat_rate_cancel(&reservation);
	ck_assert_int_eq(leat_rate_allow(any(), &two, key, 2), LEAT_OK);
}
END_TEST

START_TEST(a_reservation_says_when)
{
	struct leat_reservation reservation, second;

	ck_assert_int_eq(leat_rate_reserve(any(), &other, key, 20, &reservation), LEAT_OK);
	ck_assert_int_eq(reservation.delay_ms, 0);
	ck_assert_int_eq(leat_rate_reserve(any(), &other, key, 10, &reservation), LEAT_OK);
	ck_assert_int_gt(reservation.delay_ms, 5000);
	ck_assert_int_le(reservation.delay_ms, 6000);
	leat_rate_cancel(&reservation);
	leat_rate_cancel(&reservation);
	ck_assert_int_eq(leat_rate_reserve(any(), &other, key, 10, &second), LEAT_OK);
	ck_assert_int_le(second.delay_ms, reservation.delay_ms);
	ck_assert_int_eq(leat_rate_allow(any(), &two, key, 2), LEAT_OK);
	ck_assert_int_eq(leat_rate_reserve(any(), &two, key, 2, &second), LEAT_OK);
	ck_assert_int_eq(leat_rate_reserve(any(), &two, key, 1, &second), LEAT_RATE_LIMITED); /* beyond an hour */
}
END_TEST

/* Waiting -------------------------------------------------------------------------------------------------------------- */

static const struct leat_rate quick = { .name = "quick", .requests = 20, .burst = 1 }; /* 50 ms */
static struct loop *loop;

struct waiter {
	struct leat_request *req;
	enum leat_result result;
	unsigned place; /* in which it came to an end */
	struct task *task;
	uint32_t count;
};
static unsigned ended;

static void set_up_loop(void)
{
	set_up();
	loop = loop_new(&(struct loop_options){ .stack_size = 65536, .tasks_max = 100 });
	loop_adopt(loop);
	ended = 0;
}

static void tear_down_loop(void)
{
	loop_release(loop);
	loop_free(loop);
	tear_down_arena();
}

static void run_all(void)
{
	loop_run_ready(loop);
	while (loop_task_count(loop) > 0) {
		loop_poll(loop, loop_sleep_until(loop));
		loop_run_ready(loop);
	}
}

static void wait_for_token(void *arg)
{
	struct waiter *waiter = arg;

	waiter->task = task_self();
	waiter->result = leat_rate_wait(waiter->req, &quick, key, waiter->count);
	waiter->place = ended++;
}

static void start(struct waiter *waiter)
{
	*waiter = (struct waiter){ .req = any(), .result = LEAT_RESULT_COUNT, .count = 1 };
	ck_assert(task_start(loop, wait_for_token, waiter));
}

START_TEST(who_came_first_is_first)
{
	struct waiter waiters[5];
	int64_t began_ns = clock_now_ns();

	for (unsigned i = 0; i < 5; i++)
		start(&waiters[i]);
	ck_assert_int_eq(waiters[0].result, LEAT_OK);
	run_all();
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_int_eq(waiters[i].result, LEAT_OK);
		ck_assert_uint_eq(waiters[i].place, i);
	}
	ck_assert_int_ge(clock_now_ns() - began_ns, 4 * 50 * CLOCK_MS);
	ck_assert_uint_eq(metrics_total(METRIC_RATE_DELAYED), 4);
}
END_TEST

static void start_with(struct waiter *waiter, uint32_t count, int64_t deadline_ns, bool is_cancelled)
{
	*waiter = (struct waiter){ .req = any(), .result = LEAT_RESULT_COUNT, .count = count };
	waiter->req->call.deadline_ns = deadline_ns;
	ck_assert(task_start(loop, wait_for_token, waiter));
	if (is_cancelled)
		task_cancel(waiter->task);
}

START_TEST(a_deadline_that_comes_first_fails_at_once)
{
	struct waiter first, late, next;

	start(&first);
	start_with(&late, 1, clock_now_ns() + 20 * CLOCK_MS, false);
	ck_assert_int_eq(late.result, LEAT_RATE_LIMITED);
	ck_assert_int_eq(late.req->call.retry_after_s, 1);
	start_with(&next, 1, clock_now_ns() + 60 * CLOCK_S, false);
	run_all();
	ck_assert_int_eq(next.result, LEAT_OK);
}
END_TEST

START_TEST(a_wait_that_is_given_up_takes_nothing)
{
	struct waiter first, second;
	struct leat_reservation next;

	start(&first);
	start_with(&second, 1, clock_now_ns() + 60 * CLOCK_S, true);
	run_all();
	ck_assert_int_eq(second.result, LEAT_CANCELLED);
	ck_assert_int_eq(leat_rate_reserve(any(), &quick, key, 1, &next), LEAT_OK);
	ck_assert_int_le(next.delay_ms, 50);
}
END_TEST

/* Too much first, then the end of the request, then the token: which takes none. */
START_TEST(the_order_of_errors)
{
	struct waiter waiter;

	start_with(&waiter, 2, clock_now_ns() - 1, false);
	ck_assert_int_eq(waiter.result, LEAT_TOO_LARGE);
	start_with(&waiter, 1, clock_now_ns() - 1, false);
	ck_assert_int_eq(waiter.result, LEAT_TIMED_OUT);
	ck_assert_int_eq(leat_rate_allow(any(), &quick, key, 1), LEAT_OK);
}
END_TEST

/* The middleware ------------------------------------------------------------------------------------------------------- */

START_TEST(addresses_have_a_bucket_each)
{
	ck_assert_int_eq(pass(request_of("192.0.2.1"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("::ffff:192.0.2.1"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("192.0.2.1"), &two), LEAT_RATE_LIMITED);
	ck_assert_int_eq(pass(request_of("192.0.2.2"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("unix:"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("unix:"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("unix:"), &two), LEAT_RATE_LIMITED);
}
END_TEST

START_TEST(networks_of_64_bits_have_a_bucket_each)
{
	ck_assert_int_eq(pass(request_of("2001:db8::1"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("2001:db8::ffff:1:2:3"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("2001:db8::2"), &two), LEAT_RATE_LIMITED);
	ck_assert_int_eq(pass(request_of("2001:db8:0:1::1"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("::1"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("0.0.0.0"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("::2"), &two), LEAT_OK);
	ck_assert_int_eq(pass(request_of("::3"), &two), LEAT_RATE_LIMITED);
}
END_TEST

static enum leat_result pass_as(enum leat_caller_kind kind, const char *issuer, const char *subject)
{
	struct leat_request *req = any();
	const struct leat_caller caller = { .kind = kind,
					    .issuer = leat_text_from(issuer),
					    .subject = leat_text_from(subject) };

	leat_caller_set(req, &caller);
	return pass(req, &callers);
}

START_TEST(callers_have_a_bucket_each)
{
	ck_assert_int_eq(pass_as(LEAT_CALLER_JWT, "ab", "c"), LEAT_OK);
	ck_assert_int_eq(pass_as(LEAT_CALLER_JWT, "ab", "c"), LEAT_RATE_LIMITED);
	ck_assert_int_eq(pass_as(LEAT_CALLER_JWT, "a", "bc"), LEAT_OK);
	ck_assert_int_eq(pass_as(LEAT_CALLER_BASIC, "ab", "c"), LEAT_OK);
	ck_assert_int_eq(pass_as(LEAT_CALLER_BASIC, "ab", ""), LEAT_INTERNAL);
	ck_assert_int_eq(pass(any(), &callers), LEAT_INTERNAL);
}
END_TEST

static enum leat_result key_by_path(struct leat_request *req, leat_text *ret_key)
{
	*ret_key = key;
	return leat_client_address(req).len > 9 ? LEAT_FORBIDDEN : LEAT_OK;
}

START_TEST(a_service_gives_keys_of_its_own)
{
	static const struct leat_rate own = { .name = "own", .requests = 1, .seconds = 60, .key = key_by_path };

	ck_assert_int_eq(pass(request_of("192.0.2.1"), &own), LEAT_OK);
	ck_assert_int_eq(pass(request_of("192.0.2.2"), &own), LEAT_RATE_LIMITED);
	ck_assert_int_eq(pass(request_of("192.0.2.33"), &own), LEAT_FORBIDDEN);
	ck_assert_int_eq(leat_rate_allow(any(), &own, key, 1), LEAT_RATE_LIMITED);
}
END_TEST

START_TEST(replies_say_how_things_stand)
{
	struct leat_request *req = any();

	ck_assert_int_eq(pass(req, &other), LEAT_OK);
	ck_assert_int_eq(pass(req, &other), LEAT_OK); /* again on one way: once */
	ck_assert_int_eq(pass(req, &two), LEAT_OK);
	leat_rate_after_(req, &two);
	leat_rate_after_(req, &other);
	leat_rate_after_(req, &other);
	leat_rate_after_(req, &callers);
	ck_assert_str_eq(headers_of(req), "RateLimit-Policy: \"two\";q=2;w=3600\r\nRateLimit: \"two\";r=1;t=1800\r\n"
					  "RateLimit-Policy: \"other\";q=20;w=12\r\nRateLimit: \"other\";r=19;t=1\r\n");
}
END_TEST

START_TEST(options_are_checked)
{
	ck_assert_ptr_null(leat_rate_check_(&two));
	ck_assert_ptr_null(leat_rate_check_(&quick));
	ck_assert_ptr_nonnull(leat_rate_check_(NULL));
	ck_assert_ptr_nonnull(leat_rate_check_(&(struct leat_rate){ .requests = 1 }));
	ck_assert_ptr_nonnull(leat_rate_check_(&(struct leat_rate){ .name = "a b", .requests = 1 }));
	ck_assert_ptr_nonnull(leat_rate_check_(&(struct leat_rate){ .name = "a\"", .requests = 1 }));
	ck_assert_ptr_nonnull(leat_rate_check_(&(struct leat_rate){ .name = "a" }));
	ck_assert_ptr_nonnull(
		leat_rate_check_(&(struct leat_rate){ .name = "a", .requests = 1, .seconds = 366 * 86400 + 1 }));
	ck_assert_ptr_nonnull(leat_rate_check_(
		&(struct leat_rate){ .name = "a", .requests = 1, .seconds = 366 * 86400, .burst = 2 }));
	ck_assert_ptr_nonnull(leat_rate_check_(
		&(struct leat_rate){ .name = "a", .requests = 1, .seconds = UINT32_MAX, .burst = UINT32_MAX }));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("rate");

	HARNESS_CASE_WITH(s, "calls", set_up, tear_down_arena, there_are_as_many_as_the_rate_says,
			  more_than_the_burst_is_another_error, a_reservation_says_when);
	HARNESS_CASE_WITH(s, "waiting", set_up_loop, tear_down_loop, who_came_first_is_first,
			  a_deadline_that_comes_first_fails_at_once, a_wait_that_is_given_up_takes_nothing,
			  the_order_of_errors);
	HARNESS_CASE_WITH(s, "middleware", set_up, tear_down_arena, addresses_have_a_bucket_each,
			  networks_of_64_bits_have_a_bucket_each, callers_have_a_bucket_each,
			  a_service_gives_keys_of_its_own, replies_say_how_things_stand, options_are_checked);
	return s;
}
