/* exchange.h - the traffic of one request on a connection: bytes through the gate to libfcgi, and libfcgi's bytes back.
 *
 * Use (connection.c):
 *     exchange_init(&exchange, connection, front, bytes, len);
 *     do
 *         verdict = fcgi_serve(&exchange);
 *     while (verdict == EXCHANGE_NEXT);
 *     exchange_fini(&exchange);
 *
 * libfcgi's OS_Read and OS_Write (fcgi.c) end here. A read that finds nothing suspends the task until bytes come,
 * the phase's deadline, or the peer leaves. Writes are gathered and leave in as few send calls as the socket takes.
 *
 * Ownership:      stands on the task's stack; its arena is the request's, reset after each.
 * Thread-safety:  only the connection's task.
 * Errors:         'fault' keeps the first one; reads then find nothing and writes go nowhere.
 */
#ifndef APP_FRONT_EXCHANGE_H
#define APP_FRONT_EXCHANGE_H

#include <leat/result.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "front/gate.h"

struct connection;
struct fcgi;
struct front;

enum exchange_verdict {
	EXCHANGE_NEXT, /* the beginning of another request is here already */
	EXCHANGE_PARK, /* nothing more to do: keep the connection */
	EXCHANGE_CLOSE,
};

struct exchange {
	struct connection *connection;
	struct front *front;
	struct arena arena;
	struct gate gate;
	struct fcgi *fcgi;    /* while libfcgi has a request */
	const uint8_t *input; /* received, not through the gate yet */
	size_t input_len;
	struct buffer out;       /* gathered, not sent yet */
	int64_t started_ns;      /* when the first byte of the request was here */
	int64_t deadline_ns;     /* of reading, in the present phase */
	int64_t send_timeout_ns; /* how long the front server may take nothing */
	int64_t send_until_ns;   /* and the end of all sending */
	enum leat_result fault;
	unsigned pieces;    /* of the body, read so far */
	bool is_finishing;  /* libfcgi writes its last piece */
	bool is_discarding; /* the reply goes nowhere: there is no request, or nobody to read it */
	bool is_cut_off;    /* the peer closed */
};

void exchange_init(struct exchange *exchange, struct connection *connection, struct front *front, const uint8_t *bytes,
		   size_t len);
void exchange_fini(struct exchange *exchange);

/* Before and after each request. */
void exchange_begin(struct exchange *exchange);
enum exchange_verdict exchange_end(struct exchange *exchange);

/* The peer has left; the task was cancelled for it. */
bool exchange_is_gone(const struct exchange *exchange);

/* Sends what is gathered, and then what shows that the reply has not come to its end; the connection is closed. */
void exchange_cut(struct exchange *exchange);

/* The connection will be closed, but the front server still writes: closing now would lose it the reply. It is told that no more
 * comes, and what it writes is thrown away until it has seen that. */
void exchange_linger(struct connection *connection);

/* What shows that a reply has not come to its end; EXCHANGE_CUT_PAUSE_NS before the connection is closed. */
extern const uint8_t exchange_no_record[8];
#define EXCHANGE_CUT_PAUSE_NS (50 * CLOCK_MS)

/* libfcgi's side: like read(2) and write(2). */
ssize_t exchange_read(struct exchange *exchange, uint8_t *into, size_t size);
ssize_t exchange_write(struct exchange *exchange, const uint8_t *bytes, size_t size);

/* Sends what is gathered. */
void exchange_flush(struct exchange *exchange);

#endif
