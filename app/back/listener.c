/* listener.c - see listener.h. Called by notify.c, on its thread. */
#include "back/listener.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "back/dial.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/settings.h"

#define SIGN_OF_LIFE "/* leat listens: a sign of life */" /* an empty query */

void listener_init(struct listener *listener, const struct settings *settings)
{
	*listener = (struct listener){ .settings = settings, .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	LEAT_CHECK(listener->wake_fd >= 0);
	retry_init(&listener->retry, settings->db_retry_least * CLOCK_MS, settings->db_retry_most * CLOCK_MS,
		   random_bits());
}

void listener_fini(struct listener *listener)
{
	LEAT_CHECK(!listener->connection);
	close(listener->wake_fd);
}

void listener_wake(struct listener *listener)
{
	uint64_t one = 1;

	LEAT_CHECK(write(listener->wake_fd, &one, sizeof(one)) == sizeof(one));
}

void listener_stop(struct listener *listener)
{
	atomic_store(&listener->is_stopping, true);
	listener_wake(listener);
}

/* The connection --------------------------------------------------------------------------------------------------------- */

bool listener_is_due(const struct listener *listener)
{
	return retry_is_due(&listener->retry, clock_now_ns());
}

static void fail_to_connect(struct listener *listener, const char *why)
{
	int64_t now_ns = clock_now_ns();

	retry_failed(&listener->retry, now_ns);
	metrics_add(METRIC_DB_CONNECT_FAILURES, 1);
	log_limited(LOG_LEVEL_WARN, "database: cannot listen: %s; next try in %" PRId64 " ms", why,
		    (listener->retry.due_ns - now_ns) / CLOCK_MS);
}

bool listener_connect(struct listener *listener)
{
	PGconn *connection = dial(listener->settings, DIAL_PRIMARY, &listener->is_stopping);

	if (!dial_has_connected(connection) || !PQexitPipelineMode(connection)) {
		fail_to_connect(listener, dial_failure(connection).text);
		PQfinish(connection);
		return false;
	}
	listener->connection = connection;
	listener->made_ns = listener->heard_ns = clock_now_ns();
	retry_succeeded(&listener->retry, listener->made_ns);
	metrics_add(METRIC_DB_CONNECTS, 1);
	metrics_add(METRIC_DB_CONNECTIONS, 1);
	return true;
}

void listener_disconnect(struct listener *listener)
{
	if (!listener->connection)
		return;
	PQfinish(listener->connection);
	listener->connection = NULL;
	metrics_add(METRIC_DB_CONNECTIONS, -1);
}

static bool lose(struct listener *listener, const char *why)
{
	if (!atomic_load(&listener->is_stopping)) {
		metrics_add(METRIC_DB_LISTENERS_LOST, 1);
		log_limited(LOG_LEVEL_WARN, "database: the connection that listens is lost: %.*s",
			    (int)strcspn(why, "\n"), why);
	}
	listener_disconnect(listener);
	retry_lost(&listener->retry, listener->made_ns, clock_now_ns());
	return false;
}

/* A standby, for one, refuses to listen. The connection is good, but of no use. */
static bool give_up(struct listener *listener, const char *command, const char *why)
{
	log_limited(LOG_LEVEL_WARN, "database: %s: %.*s", command, (int)strcspn(why, "\n"), why);
	listener_disconnect(listener);
	retry_failed(&listener->retry, clock_now_ns());
	return false;
}

/* Waiting ------------------------------------------------------------------------------------------------------------------ */

/* At least one more turn of the clock, so that nobody looks in vain all the time. */
static int ms_until(int64_t time_ns)
{
	int64_t left_ms = (time_ns - clock_now_ns()) / CLOCK_MS + 1;

	return left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* Whether there is something to read. How many wake-ups there were does not matter. */
static bool rest(const struct listener *listener, short events, int timeout_ms)
{
	int socket = listener->connection ? PQsocket(listener->connection) : -1;
	struct pollfd waits[] = { { .fd = listener->wake_fd, .events = POLLIN }, { .fd = socket, .events = events } };
	uint64_t count;

	if (poll(waits, 2, timeout_ms) <= 0)
		return false;
	if (waits[0].revents)
		LEAT_CHECK(read(listener->wake_fd, &count, sizeof(count)) == sizeof(count));
	return waits[1].revents & ~POLLOUT;
}

static bool receive(struct listener *listener)
{
	listener->heard_ns = clock_now_ns();
	return PQconsumeInput(listener->connection);
}

/* The next result of a command can be had without waiting. NULL, or why not. */
static const char *await_result(struct listener *listener, int64_t deadline_ns)
{
	while (PQisBusy(listener->connection)) {
		int left = PQflush(listener->connection);

		if (left < 0)
			return PQerrorMessage(listener->connection);
		if (atomic_load(&listener->is_stopping))
			return "stopped";
		if (clock_now_ns() >= deadline_ns)
			return DIAL_TOO_LATE;
		if (rest(listener, left ? POLLIN | POLLOUT : POLLIN, ms_until(deadline_ns)) && !receive(listener))
			return PQerrorMessage(listener->connection);
	}
	return NULL;
}

static bool execute(struct listener *listener, const char *command)
{
	int64_t deadline_ns = clock_now_ns() + listener->settings->db_connect_timeout * CLOCK_MS;
	char refusal[256] = "";
	const char *why = NULL;
	PGresult *result;

	if (!PQsendQuery(listener->connection, command))
		return lose(listener, PQerrorMessage(listener->connection));
	while (!(why = await_result(listener, deadline_ns)) && (result = PQgetResult(listener->connection))) {
		if (PQresultStatus(result) == PGRES_FATAL_ERROR)
			snprintf(refusal, sizeof(refusal), "%s", PQresultErrorMessage(result));
		PQclear(result);
	}
	if (why || PQstatus(listener->connection) == CONNECTION_BAD)
		return lose(listener, why ? why : PQerrorMessage(listener->connection));
	return *refusal ? give_up(listener, command, refusal) : true;
}

/* What it is for ----------------------------------------------------------------------------------------------------------- */

bool listener_do(struct listener *listener, const char *verb, const char *name)
{
	char *quoted = PQescapeIdentifier(listener->connection, name, strlen(name));
	char *command = NULL;
	bool is_done;

	if (asprintf(&command, "%s %s", verb, quoted ? quoted : "") < 0)
		check_out_of_memory(0, "a command");
	is_done = quoted ? execute(listener, command)
			 : give_up(listener, command, PQerrorMessage(listener->connection));
	PQfreemem(quoted);
	free(command);
	return is_done;
}

PGnotify *listener_next(struct listener *listener)
{
	return PQnotifies(listener->connection);
}

bool listener_wait(struct listener *listener)
{
	int64_t silent_ns = listener->heard_ns + listener->settings->db_notify_silence * CLOCK_MS;

	if (rest(listener, POLLIN, ms_until(silent_ns)))
		return receive(listener) ? true : lose(listener, PQerrorMessage(listener->connection));
	return clock_now_ns() < silent_ns || execute(listener, SIGN_OF_LIFE);
}

void listener_rest(struct listener *listener, bool has_next_try)
{
	rest(listener, POLLIN, has_next_try ? ms_until(listener->retry.due_ns) : -1);
}
