/* loop.c - see loop.h. The turn of a loop: ready tasks, end-of-turn calls, epoll, posted calls, timers. */
#include "task/loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "task/crash.h"
#include "task/stack.h"
#include "task/task_internal.h"
#include "task/timer.h"

enum {
	EVENTS_A_TURN = 64,
	TRIM_EVERY_S = 1,
};

#define SLEPT_NS (20 * CLOCK_US) /* epoll_wait took that long: it slept */

struct loop {
	int epoll_fd;
	int wake_fd;
	int64_t now_ns;
	int64_t told_ns;
	struct task *ready_first, **ready_end;
	struct timer_heap timers;
	struct loop_turn *turns, **turns_end;
	struct task all; /* head of the ring of tasks that are not idle */
	unsigned task_count, tasks_max;
	struct task_pool pool;
	struct loop_timer trim_timer;
	struct loop_watch wake_watch;
	/* Touched by other threads. */
	_Atomic(struct loop_post *) posts __attribute__((aligned(64)));
	atomic_bool is_lost;
	atomic_bool sleeps; /* in epoll_wait, or about to be: a poster must write to wake_fd */
};

static _Thread_local struct loop *loop_here;

struct loop *loop_of_thread(void)
{
	return loop_here;
}

static void run_posts(struct loop *loop);

/* Life ------------------------------------------------------------------------------------------------------------ */

static void on_wake_fd(struct loop_watch *watch, uint32_t events)
{
	uint64_t count;

	(void)events;
	if (read(watch->fd, &count, sizeof(count)) < 0)
		return; /* someone else's wake-up was read already */
}

static void on_trim(struct loop_timer *timer)
{
	struct loop *loop = (struct loop *)((char *)timer - offsetof(struct loop, trim_timer));

	if (task_pool_trim(&loop->pool))
		loop_timer_set(loop, timer, loop->now_ns + TRIM_EVERY_S * CLOCK_S);
}

static bool open_descriptors(struct loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->epoll_fd < 0 || loop->wake_fd < 0)
		return false;
	loop->wake_watch = (struct loop_watch){ .fn = on_wake_fd, .fd = loop->wake_fd };
	return loop_watch(loop, &loop->wake_watch, EPOLLIN | EPOLLET);
}

static void close_descriptors(struct loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
}

struct loop *loop_new(const struct loop_options *options)
{
	struct loop *loop = aligned_alloc(64, (sizeof(*loop) + 63) & ~(size_t)63);

	if (!loop)
		check_out_of_memory(sizeof(*loop), "an event loop");
	memset(loop, 0, sizeof(*loop));
	loop->now_ns = clock_now_ns();
	loop->ready_end = &loop->ready_first;
	loop->turns_end = &loop->turns;
	loop->tasks_max = options->tasks_max;
	loop->all.list_next = loop->all.list_prev = &loop->all;
	loop->pool = (struct task_pool){ .stack_size = stack_round(options->stack_size), .loop = loop };
	loop->trim_timer.fn = on_trim;
	if (!open_descriptors(loop)) {
		close_descriptors(loop);
		free(loop);
		return NULL;
	}
	return loop;
}

void loop_adopt(struct loop *loop)
{
	crash_enter_thread(&task_crash_kind);
	loop_here = loop;
}

void loop_release(struct loop *loop)
{
	LEAT_CHECK(loop_here == loop);
	crash_leave_thread();
	loop_here = NULL;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	LEAT_CHECK(loop->task_count == 0);
	run_posts(loop); /* of calls that outlived their tasks */
	task_pool_fini(&loop->pool);
	timer_heap_fini(&loop->timers);
	close_descriptors(loop);
	free(loop);
}

/* Tasks ----------------------------------------------------------------------------------------------------------- */

struct task_pool *loop_task_pool(struct loop *loop)
{
	return &loop->pool;
}

unsigned loop_task_count(const struct loop *loop)
{
	return loop->task_count;
}

void loop_make_ready(struct loop *loop, struct task *task)
{
	task->state = TASK_READY;
	task->next = NULL;
	*loop->ready_end = task;
	loop->ready_end = &task->next;
}

static void enlist(struct loop *loop, struct task *task)
{
	task->list_prev = loop->all.list_prev;
	task->list_next = &loop->all;
	loop->all.list_prev->list_next = task;
	loop->all.list_prev = task;
	loop->task_count++;
}

static void retire(struct loop *loop, struct task *task)
{
	task->list_prev->list_next = task->list_next;
	task->list_next->list_prev = task->list_prev;
	loop->task_count--;
	task_give(&loop->pool, task);
	if (loop->trim_timer.heap_index == 0 && loop->pool.idle_count > EVENTS_A_TURN)
		loop_timer_set(loop, &loop->trim_timer, loop->now_ns + TRIM_EVERY_S * CLOCK_S);
}

/* Not by its own links, which may be broken. */
static void forget(struct loop *loop, struct task *dead)
{
	struct task *before = &loop->all, *after = &loop->all;

	while (before->list_next != dead)
		before = before->list_next;
	while (after->list_prev != dead)
		after = after->list_prev;
	before->list_next = after;
	after->list_prev = before;
	loop->task_count--;
}

static void run(struct loop *loop, struct task *task)
{
	task_resume(task);
	if (task->state == TASK_IDLE) {
		retire(loop, task);
	} else if (task->state == TASK_DEAD) {
		forget(loop, task);
		crash_bury(task_dead_arg());
	}
}

void loop_lose(struct loop *loop, const struct task *dead, void (*fn)(void *arg))
{
	struct task *task;

	for (task = loop->all.list_next; task != &loop->all && task != dead; task = task->list_next)
		fn(task->arg);
	for (task = loop->all.list_prev; task != &loop->all && task != dead; task = task->list_prev)
		fn(task->arg);
	atomic_store(&loop->is_lost, true);
}

bool loop_is_lost(const struct loop *loop)
{
	return atomic_load(&loop->is_lost);
}

bool loop_admit(struct loop *loop, struct task *task)
{
	if (loop->task_count >= loop->tasks_max) {
		task_give(&loop->pool, task);
		return false;
	}
	enlist(loop, task);
	if (task_self())
		loop_make_ready(loop, task); /* a task starts another: it runs after this one waits */
	else
		run(loop, task);
	return true;
}

bool loop_run_ready(struct loop *loop)
{
	struct task *task = loop->ready_first;
	bool ran_any = task != NULL;

	loop->ready_first = NULL;
	loop->ready_end = &loop->ready_first;
	while (task) {
		struct task *next = task->next;

		run(loop, task);
		task = next;
	}
	return ran_any;
}

void loop_cancel_all(struct loop *loop)
{
	struct task *next;

	for (struct task *task = loop->all.list_next; task != &loop->all; task = next) {
		next = task->list_next;
		task_cancel(task);
	}
}

/* Timers, turns, posts ---------------------------------------------------------------------------------------- */

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t due_ns)
{
	timer_heap_set(&loop->timers, timer, due_ns);
}

void loop_timer_clear(struct loop *loop, struct loop_timer *timer)
{
	timer_heap_clear(&loop->timers, timer);
}

static void run_timers(struct loop *loop)
{
	struct loop_timer *timer;

	while ((timer = timer_heap_take_due(&loop->timers, loop->now_ns)))
		timer->fn(timer);
}

void loop_at_turn_end(struct loop *loop, struct loop_turn *turn)
{
	if (turn->is_queued)
		return;
	turn->is_queued = true;
	turn->next = NULL;
	*loop->turns_end = turn;
	loop->turns_end = &turn->next;
}

static void run_turns(struct loop *loop)
{
	while (loop->turns) {
		struct loop_turn *turn = loop->turns;

		loop->turns = turn->next;
		if (!loop->turns)
			loop->turns_end = &loop->turns;
		turn->is_queued = false;
		turn->fn(turn);
	}
}

/* The loop's half of the agreement is in loop_poll: it sets 'sleeps' and then looks for posts; a poster adds its post
 * and then looks at 'sleeps'. Both orders are sequentially consistent, so one of the two sees the other. */
void loop_post(struct loop *loop, struct loop_post *post)
{
	struct loop_post *first = atomic_load_explicit(&loop->posts, memory_order_relaxed);
	uint64_t one = 1;

	do
		post->next = first;
	while (!atomic_compare_exchange_weak(&loop->posts, &first, post));
	if (atomic_load(&loop->sleeps) && atomic_exchange(&loop->sleeps, false))
		LEAT_CHECK(write(loop->wake_fd, &one, sizeof(one)) == sizeof(one));
}

/* Oldest first: the list is a stack, so it is turned round. */
static void run_posts(struct loop *loop)
{
	struct loop_post *stack, *queue = NULL;

	if (!atomic_load_explicit(&loop->posts, memory_order_relaxed))
		return;
	stack = atomic_exchange(&loop->posts, NULL);
	while (stack) {
		struct loop_post *post = stack;

		stack = post->next;
		post->next = queue;
		queue = post;
	}
	while (queue) {
		struct loop_post *post = queue;

		queue = post->next;
		post->fn(post);
	}
}

/* Descriptors --------------------------------------------------------------------------------------------------- */

static bool control(struct loop *loop, int operation, struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	return epoll_ctl(loop->epoll_fd, operation, watch->fd, &event) == 0;
}

bool loop_watch(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, watch, events);
}

bool loop_watch_change(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, watch, events);
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
}

/* The turn -------------------------------------------------------------------------------------------------------- */

int64_t loop_now_ns(const struct loop *loop)
{
	return loop->now_ns;
}

bool loop_has_posts(const struct loop *loop)
{
	return atomic_load_explicit(&loop->posts, memory_order_relaxed) != NULL;
}

int64_t loop_told_ns(const struct loop *loop)
{
	return loop->told_ns;
}

int64_t loop_sleep_until(const struct loop *loop)
{
	return loop->ready_first ? 0 : timer_heap_next_ns(&loop->timers);
}

/* epoll counts in milliseconds: rounded up, so that nothing wakes before it is due. */
static int timeout_ms(int64_t until_ns)
{
	int64_t ms;

	if (until_ns == CLOCK_NEVER)
		return -1;
	ms = (until_ns - clock_now_ns() + CLOCK_MS - 1) / CLOCK_MS;
	return ms < 0 ? 0 : ms > 3600000 ? 3600000 : (int)ms;
}

static int wait_for_events(struct loop *loop, struct epoll_event *events, int64_t until_ns)
{
	int timeout = until_ns == 0 ? 0 : timeout_ms(until_ns);
	int count;

	if (timeout != 0) {
		atomic_store(&loop->sleeps, true);
		if (atomic_load(&loop->posts))
			timeout = 0;
	}
	count = epoll_wait(loop->epoll_fd, events, EVENTS_A_TURN, timeout);
	atomic_store_explicit(&loop->sleeps, false, memory_order_relaxed);
	LEAT_CHECK(count >= 0 || errno == EINTR);
	return count;
}

void loop_pass(struct loop *loop)
{
	run_turns(loop);
	loop->now_ns = clock_now_ns();
	run_posts(loop);
	run_timers(loop);
}

void loop_poll(struct loop *loop, int64_t until_ns)
{
	struct epoll_event events[EVENTS_A_TURN];
	int64_t started_ns;
	int count;

	run_turns(loop);
	if (loop->ready_first)
		until_ns = 0;
	loop->told_ns = loop->now_ns;
	started_ns = until_ns == 0 ? CLOCK_NEVER : clock_now_ns();
	count = wait_for_events(loop, events, until_ns);
	loop->now_ns = clock_now_ns();
	if (started_ns < loop->now_ns - SLEPT_NS)
		loop->told_ns = loop->now_ns;
	for (int i = 0; i < count; i++) {
		struct loop_watch *watch = events[i].data.ptr;

		watch->fn(watch, events[i].events);
	}
	run_posts(loop);
	run_timers(loop);
}
