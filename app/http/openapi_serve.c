/* openapi_serve.c - the handlers of leat/openapi.h: they reply with what was made at the start. */
#include <leat/openapi.h>
#include <leat/version.h>

#include "base/base64.h"
#include "http/crypto.h"
#include "http/docs.h"
#include "http/openapi.h"
#include "http/request.h"

enum {
	TAG_BYTES = 18, /* of the digest: 24 characters */
	ROOM = 65536,
};

static struct {
	struct arena_pool *pool; /* NULL: nothing was made */
	struct arena arena;
	leat_text document;
	leat_text document_tag;
	struct docs docs;
	leat_text docs_tag;
} made;

static bool is_wanted(const struct routes *routes)
{
	for (unsigned i = 0; i < routes->count; i++)
		if (routes->entries[i].route->handler == leat_openapi_ ||
		    routes->entries[i].route->handler == leat_docs_)
			return true;
	return false;
}

/* What stands in the quotes of an ETag; {NULL, 0}: OpenSSL makes none. */
static leat_text tag_of(leat_text text)
{
	uint8_t digest[CRYPTO_SHA256_SIZE];
	char *tag = arena_alloc(&made.arena, base64_size(TAG_BYTES));

	if (!crypto_sha256(text, digest))
		return (leat_text){ NULL, 0 };
	base64_write(tag, digest, TAG_BYTES);
	return (leat_text){ tag, base64_size(TAG_BYTES) };
}

void openapi_setup(const struct leat_service *service, const struct routes *routes)
{
	struct buffer document;

	openapi_close();
	if (!is_wanted(routes))
		return;
	made.pool = arena_pool_new(0);
	arena_init(&made.arena, made.pool);
	buffer_init(&document, &made.arena, ROOM);
	openapi_write(&document, service, routes, false);
	made.document = buffer_as_text(&document);
	made.document_tag = tag_of(made.document);
	docs_make(&made.docs, &made.arena, made.document);
	made.docs_tag = tag_of(made.docs.page);
}

void openapi_close(void)
{
	if (!made.pool)
		return;
	arena_reset(&made.arena);
	arena_pool_free(made.pool);
	made.pool = NULL;
}

static enum leat_result reply(struct leat_request *req, const char *type, leat_text body, leat_text tag)
{
	if (!made.pool)
		return LEAT_NOT_FOUND;
	if (tag.ptr)
		LEAT_TRY(leat_check_version(req, &(struct leat_version){ .tag = tag }));
	response_set(&req->response, 200, type, body);
	return LEAT_OK;
}

enum leat_result leat_openapi_(struct leat_request *req)
{
	return reply(req, "application/json", made.document, made.document_tag);
}

enum leat_result leat_docs_(struct leat_request *req)
{
	if (made.pool)
		LEAT_TRY(leat_reply_header(req, "Content-Security-Policy", made.docs.policy));
	return reply(req, "text/html; charset=utf-8", made.docs.page, made.docs_tag);
}
