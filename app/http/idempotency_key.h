/* idempotency_key.h - the value of a header Idempotency-Key, and digests of what belongs to one. Pure.
 *
 * Use:
 *     leat_text key;
 *     const char *fault = idempotency_key_read(leat_header(req, "Idempotency-Key"), arena, &key);
 *     if (fault)
 *         return leat_fail(req, LEAT_BAD_REQUEST, "%s", fault);
 *
 * Ownership:      a key is a view of the header, or lies in the arena.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         idempotency_key_read: what is wrong, as a sentence for the client. idempotency_digest: false when OpenSSL fails.
 */
#ifndef APP_HTTP_IDEMPOTENCY_KEY_H
#define APP_HTTP_IDEMPOTENCY_KEY_H

#include <leat/text.h>

#include "base/arena.h"
#include "http/crypto.h"

/* NULL when it is a key: a string of structured fields without parameters (RFC 9651 3.3.3), or what needs no quotes: printable ASCII
 * but for blanks , ; " and \. Several headers in one, divided by commas, are none. */
const char *idempotency_key_read(leat_text header, struct arena *arena, leat_text *ret_key);

/* SHA-256 of texts in their order, so that no two lists of texts have the same bytes: each behind its length. */
bool idempotency_digest(const leat_text *texts, unsigned count, struct arena *arena, uint8_t out[CRYPTO_SHA256_SIZE])
	__attribute__((warn_unused_result));

#endif
