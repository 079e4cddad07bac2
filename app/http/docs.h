/* docs.h - the page of LEAT_DOCS (leat/openapi.h): one HTML file with all that it needs, the document too.
 *
 * Use:
 *     struct docs docs;
 *     docs_make(&docs, &arena, document);
 *     docs.page, docs.policy       -- the reply's body, and its Content-Security-Policy
 *
 * It is put together from app/http/docs/page.html, page.css and page.js, which the build turns into C strings. The policy names the
 * style and the script by their digests, so nothing else runs, whatever a document holds.
 *
 * Ownership:      the arena's.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         without SHA-256 (OpenSSL makes none) the policy lets nothing run.
 */
#ifndef APP_HTTP_DOCS_H
#define APP_HTTP_DOCS_H

#include <leat/text.h>

#include "base/arena.h"

struct docs {
	leat_text page;
	leat_text policy;
};

/* 'document' is JSON. */
void docs_make(struct docs *docs, struct arena *arena, leat_text document);

#endif
