/* accesslog.c - see accesslog.h. The last step of a request calls accesslog_format and accesslog_write on its worker;
 * the file belongs to one thread, accesslog_thread.
 *
 * How the thread is woken: it says in 'state' what it waits for, then looks at the rings once more, then sleeps. A
 * writer adds its line, then looks at 'state'. Both do so in one total order (SEQ_CST), so one sees the other. */
#include "http/accesslog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/logtext.h"
#include "base/metrics.h"
#include "base/number.h"

enum {
	RING_SIZE = 1024 * 1024,  /* 50 ms of 80,000 lines a second: the thread may have to wait for a processor */
	GATHER_SIZE = 128 * 1024, /* bytes in a ring that are not kept waiting for more */
	BATCH_SIZE = 64 * 1024,
	GATHER_MS = 50,
	BLOCKED_TICK_MS = 50, /* how often a blocked thread looks whether it shall give up */
	CLOSE_MS = 900,
	GIVE_UP_MS = 100,
};

/* Lines from one writer to the thread. Positions only grow; their place is their remainder by RING_SIZE. */
struct ring {
	uint64_t head __attribute__((aligned(64))); /* written by the writer */
	uint64_t tail __attribute__((aligned(64))); /* written by the thread */
	char *bytes;
};

enum state {
	AWAKE,
	SLEEPING,  /* until there is a line */
	GATHERING, /* until a ring holds GATHER_SIZE, at most GATHER_MS */
};

struct accesslog {
	enum state state __attribute__((aligned(64)));
	bool is_stopping;
	bool has_given_up;
	bool must_reopen;
	int wake_fd;
	int done_fd;
	pthread_t thread;
	unsigned writers;
	struct ring *rings;

	/* the thread's own */
	char *path; /* NULL: standard output */
	int fd;
	size_t write_max; /* bytes that stay together in one write */
	size_t batch_len;
	char batch[BATCH_SIZE];
};

static bool open_file(struct accesslog *log, const char *path);
static bool start_thread(struct accesslog *log);
static void free_log(struct accesslog *log);
static void wake(struct accesslog *log);
static void *accesslog_thread(void *arg);

static void *allocate(size_t alignment, size_t size)
{
	void *memory = aligned_alloc(alignment, size);

	if (!memory)
		check_out_of_memory(size, "access log");
	return memory;
}

struct accesslog *accesslog_open(const char *path, unsigned writers, char *error, size_t error_size)
{
	struct accesslog *log = allocate(64, sizeof(*log));

	memset(log, 0, sizeof(*log));
	log->writers = writers;
	log->rings = allocate(64, writers * sizeof(*log->rings));
	memset(log->rings, 0, writers * sizeof(*log->rings));
	for (unsigned i = 0; i < writers; i++)
		log->rings[i].bytes = allocate(64, RING_SIZE);
	log->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	log->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	log->fd = -1;
	log->path = strcmp(path, "-") == 0 ? NULL : strdup(path);
	if (log->wake_fd >= 0 && log->done_fd >= 0 && open_file(log, log->path) && start_thread(log))
		return log;
	snprintf(error, error_size, "access_log: cannot open %s: %s", path, strerror(errno));
	free_log(log);
	return NULL;
}

/* Opened non-blocking: a FIFO without a reader must not hold up the start. */
static bool open_file(struct accesslog *log, const char *path)
{
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0640)
		      : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	struct stat file;

	if (fd < 0 || fstat(fd, &file) < 0)
		return false;
	if (log->fd >= 0)
		close(log->fd);
	log->fd = fd;
	log->write_max = S_ISREG(file.st_mode) ? BATCH_SIZE : PIPE_BUF;
	return true;
}

static bool start_thread(struct accesslog *log)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&log->thread, NULL, accesslog_thread, log);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return errno == 0;
}

static void free_log(struct accesslog *log)
{
	if (log->fd >= 0)
		close(log->fd);
	if (log->wake_fd >= 0)
		close(log->wake_fd);
	if (log->done_fd >= 0)
		close(log->done_fd);
	for (unsigned i = 0; i < log->writers; i++)
		free(log->rings[i].bytes);
	free(log->rings);
	free(log->path);
	free(log);
}

static bool is_done_within(const struct accesslog *log, int ms)
{
	struct pollfd done = { .fd = log->done_fd, .events = POLLIN };
	int ready;

	do
		ready = poll(&done, 1, ms);
	while (ready < 0 && errno == EINTR);
	return ready == 1;
}

bool accesslog_finish(struct accesslog *log)
{
	if (!log)
		return true;
	__atomic_store_n(&log->is_stopping, true, __ATOMIC_SEQ_CST);
	wake(log);
	if (is_done_within(log, CLOSE_MS))
		return true;
	__atomic_store_n(&log->has_given_up, true, __ATOMIC_RELAXED);
	return is_done_within(log, GIVE_UP_MS);
}

void accesslog_close(struct accesslog *log)
{
	if (!log || !accesslog_finish(log))
		return;
	pthread_join(log->thread, NULL);
	free_log(log);
}

void accesslog_reopen(struct accesslog *log)
{
	__atomic_store_n(&log->must_reopen, true, __ATOMIC_RELAXED);
	wake(log);
}

/* Writers --------------------------------------------------------------------------------------------------------- */

static void wake(struct accesslog *log)
{
	__atomic_store_n(&log->state, AWAKE, __ATOMIC_RELAXED);
	eventfd_write(log->wake_fd, 1);
}

static void ring_put(struct ring *ring, uint64_t at, const char *line, size_t len)
{
	size_t place = at % RING_SIZE;
	size_t first = RING_SIZE - place < len ? RING_SIZE - place : len;

	memcpy(ring->bytes + place, line, first);
	memcpy(ring->bytes, line + first, len - first);
}

void accesslog_write(struct accesslog *log, unsigned writer, const char *line, size_t len)
{
	struct ring *ring = &log->rings[writer];
	uint64_t head = ring->head;
	size_t used = (size_t)(head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE));
	enum state state;

	LEAT_CHECK(writer < log->writers && len > 0 && len <= ACCESSLOG_LINE_SIZE && line[len - 1] == '\n');
	if (len > RING_SIZE - used) {
		metrics_add(METRIC_ACCESS_LOG_LOST, 1);
		return;
	}
	ring_put(ring, head, line, len);
	__atomic_store_n(&ring->head, head + len, __ATOMIC_SEQ_CST);
	state = __atomic_load_n(&log->state, __ATOMIC_SEQ_CST);
	if (state == SLEEPING || (state == GATHERING && used + len > GATHER_SIZE))
		wake(log);
}

/* The thread ------------------------------------------------------------------------------------------------------ */

static bool is_stopping(const struct accesslog *log)
{
	return __atomic_load_n(&log->is_stopping, __ATOMIC_SEQ_CST);
}

static bool some_ring_holds(const struct accesslog *log, size_t least)
{
	for (unsigned i = 0; i < log->writers; i++)
		if (__atomic_load_n(&log->rings[i].head, __ATOMIC_SEQ_CST) - log->rings[i].tail >= least)
			return true;
	return false;
}

/* Until a ring holds 'least' bytes, someone calls, or 'ms' have passed; -1: no limit. */
static void wait_in(struct accesslog *log, enum state state, size_t least, int ms)
{
	struct pollfd call = { .fd = log->wake_fd, .events = POLLIN };
	eventfd_t calls;

	__atomic_store_n(&log->state, state, __ATOMIC_SEQ_CST);
	if (!is_stopping(log) && !some_ring_holds(log, least) && poll(&call, 1, ms) == 1)
		eventfd_read(log->wake_fd, &calls);
	__atomic_store_n(&log->state, AWAKE, __ATOMIC_RELAXED);
}

static void lose(const char *lines, size_t len)
{
	int64_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += lines[i] == '\n';
	metrics_add(METRIC_ACCESS_LOG_LOST, count);
}

/* False when the file takes nothing and the log has given up. */
static bool wait_writable(const struct accesslog *log)
{
	struct pollfd file = { .fd = log->fd, .events = POLLOUT };
	bool has_given_up;

	do {
		has_given_up = __atomic_load_n(&log->has_given_up, __ATOMIC_RELAXED);
		if (poll(&file, 1, has_given_up ? 0 : BLOCKED_TICK_MS) != 0)
			return true;
	} while (!has_given_up);
	return false;
}

static void write_piece(const struct accesslog *log, const char *lines, size_t len)
{
	while (len && wait_writable(log)) {
		ssize_t written = write(log->fd, lines, len);

		if (written > 0) {
			lines += written;
			len -= (size_t)written;
		} else if (written < 0 && errno != EINTR && errno != EAGAIN) {
			log_limited(LOG_LEVEL_ERROR, "access log: lines are lost: write: %s", strerror(errno));
			break;
		}
	}
	lose(lines, len);
}

/* The longest part of the lines that is whole lines and at most 'most' bytes, which any line is. */
static size_t whole_lines(const char *lines, size_t len, size_t most)
{
	if (len <= most)
		return len;
	while (lines[most - 1] != '\n')
		most--;
	return most;
}

static void flush(struct accesslog *log)
{
	size_t at = 0;

	while (at < log->batch_len) {
		size_t len = whole_lines(log->batch + at, log->batch_len - at, log->write_max);

		write_piece(log, log->batch + at, len);
		at += len;
	}
	log->batch_len = 0;
}

/* Moves lines that lie before 'head' into the batch, as many as fit. */
static void take_lines(struct accesslog *log, struct ring *ring, uint64_t head)
{
	size_t room = BATCH_SIZE - log->batch_len;
	size_t len = (size_t)(head - ring->tail);
	size_t copied = len < room ? len : room;
	size_t place = ring->tail % RING_SIZE;
	size_t first = RING_SIZE - place < copied ? RING_SIZE - place : copied;
	char *batch = log->batch + log->batch_len;

	memcpy(batch, ring->bytes + place, first);
	memcpy(batch + first, ring->bytes, copied - first);
	if (copied < len)
		copied = whole_lines(batch, len, copied);
	log->batch_len += copied;
	__atomic_store_n(&ring->tail, ring->tail + copied, __ATOMIC_RELEASE);
}

/* What is there when it begins, so that one busy writer does not keep the others waiting. */
static void drain(struct accesslog *log)
{
	for (unsigned i = 0; i < log->writers; i++) {
		struct ring *ring = &log->rings[i];
		uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);

		while (ring->tail != head) {
			if (BATCH_SIZE - log->batch_len < ACCESSLOG_LINE_SIZE)
				flush(log);
			take_lines(log, ring, head);
		}
	}
	flush(log);
}

static void reopen_if_asked(struct accesslog *log)
{
	if (!__atomic_exchange_n(&log->must_reopen, false, __ATOMIC_RELAXED) || !log->path)
		return;
	if (!open_file(log, log->path))
		log_error("access log: cannot open %s again, going on with the old file: %s", log->path,
			  strerror(errno));
}

static void *accesslog_thread(void *arg)
{
	struct accesslog *log = arg;

	while (!is_stopping(log)) {
		wait_in(log, SLEEPING, 1, -1);
		wait_in(log, GATHERING, GATHER_SIZE, GATHER_MS);
		drain(log);
		reopen_if_asked(log);
	}
	drain(log);
	eventfd_write(log->done_fd, 1);
	return NULL;
}

/* The line -------------------------------------------------------------------------------------------------------- */

enum {
	ID_MAX = 128,
	CLIENT_MAX = 64,
	METHOD_MAX = 32,
	PATH_MAX_ESCAPED = 2048,
	ROUTE_MAX = 512,
	KEYS_AND_NUMBERS_MAX = 256
};
_Static_assert(ID_MAX + CLIENT_MAX + METHOD_MAX + PATH_MAX_ESCAPED + ROUTE_MAX + KEYS_AND_NUMBERS_MAX <=
		       ACCESSLOG_LINE_SIZE,
	       "a line fits");
_Static_assert(ACCESSLOG_LINE_SIZE <= PIPE_BUF, "a pipe takes a line whole");

struct line {
	char *at;
	bool is_cut;
};

static void put(struct line *line, leat_text text)
{
	memcpy(line->at, text.ptr, text.len);
	line->at += text.len;
}

static void put_escaped(struct line *line, leat_text key, leat_text text, size_t most)
{
	bool is_cut;

	put(line, key);
	line->at += logtext_escape(line->at, most, text, LOGTEXT_JSON, &is_cut);
	line->is_cut |= is_cut;
}

static void put_number(struct line *line, leat_text key, uint64_t value)
{
	put(line, key);
	line->at += number_write_uint(line->at, value);
}

size_t accesslog_format(char line[ACCESSLOG_LINE_SIZE], const struct accesslog_entry *entry)
{
	struct line to = { .at = line };

	put(&to, LEAT_TEXT_OF("{\"time\":\""));
	to.at += logtext_time(to.at, entry->wall_ns);
	put_escaped(&to, LEAT_TEXT_OF("\",\"id\":\""), entry->id, ID_MAX);
	put_escaped(&to, LEAT_TEXT_OF("\",\"client\":\""), entry->client, CLIENT_MAX);
	put_escaped(&to, LEAT_TEXT_OF("\",\"method\":\""), entry->method, METHOD_MAX);
	put_escaped(&to, LEAT_TEXT_OF("\",\"path\":\""), entry->path, PATH_MAX_ESCAPED);
	if (entry->route) {
		put_escaped(&to, LEAT_TEXT_OF("\",\"route\":\""), leat_text_from(entry->route), ROUTE_MAX);
		put(&to, LEAT_TEXT_OF("\""));
	} else {
		put(&to, LEAT_TEXT_OF("\",\"route\":null"));
	}
	put_number(&to, LEAT_TEXT_OF(",\"status\":"), (uint64_t)entry->status);
	put_number(&to, LEAT_TEXT_OF(",\"bytes\":"), entry->bytes);
	put_number(&to, LEAT_TEXT_OF(",\"duration_us\":"), (uint64_t)(entry->duration_ns / CLOCK_US));
	if (entry->status == 499)
		put(&to, LEAT_TEXT_OF(",\"aborted\":true"));
	if (to.is_cut)
		put(&to, LEAT_TEXT_OF(",\"cut\":true"));
	put(&to, LEAT_TEXT_OF("}\n"));
	return (size_t)(to.at - line);
}
