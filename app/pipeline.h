/* pipeline.h - the steps of a request.
 *
 * Use (worker.c):
 *     front.serve = pipeline_serve;
 *     front.serve_arg = &pipeline;
 *
 * Ownership:      the worker's; everything it points to outlives it.
 * Thread-safety:  only the worker that made it.
 * Errors:         every failure becomes a reply, a line in the log and a counter.
 */
#ifndef APP_PIPELINE_H
#define APP_PIPELINE_H

#include "http/request.h"

struct accesslog;
struct crash_subject;
struct exchange;
struct router;

/* What the steps need of their worker. */
struct pipeline {
	const struct router *router;
	const struct leat_middleware *middleware; /* the service's; NULL: none */
	struct accesslog *accesslog;              /* NULL: none */
	unsigned writer;                          /* of the access log */
	bool is_counted;                          /* in the metrics; the admin listener's requests are not */
	bool redirects_slash;                     /* the setting redirect_slash */
	struct request_environment environment;
};

/* Answers one request; 'arg' is the pipeline. */
void pipeline_serve(struct exchange *exchange, void *arg);

/* Of a request whose handler crashed; 'serving' is what the connection says. describe: in the signal handler, what the log and the answer
 * are to say. abandoned: on the loop, when it was answered: gives back what it held, and counts it. */
void pipeline_describe(const void *serving, struct crash_subject *ret_subject, bool *ret_is_head);
void pipeline_abandoned(void *serving, bool was_cut, uint64_t body_size);

#endif
