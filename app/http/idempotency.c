/* idempotency.c - see leat/idempotency.h: a middleware, called by middleware.c. The key's state lies in the database: idempotency_table.h.
 *
 * On the way in the key is claimed; on the way out the reply is stored, or the key released. Both are done though the client has left: it
 * is the one that comes again. Whether work was done is never guessed: storing and releasing change nothing once a reply is committed. */
#include <leat/auth.h>
#include <leat/idempotency.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "http/idempotency_key.h"
#include "http/idempotency_table.h"
#include "http/problem_read.h"
#include "http/request.h"
#include "task/task.h"

enum { LAST_CHANCE_S = 1 }; /* for storing or releasing, at a deadline that has passed */

enum key_state {
	KEY_IS_ELSEWHERE, /* done, or lost to another */
	KEY_IS_RUNNING,   /* another request has it */
	KEY_IS_OURS,      /* perhaps: as long as the claim is not answered */
};

struct idempotency {
	struct idempotency_entry entry;
	const void *by; /* the options of the middleware that made it */
	enum key_state state;
	bool may_be_done; /* its reply is stored, if the transaction has been committed that did it */
};
LEAT_VALUE(idempotency, struct idempotency);

/* The way in ------------------------------------------------------------------------------------------------------- */

static bool is_safe(enum leat_method method)
{
	return method == LEAT_METHOD_GET || method == LEAT_METHOD_HEAD || method == LEAT_METHOD_OPTIONS;
}

static enum leat_result misused(const struct leat_request *req, const char *what)
{
	log_limited(LOG_LEVEL_ERROR, "bug: route %s: idempotency: %s", request_pattern(req), what);
	return LEAT_INTERNAL;
}

/* Texts that name whoever asks. */
static enum leat_result read_scope(struct leat_request *req, const struct leat_idempotency *policy,
				   leat_text scope[static 3])
{
	const struct leat_caller *caller = leat_caller_get(req);

	if (policy->scope) {
		scope[0] = LEAT_TEXT_OF("scope");
		return policy->scope(req, &scope[1]);
	}
	if (!caller || caller->subject.len == 0)
		return misused(req, caller ? "the caller has no subject, so there must be a scope"
					   : "nobody before it says who asks, and there is no scope");
	scope[0] = leat_format(req, "%d", (int)caller->kind);
	scope[1] = caller->issuer;
	scope[2] = caller->subject;
	return LEAT_OK;
}

static enum leat_result digest_id(struct leat_request *req, const struct leat_idempotency *policy,
				  struct idempotency_entry *entry)
{
	leat_text texts[6] = { { NULL, 0 } };

	LEAT_TRY(read_scope(req, policy, texts));
	texts[3] = req->method_text;
	texts[4] = leat_text_from(entry->route);
	texts[5] = entry->key;
	return idempotency_digest(texts, 6, req->call.arena, entry->id) ? LEAT_OK : LEAT_INTERNAL;
}

/* The body by its digest, which is not to be copied. */
static enum leat_result digest_request(struct leat_request *req, struct idempotency_entry *entry)
{
	uint8_t body_digest[CRYPTO_SHA256_SIZE];
	leat_text texts[] = {
		req->method_text, req->path, req->query, { (const char *)body_digest, CRYPTO_SHA256_SIZE }
	};
	leat_text body;

	LEAT_TRY(leat_body_text(req, &body));
	if (crypto_sha256(body, body_digest) && idempotency_digest(texts, 4, req->call.arena, entry->request))
		return LEAT_OK;
	return LEAT_INTERNAL;
}

static enum leat_result refuse_running(struct leat_request *req, struct idempotency *idempotency)
{
	metrics_add(METRIC_IDEMPOTENCY_CONFLICT, 1);
	idempotency->state = KEY_IS_RUNNING;
	return leat_fail(req, LEAT_CONFLICT, "A request with this Idempotency-Key is being worked on.");
}

static enum leat_result refuse_another(struct leat_request *req)
{
	metrics_add(METRIC_IDEMPOTENCY_MISMATCH, 1);
	return leat_fail(req, LEAT_INVALID, "This Idempotency-Key was used for another request.");
}

static enum leat_result replay(struct leat_request *req, const struct idempotency_claim *claim)
{
	leat_text body = { (const char *)claim->body.ptr, claim->body.len };
	const char *type = NULL;

	metrics_add(METRIC_IDEMPOTENCY_REPLAYED, 1);
	if (!body.ptr)
		return leat_fail(req, LEAT_CONFLICT,
				 "The request with this Idempotency-Key was done, with status %d; its reply was too "
				 "large to be kept (setting idempotency_reply_max).",
				 (int)claim->status);
	if (claim->content_type.ptr)
		type = arena_copy(req->call.arena, claim->content_type.ptr, claim->content_type.len);
	response_set(&req->response, (int)claim->status, type, body);
	response_add_lines(&req->response, req->call.arena,
			   (leat_text){ (const char *)claim->headers.ptr, claim->headers.len });
	if (claim->is_problem && problem_read(&req->problem, req->call.arena, (int)claim->status, body))
		req->problem.is_reply = true; /* renderers further out have their say again */
	return leat_reply_header(req, "Idempotent-Replayed", LEAT_TEXT_OF("true"));
}

/* A claim is waited for though the client leaves: given up, it might still be executed behind the release. */
static enum leat_result claim_key(struct leat_request *req, struct idempotency *idempotency)
{
	struct idempotency_claim claim = { 0 };
	enum leat_result result;

	idempotency->state = KEY_IS_OURS;
	task_shield(true);
	result = idempotency_claim(req, &idempotency->entry, &claim);
	task_shield(false);
	if (result != LEAT_OK)
		return result;
	metrics_add(METRIC_IDEMPOTENCY_LEFT, claim.was_left);
	if (claim.is_mine)
		return LEAT_OK;
	idempotency->state = KEY_IS_ELSEWHERE;
	if (!claim.request.ptr)
		return refuse_running(req, idempotency);
	if (memcmp(claim.request.ptr, idempotency->entry.request, CRYPTO_SHA256_SIZE) != 0)
		return refuse_another(req);
	return claim.has_status ? replay(req, &claim) : refuse_running(req, idempotency);
}

/* Some front servers hand several headers of one name on as they came. */
static bool is_repeated(const struct leat_request *req)
{
	static const char name[] = "HTTP_IDEMPOTENCY_KEY=";
	unsigned count = 0;

	for (const char *const *param = req->params; *param; param++)
		count += strncmp(*param, name, sizeof(name) - 1) == 0;
	return count > 1;
}

static enum leat_result begin(struct leat_request *req, const struct leat_idempotency *policy, leat_text header)
{
	struct idempotency *idempotency = leat_alloc(req, sizeof(*idempotency));
	const char *fault = idempotency_key_read(header, req->call.arena, &idempotency->entry.key);

	if (fault || is_repeated(req))
		return leat_fail(req, LEAT_BAD_REQUEST, "%s", fault ? fault : "There are several Idempotency-Keys.");
	idempotency->by = policy;
	idempotency->entry.route = request_pattern(req);
	idempotency->entry.owner = (int64_t)random_bits();
	LEAT_TRY(digest_id(req, policy, &idempotency->entry));
	LEAT_TRY(digest_request(req, &idempotency->entry));
	req->stream.refusal = "a reply that is kept for an Idempotency-Key cannot be a stream";
	idempotency_set(req, idempotency);
	return claim_key(req, idempotency);
}

enum leat_result leat_idempotency_before_(struct leat_request *req, const void *options)
{
	const struct leat_idempotency *policy = options;
	leat_text header = leat_header(req, "Idempotency-Key");

	if (is_safe(req->method) || idempotency_get(req))
		return LEAT_OK;
	if (!req->match.route)
		return misused(req, "it belongs to routes or mounts, not to the whole service");
	if (header.ptr)
		return begin(req, policy, header);
	return policy->optional ? LEAT_OK : leat_fail(req, LEAT_BAD_REQUEST, "This needs a header Idempotency-Key.");
}

/* The way out ------------------------------------------------------------------------------------------------------ */

/* It says how the request ended, and asking again would not help. */
static bool is_final(int status)
{
	static const int others[] = { 401, 403, 408, 425, 429, 499 };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (status == others[i])
			return false;
	return status >= 200 && status < 500;
}

static enum leat_result store(struct leat_request *req, struct idempotency *idempotency, bool *ret_is_stored)
{
	const struct response *response = &req->response;
	leat_text body = response_body(response);
	struct idempotency_reply reply = {
		.status = response_status(response),
		.is_problem = req->problem.is_reply,
		.content_type = leat_text_from(response_content_type(response)),
		.headers = response->headers.data ? buffer_as_text(&response->headers) : LEAT_TEXT_OF(""),
		.body = body.ptr ? body : LEAT_TEXT_OF(""),
	};

	return idempotency_store(req, &idempotency->entry, &reply, ret_is_stored);
}

/* The client has its reply, but nobody else will: the next one with this key does the work again. */
static void lose(const struct leat_request *req, const char *why)
{
	metrics_add(METRIC_IDEMPOTENCY_LOST, 1);
	log_limited(LOG_LEVEL_ERROR, "route %s: the reply for an Idempotency-Key is not kept: %s", request_pattern(req),
		    why);
}

static void store_reply(struct leat_request *req, struct idempotency *idempotency)
{
	bool is_stored;
	enum leat_result result = store(req, idempotency, &is_stored);

	if (result != LEAT_OK)
		lose(req, leat_result_name(result));
	else if (is_stored || idempotency->may_be_done)
		metrics_add(METRIC_IDEMPOTENCY_STORED, 1);
	else
		lose(req, "it took longer than its lease (setting idempotency_lease)");
}

static void release_key(struct leat_request *req, const struct idempotency *idempotency)
{
	enum leat_result result = idempotency_release(req, &idempotency->entry);

	metrics_add(METRIC_IDEMPOTENCY_RELEASED, 1);
	if (result != LEAT_OK)
		log_limited(LOG_LEVEL_WARN, "route %s: an Idempotency-Key stays taken until its lease is over: %s",
			    request_pattern(req), leat_result_name(result));
}

static void settle(struct leat_request *req, struct idempotency *idempotency)
{
	int64_t deadline_ns = req->call.deadline_ns, least_ns = clock_now_ns() + LAST_CHANCE_S * CLOCK_S;

	task_shield(true);
	req->call.deadline_ns = deadline_ns > least_ns ? deadline_ns : least_ns;
	if (is_final(response_status(&req->response)))
		store_reply(req, idempotency);
	else
		release_key(req, idempotency);
	req->call.deadline_ns = deadline_ns;
	task_shield(false);
}

void leat_idempotency_after_(struct leat_request *req, const void *options)
{
	struct idempotency *idempotency = idempotency_get(req);

	if (!idempotency || idempotency->by != options)
		return;
	if (idempotency->state == KEY_IS_RUNNING && leat_reply_header(req, "Retry-After", LEAT_TEXT_OF("1")) != LEAT_OK)
		log_debug("idempotency: no Retry-After");
	if (idempotency->state == KEY_IS_OURS)
		settle(req, idempotency);
	idempotency->state = KEY_IS_ELSEWHERE;
	if (idempotency_purge_is_due(clock_now_ns()))
		idempotency_purge(req);
}

const char *leat_idempotency_check_(const void *options)
{
	if (!options)
		return "it has no options";
	idempotency_list();
	return NULL;
}

/* Work and reply in one transaction -------------------------------------------------------------------------------- */

struct work {
	struct idempotency *idempotency;
	struct response before; /* what the reply was at first */
	leat_tx_fn fn;
	void *arg;
};

static enum leat_result work_and_store(struct leat_request *req, void *arg)
{
	const struct work *work = arg;
	bool is_stored;

	req->response = response_copy(&work->before, req->call.arena);
	LEAT_TRY(work->fn(req, work->arg));
	if (response_status(&req->response) == 0)
		return misused(req, "the function of leat_idempotent_tx gave no reply");
	LEAT_TRY(store(req, work->idempotency, &is_stored));
	work->idempotency->may_be_done = is_stored;
	if (is_stored)
		return LEAT_OK;
	work->idempotency->state = KEY_IS_ELSEWHERE;
	return leat_fail(req, LEAT_CONFLICT, "The Idempotency-Key was given to another request.");
}

enum leat_result leat_idempotent_tx(struct leat_request *req, const struct leat_tx_options *options, leat_tx_fn fn,
				    void *arg)
{
	struct idempotency *idempotency = idempotency_get(req);
	bool is_outermost = !req->call.session;
	struct work work = { .idempotency = idempotency, .before = req->response, .fn = fn, .arg = arg };
	enum leat_result result;

	if (!idempotency || idempotency->state != KEY_IS_OURS)
		return leat_tx(req, options, fn, arg);
	result = leat_tx(req, options, work_and_store, &work);
	if (result != LEAT_OK) {
		req->response = work.before;
	} else if (is_outermost) {
		metrics_add(METRIC_IDEMPOTENCY_STORED, 1);
		idempotency->state = KEY_IS_ELSEWHERE;
	}
	return result;
}
