/* etag.c - LEAT_ETAG of leat/version.h: entity tags made of finished replies. A middleware, called by middleware.c.
 *
 * SHA-256, because who writes a part of the body must not be able to make two versions with one tag: caches would keep the first. CRC-32, which
 * others use for this, takes no skill to collide, and 30 lines of hash of our own would have to be trusted. It costs 0.65 us a kilobyte
 * where the processor has instructions for it (BLAKE2 1.2, SHA-512 1.4), 2.1 where it has none. */
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "http/crypto.h"
#include "http/problems.h"
#include "http/request.h"
#include "http/version.h"
#include "task/task.h"

enum {
	PIECE = 262144, /* hashed at once; between pieces others of the worker run */
	TAG_BYTES = 18, /* 24 characters, without padding */
};

/* Of a static reply's tag. */
enum { TAG_NONE, TAG_BEING_MADE, TAG_MADE };

/* Large bodies are hashed as the hashes of their pieces. */
static bool hash(struct leat_request *req, leat_text body, uint8_t out[CRYPTO_SHA256_SIZE])
{
	size_t count = (body.len + PIECE - 1) / PIECE;
	uint8_t *hashes;

	if (count <= 1)
		return crypto_sha256(body, out);
	hashes = arena_alloc(req->call.arena, count * CRYPTO_SHA256_SIZE);
	for (size_t i = 0; i < count; i++) {
		size_t at = i * PIECE, len = body.len - at < PIECE ? body.len - at : PIECE;

		if (!crypto_sha256((leat_text){ body.ptr + at, len }, hashes + i * CRYPTO_SHA256_SIZE))
			return false;
		task_yield();
	}
	return crypto_sha256((leat_text){ (const char *)hashes, count * CRYPTO_SHA256_SIZE }, out);
}

static bool make(struct leat_request *req, leat_text body, char out[LEAT_ETAG_LEN])
{
	uint8_t digest[CRYPTO_SHA256_SIZE];

	if (!hash(req, body, digest)) {
		log_limited(LOG_LEVEL_ERROR, "route %s: no ETag: OpenSSL makes no SHA-256", request_pattern(req));
		return false;
	}
	out[0] = '"';
	base64_write(out + 1, digest, TAG_BYTES);
	out[LEAT_ETAG_LEN - 1] = '"';
	return true;
}

/* Whoever comes first keeps it for the others; meanwhile each makes its own, which is the same. */
static bool make_once(struct leat_request *req, struct leat_static_tag *tag, leat_text body, char out[LEAT_ETAG_LEN])
{
	int state = TAG_NONE;

	if (__atomic_load_n(&tag->state, __ATOMIC_ACQUIRE) == TAG_MADE) {
		memcpy(out, tag->text, LEAT_ETAG_LEN);
		return true;
	}
	if (!make(req, body, out))
		return false;
	if (__atomic_compare_exchange_n(&tag->state, &state, TAG_BEING_MADE, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED)) {
		memcpy(tag->text, out, LEAT_ETAG_LEN);
		__atomic_store_n(&tag->state, TAG_MADE, __ATOMIC_RELEASE);
	}
	return true;
}

static bool is_wanted(const struct leat_request *req)
{
	return (req->method == LEAT_METHOD_GET || req->method == LEAT_METHOD_HEAD) && !req->response.is_stream &&
	       response_status(&req->response) == 200 && response_body(&req->response).len > 0;
}

/* Of the reply's body; {NULL, 0}: it cannot be made. */
static leat_text make_tag(struct leat_request *req, char room[LEAT_ETAG_LEN])
{
	const struct leat_static_reply *rendered = req->response.rendered;
	leat_text body = response_body(&req->response);

	if (rendered && rendered->tag ? make_once(req, rendered->tag, body, room) : make(req, body, room))
		return (leat_text){ room, LEAT_ETAG_LEN };
	return (leat_text){ NULL, 0 };
}

void leat_etag_after_(struct leat_request *req, const void *options)
{
	struct validators validators = { 0 };
	char room[LEAT_ETAG_LEN];
	const char *at = NULL;
	enum leat_result result;

	(void)options;
	if (!is_wanted(req))
		return;
	validators.etag = response_next_header(&req->response, LEAT_TEXT_OF("ETag"), &at);
	if (!validators.etag.ptr) {
		validators.etag = make_tag(req, room);
		version_write(req, &validators);
	}
	result = version_judge(req, &validators);
	if (result == LEAT_NOT_MODIFIED) {
		response_not_modified(&req->response);
	} else if (result != LEAT_OK) {
		response_clear(&req->response);
		problems_reply(req, result);
	}
}
