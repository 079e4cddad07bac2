/* accesslog.h - one JSON line a request, written without ever holding a worker up.
 *
 * Use:
 *     struct accesslog *log = accesslog_open("/var/log/leat/access.log", workers, error, sizeof(error));
 *     char line[ACCESSLOG_LINE_SIZE];                        -- each worker, for each request
 *     size_t len = accesslog_format(line, &entry);
 *     accesslog_write(log, worker, line, len);
 *     accesslog_reopen(log);                                 -- after the file was moved away
 *     accesslog_close(log);
 *
 * Each worker writes into a ring of its own; a thread gathers the lines of all rings for 50 ms and writes them with a
 * few large writes. It sleeps while nothing is written. A line costs its worker no system call, but one for the first
 * line after a silence and one for every 128 KiB.
 *
 * Lines are whole: files are appended to, and pipes get at most PIPE_BUF bytes at a time, so that several processes
 * can share one.
 *
 * Ownership:      accesslog_close frees the log. If the file takes nothing for a second then, its thread and memory
 *                 are left behind: the process is about to end.
 * Thread-safety:  accesslog_write: one thread at a time per writer. accesslog_format, accesslog_reopen: any thread.
 *                 Open and close: one thread, when no writer writes. Not to be carried over a fork.
 * Errors:         accesslog_open is NULL with a sentence. Lines that find no room, because the disk or the pipe does
 *                 not keep up, and lines that cannot be written are counted (METRIC_ACCESS_LOG_LOST).
 */
#ifndef APP_HTTP_ACCESSLOG_H
#define APP_HTTP_ACCESSLOG_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct accesslog;

/* The longest line, its end included: what a pipe takes whole. */
enum { ACCESSLOG_LINE_SIZE = 4096 };

/* 'path' - is standard output. */
struct accesslog *accesslog_open(const char *path, unsigned writers, char *error, size_t error_size);
void accesslog_close(struct accesslog *log);

/* For who ends the process with _exit: writes what is left and frees nothing. False when the file does not take it. */
bool accesslog_finish(struct accesslog *log);

/* Soon closes the file and opens it again by its name. */
void accesslog_reopen(struct accesslog *log);

/* 'line' is at most ACCESSLOG_LINE_SIZE bytes and ends with '\n'; 'writer' counts from 0. */
void accesslog_write(struct accesslog *log, unsigned writer, const char *line, size_t len);

struct accesslog_entry {
	int64_t wall_ns; /* when it was answered, since 1970 */
	leat_text id;
	leat_text client;
	leat_text method;  /* as it was sent */
	leat_text path;    /* as it was sent */
	const char *route; /* the pattern; NULL: none matched */
	int status;
	uint64_t bytes; /* of the body that was sent */
	int64_t duration_ns;
};

/* Writes the line for a request; returns its length. Keys, always in this order:
 *     time id client method path route status bytes duration_us [aborted] [cut]
 * route is null when none matched; "aborted":true stands for status 499 only, "cut":true when a text was too long for
 * the line: 128 bytes for id, 64 for client, 32 for method, 2048 for path and 512 for route, all as escaped.
 * Texts are escaped as logtext.h says: bytes that are no UTF-8 become \u00HH each. */
size_t accesslog_format(char line[ACCESSLOG_LINE_SIZE], const struct accesslog_entry *entry);

#endif
