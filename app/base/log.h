/* log.h - the service's own log: one line a message on standard error.
 *
 * Use:
 *     log_error("database: connection to %s lost: %s; next try in %d ms", host, why, ms);
 *     log_limited(LOG_LEVEL_WARN, "front: accept: %s", strerror(errno));   -- what a client can provoke
 *
 * A line: "2026-11-23T21:00:00.123Z warn  [1234] text". With the setting log_json: {"time","level","pid","message"}.
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread. A line is one write(2); a reader that does not read costs lines, never time.
 * Errors:         none; what cannot be written is counted (METRIC_LOG_LOST). Messages are cut at 2 KiB; control
 *                 characters in them are escaped, so a message is one line. errno is kept.
 */
#ifndef APP_BASE_LOG_H
#define APP_BASE_LOG_H

#include <leat/text.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Before any other thread exists. */
void log_init(enum log_level most, bool json);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* The same of a text that is there already. Async-signal-safe. */
void log_text(enum log_level level, leat_text message);

/* At most one line a second from each place; the next one says how many were left out. */
struct log_limit {
	int64_t next_ns;
	uint64_t left_out;
};
#define log_limited(level, ...) \
	do { \
		static struct log_limit log_limit_; \
		log_line_limited(&log_limit_, level, __VA_ARGS__); \
	} while (0)
void log_line_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
