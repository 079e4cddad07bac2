/* t_flight.c - flights: who shares them, who leaves, and when they start anew. */
#include "tests/unit/harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "task/flight.h"
#include "task/loop.h"
#include "task/task.h"
#include "task/wait.h"

enum { MANY = 1000, THREADS = 3, ROUNDS = 200, TASKS = 20 };

static const int kind, other_kind;
static struct loop *loop;
static struct flights *flights;

/* The work: waits until it may land, and brings its key. */
static atomic_bool may_land;
static atomic_uint runs, cancelled;
static struct flight *last_flight;

static struct flight_landed *bring_key(struct flight *flight)
{
	leat_text bytes = flight_key_of(flight)->bytes;
	struct flight_landed *landed;
	enum leat_result result = LEAT_OK;

	last_flight = flight;
	atomic_fetch_add(&runs, 1);
	while (!atomic_load(&may_land) && result == LEAT_OK)
		result = wait_sleep(clock_now_ns() + CLOCK_MS, CLOCK_NEVER);
	atomic_fetch_add(&cancelled, result == LEAT_CANCELLED);
	landed = flight_landed_new(result, bytes.len);
	memcpy(landed->bytes, bytes.ptr, bytes.len);
	return landed;
}

static struct flight_landed *bring_soon(struct flight *flight)
{
	leat_text bytes = flight_key_of(flight)->bytes;
	struct flight_landed *landed;
	enum leat_result result = wait_sleep(clock_now_ns() + (int64_t)random_below(CLOCK_MS), CLOCK_NEVER);

	atomic_fetch_add(&runs, 1);
	landed = flight_landed_new(result, bytes.len);
	memcpy(landed->bytes, bytes.ptr, bytes.len);
	return landed;
}

/* One who asks. */
struct asker {
	leat_text key;
	const void *kind;    /* NULL: 'kind' */
	int64_t deadline_ns; /* 0: never */
	bool is_early;       /* the work may land when it has left */
	bool is_stress;
	struct task *task;
	bool is_done;
	enum leat_result result, landed_result;
	bool is_shared, is_right;
	const void *address; /* of what it got */
};

static struct flight_key key_of(const struct asker *asker)
{
	return flight_key(flights, asker->kind ? asker->kind : &kind, asker->key.ptr ? asker->key : LEAT_TEXT_OF("k"));
}

static void ask_with(struct asker *asker, struct flight_key key)
{
	struct flight_ask ask = { .key = key,
				  .run = asker->is_stress ? bring_soon : bring_key,
				  .deadline_ns = asker->deadline_ns ? asker->deadline_ns : CLOCK_NEVER };
	struct flight_landed *landed;

	asker->task = task_self();
	asker->result = flight_await(flights, &ask, &landed);
	asker->is_done = true;
	if (asker->is_early)
		atomic_store(&may_land, true);
	if (asker->result != LEAT_OK)
		return;
	asker->address = landed;
	asker->landed_result = landed->result;
	asker->is_shared = landed->is_shared;
	asker->is_right = leat_text_equal((leat_text){ landed->bytes, landed->len }, key.bytes);
	flight_landed_release(landed);
}

static void ask(void *arg)
{
	ask_with(arg, key_of(arg));
}

static void turn(void)
{
	loop_poll(loop, loop_sleep_until(loop));
	loop_run_ready(loop);
}

static void run_all(void)
{
	loop_run_ready(loop);
	while (loop_task_count(loop) > 0)
		turn();
}

static void start(struct asker *asker)
{
	ck_assert(task_start(loop, ask, asker));
}

static void set_up(void)
{
	loop = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = MANY + 1 });
	loop_adopt(loop);
	flights = flights_new();
	atomic_store(&may_land, false);
	atomic_store(&runs, 0);
	atomic_store(&cancelled, 0);
}

static void tear_down(void)
{
	loop_release(loop);
	loop_free(loop);
	flights_free(flights);
}

START_TEST(all_who_ask_at_once_share_one_run)
{
	static struct asker askers[MANY];

	for (int i = 0; i < MANY; i++)
		start(&askers[i]);
	atomic_store(&may_land, true);
	run_all();
	ck_assert_uint_eq(runs, 1);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(askers[i].result, LEAT_OK);
		ck_assert(askers[i].is_right && askers[i].is_shared);
		ck_assert_ptr_eq(askers[i].address, askers[0].address);
	}
}
END_TEST

START_TEST(one_alone_shares_with_nobody)
{
	struct asker asker = { 0 };

	atomic_store(&may_land, true);
	start(&asker);
	run_all();
	ck_assert(asker.is_right && !asker.is_shared);
}
END_TEST

START_TEST(keys_are_equal_by_kind_length_and_bytes)
{
	struct asker askers[] = { { .key = LEAT_TEXT_OF("a") },
				  { .key = LEAT_TEXT_OF("b") },
				  { .key = LEAT_TEXT_OF("ab") },
				  { .key = LEAT_TEXT_OF("") },
				  { .key = LEAT_TEXT_OF("a"), .kind = &other_kind } };

	for (int i = 0; i < 5; i++)
		start(&askers[i]);
	atomic_store(&may_land, true);
	run_all();
	ck_assert_uint_eq(runs, 5);
	for (int i = 0; i < 5; i++)
		ck_assert(askers[i].is_right && !askers[i].is_shared);
}
END_TEST

static void ask_with_hash_of_1(void *arg)
{
	struct flight_key key = key_of(arg);

	key.hash = 1;
	ask_with(arg, key);
}

START_TEST(equal_hashes_do_not_make_keys_equal)
{
	struct asker askers[] = { { .key = LEAT_TEXT_OF("a") }, { .key = LEAT_TEXT_OF("b") } };

	for (int i = 0; i < 2; i++)
		ck_assert(task_start(loop, ask_with_hash_of_1, &askers[i]));
	atomic_store(&may_land, true);
	run_all();
	ck_assert_uint_eq(runs, 2);
	ck_assert(askers[0].is_right && askers[1].is_right);
}
END_TEST

START_TEST(each_leaves_at_its_own_deadline)
{
	struct asker patient = { 0 }, hasty = { .is_early = true };

	hasty.deadline_ns = clock_now_ns() + 20 * CLOCK_MS;
	start(&patient);
	start(&hasty);
	run_all();
	ck_assert_int_eq(hasty.result, LEAT_TIMED_OUT);
	ck_assert_int_eq(patient.landed_result, LEAT_OK);
	ck_assert(patient.is_right);
	ck_assert_uint_eq(runs, 1);
}
END_TEST

START_TEST(who_came_first_may_leave)
{
	struct asker first = { .is_early = true }, second = { 0 };

	start(&first);
	start(&second);
	loop_run_ready(loop);
	task_cancel(first.task);
	run_all();
	ck_assert_int_eq(first.result, LEAT_CANCELLED);
	ck_assert(second.is_right);
	ck_assert_uint_eq(runs, 1);
}
END_TEST

START_TEST(the_last_one_to_leave_cancels_the_work_and_frees_the_key)
{
	struct asker first = { 0 }, newcomer = { 0 };

	start(&first);
	loop_run_ready(loop);
	task_cancel(first.task);
	while (!first.is_done)
		turn();
	start(&newcomer); /* before the cancelled work has noticed */
	ck_assert_uint_eq(atomic_load(&cancelled), 0);
	while (atomic_load(&cancelled) == 0)
		turn();
	atomic_store(&may_land, true);
	run_all();
	ck_assert_int_eq(first.result, LEAT_CANCELLED);
	ck_assert(newcomer.is_right && !newcomer.is_shared);
	ck_assert_int_eq(newcomer.landed_result, LEAT_OK);
	ck_assert_uint_eq(runs, 2);
}
END_TEST

START_TEST(work_that_is_cancelled_before_it_began_is_not_done)
{
	struct asker asker = { 0 };

	asker.deadline_ns = 1;
	start(&asker);
	run_all();
	ck_assert_int_eq(asker.result, LEAT_TIMED_OUT);
	ck_assert_uint_le(runs, 1);
}
END_TEST

START_TEST(nobody_joins_work_that_the_first_one_would_not_wait_for)
{
	struct asker first = { 0 }, second = { 0 }, newcomer = { .is_early = true };

	first.deadline_ns = clock_now_ns() + 200 * CLOCK_MS; /* time enough for the second one to join */
	start(&first);
	start(&second);
	while (!first.is_done)
		turn();
	start(&newcomer);
	atomic_store(&may_land, true);
	run_all();
	ck_assert_int_eq(first.result, LEAT_TIMED_OUT);
	ck_assert(second.is_right && newcomer.is_right);
	ck_assert(second.is_shared && !newcomer.is_shared);
	ck_assert_uint_eq(runs, 2);
}
END_TEST

START_TEST(what_is_forgotten_is_started_anew)
{
	struct asker before = { 0 }, after = { 0 }, again = { 0 };
	struct flight_key key = key_of(&before);

	start(&before);
	flight_forget(flights, &key);
	start(&after);
	start(&again);
	loop_run_ready(loop);
	atomic_store(&may_land, true);
	run_all();
	ck_assert_uint_eq(runs, 2); /* the first one's end did not take the second one's place away */
	ck_assert(!before.is_shared && after.is_shared && again.is_shared);
	ck_assert_ptr_eq(after.address, again.address);
}
END_TEST

static int64_t start_deadline_ns;
static int starts;

static void start_without_waiting(void *arg)
{
	struct flight_ask ask = { .key = key_of(arg), .run = bring_key, .deadline_ns = start_deadline_ns };

	for (int i = 0; i < starts; i++)
		flight_start(flights, &ask); /* the second time it is under way */
}

START_TEST(work_can_be_started_without_waiting)
{
	struct asker nobody = { 0 }, joiner = { 0 };

	start_deadline_ns = clock_now_ns() + CLOCK_S * 60;
	starts = 2;
	ck_assert(task_start(loop, start_without_waiting, &nobody));
	start(&joiner);
	atomic_store(&may_land, true);
	run_all();
	ck_assert_uint_eq(runs, 1);
	ck_assert(joiner.is_right && joiner.is_shared);
	ck_assert_int_eq(loop_sleep_until(loop), CLOCK_NEVER); /* no timer is left */
}
END_TEST

START_TEST(work_that_nobody_waits_for_ends_at_its_deadline)
{
	struct asker nobody = { 0 };

	start_deadline_ns = clock_now_ns() + 5 * CLOCK_MS;
	starts = 1;
	ck_assert(task_start(loop, start_without_waiting, &nobody));
	run_all();
	ck_assert_uint_eq(runs, 1);
	ck_assert_uint_eq(cancelled, 1);
}
END_TEST

START_TEST(a_crash_fails_all_who_wait)
{
	struct asker first = { 0 }, second = { 0 }, newcomer = { 0 };
	struct crash_subject subject;

	start(&first);
	start(&second);
	while (atomic_load(&runs) == 0)
		turn();
	ck_assert_ptr_eq(flight_of_task(last_flight), last_flight);
	ck_assert(flight_describe(last_flight, &subject));
	ck_assert_str_eq(subject.route, "none");
	flight_fail(last_flight, LEAT_INTERNAL);
	while (!first.is_done || !second.is_done)
		turn();
	start(&newcomer);
	atomic_store(&may_land, true);
	run_all();
	ck_assert_int_eq(first.landed_result, LEAT_INTERNAL);
	ck_assert_int_eq(second.landed_result, LEAT_INTERNAL);
	ck_assert(newcomer.is_right);
	ck_assert_uint_eq(runs, 2);
}
END_TEST

START_TEST(without_a_task_nobody_waits)
{
	struct loop *small = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = 1 });
	struct asker asker = { 0 };

	loop_release(loop);
	loop_adopt(small);
	ck_assert(task_start(small, ask, &asker));
	ck_assert_int_eq(asker.result, LEAT_UNAVAILABLE);
	ck_assert_uint_eq(loop_task_count(small), 0);
	loop_release(small);
	loop_free(small);
	loop_adopt(loop);
}
END_TEST

/* On several threads: few keys, short deadlines, askers that are cancelled. */
struct worker {
	pthread_t thread;
	unsigned asked, got, wrong;
};

static void ask_much(void *arg)
{
	static const char keys[] = "abcd";
	struct worker *worker = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct asker asker = { .key = { keys + random_below(4), 1 }, .is_stress = true };

		if (random_below(2) == 0)
			asker.deadline_ns = clock_now_ns() + (int64_t)random_below(CLOCK_MS);
		ask(&asker);
		worker->asked++;
		worker->got += asker.result == LEAT_OK;
		worker->wrong += asker.result == LEAT_OK && asker.landed_result == LEAT_OK && !asker.is_right;
		if (random_below(8) == 0)
			task_yield();
	}
}

static void *work(void *arg)
{
	struct loop *own = loop_new(&(struct loop_options){ .stack_size = 32768, .tasks_max = 4 * TASKS });

	loop_adopt(own);
	for (int i = 0; i < TASKS; i++)
		ck_assert(task_start(own, ask_much, arg));
	while (loop_task_count(own) > 0) {
		loop_poll(own, loop_sleep_until(own));
		loop_run_ready(own);
	}
	loop_release(own);
	return own;
}

START_TEST(threads_share_their_flights)
{
	struct worker workers[THREADS] = { 0 };
	void *loops[THREADS];
	unsigned got = 0;

	atomic_store(&may_land, true);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(workers[i].thread, &loops[i]), 0);
		ck_assert_uint_eq(workers[i].asked, TASKS * ROUNDS);
		ck_assert_uint_eq(workers[i].wrong, 0);
		got += workers[i].got;
	}
	for (int i = 0; i < THREADS; i++)
		loop_free(loops[i]); /* cancels that came too late run here */
	ck_assert_uint_gt(got, 0);
	ck_assert_uint_lt(runs, got);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("flight");

	HARNESS_CASE_WITH(s, "sharing", set_up, tear_down, all_who_ask_at_once_share_one_run,
			  one_alone_shares_with_nobody, keys_are_equal_by_kind_length_and_bytes,
			  equal_hashes_do_not_make_keys_equal, what_is_forgotten_is_started_anew,
			  work_can_be_started_without_waiting);
	HARNESS_CASE_WITH(s, "leaving", set_up, tear_down, each_leaves_at_its_own_deadline, who_came_first_may_leave,
			  the_last_one_to_leave_cancels_the_work_and_frees_the_key,
			  work_that_is_cancelled_before_it_began_is_not_done,
			  nobody_joins_work_that_the_first_one_would_not_wait_for,
			  work_that_nobody_waits_for_ends_at_its_deadline);
	HARNESS_CASE_WITH(s, "failing", set_up, tear_down, a_crash_fails_all_who_wait, without_a_task_nobody_waits);
	HARNESS_CASE_WITH(s, "threads", set_up, tear_down, threads_share_their_flights);
	return s;
}
