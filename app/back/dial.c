/* dial.c - see dial.h. Called by lane.c and lend.c. */
#include "back/dial.h"

#include <libpq-fe.h>
#include <netdb.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/random.h"
#include "base/settings.h"
#include "task/loop.h"
#include "task/offload.h"

enum {
	LOOK_MS = 100, /* how often it is seen that nobody wants the connection any more */
	HANGING_MAX = 2,
};

static atomic_uint hanging[DIAL_TO_COUNT]; /* dropped, and still on a thread */

struct dial {
	struct loop *loop;
	const struct settings *settings;
	enum dial_to to;
	dial_fn fn; /* NULL: dropped */
	void *arg;
	PGconn *connection;
	atomic_bool is_dropped; /* for the thread */
	struct loop_post post;
};

/* One of the hosts in a URL; what is NULL stays as it is there. */
struct host {
	char *host, *hostaddr, *port;
};

/* Hosts ------------------------------------------------------------------------------------------------------------- */

static const PQconninfoOption *find(const PQconninfoOption *options, const char *keyword)
{
	for (; options && options->keyword; options++)
		if (strcmp(options->keyword, keyword) == 0)
			return options;
	return NULL;
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
	const PQconninfoOption *option = find(options, keyword);

	return option ? option->val : NULL;
}

static unsigned count_items(const char *list)
{
	unsigned count = 1;

	for (; list && *list; list++)
		count += *list == ',';
	return count;
}

/* prefer-standby looks at all hosts twice: that is libpq's to do. */
static unsigned count_hosts(const PQconninfoOption *options, enum dial_to to)
{
	const char *wanted = value_of(options, "target_session_attrs");
	unsigned hosts = count_items(value_of(options, "host")), addresses = count_items(value_of(options, "hostaddr"));

	if (to == DIAL_PRIMARY && wanted && strcmp(wanted, "prefer-standby") == 0)
		return 1;
	return hosts > addresses ? hosts : addresses;
}

static char *copy(const char *text, size_t len)
{
	char *copied = strndup(text, len);

	if (!copied)
		check_out_of_memory(len, "a host");
	return copied;
}

/* A list of one is for all hosts. */
static char *item_at(const char *list, unsigned index)
{
	if (!list || count_items(list) == 1)
		return NULL;
	for (; index > 0; index--)
		list = strchr(list, ',') + 1;
	return copy(list, strcspn(list, ","));
}

/* An empty port among several is the usual one. libpq passes over an empty value, so it has to be told. */
static char *port_at(const PQconninfoOption *options, unsigned index)
{
	char *port = item_at(value_of(options, "port"), index);
	const char *usual = port && !*port ? find(options, "port")->compiled : NULL;

	if (!usual)
		return port;
	free(port);
	return copy(usual, strlen(usual));
}

static struct host host_at(const PQconninfoOption *options, unsigned index, unsigned count)
{
	if (count == 1)
		return (struct host){ 0 };
	return (struct host){
		.host = item_at(value_of(options, "host"), index),
		.hostaddr = item_at(value_of(options, "hostaddr"), index),
		.port = port_at(options, index),
	};
}

static void free_host(struct host *host)
{
	free(host->host);
	free(host->hostaddr);
	free(host->port);
}

static const char *url_of(const struct settings *settings, enum dial_to to)
{
	return to == DIAL_STANDBY ? settings->database_read_url : settings->database_url;
}

/* Standbys are tried in any order, so that those who read spread out, also over those that are left when one has gone. */
static unsigned *order_hosts(unsigned count, enum dial_to to)
{
	unsigned *order = calloc(count, sizeof(*order));

	if (!order)
		check_out_of_memory(count * sizeof(*order), "hosts");
	for (unsigned i = 0; i < count; i++) {
		unsigned place = to == DIAL_STANDBY ? (unsigned)random_below(i + 1) : i; /* Fisher and Yates */

		order[i] = order[place];
		order[place] = i;
	}
	return order;
}

static void leave_host(PGconn *connection, enum dial_to to, unsigned number, unsigned count)
{
	log_limited(LOG_LEVEL_INFO, "database: host %u of %u%s: %s", number, count,
		    to == DIAL_STANDBY ? " in database_read_url" : "", dial_failure(connection).text);
	PQfinish(connection);
}

/* Dialling ---------------------------------------------------------------------------------------------------------- */

static void on_notice(void *arg, const PGresult *notice)
{
	(void)arg;
	log_debug("database: %s", PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY));
}

static PGconn *begin(const struct settings *settings, enum dial_to to, const struct host *host)
{
	char timeout_ms[NUMBER_INT_MAX + 1];
	/* Later ones win: the first two are defaults. With tcp_user_timeout, data that nobody acknowledges ends a
	 * connection as soon as connecting would be given up; without it a cancel could hold its thread for minutes. */
	const char *const names[] = { "fallback_application_name",
				      "tcp_user_timeout",
				      "dbname",
				      "client_encoding",
				      "target_session_attrs",
				      "host",
				      "hostaddr",
				      "port",
				      NULL };
	const char *const values[] = {
		"leat",     timeout_ms,     url_of(settings, to), "UTF8", to == DIAL_STANDBY ? "standby" : NULL,
		host->host, host->hostaddr, host->port,           NULL
	};
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

static PGconn *dial_host(const struct settings *settings, enum dial_to to, const struct host *host, int64_t deadline_ns,
			 const atomic_bool *is_dropped)
{
	PGconn *connection = begin(settings, to, host);

	if (PQstatus(connection) != CONNECTION_BAD)
		finish(connection, deadline_ns, is_dropped);
	return connection;
}

static int64_t share_of_time(int64_t deadline_ns, unsigned hosts_left)
{
	int64_t now_ns = clock_now_ns();

	return now_ns + (deadline_ns - now_ns) / hosts_left;
}

/* The addresses of a name; NULL: that is libpq's to find out, or to complain of. */
static struct addrinfo *resolve(const char *name)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *addresses = NULL;

	if (!name || strchr("/@", *name) || count_items(name) > 1 || getaddrinfo(name, NULL, &hints, &addresses) != 0)
		return NULL;
	return addresses;
}

static unsigned count_addresses(const struct addrinfo *address)
{
	unsigned count = 0;

	for (; address; address = address->ai_next)
		count++;
	return count;
}

/* Of the addresses of one name each has its share of the time, too. */
static PGconn *dial_name(const struct settings *settings, enum dial_to to, const struct host *host, const char *name,
			 int64_t deadline_ns, const atomic_bool *is_dropped)
{
	struct addrinfo *addresses = resolve(name);
	unsigned left = count_addresses(addresses);
	PGconn *connection = NULL;

	for (const struct addrinfo *address = addresses; address; address = address->ai_next, left--) {
		char text[NI_MAXHOST];
		struct host one = { .host = host->host, .hostaddr = text, .port = host->port };

		if (connection && (dial_has_connected(connection) || atomic_load(is_dropped)))
			break;
		if (getnameinfo(address->ai_addr, address->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) !=
		    0)
			continue;
		PQfinish(connection);
		connection = dial_host(settings, to, &one, share_of_time(deadline_ns, left), is_dropped);
	}
	if (addresses)
		freeaddrinfo(addresses);
	return connection ? connection : dial_host(settings, to, host, deadline_ns, is_dropped);
}

/* The name is that of the host, or the only one in the URL. NULL: it has an address. */
static const char *name_of(const PQconninfoOption *options, const struct host *host)
{
	if (host->hostaddr || value_of(options, "hostaddr"))
		return NULL;
	return host->host ? host->host : value_of(options, "host");
}

PGconn *dial(const struct settings *settings, enum dial_to to, const atomic_bool *is_dropped)
{
	int64_t deadline_ns = clock_now_ns() + settings->db_connect_timeout * CLOCK_MS;
	PQconninfoOption *options = PQconninfoParse(url_of(settings, to), NULL);
	unsigned count = count_hosts(options, to);
	unsigned *order = order_hosts(count, to);
	PGconn *connection = NULL;

	for (unsigned i = 0; i == 0 || (i < count && !dial_has_connected(connection) && !atomic_load(is_dropped));
	     i++) {
		struct host host = host_at(options, order[i], count);

		if (i > 0)
			leave_host(connection, to, order[i - 1] + 1, count);
		connection = dial_name(settings, to, &host, name_of(options, &host),
				       share_of_time(deadline_ns, count - i), is_dropped);
		free_host(&host);
	}
	free(order);
	PQconninfoFree(options);
	return connection;
}

PGconn *dial_for_command(const struct settings *settings, const char *name)
{
	char seconds[NUMBER_INT_MAX + 1];
	const char *const names[] = { "fallback_application_name", "connect_timeout", "dbname", "client_encoding",
				      NULL };
	const char *const values[] = { name, seconds, settings->database_url, "UTF8", NULL };

	seconds[number_write_int(seconds, (settings->db_connect_timeout + 999) / 1000)] = '\0';
	return PQconnectdbParams(names, values, 1);
}

bool dial_has_connected(const PGconn *connection)
{
	return PQstatus(connection) == CONNECTION_OK && PQpipelineStatus(connection) == PQ_PIPELINE_ON;
}

/* libpq's message may have several lines, and stops short ("... failed: ") where there was no answer. */
struct dial_failure dial_failure(const PGconn *connection)
{
	const char *why = PQerrorMessage(connection);
	int len = (int)strlen(why);
	struct dial_failure failure;

	while (len > 0 && strchr(" \n\t", why[len - 1]))
		len--;
	snprintf(failure.text, sizeof(failure.text), "%.*s%s", len, why,
		 len == 0              ? DIAL_TOO_LATE
		 : why[len - 1] == ':' ? " " DIAL_TOO_LATE
				       : "");
	for (char *at = failure.text; (at = strpbrk(at, "\n\t")) != NULL;)
		*at = ' ';
	return failure;
}

/* For a loop -------------------------------------------------------------------------------------------------------- */

/* On an offload thread. */
static void run(void *arg)
{
	struct dial *self = arg;

	self->connection = dial(self->settings, self->to, &self->is_dropped);
	loop_post(self->loop, &self->post);
}

static void on_post(struct loop_post *post)
{
	struct dial *self = (struct dial *)((char *)post - offsetof(struct dial, post));

	if (self->fn) {
		self->fn(self->arg, self->connection);
	} else {
		atomic_fetch_sub(&hanging[self->to], 1);
		PQfinish(self->connection);
	}
	free(self);
}

struct dial *dial_start(struct offload *offload, struct loop *loop, const struct settings *settings, enum dial_to to,
			dial_fn fn, void *arg)
{
	struct dial *self;

	if (atomic_load(&hanging[to]) >= HANGING_MAX)
		return NULL;
	self = malloc(sizeof(*self));
	if (!self)
		check_out_of_memory(sizeof(*self), "a connection attempt");
	*self = (struct dial){ .loop = loop, .settings = settings, .to = to, .fn = fn, .arg = arg, .post.fn = on_post };
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
	atomic_fetch_add(&hanging[self->to], 1);
	atomic_store(&self->is_dropped, true);
}
