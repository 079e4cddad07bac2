/* metrics_text.h - all metrics as Prometheus text (exposition format 0.0.4).
 *
 * Use:
 *     struct metrics_text_facts facts = { .version = "1.0", .worker_threads = 2 };
 *     metrics_text_write(&buffer, &facts);
 *     reply(METRICS_TEXT_TYPE, buffer_as_text(&buffer));
 *
 * Ownership:      the buffer's.
 * Thread-safety:  any thread of any process; one thread at a time per buffer. Reads a file of /proc per process.
 * Errors:         none; a process that just ended is left out.
 */
#ifndef APP_OPS_METRICS_TEXT_H
#define APP_OPS_METRICS_TEXT_H

#include "base/buffer.h"

struct routes;

#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* What the counters do not know. */
struct metrics_text_facts {
	const char *version;         /* of the service */
	unsigned processes;          /* of the setting */
	unsigned worker_threads;     /* of each process */
	const struct routes *routes; /* NULL: none */
};

void metrics_text_write(struct buffer *out, const struct metrics_text_facts *facts);

/* The two lines before the samples of a family. */
void metrics_text_family(struct buffer *out, const char *name, const char *type, const char *help);

#endif
