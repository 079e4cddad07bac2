/* gate.h - the record state machine that checks every byte of a front server before libfcgi sees it.
 *
 * Use:
 *     gate_init(&gate, &limits);
 *     do {
 *         state = gate_feed(&gate, at, (size_t)(end - at), &step);
 *         at += step.consumed;
 *         ...                   -- send step.answer to the peer, hand step.pass to libfcgi
 *     } while (at < end && state < GATE_DONE);
 *     gate_next(&gate);         -- when the request is over and its connection is kept
 *
 * Bytes in, verdicts out; no socket, no clock, no allocation. What is passed is always the beginning of one
 * well-formed RESPONDER request: BEGIN_REQUEST, PARAMS, STDIN, all of one id, in this order, within the limits;
 * passed to its end when the state is GATE_DONE. Where the input is cut makes no difference to what is passed and
 * answered. Management records, and records of requests that do not exist (FastCGI 3.3), are taken out, and the
 * padding of records without other content, which libfcgi does not skip. An end of file is the caller's to judge: only
 * in GATE_BODY and GATE_DONE is there a request, only in GATE_DONE a whole one.
 *
 * Ownership:      the caller owns the gate, the limits (they outlive it) and the input. step.pass and step.answer are
 *                 borrowed, from the input or the gate, until the next call.
 * Thread-safety:  one thread at a time per object.
 * Errors:         GATE_REFUSED, with the reason in 'refusal'; the connection is then of no more use.
 */
#ifndef APP_FRONT_GATE_H
#define APP_FRONT_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a connection is closed: id, counter (METRICS_TABLE's GATE_...), a sentence for the log. */
#define GATE_REFUSALS(X) \
	X(VERSION,      PROTOCOL,     "A record's version is not 1: the peer does not speak FastCGI.") \
	X(TYPE,         PROTOCOL,     "A record's type has no place in a request to a responder.") \
	X(LENGTH,       PROTOCOL,     "A record's length does not fit its content.") \
	X(ORDER,        PROTOCOL,     "A record came out of its order: BEGIN_REQUEST, PARAMS, STDIN.") \
	X(PARAMS_CUT,   PROTOCOL,     "The parameters ended in the middle of one.") \
	X(PARAMS_SIZE,  PARAMS_SIZE,  "The parameters have more bytes than params_size allows.") \
	X(PARAMS_COUNT, PARAMS_COUNT, "There are more parameters than params_count allows.") \
	X(PARAM_BYTES,  PARAM_BYTES,  "A parameter has an empty name, '=' or NUL in its name, or NUL in its value.") \
	X(ROLE,         ROLE,         "The request asks for a role other than RESPONDER.")

enum gate_refusal {
	GATE_REFUSAL_NONE,
#define GATE_REFUSAL_ID(id, counter, sentence) GATE_REFUSAL_##id,
	GATE_REFUSALS(GATE_REFUSAL_ID)
#undef GATE_REFUSAL_ID
	GATE_REFUSAL_COUNT
};

enum gate_state {
	GATE_IDLE,    /* no request begun */
	GATE_PARAMS,  /* BEGIN_REQUEST seen, parameters not complete */
	GATE_BODY,    /* parameters complete, STDIN open */
	GATE_DONE,    /* STDIN ended: not one byte more belongs to this request */
	GATE_ABORTED, /* ABORT_REQUEST for our request */
	GATE_REFUSED, /* close the connection; gate->refusal says why */
};

struct gate_limits {
	uint32_t params_size;  /* bytes of PARAMS content in a request */
	uint32_t params_count; /* parameters in a request */
	uint32_t max_conns;    /* told to who asks: FCGI_MAX_CONNS */
	uint32_t max_reqs;     /* FCGI_MAX_REQS */
};

/* No pointer is NULL, whatever its length. */
struct gate_step {
	size_t consumed;     /* of the input */
	const uint8_t *pass; /* for libfcgi */
	size_t pass_len;
	const uint8_t *answer; /* for the peer: one whole record */
	size_t answer_len;
};

/* A name-value pair (FastCGI 3.4) whose bytes come in any pieces. */
struct gate_pair {
	uint32_t name_left;
	uint32_t value_left;
	uint8_t part;        /* what comes next */
	uint8_t length_left; /* bytes of a four-byte length that are still to come */
};

enum {
	GATE_UNIT_SIZE = 16,   /* BEGIN_REQUEST with its header: passed whole or not at all */
	GATE_ANSWER_SIZE = 80, /* GET_VALUES_RESULT with all there is */
};

struct gate {
	/* For the caller, to read. */
	uint8_t state;       /* enum gate_state */
	uint8_t refusal;     /* enum gate_refusal */
	bool keep_conn;      /* the peer wants to keep the connection */
	uint16_t request_id; /* 0 before a request */
	uint32_t params_count;
	uint32_t params_bytes;
	uint64_t stdin_bytes; /* of the body, passed so far */

	/* The gate's own. */
	const struct gate_limits *limits;
	uint16_t content_left; /* of the present record */
	uint8_t padding_left;
	uint8_t record;    /* what is done with it */
	bool last;         /* it ends the request */
	uint8_t gathered;  /* bytes in 'unit' of a header that came in pieces */
	uint8_t asked;     /* GET_VALUES: the names seen, a bit each */
	uint8_t asked_len; /* bytes in 'unit' of the name being asked for */
	struct gate_pair param;
	struct gate_pair question;
	uint8_t unit[GATE_UNIT_SIZE];
	uint8_t answer[GATE_ANSWER_SIZE];
};

void gate_init(struct gate *gate, const struct gate_limits *limits);

/* After GATE_DONE: ready for the next request on a kept connection. */
void gate_next(struct gate *gate);

/* Takes as much input as makes ONE run of passed bytes. It stops after an answer, at the end of a run (a record was
 * taken out or changed, a header came in pieces) and at GATE_DONE: call again with the rest. From GATE_DONE on it takes
 * nothing. */
enum gate_state gate_feed(struct gate *gate, const uint8_t *bytes, size_t size, struct gate_step *step);

/* No request is begun and no record is open: nothing is owed by the peer, who may be quiet or leave. */
static inline bool gate_is_quiet(const struct gate *gate)
{
	return gate->state == GATE_IDLE && gate->content_left == 0 && gate->padding_left == 0 && gate->gathered == 0;
}

/* A sentence for the log. */
const char *gate_refusal_text(enum gate_refusal refusal);

#endif
