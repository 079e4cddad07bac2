/* admin.c - see admin.h. */
#include "ops/admin.h"

#include <leat/request.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "base/metrics.h"
#include "ops/metrics_text.h"
#include "task/call.h"

static struct admin_facts facts;
static atomic_bool is_draining;

void admin_init(const struct admin_facts *given)
{
	facts = *given;
	atomic_store(&is_draining, false);
}

void admin_set_draining(void)
{
	atomic_store(&is_draining, true);
}

static enum leat_result get_metrics(struct leat_request *req)
{
	const struct metrics_text_facts known = { .version = facts.version,
						  .processes = facts.processes,
						  .worker_threads = facts.worker_threads,
						  .routes = facts.routes };
	struct buffer text;

	buffer_init(&text, call_of(req)->arena, 16384);
	metrics_text_write(&text, &known);
	return leat_reply_text(req, 200, METRICS_TEXT_TYPE, buffer_as_text(&text));
}

/* The process runs: that this is answered at all is the answer. */
static enum leat_result get_livez(struct leat_request *req)
{
	return leat_reply_text(req, 200, "text/plain; charset=utf-8", LEAT_TEXT_OF("ok\n"));
}

/* The process wants requests, and can answer those that need the database. */
static enum leat_result get_readyz(struct leat_request *req)
{
	if (atomic_load(&is_draining))
		return leat_fail(req, LEAT_UNAVAILABLE, "The process is stopping.");
	if (facts.has_database && metrics_total(METRIC_DB_CONNECTIONS) == 0)
		return leat_fail(req, LEAT_UNAVAILABLE, "No connection to the database.");
	return leat_reply_text(req, 200, "text/plain; charset=utf-8", LEAT_TEXT_OF("ok\n"));
}

static const struct leat_route admin_routes[] = {
	{ LEAT_GET, "/metrics", get_metrics, .summary = "Counters as Prometheus text" },
	{ LEAT_GET, "/livez", get_livez, .summary = "200 while the process runs" },
	{ LEAT_GET, "/readyz", get_readyz, .summary = "200 while requests are wanted and the database is connected" },
	LEAT_ROUTES_END
};

const struct leat_route *const admin_tables[] = { admin_routes, NULL };
