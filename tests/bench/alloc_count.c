/* alloc_count - counts memory allocations by the place that asks for them.
 *
 * A library to preload. It stands before malloc, calloc, realloc, free and the aligned ones, counts
 * the call under its return address and hands it on to glibc: one hash and one atomic addition.
 * Which module (libpq, libfcgi, the program) and function an address belongs to is looked up only
 * when the counts are printed.
 *
 * Use:     gcc -D_GNU_SOURCE -O2 -shared -fPIC -o alloc_count.so alloc_count.c
 *          ALLOC_COUNT_FILE=/tmp/count LD_PRELOAD=./alloc_count.so PROGRAM
 *          kill -USR2 PID      -- after the warm-up
 *          kill -USR2 PID      -- after the load
 *
 * Each SIGUSR2, and the end of the program, appends to /tmp/count.PID the calls since the time before:
 *
 *          # dump 2: malloc calloc realloc free aligned module offset function
 *          520 0 0 520 0 libfcgi.so.0 +0x2f16 FCGX_NewStream
 *          # end 2
 *
 * Threads: any thread. A forked child counts on its own and has a file of its own.
 *
 * Limits:  - A function that ends in "return malloc(n)" or "free(p)" is not seen, because the compiler
 *            makes a jump of it: the call counts for that function's caller. libpq's PQclear is one.
 *          - strdup, asprintf, getline and the like count for libc.so.6. free(NULL) does not count.
 *          - SIGUSR2 must be unblocked in one thread; the program's own handler for it is kept out. Ours calls
 *            snprintf and dladdr, which POSIX does not allow there; those of glibc neither allocate nor wait for
 *            the interrupted thread.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { MALLOC, CALLOC, REALLOC, FREE, ALIGNED, KINDS };
enum { SITES_LOG2 = 14, SITES = 1 << SITES_LOG2 };

/* A place in the code that allocates. Its first call takes an entry, for good. */
struct site {
	_Atomic uintptr_t address;
	atomic_ulong calls[KINDS];
};

static struct site sites[SITES];
static atomic_ulong uncounted; /* calls that found all entries taken */
static char file_prefix[PATH_MAX];

static void count(enum kind kind, const void *caller);
static void dump(void);
static void dump_on_signal(int number);
static void dump_site(int fd, struct site *site);
static void print(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* glibc's own entries: they need no dlsym, which may allocate itself. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);
int __sigaction(int number, const struct sigaction *action, struct sigaction *ret_old);

#define COUNT(kind) count(kind, __builtin_return_address(0))

void *malloc(size_t size)
{
	COUNT(MALLOC);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	COUNT(CALLOC);
	return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
	COUNT(REALLOC);
	return __libc_realloc(memory, size);
}

void free(void *memory)
{
	if (!memory)
		return;
	COUNT(FREE);
	__libc_free(memory);
}

void *memalign(size_t alignment, size_t size)
{
	COUNT(ALIGNED);
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	COUNT(ALIGNED);
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
	void *memory;

	COUNT(ALIGNED);
	if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
		return EINVAL;
	memory = __libc_memalign(alignment, size);
	if (!memory)
		return ENOMEM;
	*ret_memory = memory;
	return 0;
}

__attribute__((constructor)) static void start(void)
{
	const char *prefix = getenv("ALLOC_COUNT_FILE");
	struct sigaction action = { .sa_handler = dump_on_signal, .sa_flags = SA_RESTART };

	snprintf(file_prefix, sizeof(file_prefix), "%s", prefix ? prefix : "alloc_count");
	__sigaction(SIGUSR2, &action, NULL);
}

__attribute__((destructor)) static void finish(void)
{
	dump();
}

/* A program that resets all signals, as a server does in its children, leaves SIGUSR2 to us. */
int sigaction(int number, const struct sigaction *action, struct sigaction *ret_old)
{
	return __sigaction(number, number == SIGUSR2 ? NULL : action, ret_old);
}

sighandler_t signal(int number, sighandler_t handler)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;

	return sigaction(number, &action, &old) < 0 ? SIG_ERR : old.sa_handler;
}

static void dump_on_signal(int number)
{
	int saved_errno = errno;

	(void)number;
	dump();
	errno = saved_errno;
}

/* Open addressing: an address lives at its hash, or at the next entry that was not taken. */
static void count(enum kind kind, const void *caller)
{
	uintptr_t address = (uintptr_t)caller;
	size_t home = (size_t)(address * UINT64_C(0x9E3779B97F4A7C15) >> (64 - SITES_LOG2));

	for (size_t i = 0; i < SITES; i++) {
		struct site *site = &sites[(home + i) % SITES];
		uintptr_t owner = atomic_load_explicit(&site->address, memory_order_relaxed);

		if (owner == 0 && atomic_compare_exchange_strong(&site->address, &owner, address))
			owner = address;
		if (owner == address) {
			atomic_fetch_add_explicit(&site->calls[kind], 1, memory_order_relaxed);
			return;
		}
	}
	atomic_fetch_add_explicit(&uncounted, 1, memory_order_relaxed);
}

/* Appends all counts to the process's file and sets them to zero. While one runs, another does nothing. */
static void dump(void)
{
	static atomic_flag is_running = ATOMIC_FLAG_INIT;
	static unsigned dumps;
	char path[PATH_MAX + 16];
	int fd;

	if (atomic_flag_test_and_set(&is_running))
		return;
	snprintf(path, sizeof(path), "%s.%ld", file_prefix, (long)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	print(fd, "# dump %u: malloc calloc realloc free aligned module offset function\n", ++dumps);
	for (size_t i = 0; i < SITES; i++)
		if (atomic_load(&sites[i].address) != 0)
			dump_site(fd, &sites[i]);
	if (atomic_load(&uncounted) > 0)
		print(fd, "# uncounted: %lu\n", atomic_exchange(&uncounted, 0));
	print(fd, "# end %u\n", dumps);
	close(fd);
	atomic_flag_clear(&is_running);
}

static void dump_site(int fd, struct site *site)
{
	uintptr_t address = atomic_load(&site->address) - 1; /* inside the call, not after it */
	unsigned long calls[KINDS], sum = 0;
	Dl_info info = { 0 };
	const char *file;

	for (int kind = 0; kind < KINDS; kind++)
		sum += calls[kind] = atomic_exchange(&site->calls[kind], 0);
	if (sum == 0)
		return;
	dladdr((void *)address, &info);
	file = info.dli_fname ? info.dli_fname : "?";
	print(fd, "%lu %lu %lu %lu %lu %s +0x%lx %s\n", calls[MALLOC], calls[CALLOC], calls[REALLOC], calls[FREE],
	      calls[ALIGNED], strrchr(file, '/') ? strrchr(file, '/') + 1 : file,
	      (unsigned long)(address - (uintptr_t)info.dli_fbase), info.dli_sname ? info.dli_sname : "?");
}

/* dprintf of glibc 2.36 allocates its buffer; snprintf does not. */
static void print(int fd, const char *format, ...)
{
	char line[1024];
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (len > 0 && write(fd, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1) < 0)
		return; /* nowhere to say so */
}
