/* jwks.h - a set of keys for tokens: JWK Set (RFC 7517).
 *
 * Use:
 *     char error[256];
 *     struct jwks *keys = jwks_read(document, error, sizeof(error));
 *     const struct crypto_key *key = jwks_find(keys, kid, alg, &fault);      -- NULL: no token is verified with any
 *
 * What a key is for follows from what it is: oct HS256, RSA RS256, EC on P-256 ES256, OKP Ed25519 EdDSA. A key whose alg, use or key_ops says
 * otherwise, and one of a kind that leat does not know, are left out with a line in the log (RFC 7517 section 5).
 *
 * Ownership:      jwks_free; keys found are the set's.
 * Thread-safety:  any thread; a set is only read once it is made.
 * Errors:         NULL with words: no JSON, a member of a wrong type or twice, parts that are no key, two keys that a token could not tell
 *                 apart, no key that could be used, more than JWKS_MAX of them.
 */
#ifndef APP_HTTP_JWKS_H
#define APP_HTTP_JWKS_H

#include <leat/text.h>
#include <stddef.h>

#include "http/crypto.h"

enum { JWKS_MAX = 64 };

struct jwks;

struct jwks *jwks_read(leat_text document, char *error, size_t size);
void jwks_free(struct jwks *set);

/* By a token's header; 'kid' may be absent where one key alone has the algorithm. A fault is static. */
const struct crypto_key *jwks_find(const struct jwks *set, leat_text kid, leat_text alg, const char **ret_fault);

#endif
