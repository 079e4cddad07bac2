/* abandon.c - see abandon.h. Called by task/crash.c. */
#include "front/abandon.h"

#include <sys/socket.h>

#include "base/clock.h"
#include "base/linetext.h"
#include "base/logtext.h"
#include "base/metrics.h"
#include "front/connection.h"
#include "front/exchange.h"
#include "front/fcgi.h"
#include "task/crash.h"
#include "task/task.h"

/* In the signal handler --------------------------------------------------------------------------------------------------- */

bool abandon_describe(void *arg, struct crash_subject *ret_subject)
{
	const struct connection *connection = arg;
	bool is_head;

	if (!connection->serving)
		return false;
	connection->front->describe(connection->serving, ret_subject, &is_head);
	return true;
}

static void send_at_once(const struct connection *connection, const uint8_t *bytes, size_t size)
{
	if (send(connection->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		metrics_add(METRIC_REQUESTS_ABORTED, 1);
}

static void write_document(struct linetext *body, int status, const char *title, const struct crash_subject *subject)
{
	linetext_add(body, "{\"type\":\"about:blank\",\"title\":\"");
	linetext_add(body, title);
	linetext_add(body, "\",\"status\":");
	linetext_int(body, status);
	if (subject->id_len > 0) {
		linetext_add(body, ",\"request_id\":\"");
		linetext_add_text(body, (leat_text){ subject->id, subject->id_len });
		linetext_add(body, "\"");
	}
	linetext_add(body, "}");
}

static void write_head(struct linetext *reply, int status, const char *title, size_t length)
{
	linetext_add(reply, "Status: ");
	linetext_int(reply, status);
	linetext_add(reply, " ");
	linetext_add(reply, title);
	linetext_add(reply, "\r\nContent-Type: application/problem+json\r\nContent-Length: ");
	linetext_int(reply, (int64_t)length);
	linetext_add(reply, status == 503 ? "\r\nRetry-After: 1\r\n\r\n" : "\r\n\r\n");
}

/* The request's own words may be what is broken: then the document has no id. */
static void reply_whole(struct connection *connection, int status, const char *title)
{
	uint8_t records[LINETEXT_SIZE + FCGI_RECORDS_SIZE];
	struct crash_subject subject = { 0 };
	struct linetext body = { 0 }, reply = { 0 };
	bool is_head = false;

	connection->front->describe(connection->serving, &subject, &is_head);
	write_document(&body, status, title, &subject);
	write_head(&reply, status, title, body.len);
	if (!is_head)
		linetext_add_text(&reply, linetext_text(&body));
	connection->last_size = is_head ? 0 : (uint16_t)body.len;
	send_at_once(connection, records, fcgi_whole_reply(records, connection->fcgi_id, linetext_text(&reply)));
}

/* What was gathered of the stream is lost. If it had been sent in part the front server waits for the rest of a record, and the end of the
 * connection is an error by itself. */
static void cut(const struct connection *connection)
{
	if (connection->exchange->out.len == 0)
		send_at_once(connection, exchange_no_record, sizeof(exchange_no_record));
}

static void end_request(struct connection *connection, int status, const char *title)
{
	if (connection->has_replied)
		cut(connection);
	else
		reply_whole(connection, status, title);
}

void abandon_answer(void *arg)
{
	end_request(arg, 500, "Internal error");
}

void abandon_refuse(void *arg)
{
	struct connection *connection = arg;

	if (!connection->serving || connection->is_gone)
		return;
	metrics_add(METRIC_REQUESTS_5XX, 1);
	end_request(connection, 503, "Service unavailable");
	shutdown(connection->fd, SHUT_WR);
}

/* On the loop ---------------------------------------------------------------------------------------------------------------- */

static void see_off(void *arg)
{
	struct connection *connection = arg;
	const struct loop *loop = connection->front->loop;

	connection->task = task_self();
	if (!connection->has_replied || task_wait_always(loop_now_ns(loop) + EXCHANGE_CUT_PAUSE_NS) == LEAT_TIMED_OUT)
		exchange_linger(connection);
	connection_see_off(connection);
}

void abandon_bury(void *arg)
{
	struct connection *connection = arg;
	struct front *front = connection->front;

	connection->exchange = NULL;
	connection->task = NULL;
	connection->waits_to_read = false;
	front->abandoned(connection->serving, connection->has_replied, connection->last_size);
	connection->serving = NULL;
	connection_answered(connection);
	if (!task_start(front->loop, see_off, connection))
		connection_see_off(connection);
}
