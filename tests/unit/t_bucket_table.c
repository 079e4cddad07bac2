/* t_bucket_table.c - buckets of many keys, hammered by threads of several processes, some of which are killed. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bucket_table.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "tests/unit/harness.h"

enum { PROCESSES = 4, THREADS = 2, PLACES = 8 };

static const char office, shop; /* scopes */
static struct bucket_limit limit;
static struct bucket_sight sight;
static int64_t now_ns;

static void set_up(void)
{
	bucket_table_create(64);
	limit = bucket_limit(1, CLOCK_S, 2);
	now_ns = clock_now_ns();
}

static bool take(uint64_t key, uint32_t count)
{
	return bucket_table_take(&limit, key, now_ns, count, 0, &sight);
}

static uint64_t key_of(const char *text)
{
	return bucket_table_key(&office, 0, text, strlen(text));
}

/* One key after the other -------------------------------------------------------------------------------------------- */

START_TEST(keys_and_scopes_are_apart)
{
	ck_assert(take(key_of("a"), 2));
	ck_assert(!take(key_of("a"), 1));
	ck_assert(take(key_of("b"), 2));
	ck_assert(take(bucket_table_key(&shop, 0, "a", 1), 2));
	ck_assert(take(bucket_table_key(&office, key_of("a"), "a", 1), 2));
}
END_TEST

START_TEST(it_tells_how_things_stand)
{
	ck_assert(take(key_of("a"), 1));
	ck_assert_int_eq(sight.wait_ns, 0);
	ck_assert_uint_eq(bucket_sight_left(&limit, &sight), 1);
	ck_assert_int_eq(bucket_sight_full_in_ns(&limit, &sight), CLOCK_S);
	ck_assert(!take(key_of("a"), 2));
	ck_assert_int_eq(sight.wait_ns, CLOCK_S);
	ck_assert_uint_eq(bucket_sight_left(&limit, &sight), 1);
	ck_assert(!take(key_of("a"), 3));
	ck_assert_int_eq(sight.wait_ns, BUCKET_FOREVER);
	ck_assert(!take(key_of("new"), 3));
	ck_assert_uint_eq(bucket_sight_left(&limit, &sight), 2);
}
END_TEST

START_TEST(a_reservation_goes_back)
{
	uint64_t key = key_of("a");

	ck_assert(take(key, 2));
	ck_assert(bucket_table_take(&limit, key, now_ns, 2, 5 * CLOCK_S, &sight));
	ck_assert_int_eq(sight.wait_ns, 2 * CLOCK_S);
	bucket_table_cancel(&limit, key, now_ns, &sight.grant);
	ck_assert(bucket_table_take(&limit, key, now_ns, 2, 2 * CLOCK_S, &sight));
	bucket_table_cancel(&limit, key_of("unknown"), now_ns, &sight.grant);
}
END_TEST

/* Keys of one set: it is chosen by the low bits. */
static uint64_t neighbour(uint64_t number)
{
	return (number + 1) << 32 | 5;
}

START_TEST(the_place_of_a_full_bucket_is_free)
{
	for (uint64_t i = 0; i < 100 * PLACES; i++) {
		now_ns += CLOCK_S / PLACES;
		ck_assert(take(neighbour(i), 1));
	}
	ck_assert_uint_eq(metrics_total(METRIC_RATE_FORGOTTEN), 0);
}
END_TEST

START_TEST(without_room_the_one_nearest_to_full_is_forgotten)
{
	for (uint64_t i = 0; i < PLACES; i++)
		ck_assert(take(neighbour(i), i == 3 ? 1 : 2));
	ck_assert_uint_eq(metrics_total(METRIC_RATE_FORGOTTEN), 0);
	ck_assert(take(neighbour(PLACES), 2));
	ck_assert_uint_eq(metrics_total(METRIC_RATE_FORGOTTEN), 1);
	for (uint64_t i = 0; i <= PLACES; i++)
		ck_assert(i == 3 || !take(neighbour(i), 1));
}
END_TEST

START_TEST(what_is_refused_takes_no_place)
{
	for (uint64_t i = 0; i < PLACES; i++)
		ck_assert(take(neighbour(i), 2));
	ck_assert(!take(neighbour(PLACES), 3));
	ck_assert(take(neighbour(PLACES), 0));
	ck_assert_uint_eq(metrics_total(METRIC_RATE_FORGOTTEN), 0);
}
END_TEST

/* Several processes --------------------------------------------------------------------------------------------------- */

/* What they share, beside the table. */
static struct shared {
	uint64_t granted;
	uint64_t late; /* how many of them for a time to come */
	unsigned ready;
	uint8_t per_key[1 << 12];
} * shared;

static void share(uint32_t keys)
{
	bucket_table_create(keys);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
}

/* All threads of all processes, for the first, the second, .. time. */
static void meet_again(unsigned time)
{
	__atomic_fetch_add(&shared->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) < time * PROCESSES * THREADS)
		sched_yield();
}

static void meet(void)
{
	meet_again(1);
}

static void run_threads(void *(*fn)(void *arg))
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, fn, NULL) != 0)
			abort();
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void run_processes(void *(*fn)(void *arg))
{
	int status;

	for (unsigned i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			run_threads(fn);
			_exit(0);
		}
	for (unsigned i = 0; i < PROCESSES; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
}

static void *hammer(void *arg)
{
	struct bucket_sight mine;
	uint64_t key = key_of("hot"), granted = 0;
	int64_t end_ns;

	meet();
	end_ns = clock_now_ns() + CLOCK_S;
	while (clock_now_ns() < end_ns)
		granted += bucket_table_take(&limit, key, clock_now_ns(), 1, 0, &mine);
	__atomic_fetch_add(&shared->granted, granted, __ATOMIC_RELAXED);
	return arg;
}

static void check_hammering(uint32_t count, uint32_t burst)
{
	int64_t began_ns, took_ns;

	share(64);
	limit = bucket_limit(count, CLOCK_S, burst);
	began_ns = clock_now_ns();
	run_processes(hammer);
	took_ns = clock_now_ns() - began_ns;
	ck_assert_uint_le(shared->granted, burst + (uint64_t)took_ns * count / CLOCK_S);
	ck_assert_uint_ge(shared->granted, burst);
}

START_TEST(all_processes_together_get_no_more)
{
	check_hammering(1000, 50);
}
END_TEST

/* Nearly each swap meets another one. */
START_TEST(a_high_rate_is_kept_as_well)
{
	check_hammering(1000000, 1000);
}
END_TEST

/* Some give back what they reserve. Time lines are in t_bucket.c. */
static void *reserve_and_cancel(void *arg)
{
	struct bucket_sight mine;
	uint64_t key = key_of("hot"), granted = 0, late = 0;
	int64_t end_ns;

	meet();
	end_ns = clock_now_ns() + CLOCK_S;
	while (clock_now_ns() < end_ns) {
		if (!bucket_table_take(&limit, key, clock_now_ns(), 1 + (uint32_t)random_below(3), 20 * CLOCK_MS,
				       &mine))
			continue;
		if (random_below(2) == 0)
			bucket_table_cancel(&limit, key, clock_now_ns(), &mine.grant);
		else
			granted += mine.grant.count;
		late += mine.wait_ns > 0;
	}
	__atomic_fetch_add(&shared->granted, granted, __ATOMIC_RELAXED);
	__atomic_fetch_add(&shared->late, late, __ATOMIC_RELAXED);
	return arg;
}

START_TEST(what_goes_back_is_not_given_twice)
{
	int64_t began_ns, took_ns;

	share(64);
	limit = bucket_limit(1000, CLOCK_S, 5);
	began_ns = clock_now_ns();
	run_processes(reserve_and_cancel);
	took_ns = clock_now_ns() - began_ns + 20 * CLOCK_MS;
	ck_assert_uint_le(shared->granted, 5 + (uint64_t)took_ns * 1000 / CLOCK_S);
	ck_assert_uint_gt(shared->late, 0);
}
END_TEST

static void *enter_all(void *arg)
{
	struct bucket_sight mine;

	for (uint32_t i = 0; i < sizeof(shared->per_key); i++) {
		meet_again(i + 1);
		if (bucket_table_take(&limit, bucket_table_key(&office, 0, &i, sizeof(i)), clock_now_ns(), 1, 0, &mine))
			__atomic_fetch_add(&shared->per_key[i], 1, __ATOMIC_RELAXED);
	}
	return arg;
}

START_TEST(a_key_that_many_bring_at_once_is_one)
{
	share(1 << 19);
	limit = bucket_limit(1, 86400 * CLOCK_S, 1);
	run_processes(enter_all);
	for (unsigned i = 0; i < sizeof(shared->per_key); i++)
		ck_assert_uint_eq(shared->per_key[i], 1);
}
END_TEST

/* New keys all the time: each wants the lock. */
static _Noreturn void enter_for_ever(void)
{
	struct bucket_sight mine;

	for (;;)
		if (!bucket_table_take(&limit, random_bits() | 1, clock_now_ns(), 1, 0, &mine))
			abort();
}

START_TEST(a_process_that_is_killed_holds_nothing)
{
	bucket_table_create(64);
	limit = bucket_limit(1, 86400 * CLOCK_S, 1);
	for (unsigned i = 0; i < 200; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			enter_for_ever();
		usleep(200 + (useconds_t)random_below(3000));
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		for (uint64_t key = 0; key < 64; key++) {
			uint64_t fresh = random_bits() << 6 | key;

			now_ns = clock_now_ns();
			ck_assert(take(fresh, 1));
			ck_assert(!take(fresh, 1));
		}
	}
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("bucket_table");

	HARNESS_CASE_WITH(s, "keys", set_up, NULL, keys_and_scopes_are_apart, it_tells_how_things_stand,
			  a_reservation_goes_back, the_place_of_a_full_bucket_is_free,
			  without_room_the_one_nearest_to_full_is_forgotten, what_is_refused_takes_no_place);
	HARNESS_CASE(s, "processes", all_processes_together_get_no_more, a_high_rate_is_kept_as_well,
		     what_goes_back_is_not_given_twice, a_key_that_many_bring_at_once_is_one,
		     a_process_that_is_killed_holds_nothing);
	return s;
}
