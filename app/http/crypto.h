/* crypto.h - keys that verify signatures, digests, and comparing without a hint from the clock. All of leat's use of OpenSSL.
 *
 * Use:
 *     const char *fault;
 *     struct crypto_key *key = crypto_key_p256(x, y, &fault);      -- NULL: fault says why
 *     if (crypto_verify(key, signing_input, signature)) ...
 *
 * A key has one algorithm for life (RFC 8725 3.1): nothing a token says can make an RSA key verify an HMAC.
 *
 * Ownership:      crypto_key_free. What a key is made of is copied.
 * Thread-safety:  any thread; a key is only read once it is made.
 * Errors:         NULL with words that name no secret; false for every signature that is not the message's. OpenSSL's queue of
 *                 errors, which libpq reads in the same thread, is left as it was.
 */
#ifndef APP_HTTP_CRYPTO_H
#define APP_HTTP_CRYPTO_H

#include <leat/text.h>
#include <leat/value.h>
#include <stdbool.h>
#include <stdint.h>

enum crypto_algorithm {
	CRYPTO_HS256, /* HMAC with SHA-256 (RFC 7518 3.2) */
	CRYPTO_RS256, /* RSASSA-PKCS1-v1_5 with SHA-256 (3.3) */
	CRYPTO_ES256, /* ECDSA on P-256 with SHA-256 (3.4) */
	CRYPTO_EDDSA, /* Ed25519 (RFC 8037) */
};

enum { CRYPTO_SHA256_SIZE = 32 };

struct crypto_key;

/* 32 bytes at least. */
struct crypto_key *crypto_key_hmac(leat_bytes secret, const char **ret_fault);

/* 2048 to 8192 bits. */
struct crypto_key *crypto_key_rsa(leat_bytes modulus, leat_bytes exponent, const char **ret_fault);

/* 32 bytes each, a point of the curve. */
struct crypto_key *crypto_key_p256(leat_bytes x, leat_bytes y, const char **ret_fault);

/* 32 bytes. */
struct crypto_key *crypto_key_ed25519(leat_bytes x, const char **ret_fault);

void crypto_key_free(struct crypto_key *key);

enum crypto_algorithm crypto_key_algorithm(const struct crypto_key *key);

/* The signature is as JWS has it: of ECDSA, r and s, 32 bytes each. */
bool crypto_verify(const struct crypto_key *key, leat_text message, leat_bytes signature);

bool crypto_sha256(leat_text text, uint8_t out[CRYPTO_SHA256_SIZE]) __attribute__((warn_unused_result));

/* Takes as long whatever the bytes are. */
bool crypto_equal(const void *a, const void *b, size_t size);

#endif
