/* host.c - see host.h. Used by fetch.c for each call. */
#include "fetch/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/settings.h"
#include "task/loop.h"
#include "task/task.h"

/* On its task's stack. */
struct host_wait {
	struct host_wait *next, *prev;
	struct host *host;
	struct task *task;
	bool is_over; /* it is in no line any more: it got what it waited for, or the lookup is done */
};

/* Lines --------------------------------------------------------------------------------------------------------------- */

static void line_add(struct host_line *line, struct host_wait *wait)
{
	wait->prev = line->last;
	*(line->last ? &line->last->next : &line->first) = wait;
	line->last = wait;
	line->count++;
}

static void line_remove(struct host_line *line, struct host_wait *wait)
{
	*(wait->prev ? &wait->prev->next : &line->first) = wait->next;
	*(wait->next ? &wait->next->prev : &line->last) = wait->prev;
	line->count--;
	wait->is_over = true;
}

static void line_wake(struct host_line *line, struct host_wait *wait)
{
	line_remove(line, wait);
	task_wake(wait->task, LEAT_OK);
}

/* LEAT_OK: somebody has woken it, even if its time was up in the same moment. */
static enum leat_result line_wait(struct host_line *line, struct host *host, int64_t deadline_ns)
{
	struct host_wait wait = { .host = host, .task = task_self() };
	enum leat_result result;

	line_add(line, &wait);
	result = task_wait(deadline_ns);
	if (wait.is_over)
		return LEAT_OK;
	line_remove(line, &wait);
	return result;
}

/* Hosts --------------------------------------------------------------------------------------------------------------- */

void hosts_init(struct hosts *hosts, struct loop *loop, const struct settings *settings, struct offload *pool)
{
	*hosts = (struct hosts){ .loop = loop, .settings = settings, .pool = pool };
}

static void forget(struct host **at)
{
	struct host *host = *at;

	LEAT_CHECK(host->users == 0 && host->taken == 0);
	*at = host->next;
	host->hosts->count--;
	lookup_drop(host->lookup);
	free(host);
}

void hosts_fini(struct hosts *hosts)
{
	for (unsigned i = 0; i < HOST_BUCKETS; i++)
		while (hosts->buckets[i])
			forget(&hosts->buckets[i]);
}

void hosts_tend(struct hosts *hosts, int64_t now_ns)
{
	for (unsigned i = 0; i < HOST_BUCKETS; i++)
		for (struct host **at = &hosts->buckets[i]; *at;)
			if ((*at)->users == 0 && !(*at)->lookup && (*at)->fresh_until_ns <= now_ns)
				forget(at);
			else
				at = &(*at)->next;
}

/* FNV-1a. */
static unsigned bucket_of(const char *name, unsigned port)
{
	uint32_t hash = 2166136261u ^ port;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash % HOST_BUCKETS;
}

static struct host *add(struct hosts *hosts, struct host **bucket, const char *name, unsigned port)
{
	size_t size = sizeof(struct host) + strlen(name) + 1;
	struct host *host = calloc(1, size);

	if (!host)
		check_out_of_memory(size, "a host");
	strcpy(host->name, name);
	host->hosts = hosts;
	host->port = port;
	host->is_literal = address_read(leat_text_from(name), &host->addresses.items[0]);
	host->addresses.count = host->is_literal;
	host->next = *bucket;
	*bucket = host;
	hosts->count++;
	return host;
}

struct host *host_take(struct hosts *hosts, const char *name, unsigned port)
{
	struct host **bucket = &hosts->buckets[bucket_of(name, port)];
	struct host *host = *bucket;

	while (host && (host->port != port || strcmp(host->name, name) != 0))
		host = host->next;
	if (!host)
		host = add(hosts, bucket, name, port);
	host->users++;
	return host;
}

void host_give(struct host *host)
{
	host->users--;
}

/* Addresses ------------------------------------------------------------------------------------------------------------ */

static void on_found(void *arg, const struct addresses *found, const char *failure)
{
	struct host *host = arg;

	host->lookup = NULL;
	host->addresses = *found;
	host->fresh_until_ns = failure ? 0 : clock_now_ns() + host->hosts->settings->fetch_resolve_time * CLOCK_MS;
	snprintf(host->failure, sizeof(host->failure), "%s", failure ? failure : "");
	while (host->lookup_line.first)
		line_wake(&host->lookup_line, host->lookup_line.first);
}

/* Everybody who waits has the result of one lookup; after a failure the next call asks again. */
enum leat_result host_resolve(struct host *host, int64_t deadline_ns)
{
	struct hosts *hosts = host->hosts;

	if (host->is_literal || host->fresh_until_ns > loop_now_ns(hosts->loop))
		return LEAT_OK;
	if (!host->lookup) {
		metrics_add(METRIC_FETCH_LOOKUPS, 1);
		host->lookup = lookup_start(hosts->pool, hosts->loop, host->name, on_found, host);
	}
	if (!host->lookup) {
		snprintf(host->failure, sizeof(host->failure), "too many lookups wait: setting offload_queue");
		return LEAT_UNAVAILABLE;
	}
	LEAT_TRY(line_wait(&host->lookup_line, host, deadline_ns));
	return host->addresses.count > 0 ? LEAT_OK : LEAT_UNAVAILABLE;
}

/* Places --------------------------------------------------------------------------------------------------------------- */

static bool has_place(const struct host *host)
{
	return host->taken < (unsigned)host->hosts->settings->fetch_host_connections;
}

static bool have_place(const struct hosts *hosts)
{
	return hosts->taken < (unsigned)hosts->settings->fetch_connections;
}

static void take_place(struct host *host)
{
	host->users++;
	host->taken++;
	host->hosts->taken++;
	metrics_add(METRIC_FETCH_ACTIVE, 1);
}

bool host_enter_at_once(struct host *host)
{
	if (!have_place(host->hosts) || !has_place(host))
		return false;
	take_place(host);
	return true;
}

/* Whoever stands in line already waits for another host, or the place would be theirs. */
enum leat_result host_enter(struct host *host, int64_t deadline_ns)
{
	struct hosts *hosts = host->hosts;
	int64_t started_ns;
	enum leat_result result;

	if (host_enter_at_once(host))
		return LEAT_OK;
	if (hosts->line.count >= (unsigned)hosts->settings->fetch_queue)
		return LEAT_UNAVAILABLE;
	started_ns = loop_now_ns(hosts->loop);
	result = line_wait(&hosts->line, host, deadline_ns);
	metrics_observe(HISTOGRAM_FETCH_WAITS, loop_now_ns(hosts->loop) - started_ns);
	return result;
}

static struct host_wait *next_in_line(const struct hosts *hosts)
{
	struct host_wait *wait = have_place(hosts) ? hosts->line.first : NULL;

	while (wait && !has_place(wait->host))
		wait = wait->next;
	return wait;
}

void host_leave(struct host *host)
{
	struct hosts *hosts = host->hosts;
	struct host_wait *next;

	LEAT_CHECK(host->taken > 0);
	host->users--;
	host->taken--;
	hosts->taken--;
	metrics_add(METRIC_FETCH_ACTIVE, -1);
	next = next_in_line(hosts);
	if (!next)
		return;
	take_place(next->host);
	line_wake(&hosts->line, next);
}
