/* wait.c - see wait.h. */
#include "task/wait.h"

#include <stddef.h>
#include <sys/epoll.h>

#include "base/check.h"
#include "task/loop.h"
#include "task/task.h"

struct fd_wait {
	struct loop_watch watch;
	struct task *task;
};

static void on_ready(struct loop_watch *watch, uint32_t events)
{
	struct fd_wait *wait = (struct fd_wait *)((char *)watch - offsetof(struct fd_wait, watch));

	(void)events;
	task_wake(wait->task, LEAT_OK);
}

enum leat_result wait_fd(int fd, enum wait_for what, int64_t deadline_ns)
{
	struct fd_wait wait = { .watch = { .fn = on_ready, .fd = fd }, .task = task_self() };
	uint32_t events = (what & WAIT_READ ? EPOLLIN | EPOLLRDHUP : 0) | (what & WAIT_WRITE ? EPOLLOUT : 0);
	enum leat_result result;

	LEAT_CHECK(wait.task);
	if (!loop_watch(task_loop(wait.task), &wait.watch, events | EPOLLONESHOT))
		return LEAT_UNAVAILABLE; /* no memory or no watches left */
	result = task_wait(deadline_ns);
	loop_unwatch(task_loop(wait.task), &wait.watch);
	return result;
}

enum leat_result wait_sleep(int64_t until_ns, int64_t deadline_ns)
{
	bool is_late = deadline_ns < until_ns;
	enum leat_result result = task_wait(is_late ? deadline_ns : until_ns);

	return result == LEAT_TIMED_OUT && !is_late ? LEAT_OK : result;
}
