/* connection.c - see connection.h. Between poller.c, which says who works on a connection, and exchange.c.
 *
 * The states, and who changes them:
 *
 *     PARKED --connection_event (any worker, under the poller's lock)--> BUSY --owner: end_of_work--> PARKED, or closed
 *
 * While it is BUSY, events set bits and post to the owner. The owner parks by exchanging BUSY alone for 0: that fails when an
 * event came meanwhile; then the connection goes back to the list of those that are ready, for whichever worker is free, at once or
 * from on_post. Edges tell of new bytes only, so that is also done when the last receive may have left some. poller_close refuses while a post is
 * on its way, and on_post closes then. So no event is lost, and no connection is parked or freed with a post under way. */
#include "front/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "front/exchange.h"
#include "front/fcgi.h"
#include "task/task.h"

static void on_post(struct loop_post *post);

bool connection_event(struct connection *connection, uint32_t epoll_events)
{
	unsigned bits = CONNECTION_BUSY;

	if (epoll_events & EPOLLIN)
		bits |= CONNECTION_READABLE;
	if (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		bits |= CONNECTION_GONE;
	if (!(atomic_fetch_or(&connection->state, bits) & CONNECTION_BUSY))
		return true;
	if (connection->loop && !atomic_exchange(&connection->is_posted, true))
		loop_post(connection->loop, &connection->post);
	return false;
}

/* To PARKED, unless an event came meanwhile. */
static bool park(struct connection *connection)
{
	unsigned busy = CONNECTION_BUSY;

	free(connection->carried);
	connection->carried = NULL;
	connection->carried_len = 0;
	return atomic_compare_exchange_strong(&connection->state, &busy, 0);
}

/* The connection is kept or goes, now or when the post that is under way has arrived. */
static void end_of_work(struct connection *connection, enum exchange_verdict verdict)
{
	struct poller *poller = connection->front->poller;

	connection->task = NULL;
	connection->exchange = NULL;
	connection->is_ending = true;
	if (verdict == EXCHANGE_CLOSE || (!connection->is_watched && !poller_watch(poller, connection)))
		connection->is_gone = true;
	if (connection->is_gone)
		poller_close(poller, connection);
	else if (connection->may_have_more || !park(connection))
		poller_requeue(poller, connection);
}

static void serve(void *arg)
{
	struct connection *connection = arg;
	struct front *front = connection->front;
	struct exchange exchange;
	enum exchange_verdict verdict;

	connection->task = task_self();
	connection->exchange = &exchange;
	connection->has_served = true;
	exchange_init(&exchange, connection, front, front->scratch, front->received);
	do
		verdict = fcgi_serve(&exchange);
	while (verdict == EXCHANGE_NEXT);
	exchange_fini(&exchange);
	if (front->starting == connection)
		front->starting = NULL;
	connection_answered(connection);
	end_of_work(connection, verdict);
}

void connection_see_off(struct connection *connection)
{
	if (connection->front->starting == connection)
		connection->front->starting = NULL;
	end_of_work(connection, EXCHANGE_CLOSE);
}

/* The service stops, or serves as many as it may. The front server gets an answer that it understands, as far as it fits into the socket. */
static void refuse(struct connection *connection, const uint8_t *bytes, size_t len, enum metric why)
{
	uint8_t reply[FCGI_REFUSAL_SIZE];
	size_t size = fcgi_refusal(reply, bytes, len);

	metrics_add(why, 1);
	metrics_add(METRIC_REQUESTS_5XX, 1);
	if (size > 0 && send(connection->fd, reply, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		metrics_add(METRIC_REQUESTS_ABORTED, 1);
	end_of_work(connection, EXCHANGE_CLOSE);
}

/* The peer left before anybody looked at its request. */
static bool has_left(struct connection *connection)
{
	return atomic_load(&connection->state) & CONNECTION_GONE;
}

static ssize_t receive_first(struct connection *connection, struct front *front)
{
	ssize_t n;

	do
		n = recv(connection->fd, front->scratch, FRONT_RECEIVE, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	connection->may_have_more = n == FRONT_RECEIVE;
	return n;
}

void connection_answered(struct connection *connection)
{
	if (connection->is_admitted)
		poller_dismiss(connection->front->poller);
	connection->is_admitted = false;
}

/* False when the request was refused. */
static bool start_task(struct connection *connection, struct front *front)
{
	if (poller_refuses(front->poller)) {
		refuse(connection, front->scratch, front->received, METRIC_DRAIN_REFUSED);
		return false;
	}
	if (!poller_admit(front->poller)) {
		refuse(connection, front->scratch, front->received, METRIC_TASKS_REFUSED);
		return false;
	}
	connection->is_admitted = true;
	if (!task_start(front->loop, serve, connection)) {
		connection_answered(connection);
		refuse(connection, front->scratch, front->received, METRIC_TASKS_REFUSED);
		return false;
	}
	return true;
}

void connection_start(struct connection *connection, struct front *front)
{
	ssize_t n;

	connection->front = front;
	connection->post.fn = on_post;
	connection->is_ending = false;
	if (has_left(connection)) {
		end_of_work(connection, EXCHANGE_CLOSE);
		return;
	}
	n = receive_first(connection, front);
	if (n <= 0) {
		end_of_work(connection, n < 0 && errno == EAGAIN ? EXCHANGE_PARK : EXCHANGE_CLOSE);
		return;
	}
	front->received = (size_t)n;
	front->starting = connection;
	if (!start_task(connection, front))
		return;
	/* If it still runs, it waits for something: from now on, see the peer leave. */
	if (front->starting && !connection->is_watched && !poller_watch(front->poller, connection))
		task_cancel(connection->task);
}

static void on_post(struct loop_post *post)
{
	struct connection *connection = (struct connection *)((char *)post - offsetof(struct connection, post));
	unsigned events = poller_take_events(connection->front->poller, connection);

	if (connection->is_ending) {
		if (connection->is_gone)
			poller_close(connection->front->poller, connection);
		else
			poller_requeue(connection->front->poller, connection);
		return;
	}
	if (events & CONNECTION_GONE) {
		connection->is_gone = true;
		if (connection->task)
			task_cancel(connection->task);
	}
	if (events & CONNECTION_READABLE) {
		connection->may_have_more = true;
		if (connection->waits_to_read)
			task_wake(connection->task, LEAT_OK);
	}
}

enum leat_result connection_wait_readable(struct connection *connection, int64_t deadline_ns)
{
	enum leat_result result;

	if (!connection->is_watched && !poller_watch(connection->front->poller, connection))
		return LEAT_UNAVAILABLE;
	connection->waits_to_read = true;
	result = task_wait(deadline_ns);
	connection->waits_to_read = false;
	return result;
}
