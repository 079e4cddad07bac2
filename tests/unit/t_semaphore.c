/* t_semaphore.c - places that requests take: order, weights, limits, and who is let go (leat/semaphore.h, task/semaphore.h). */
#include <leat.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "guard/semaphores.h"
#include "http/request.h"
#include "task/held.h"
#include "task/loop.h"
#include "task/task.h"
#include "tests/unit/arena_stand.h"

LEAT_SEMAPHORE(rooms, .places = 4, .queue = 3);
LEAT_SEMAPHORE(brief, .places = 1, .wait_ms = 5);

static const struct leat_semaphore *const all[] = { &rooms, &brief };

static struct loop *loop;
static char trace[64];

/* A request that takes places, and keeps them until it is told to end. */
struct guest {
	const char *name;
	const struct leat_semaphore *semaphore;
	unsigned places;
	int64_t deadline_ns;
	struct leat_request *req;
	struct task *task;
	enum leat_result result; /* of taking */
	bool has_ended;
};

static struct leat_request *new_request(int64_t deadline_ns)
{
	static const struct request_environment environment = { .default_deadline_ns = 1 };
	static const char *const params[] = { NULL };
	struct leat_request *req = request_new(&arena, params, &environment, 0);

	req->call.deadline_ns = deadline_ns;
	return req;
}

static void set_up(void)
{
	set_up_arena();
	loop = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = 64 });
	loop_adopt(loop);
	memset(trace, 0, sizeof(trace));
	leat_semaphores_list_(all, all + 2);
	ck_assert_ptr_null(semaphores_fault());
	semaphores_create();
}

static void tear_down(void)
{
	loop_release(loop);
	loop_free(loop);
	tear_down_arena();
}

static void stay(void *arg)
{
	struct guest *guest = arg;

	guest->task = task_self();
	guest->req = new_request(guest->deadline_ns);
	guest->result = leat_semaphore_take(guest->req, guest->semaphore, guest->places);
	if (guest->result == LEAT_OK) {
		strcat(trace, guest->name);
		(void)!task_wait_always(CLOCK_NEVER);
	}
	held_let_go_all(&guest->req->call, LEAT_OK);
	guest->has_ended = true;
}

#define GUEST(letter, of, count) \
	{ \
		.name = letter, .semaphore = &(of), .places = (count), .deadline_ns = CLOCK_NEVER, \
		.result = LEAT_RESULT_COUNT \
	}

static void come(struct guest *guest)
{
	ck_assert(task_start(loop, stay, guest));
}

static void turn(void)
{
	for (int i = 0; i < 3; i++) {
		loop_poll(loop, 0);
		loop_run_ready(loop);
	}
}

static void go(struct guest *guest)
{
	task_wake(guest->task, LEAT_OK);
	turn();
	ck_assert(guest->has_ended);
}

static void go_all(void)
{
	while (loop_task_count(loop) > 0) {
		loop_cancel_all(loop);
		loop_poll(loop, 0);
		loop_run_ready(loop);
	}
}

static bool says(const struct guest *guest, const char *what)
{
	leat_text detail = guest->req->problem.detail;

	return detail.ptr && memmem(detail.ptr, detail.len, what, strlen(what));
}

static struct semaphore_stats stats_of(const struct leat_semaphore *semaphore)
{
	struct semaphore_stats stats;

	semaphore_stats(semaphore, &stats);
	return stats;
}

START_TEST(a_large_one_is_not_overtaken)
{
	struct guest a = GUEST("a", rooms, 3), b = GUEST("b", rooms, 2), c = GUEST("c", rooms, 1);

	come(&a);
	come(&b);
	come(&c); /* it would fit */
	turn();
	ck_assert_str_eq(trace, "a");
	go(&a);
	ck_assert_str_eq(trace, "abc");
	go(&b);
	go(&c);
	ck_assert_uint_eq(stats_of(&rooms).at_once, 1);
	ck_assert_uint_eq(stats_of(&rooms).waited, 2);
}
END_TEST

START_TEST(who_gives_up_lets_those_behind_in)
{
	struct guest a = GUEST("a", rooms, 3), b = GUEST("b", rooms, 2), c = GUEST("c", rooms, 1);

	b.deadline_ns = clock_now_ns() + 5 * CLOCK_MS;
	come(&a);
	come(&b);
	come(&c);
	for (int i = 0; i < 10000 && !trace[1]; i++) {
		loop_poll(loop, loop_sleep_until(loop));
		loop_run_ready(loop);
	}
	ck_assert_str_eq(trace, "ac");
	ck_assert_int_eq(b.result, LEAT_TIMED_OUT);
	ck_assert_uint_eq(stats_of(&rooms).timed_out, 1);
	go(&a);
	go(&c);
}
END_TEST

START_TEST(several_are_let_in_at_once)
{
	struct guest a = GUEST("a", rooms, 4), b = GUEST("b", rooms, 2), c = GUEST("c", rooms, 1),
		     d = GUEST("d", rooms, 2);

	come(&a);
	come(&b);
	come(&c);
	come(&d);
	go(&a);
	ck_assert_str_eq(trace, "abc");
	go(&b);
	ck_assert_str_eq(trace, "abcd");
	go(&c);
	go(&d);
}
END_TEST

START_TEST(a_full_queue_refuses_by_name)
{
	struct guest a = GUEST("a", rooms, 4), waiting[3], d = GUEST("d", rooms, 1);

	come(&a);
	for (int i = 0; i < 3; i++) {
		waiting[i] = (struct guest)GUEST("w", rooms, 1);
		come(&waiting[i]);
	}
	come(&d);
	ck_assert_int_eq(d.result, LEAT_UNAVAILABLE);
	ck_assert(says(&d, "'rooms': 3 wait already (queue)"));
	ck_assert_uint_eq(stats_of(&rooms).refused_queue, 1);
	go(&a);
	ck_assert_str_eq(trace, "awww");
	for (int i = 0; i < 3; i++)
		go(&waiting[i]);
}
END_TEST

START_TEST(a_limit_of_its_own_is_no_deadline)
{
	struct guest a = GUEST("a", brief, 1), b = GUEST("b", brief, 1);

	come(&a);
	come(&b);
	for (int i = 0; i < 10000 && !b.has_ended; i++) {
		loop_poll(loop, loop_sleep_until(loop));
		loop_run_ready(loop);
	}
	ck_assert_int_eq(b.result, LEAT_UNAVAILABLE);
	ck_assert(says(&b, "'brief': no place within 5 ms (wait_ms)"));
	ck_assert_uint_eq(stats_of(&brief).refused_wait, 1);
	go(&a);
}
END_TEST

START_TEST(an_ended_request_takes_nothing_even_if_there_is_room)
{
	struct guest a = GUEST("a", rooms, 1);

	a.deadline_ns = clock_now_ns() - 1;
	come(&a);
	ck_assert_int_eq(a.result, LEAT_TIMED_OUT);
	ck_assert_ptr_null(a.req->call.held);
}
END_TEST

static void take_when_cancelled(void *arg)
{
	struct guest *guest = arg;

	task_cancel(task_self());
	stay(guest);
}

START_TEST(nor_does_one_that_was_cancelled)
{
	struct guest a = GUEST("a", rooms, 1);

	ck_assert(task_start(loop, take_when_cancelled, &a));
	ck_assert_int_eq(a.result, LEAT_CANCELLED);
	ck_assert_uint_eq(stats_of(&rooms).cancelled, 1);
}
END_TEST

START_TEST(none_and_too_many_are_refused_at_once)
{
	struct guest a = GUEST("a", rooms, 0), b = GUEST("b", rooms, 5);

	come(&a);
	come(&b);
	ck_assert_int_eq(a.result, LEAT_INTERNAL);
	ck_assert_int_eq(b.result, LEAT_INTERNAL);
}
END_TEST

static void give_in_between(void *arg)
{
	struct leat_request *req = new_request(CLOCK_NEVER);

	(void)arg;
	ck_assert_int_eq(leat_semaphore_take(req, &rooms, 1), LEAT_OK);
	ck_assert_int_eq(leat_semaphore_take(req, &brief, 1), LEAT_OK);
	ck_assert_int_eq(leat_semaphore_take(req, &rooms, 3), LEAT_OK);
	leat_semaphore_give(req, &rooms); /* three */
	ck_assert_int_eq(leat_semaphore_take(req, &rooms, 3), LEAT_OK);
	leat_semaphore_give(req, &rooms);
	leat_semaphore_give(req, &rooms);
	ck_assert_int_eq(leat_semaphore_take(req, &rooms, 4), LEAT_OK);
	held_let_go_all(&req->call, LEAT_INTERNAL);
	ck_assert_int_eq(leat_semaphore_take(req, &rooms, 4), LEAT_OK);
	ck_assert_int_eq(leat_semaphore_take(req, &brief, 1), LEAT_OK);
	held_let_go_all(&req->call, LEAT_INTERNAL);
}

START_TEST(what_was_taken_last_is_given_back_and_the_rest_at_the_end)
{
	ck_assert(task_start(loop, give_in_between, NULL));
	ck_assert_uint_eq(loop_task_count(loop), 0);
	ck_assert_int_eq((int64_t)metrics_total(METRIC_SEMAPHORE_TAKEN), 0);
}
END_TEST

START_TEST(bounds_are_checked)
{
	static const struct leat_semaphore wrong[] = {
		{ .name = "none" },
		{ .name = "many", .places = 1000001 },
		{ .name = "queue", .places = 1, .queue = 1000001 },
		{ .name = "wait", .places = 1, .wait_ms = 3600001 },
	};

	for (int i = 0; i < 4; i++) {
		const struct leat_semaphore *list[] = { &wrong[i] };

		leat_semaphores_list_(list, list + 1);
		ck_assert_msg(semaphores_fault(), "%s is taken", wrong[i].name);
	}
}
END_TEST

/* Several workers ------------------------------------------------------------------------------------------------------ */

enum { WORKERS = 3, TASKS = 8, ROUNDS = 300 };

static atomic_int inside, most_inside, entered, refused;

static void visit(void *arg)
{
	unsigned places = 1 + (unsigned)(uintptr_t)arg % 4;
	struct arena_pool *own_pool = arena_pool_new(0);
	static const struct request_environment environment = { .default_deadline_ns = 1 };
	static const char *const params[] = { NULL };
	struct arena memory;

	arena_init(&memory, own_pool);
	for (int i = 0; i < ROUNDS; i++) {
		struct leat_request *req = request_new(&memory, params, &environment, 0);
		int now_inside;

		req->call.deadline_ns = clock_now_ns() + (i % 3 ? 1000 : 0) * CLOCK_MS + 50 * CLOCK_US;
		if (leat_semaphore_take(req, &rooms, places) != LEAT_OK) {
			refused++;
			task_yield();
			continue;
		}
		now_inside = atomic_fetch_add(&inside, (int)places) + (int)places;
		if (now_inside > most_inside)
			most_inside = now_inside;
		entered++;
		task_yield();
		inside -= (int)places;
		held_let_go_all(&req->call, LEAT_OK);
	}
	arena_reset(&memory);
	arena_pool_free(own_pool);
}

static void *work(void *arg)
{
	struct loop *own = loop_new(&(struct loop_options){ .stack_size = 65536, .tasks_max = TASKS });

	metrics_attach(0, (unsigned)(uintptr_t)arg);
	loop_adopt(own);
	for (uintptr_t i = 0; i < TASKS; i++)
		ck_assert(task_start(own, visit, (void *)(i + (uintptr_t)arg)));
	loop_run_ready(own);
	while (loop_task_count(own) > 0) {
		loop_poll(own, loop_sleep_until(own));
		loop_run_ready(own);
	}
	loop_release(own);
	loop_free(own);
	return NULL;
}

START_TEST(over_all_workers_there_are_never_more_and_none_is_lost)
{
	pthread_t threads[WORKERS];
	struct guest a = GUEST("a", rooms, 4);

	metrics_create(1, WORKERS);
	metrics_enter(0);
	for (uintptr_t i = 0; i < WORKERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)i), 0);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(entered + refused, WORKERS * TASKS * ROUNDS);
	ck_assert_int_gt(entered, 0);
	ck_assert_int_le(most_inside, 4);
	ck_assert_int_eq(inside, 0);
	come(&a);
	ck_assert_int_eq(a.result, LEAT_OK);
	go(&a);
	ck_assert_int_eq((int64_t)metrics_total(METRIC_SEMAPHORE_TAKEN), 0);
	ck_assert_int_eq((int64_t)metrics_total(METRIC_SEMAPHORE_WAITING), 0);
	go_all();
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("semaphore");

	HARNESS_CASE_WITH(s, "requests", set_up, tear_down, a_large_one_is_not_overtaken,
			  who_gives_up_lets_those_behind_in, several_are_let_in_at_once, a_full_queue_refuses_by_name,
			  a_limit_of_its_own_is_no_deadline, an_ended_request_takes_nothing_even_if_there_is_room,
			  nor_does_one_that_was_cancelled, none_and_too_many_are_refused_at_once,
			  what_was_taken_last_is_given_back_and_the_rest_at_the_end, bounds_are_checked);
	HARNESS_CASE_WITH(s, "workers", set_up, tear_down, over_all_workers_there_are_never_more_and_none_is_lost);
	return s;
}
