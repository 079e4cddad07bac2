/* stack.c - see stack.h. Called by task.c. */
#include "task/stack.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/annotate.h"
#include "base/check.h"

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

size_t stack_round(size_t size)
{
	size_t page = page_size();

	return (size + page - 1) / page * page;
}

char *stack_map(size_t size)
{
	size_t guard = page_size();
	char *map = mmap(NULL, guard + size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (map == MAP_FAILED)
		return NULL;
	if (mprotect(map, guard, PROT_NONE) != 0) {
		munmap(map, guard + size);
		return NULL;
	}
	annotate_reachable(map + guard, size); /* what was there before may have left its marks */
	return map + guard;
}

void stack_unmap(char *low, size_t size)
{
	size_t guard = page_size();

	munmap(low - guard, guard + size);
}

#if defined(LEAT_WITH_ASAN) || defined(LEAT_WITH_TSAN)

void stack_catch_overflow(const char *(*find)(void))
{
	(void)find;
}

void stack_release_overflow(void)
{
}

#else

enum { SIGNAL_STACK = 16384 };

static const char *(*find_stack)(void);
static size_t guard_size;
static _Thread_local void *signal_stack;

/* Only what a signal handler may do: compare, write, go on to the default action. */
static void on_fault(int signal_number, siginfo_t *info, void *context)
{
	static const char message[] =
		"leat: bug: a handler ran past the end of its stack; keep large arrays out of handlers (use leat_alloc), "
		"end deep recursion, or raise the setting stack_size\n";
	const char *low = find_stack();
	const char *at = info->si_addr;

	(void)context;
	if (low && at < low && at >= low - guard_size && write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(128 + signal_number);
	signal(signal_number, SIG_DFL); /* the fault happens again, with its core and its exit status */
	if (info->si_code <= 0)
		raise(signal_number); /* somebody sent it: it would not */
}

void stack_catch_overflow(const char *(*find)(void))
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_size = SIGNAL_STACK };

	signal_stack = stack.ss_sp = malloc(SIGNAL_STACK);
	if (!signal_stack)
		check_out_of_memory(SIGNAL_STACK, "a signal stack");
	find_stack = find;
	guard_size = page_size();
	LEAT_CHECK(sigaltstack(&stack, NULL) == 0);
	LEAT_CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	LEAT_CHECK(sigaction(SIGBUS, &action, NULL) == 0);
}

void stack_release_overflow(void)
{
	stack_t off = { .ss_flags = SS_DISABLE };

	if (!signal_stack)
		return;
	sigaltstack(&off, NULL);
	free(signal_stack);
	signal_stack = NULL;
}

#endif
