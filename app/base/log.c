/* log.c - see log.h. Any module may call it, at any time after the program's start. */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/logtext.h"
#include "base/metrics.h"

/* A line is not longer than what a pipe takes whole (PIPE_BUF, 4096 on Linux): processes do not mix their lines. */
enum { LINE_SIZE = 4096, MESSAGE_SIZE = 2048, FRAME_SIZE = 128 };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static enum log_level most_shown = LOG_LEVEL_INFO;
static bool is_json;

static void line_write(enum log_level level, const char *message, size_t len);

void log_init(enum log_level most, bool json)
{
	most_shown = most;
	is_json = json;
}

/* printf into 'out' behind 'len' bytes; a message that does not fit is cut. */
static size_t message_add(char *out, size_t len, const char *format, va_list args)
{
	int more = vsnprintf(out + len, MESSAGE_SIZE - len, format, args);

	if (more < 0)
		return len;
	return len + (size_t)more < MESSAGE_SIZE ? len + (size_t)more : MESSAGE_SIZE - 1;
}

void log_line(enum log_level level, const char *format, ...)
{
	int saved_errno = errno;
	char message[MESSAGE_SIZE];
	va_list args;
	size_t len;

	if (level > most_shown)
		return;
	va_start(args, format);
	len = message_add(message, 0, format, args);
	va_end(args);
	line_write(level, message, len);
	errno = saved_errno;
}

/* Whether it is this thread's turn to write for the place; otherwise the line is counted as left out. */
static bool limit_allows(struct log_limit *limit, int64_t now_ns)
{
	int64_t next_ns = __atomic_load_n(&limit->next_ns, __ATOMIC_RELAXED);

	if (now_ns >= next_ns && __atomic_compare_exchange_n(&limit->next_ns, &next_ns, now_ns + CLOCK_S, false,
							     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return true;
	__atomic_fetch_add(&limit->left_out, 1, __ATOMIC_RELAXED);
	return false;
}

void log_line_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	int saved_errno = errno;
	char message[MESSAGE_SIZE];
	uint64_t left_out;
	size_t len = 0;
	va_list args;

	if (level > most_shown || !limit_allows(limit, clock_now_ns()))
		return;
	left_out = __atomic_exchange_n(&limit->left_out, 0, __ATOMIC_RELAXED);
	if (left_out)
		len = (size_t)snprintf(message, sizeof(message), "(after %llu more like it) ",
				       (unsigned long long)left_out);
	errno = saved_errno; /* for %m */
	va_start(args, format);
	len = message_add(message, len, format, args);
	va_end(args);
	line_write(level, message, len);
	errno = saved_errno;
}

/* Never waits for a reader that does not read: a pipe that is not writable now loses the line. */
static bool write_at_once(const char *line, size_t len)
{
	struct pollfd to = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&to, 1, 0) == 1 && (to.revents & POLLOUT) && write(STDERR_FILENO, line, len) == (ssize_t)len;
}

static void line_write(enum log_level level, const char *message, size_t message_len)
{
	const size_t room = LINE_SIZE - FRAME_SIZE;
	const leat_text text = { message, message_len };
	char line[LINE_SIZE];
	char when[LOGTEXT_TIME_SIZE];
	int pid = (int)getpid();
	size_t len;

	logtext_time(when, clock_wall_ns());
	if (is_json) {
		len = (size_t)snprintf(line, FRAME_SIZE,
				       "{\"time\":\"%.*s\",\"level\":\"%s\",\"pid\":%d,\"message\":\"",
				       LOGTEXT_TIME_SIZE, when, level_names[level], pid);
		len += logtext_escape(line + len, room, text, LOGTEXT_JSON, NULL);
		memcpy(line + len, "\"}", 2);
		len += 2;
	} else {
		len = (size_t)snprintf(line, FRAME_SIZE, "%.*s %-5s [%d] ", LOGTEXT_TIME_SIZE, when, level_names[level],
				       pid);
		len += logtext_escape(line + len, room, text, LOGTEXT_PLAIN, NULL);
	}
	line[len++] = '\n';
	if (!write_at_once(line, len))
		metrics_add(METRIC_LOG_LOST, 1);
}
