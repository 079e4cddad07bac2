/* dial.c - see dial.h. Called by lane.c and lend.c. */
#include "back/dial.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/settings.h"
#include "task/loop.h"
#include "task/offload.h"

enum {
	LOOK_MS = 100, /* how often it is seen that nobody wants the connection any more */
	HANGING_MAX = 2,
};

static atomic_uint hanging; /* dropped, and still on a thread */

struct dial {
	struct loop *loop;
	const struct settings *settings;
	dial_fn fn; /* NULL: dropped */
	void *arg;
	PGconn *connection;
	atomic_bool is_dropped; /* for the thread */
	struct loop_post post;
};

/* Dialling ---------------------------------------------------------------------------------------------------------- */

static void on_notice(void *arg, const PGresult *notice)
{
	(void)arg;
	log_debug("database: %s", PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY));
}

static PGconn *begin(const struct settings *settings)
{
	char timeout_ms[NUMBER_INT_MAX + 1];
	/* Later ones win: the first two are defaults. With tcp_user_timeout, data that nobody acknowledges ends a
	 * connection as soon as connecting would be given up; without it a cancel could hold its thread for minutes. */
	const char *const names[] = { "fallback_application_name", "tcp_user_timeout", "dbname", "client_encoding",
				      NULL };
	const char *const values[] = { "leat", timeout_ms, settings->database_url, "UTF8", NULL };
	PGconn *connection;

	timeout_ms[number_write_int(timeout_ms, settings->db_connect_timeout)] = '\0';
	connection = PQconnectStartParams(names, values, 1);
	if (!connection)
		check_out_of_memory(0, "a connection to PostgreSQL");
	PQsetNoticeReceiver(connection, on_notice, NULL);
	return connection;
}

/* False when it took too long, or nobody wants it any more. */
static bool wait_for(PGconn *connection, short events, int64_t deadline_ns, const atomic_bool *is_dropped)
{
	struct pollfd wait = { .fd = PQsocket(connection), .events = events };

	while (!atomic_load(is_dropped)) {
		int64_t left_ms = (deadline_ns - clock_now_ns()) / CLOCK_MS;

		if (left_ms <= 0)
			return false;
		if (poll(&wait, 1, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS) > 0)
			return true;
	}
	return false;
}

static void finish(PGconn *connection, int64_t deadline_ns, const atomic_bool *is_dropped)
{
	/* libpq: behave as if PQconnectPoll had asked to write. */
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
		if (!wait_for(connection, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ns, is_dropped))
			return;
		status = PQconnectPoll(connection);
	}
	if (status == PGRES_POLLING_OK) {
		PQsetnonblocking(connection, 1);
		PQenterPipelineMode(connection);
	}
}

PGconn *dial(const struct settings *settings, const atomic_bool *is_dropped)
{
	int64_t deadline_ns = clock_now_ns() + settings->db_connect_timeout * CLOCK_MS;
	PGconn *connection = begin(settings);

	if (PQstatus(connection) != CONNECTION_BAD)
		finish(connection, deadline_ns, is_dropped);
	return connection;
}

bool dial_has_connected(const PGconn *connection)
{
	return PQstatus(connection) == CONNECTION_OK && PQpipelineStatus(connection) == PQ_PIPELINE_ON;
}

/* For a loop -------------------------------------------------------------------------------------------------------- */

/* On an offload thread. */
static void run(void *arg)
{
	struct dial *self = arg;

	self->connection = dial(self->settings, &self->is_dropped);
	loop_post(self->loop, &self->post);
}

static void on_post(struct loop_post *post)
{
	struct dial *self = (struct dial *)((char *)post - offsetof(struct dial, post));

	if (self->fn) {
		self->fn(self->arg, self->connection);
	} else {
		atomic_fetch_sub(&hanging, 1);
		PQfinish(self->connection);
	}
	free(self);
}

struct dial *dial_start(struct offload *offload, struct loop *loop, const struct settings *settings, dial_fn fn,
			void *arg)
{
	struct dial *self;

	if (atomic_load(&hanging) >= HANGING_MAX)
		return NULL;
	self = malloc(sizeof(*self));
	if (!self)
		check_out_of_memory(sizeof(*self), "a connection attempt");
	*self = (struct dial){ .loop = loop, .settings = settings, .fn = fn, .arg = arg, .post.fn = on_post };
	if (offload_run(offload, run, self))
		return self;
	free(self);
	return NULL;
}

void dial_drop(struct dial *self)
{
	if (!self)
		return;
	self->fn = NULL;
	atomic_fetch_add(&hanging, 1);
	atomic_store(&self->is_dropped, true);
}
