/* exchange.c - see exchange.h. Between connection.c, gate.c and fcgi.c. */
#include "front/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "front/connection.h"
#include "task/task.h"
#include "task/wait.h"

enum {
	OUT_FIRST = 512,            /* an event fits; thousands of streams have one */
	OUT_MOST = 65536,           /* gathered before it is sent */
	GATE_HELD = GATE_UNIT_SIZE, /* bytes that the gate may pass beyond those it is fed */
	READS_A_TURN = 8,           /* of a lingering connection */
};

void exchange_init(struct exchange *exchange, struct connection *connection, struct front *front, const uint8_t *bytes,
		   size_t len)
{
	*exchange = (struct exchange){ .connection = connection, .front = front, .input = bytes, .input_len = len };
	arena_init(&exchange->arena, front->arenas);
	gate_init(&exchange->gate, &front->limits);
}

void exchange_fini(struct exchange *exchange)
{
	arena_reset(&exchange->arena);
}

void exchange_begin(struct exchange *exchange)
{
	exchange->started_ns = clock_now_ns(); /* the loop's may be a turn old */
	exchange->deadline_ns = exchange->started_ns + exchange->front->header_timeout_ns;
	exchange->out = (struct buffer){ .arena = &exchange->arena };
	exchange->send_timeout_ns = exchange->front->send_timeout_ns;
	exchange->send_until_ns = CLOCK_NEVER;
	exchange->fault = LEAT_OK;
	exchange->connection->has_replied = false;
	exchange->pieces = 0;
	exchange->is_finishing = exchange->is_discarding = false;
}

bool exchange_is_gone(const struct exchange *exchange)
{
	return exchange->connection->is_gone || exchange->is_cut_off;
}

static void fail(struct exchange *exchange, enum leat_result fault)
{
	if (exchange->fault == LEAT_OK)
		exchange->fault = fault;
}

/* Sending ----------------------------------------------------------------------------------------------------------- */

/* As much as the socket takes now; what is left is the caller's. */
static size_t send_now(struct exchange *exchange, const uint8_t *bytes, size_t size)
{
	size_t sent = 0;

	while (sent < size) {
		ssize_t n = send(exchange->connection->fd, bytes + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			sent += (size_t)n;
		else if (errno != EINTR)
			break;
	}
	if (sent < size && errno != EAGAIN) {
		exchange->is_cut_off = true;
		fail(exchange, LEAT_CANCELLED);
	}
	return sent;
}

/* Anew after each piece that was taken. */
static int64_t send_deadline(const struct exchange *exchange)
{
	int64_t deadline_ns = loop_now_ns(exchange->front->loop) + exchange->send_timeout_ns;

	return deadline_ns < exchange->send_until_ns ? deadline_ns : exchange->send_until_ns;
}

void exchange_flush(struct exchange *exchange)
{
	size_t sent = 0;

	while (sent < exchange->out.len && !exchange_is_gone(exchange)) {
		enum leat_result result;

		sent += send_now(exchange, (uint8_t *)exchange->out.data + sent, exchange->out.len - sent);
		if (sent == exchange->out.len)
			break;
		result = wait_fd(exchange->connection->fd, WAIT_WRITE, send_deadline(exchange));
		if (result != LEAT_OK) {
			fail(exchange, result);
			exchange->is_cut_off =
				true; /* half a reply is of no use to anybody: the connection is closed */
			break;
		}
	}
	exchange->out.len = 0;
}

/* The end of a connection is not enough: nginx takes it for the end of a reply whose length it does not know. A record that is none makes
 * it an error. And lighttpd, when it finds the head and the end of the connection at once, makes a whole reply of what is there. */
const uint8_t exchange_no_record[8];

void exchange_cut(struct exchange *exchange)
{
	exchange_flush(exchange);
	if (!exchange_is_gone(exchange) &&
	    task_wait_always(loop_now_ns(exchange->front->loop) + EXCHANGE_CUT_PAUSE_NS) == LEAT_TIMED_OUT)
		send_now(exchange, exchange_no_record, sizeof(exchange_no_record));
	exchange->is_discarding = true;
	fail(exchange, LEAT_INTERNAL);
}

static void gather(struct exchange *exchange, const uint8_t *bytes, size_t size)
{
	if (!exchange->out.data)
		buffer_init(&exchange->out, &exchange->arena, size > OUT_FIRST ? size : OUT_FIRST);
	if (exchange->out.len + size > OUT_MOST)
		exchange_flush(exchange);
	buffer_bytes(&exchange->out, bytes, size);
}

ssize_t exchange_write(struct exchange *exchange, const uint8_t *bytes, size_t size)
{
	size_t sent = 0;

	if (exchange->is_discarding || exchange_is_gone(exchange))
		return (ssize_t)size;
	exchange->connection->has_replied = true;
	if (exchange->is_finishing && exchange->out.len == 0) /* a small reply leaves from libfcgi's own buffer */
		sent = send_now(exchange, bytes, size);
	if (sent < size)
		gather(exchange, bytes + sent, size - sent);
	return (ssize_t)size;
}

/* Receiving --------------------------------------------------------------------------------------------------------- */

#define REFUSAL_METRIC(id, counter, sentence) [GATE_REFUSAL_##id] = METRIC_GATE_##counter,
static const enum metric refusal_metrics[GATE_REFUSAL_COUNT] = { GATE_REFUSALS(REFUSAL_METRIC) };
#undef REFUSAL_METRIC

static void refuse(struct exchange *exchange)
{
	fail(exchange, LEAT_BAD_REQUEST);
	metrics_add(refusal_metrics[exchange->gate.refusal], 1);
	log_limited(LOG_LEVEL_WARN, "front: connection closed: %s", gate_refusal_text(exchange->gate.refusal));
}

static void give_up_reading(struct exchange *exchange, enum leat_result why)
{
	fail(exchange, why);
	if (why == LEAT_TIMED_OUT && exchange->gate.state < GATE_BODY)
		metrics_add(METRIC_GATE_TIMEOUT, 1);
}

/* Bytes behind the end of the request stay for the next one; the scratch buffer they lie in does not. */
static void carry_rest(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	uint8_t *copy;

	if (exchange->input_len == 0)
		return;
	copy = malloc(exchange->input_len);
	if (!copy)
		check_out_of_memory(exchange->input_len, "a pipelined request");
	memcpy(copy, exchange->input, exchange->input_len);
	free(connection->carried);
	connection->carried = copy;
	connection->carried_len = exchange->input_len;
	exchange->input = copy;
}

static bool is_carried(const struct exchange *exchange)
{
	const struct connection *connection = exchange->connection;

	return exchange->input >= connection->carried &&
	       exchange->input < connection->carried + connection->carried_len;
}

/* Runs the gate over what was received, as far as 'size' allows; what it passes is put into 'into'. */
static size_t pass_gate(struct exchange *exchange, uint8_t *into, size_t size)
{
	size_t used = 0;

	while (exchange->input_len > 0 && exchange->gate.state < GATE_DONE && size - used > GATE_HELD) {
		size_t room = size - used - GATE_HELD;
		size_t feed = exchange->input_len < room ? exchange->input_len : room;
		struct gate_step step;

		gate_feed(&exchange->gate, exchange->input, feed, &step);
		if (step.pass_len > 0)
			memcpy(into + used, step.pass, step.pass_len);
		used += step.pass_len;
		exchange->input += step.consumed;
		exchange->input_len -= step.consumed;
		if (step.answer_len > 0) {
			carry_rest(exchange); /* sending may wait */
			gather(exchange, step.answer, step.answer_len);
			exchange_flush(exchange); /* who asks may wait for it before sending more */
		}
	}
	if (exchange->gate.state == GATE_REFUSED && exchange->fault == LEAT_OK)
		refuse(exchange);
	if (exchange->gate.state == GATE_ABORTED)
		fail(exchange, LEAT_CANCELLED);
	if (exchange->gate.state == GATE_DONE)
		carry_rest(exchange);
	else
		LEAT_CHECK(exchange->input_len == 0 || exchange->fault != LEAT_OK || is_carried(exchange));
	return used;
}

/* Waits for bytes; false at the end of the connection or at the deadline. */
static bool receive(struct exchange *exchange)
{
	for (;;) {
		enum leat_result result;
		ssize_t n = recv(exchange->connection->fd, exchange->front->scratch, FRONT_RECEIVE, MSG_DONTWAIT);

		exchange->connection->may_have_more = n == FRONT_RECEIVE;
		if (n > 0) {
			exchange->input = exchange->front->scratch;
			exchange->input_len = (size_t)n;
			return true;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || errno != EAGAIN) {
			exchange->is_cut_off = true;
			fail(exchange, LEAT_CANCELLED);
			return false;
		}
		if (gate_is_quiet(&exchange->gate))
			return false; /* management records alone: nothing to wait for on a stack */
		result = connection_wait_readable(exchange->connection, exchange->deadline_ns);
		if (result != LEAT_OK) {
			give_up_reading(exchange, result);
			return false;
		}
	}
}

ssize_t exchange_read(struct exchange *exchange, uint8_t *into, size_t size)
{
	size_t passed;

	while (exchange->fault == LEAT_OK) {
		passed = pass_gate(exchange, into, size);
		if (passed > 0)
			return (ssize_t)passed;
		if (exchange->gate.state >= GATE_DONE || !receive(exchange))
			break;
	}
	return 0;
}

/* The end ------------------------------------------------------------------------------------------------------------ */

void exchange_linger(struct connection *connection)
{
	const struct front *front = connection->front;
	int64_t deadline_ns = loop_now_ns(front->loop) + front->drain_timeout_ns;
	unsigned reads = 0;

	shutdown(connection->fd, SHUT_WR);
	while (loop_now_ns(front->loop) < deadline_ns) {
		ssize_t n = recv(connection->fd, front->scratch, FRONT_SCRATCH, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
		if (n > 0 && ++reads % READS_A_TURN == 0)
			task_yield(); /* others want to run, too */
		if (n < 0 && connection_wait_readable(connection, deadline_ns) != LEAT_OK)
			break;
	}
}

/* Reads what the handler did not, so that the connection can be kept and no byte of a body is ever taken for a
 * record; within limits. */
static void drain(struct exchange *exchange)
{
	uint64_t most = exchange->gate.stdin_bytes + exchange->front->drain_limit;
	uint8_t *thrown_away;

	if (exchange->gate.state != GATE_BODY || exchange->fault != LEAT_OK || exchange_is_gone(exchange))
		return;
	thrown_away = arena_alloc(&exchange->arena, FRONT_SCRATCH);
	exchange->deadline_ns = loop_now_ns(exchange->front->loop) + exchange->front->drain_timeout_ns;
	while (exchange->gate.state == GATE_BODY && exchange->gate.stdin_bytes <= most)
		if (exchange_read(exchange, thrown_away, FRONT_SCRATCH) <= 0)
			break;
	if (exchange->gate.state == GATE_DONE) {
		metrics_add(METRIC_BODY_DRAINED, 1);
	} else {
		metrics_add(METRIC_BODY_CLOSED, 1);
		exchange_linger(exchange->connection);
	}
}

static enum exchange_verdict judge(const struct exchange *exchange)
{
	bool may_keep = exchange->fault == LEAT_OK && !exchange_is_gone(exchange);

	if (may_keep && gate_is_quiet(&exchange->gate))
		return EXCHANGE_PARK;
	if (!may_keep || exchange->gate.state != GATE_DONE || !exchange->gate.keep_conn)
		return EXCHANGE_CLOSE;
	if (exchange->input_len > 0)
		return EXCHANGE_NEXT;
	return poller_is_draining(exchange->front->poller) ? EXCHANGE_CLOSE : EXCHANGE_PARK;
}

enum exchange_verdict exchange_end(struct exchange *exchange)
{
	enum exchange_verdict verdict;

	if (exchange->out.len > 0)
		exchange_flush(exchange);
	drain(exchange);
	verdict = judge(exchange);
	arena_reset(&exchange->arena);
	if (verdict == EXCHANGE_NEXT)
		gate_next(&exchange->gate);
	return verdict;
}
