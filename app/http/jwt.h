/* jwt.h - is a token good: its form, its signature, its claims. Pure: the time is given.
 *
 * Use:
 *     struct leat_caller caller;
 *     const char *fault = jwt_verify(&(struct jwt_check){ keys, policy, now_s, arena }, token, &caller);      -- NULL: it is good
 *
 * RFC 7515 5.2 and 7519 7.2, compact form alone. In this order, so that nothing of a token is believed before its signature is: form, header,
 * key, signature, claims. base64url is strict, so a token has one spelling.
 *
 * Ownership:      the caller's texts lie in the arena.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         words that end the sentence "The token is refused: ..." and have no quotes; static.
 */
#ifndef APP_HTTP_JWT_H
#define APP_HTTP_JWT_H

#include <leat/auth.h>

#include "base/arena.h"
#include "http/jwks.h"

struct jwt_check {
	const struct jwks *keys;
	const struct leat_jwt *policy;
	int64_t now_s; /* since 1970 */
	struct arena *arena;
};

const char *jwt_verify(const struct jwt_check *check, leat_text token, struct leat_caller *ret_caller);

#endif
