/* idempotency_table.c - see idempotency_table.h. Between idempotency.c and leat/db.h; the table is that of deploy/share/idempotency.sql. */
#include "http/idempotency_table.h"

#include <leat/db.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "http/request.h"

enum {
	PURGE_MOST = 200, /* rows at once */
	PURGE_PAUSE_S = 60,
};

static int64_t keep_ms = 86400000;
static int64_t lease_ms = 10000;
static size_t reply_max = 65536;

/* When this process is to purge next; 0: not drawn yet. */
static _Atomic int64_t purge_at_ns;

void idempotency_setup(int64_t keep, int64_t lease, size_t most)
{
	keep_ms = keep;
	lease_ms = lease;
	reply_max = most;
}

/* Statements ------------------------------------------------------------------------------------------------------- */

static const struct leat_shape claim_shape = LEAT_SHAPE(struct idempotency_claim, LEAT_BOOL(is_mine), LEAT_BOOL(was_left), LEAT_BYTES(request, .optional = true),
		   LEAT_INT(status, .optional = true, .has = LEAT_HAS(struct idempotency_claim, has_status)), LEAT_BOOL(is_problem, .optional = true),
		   LEAT_TEXT(content_type, .optional = true), LEAT_BYTES(headers, .optional = true),
		   LEAT_BYTES(body, .optional = true));

/* All parts see the table as it was at the start. A row that is neither made, nor taken, nor seen came between: it is another's. */
static const struct leat_statement claim_key = {
	.name = "leat_idempotency_claim",
	.sql = "WITH made AS ("
	       "  INSERT INTO leat_idempotency (id, request, owner, lease_until, expires_at, route, key)"
	       "  SELECT $1, $2, $3::int8, now() + $4::int8 * interval '1 ms', now() + $5::int8 * interval '1 ms', $6, "
	       "$7"
	       "  WHERE NOT EXISTS (SELECT FROM leat_idempotency WHERE id = $1)"
	       "  ON CONFLICT DO NOTHING RETURNING id"
	       "), taken AS ("
	       "  UPDATE leat_idempotency SET request = $2, owner = $3::int8,"
	       "    lease_until = now() + $4::int8 * interval '1 ms', expires_at = now() + $5::int8 * interval '1 ms',"
	       "    status = NULL, content_type = NULL, headers = NULL, body = NULL"
	       "  WHERE id = (SELECT id FROM leat_idempotency WHERE id = $1 AND lease_until <= now()"
	       "    AND (status IS NULL OR expires_at <= now()) FOR UPDATE SKIP LOCKED) RETURNING id"
	       "), seen AS (SELECT request, status, is_problem, content_type, headers, body FROM leat_idempotency "
	       "WHERE id = $1) "
	       "SELECT EXISTS (SELECT FROM made) OR EXISTS (SELECT FROM taken) AS is_mine,"
	       "  EXISTS (SELECT FROM taken) AND seen.status IS NULL AS was_left, seen.* "
	       "FROM (VALUES (1)) AS always LEFT JOIN seen ON true",
	.row = &claim_shape,
};

static const struct leat_statement store_reply = {
	.name = "leat_idempotency_store",
	.sql = "UPDATE leat_idempotency SET status = $3, is_problem = $4, content_type = $5, headers = $6, body = $7 "
	       "WHERE id = $1 AND owner = $2 AND status IS NULL",
};

static const struct leat_statement release_key = {
	.name = "leat_idempotency_release",
	.sql = "DELETE FROM leat_idempotency WHERE id = (SELECT id FROM leat_idempotency "
	       "WHERE id = $1 AND owner = $2 AND status IS NULL FOR UPDATE SKIP LOCKED)",
};

static const struct leat_statement purge_expired = {
	.name = "leat_idempotency_purge",
	.sql = "DELETE FROM leat_idempotency WHERE id = ANY (ARRAY(SELECT id FROM leat_idempotency "
	       "WHERE expires_at <= now() AND lease_until <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP "
	       "LOCKED))",
};

void idempotency_list(void)
{
	leat_statement_list(&claim_key);
	leat_statement_list(&store_reply);
	leat_statement_list(&release_key);
	leat_statement_list(&purge_expired);
}

/* What they do ----------------------------------------------------------------------------------------------------- */

static leat_bytes digest(const uint8_t bytes[CRYPTO_SHA256_SIZE])
{
	return (leat_bytes){ bytes, CRYPTO_SHA256_SIZE };
}

static leat_bytes bytes_of(leat_text text)
{
	return (leat_bytes){ (const uint8_t *)text.ptr, text.len };
}

enum leat_result idempotency_claim(struct leat_request *req, const struct idempotency_entry *entry,
				   struct idempotency_claim *ret_claim)
{
	return leat_db_one(req, &claim_key, ret_claim, LEAT_ARG(digest(entry->id)), LEAT_ARG(digest(entry->request)),
			   LEAT_ARG(entry->owner), LEAT_ARG(leat_time_left_ms(req) + lease_ms), LEAT_ARG(keep_ms),
			   LEAT_ARG(entry->route), LEAT_ARG(entry->key));
}

static bool is_too_large(const struct leat_request *req, const struct idempotency_reply *reply)
{
	if (reply->headers.len + reply->body.len <= reply_max)
		return false;
	metrics_add(METRIC_IDEMPOTENCY_TOO_LARGE, 1);
	log_limited(LOG_LEVEL_WARN,
		    "route %s: a reply of %zu bytes is too large to be kept for its Idempotency-Key (setting "
		    "idempotency_reply_max)",
		    request_pattern(req), reply->headers.len + reply->body.len);
	return true;
}

enum leat_result idempotency_store(struct leat_request *req, const struct idempotency_entry *entry,
				   const struct idempotency_reply *reply, bool *ret_is_stored)
{
	bool is_kept = !is_too_large(req, reply);
	int64_t count;

	LEAT_TRY(leat_db_exec(req, &store_reply, &count, LEAT_ARG(digest(entry->id)), LEAT_ARG(entry->owner),
			      LEAT_ARG(reply->status), LEAT_ARG(reply->is_problem), LEAT_ARG(reply->content_type),
			      LEAT_ARG_IF(is_kept, bytes_of(reply->headers)),
			      LEAT_ARG_IF(is_kept, bytes_of(reply->body))));
	*ret_is_stored = count == 1;
	return LEAT_OK;
}

enum leat_result idempotency_release(struct leat_request *req, const struct idempotency_entry *entry)
{
	return leat_db_exec(req, &release_key, NULL, LEAT_ARG(digest(entry->id)), LEAT_ARG(entry->owner));
}

bool idempotency_purge_is_due(int64_t now_ns)
{
	int64_t due_ns = purge_at_ns;
	int64_t pause_ns = due_ns ? PURGE_PAUSE_S * CLOCK_S : (int64_t)random_below(PURGE_PAUSE_S * CLOCK_S);

	return now_ns >= due_ns && atomic_compare_exchange_strong(&purge_at_ns, &due_ns, now_ns + pause_ns) &&
	       due_ns != 0;
}

void idempotency_purge(struct leat_request *req)
{
	int64_t count;

	if (leat_db_exec(req, &purge_expired, &count, LEAT_ARG(PURGE_MOST)) != LEAT_OK)
		return; /* the next one will */
	metrics_add(METRIC_IDEMPOTENCY_PURGED, count);
	if (count == PURGE_MOST) /* there are more */
		purge_at_ns = clock_now_ns();
}
