/* transfer.h - one request and its reply, on libcurl.
 *
 * Use:
 *     struct transfer *transfer = fetcher_take(fetcher);
 *     transfer_set(transfer, &order);                     -- what is to be sent, and the limits of what comes
 *     fetcher_start(fetcher, transfer, host);
 *     while (!transfer->is_done) result = task_wait(deadline_ns);
 *     ... transfer->fault, transfer->status, transfer->head, transfer->body ...
 *     fetcher_give(fetcher, transfer);
 *
 * Ownership:      a fetcher's, with its libcurl handle; what it has received lies in the order's arena.
 * Thread-safety:  only the worker that made it. libcurl calls back from the loop, outside of tasks.
 * Errors:         transfer->fault, with libcurl's words in transfer->words.
 */
#ifndef APP_FETCH_TRANSFER_H
#define APP_FETCH_TRANSFER_H

#include <leat/fetch.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "fetch/lookup.h"
#include "fetch/target.h"

struct curl_slist;
struct fetcher;
struct host;
struct task;

enum { TRANSFER_WORDS_SIZE = 256 }; /* CURL_ERROR_SIZE */

/* What is to be done. It lives until the transfer is given back. */
struct order {
	struct arena *arena;
	struct target target;
	const struct addresses *addresses; /* NULL: the URL has the address itself */
	const char *method;
	leat_text body;       /* {NULL, 0}: none */
	const char **headers; /* "Name: value", ended by NULL */
	bool is_idempotent;
	bool public_only;
	uint64_t body_max, head_max;
	int64_t connect_timeout_ms;
	const char *ca_file; /* "": the system's */
};

struct transfer {
	struct transfer *next; /* in the fetcher's lists */
	void *easy;            /* libcurl's handle */
	struct fetcher *fetcher;
	struct host *host;         /* whose place it has */
	const struct order *order; /* NULL: nobody wants it any more */
	struct task *waiter;
	struct curl_slist *headers, *resolve;
	size_t body_sent;
	bool was_begun; /* the body, on any connection */
	bool was_sent;  /* once; libcurl repeats what a kept connection has lost */
	struct buffer head;
	uint64_t head_size; /* with 32 bytes more a line */
	bool is_head_whole; /* its empty line has come */
	bool has_head;      /* the final reply's: what comes now are trailers */
	struct buffer body;
	bool is_done;
	int status;
	bool was_refused; /* an address, and this is the last one */
	struct address refused;
	enum leat_fetch_fault fault;
	char words[TRANSFER_WORDS_SIZE];
};

void transfer_init(struct transfer *transfer, struct fetcher *fetcher);
void transfer_fini(struct transfer *transfer);

void transfer_set(struct transfer *transfer, const struct order *order);

/* libcurl is done with it; 'code' is a CURLcode. */
void transfer_end(struct transfer *transfer, int code);

/* For the next order. */
void transfer_clear(struct transfer *transfer);

#endif
