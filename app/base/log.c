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
#include "base/number.h"

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

static void line_write(enum log_level level, leat_text message);

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
	line_write(level, (leat_text){ message, len });
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
	line_write(level, (leat_text){ message, len });
	errno = saved_errno;
}

/* Never waits for a reader that does not read: a pipe that is not writable now loses the line. */
static bool write_at_once(const char *line, size_t len)
{
	struct pollfd to = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&to, 1, 0) == 1 && (to.revents & POLLOUT) && write(STDERR_FILENO, line, len) == (ssize_t)len;
}

/* A frame's words and numbers are put by hand: a crash is reported from a signal handler, where printf may not be used. */
static size_t put(char *out, const char *words)
{
	size_t len = strlen(words);

	memcpy(out, words, len);
	return len;
}

static size_t put_frame(char *out, enum log_level level)
{
	size_t len = put(out, is_json ? "{\"time\":\"" : "");

	len += logtext_time(out + len, clock_wall_ns());
	len += put(out + len, is_json ? "\",\"level\":\"" : " ");
	len += put(out + len, level_names[level]);
	if (!is_json)
		len += put(out + len, strlen(level_names[level]) < 5 ? "  [" : " [");
	else
		len += put(out + len, "\",\"pid\":");
	len += number_write_int(out + len, getpid());
	return len + put(out + len, is_json ? ",\"message\":\"" : "] ");
}

static void line_write(enum log_level level, leat_text message)
{
	const size_t room = LINE_SIZE - FRAME_SIZE;
	char line[LINE_SIZE];
	size_t len = put_frame(line, level);

	len += logtext_escape(line + len, room, message, is_json ? LOGTEXT_JSON : LOGTEXT_PLAIN, NULL);
	len += put(line + len, is_json ? "\"}\n" : "\n");
	if (!write_at_once(line, len))
		metrics_add(METRIC_LOG_LOST, 1);
}

void log_text(enum log_level level, leat_text message)
{
	if (level <= most_shown)
		line_write(level, message);
}
