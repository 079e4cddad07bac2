/* crypto.c - see crypto.h. Called by http/jwks, http/jwt and the middleware of authentication. */
#include "http/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"

enum {
	P256_SIZE = 32, /* of a coordinate, of r and of s */
	ED25519_SIZE = 32,
	HMAC_LEAST = 32,
	RSA_LEAST_BITS = 2048,
	RSA_MOST_BITS = 8192,
	RSA_EXPONENT_BITS = 64, /* as OpenSSL has it for moduli over 3072 bits */
	DER_MOST = 2 + 2 * (2 + 1 + P256_SIZE),
};

struct crypto_key {
	enum crypto_algorithm algorithm;
	EVP_MAC_CTX *mac; /* with the secret in it; HMAC's alone */
	EVP_PKEY *public;
};

static struct crypto_key *key_new(enum crypto_algorithm algorithm)
{
	struct crypto_key *key = calloc(1, sizeof(*key));

	LEAT_CHECK(key);
	key->algorithm = algorithm;
	return key;
}

void crypto_key_free(struct crypto_key *key)
{
	if (!key)
		return;
	EVP_MAC_CTX_free(key->mac);
	EVP_PKEY_free(key->public);
	free(key);
}

enum crypto_algorithm crypto_key_algorithm(const struct crypto_key *key)
{
	return key->algorithm;
}

/* The key when it 'is_made', otherwise NULL and the fault. */
static struct crypto_key *finish(struct crypto_key *key, bool is_made, const char *fault, const char **ret_fault)
{
	ERR_pop_to_mark();
	if (is_made)
		return key;
	*ret_fault = fault;
	crypto_key_free(key);
	return NULL;
}

/* Keys ------------------------------------------------------------------------------------------------------------- */

struct crypto_key *crypto_key_hmac(leat_bytes secret, const char **ret_fault)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
				OSSL_PARAM_construct_end() };
	struct crypto_key *key = key_new(CRYPTO_HS256);
	EVP_MAC *mac;
	bool is_made;

	ERR_set_mark();
	if (secret.len < HMAC_LEAST)
		return finish(key, false, "a key for HS256 has 32 bytes at least", ret_fault);
	mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	key->mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
	is_made = key->mac && EVP_MAC_init(key->mac, secret.ptr, secret.len, params) == 1;
	EVP_MAC_free(mac);
	return finish(key, is_made, "OpenSSL makes no HMAC with SHA-256", ret_fault);
}

/* A public key of 'type' from its parts, which are checked. */
static bool make_public(EVP_PKEY **ret_key, const char *type, OSSL_PARAM_BLD *parts)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY_CTX *check = NULL;
	bool is_made = params && context && EVP_PKEY_fromdata_init(context) == 1 &&
		       EVP_PKEY_fromdata(context, ret_key, EVP_PKEY_PUBLIC_KEY, params) == 1;

	if (is_made)
		check = EVP_PKEY_CTX_new_from_pkey(NULL, *ret_key, NULL);
	is_made = check && EVP_PKEY_public_check(check) == 1;
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	return is_made;
}

static bool is_rsa_size(const BIGNUM *n, const BIGNUM *e)
{
	return BN_num_bits(n) >= RSA_LEAST_BITS && BN_num_bits(n) <= RSA_MOST_BITS && BN_is_odd(n) && BN_is_odd(e) &&
	       BN_num_bits(e) >= 2 && BN_num_bits(e) <= RSA_EXPONENT_BITS;
}

struct crypto_key *crypto_key_rsa(leat_bytes modulus, leat_bytes exponent, const char **ret_fault)
{
	struct crypto_key *key = key_new(CRYPTO_RS256);
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	bool has_size = modulus.len <= RSA_MOST_BITS / 8 + 1 && exponent.len <= RSA_MOST_BITS / 8;
	BIGNUM *n = has_size ? BN_bin2bn(modulus.ptr, (int)modulus.len, NULL) : NULL;
	BIGNUM *e = has_size ? BN_bin2bn(exponent.ptr, (int)exponent.len, NULL) : NULL;
	bool is_made = false;

	LEAT_CHECK(parts);
	ERR_set_mark();
	has_size = n && e && is_rsa_size(n, e);
	if (has_size)
		is_made = OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
			  OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
			  make_public(&key->public, "RSA", parts);
	OSSL_PARAM_BLD_free(parts);
	BN_free(n);
	BN_free(e);
	return finish(key, is_made,
		      has_size ? "is no RSA key" : "an RSA key has 2048 to 8192 bits and an odd exponent of at most 64",
		      ret_fault);
}

struct crypto_key *crypto_key_p256(leat_bytes x, leat_bytes y, const char **ret_fault)
{
	struct crypto_key *key = key_new(CRYPTO_ES256);
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	uint8_t point[1 + 2 * P256_SIZE] = { 4 }; /* neither compressed nor infinite (SEC 1, 2.3.3) */
	bool is_made = false;

	LEAT_CHECK(parts);
	ERR_set_mark();
	if (x.len == P256_SIZE && y.len == P256_SIZE) {
		memcpy(point + 1, x.ptr, P256_SIZE);
		memcpy(point + 1 + P256_SIZE, y.ptr, P256_SIZE);
		is_made = OSSL_PARAM_BLD_push_utf8_string(parts, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
			  OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1 &&
			  make_public(&key->public, "EC", parts);
	}
	OSSL_PARAM_BLD_free(parts);
	return finish(key, is_made, "x and y are no point of P-256, 32 bytes each", ret_fault);
}

struct crypto_key *crypto_key_ed25519(leat_bytes x, const char **ret_fault)
{
	struct crypto_key *key = key_new(CRYPTO_EDDSA);

	ERR_set_mark();
	if (x.len == ED25519_SIZE)
		key->public = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, x.ptr, x.len);
	return finish(key, key->public, "x is no Ed25519 key of 32 bytes", ret_fault);
}

/* Verifying -------------------------------------------------------------------------------------------------------- */

static bool verify_mac(const struct crypto_key *key, leat_text message, leat_bytes signature)
{
	EVP_MAC_CTX *mac = EVP_MAC_CTX_dup(key->mac);
	uint8_t own[CRYPTO_SHA256_SIZE];
	size_t len = 0;
	bool is_computed = mac && EVP_MAC_update(mac, (const uint8_t *)message.ptr, message.len) == 1 &&
			   EVP_MAC_final(mac, own, &len, sizeof(own)) == 1;

	EVP_MAC_CTX_free(mac);
	return is_computed && len == sizeof(own) && signature.len == sizeof(own) &&
	       crypto_equal(own, signature.ptr, sizeof(own));
}

/* An INTEGER of DER: no zeros in front, but for one where the first bit would make it negative. */
static uint8_t *put_integer(uint8_t *at, const uint8_t *bytes)
{
	size_t len = P256_SIZE;

	for (; len > 1 && *bytes == 0; len--)
		bytes++;
	*at++ = 2;
	*at++ = (uint8_t)(len + (*bytes >> 7));
	if (*bytes >> 7)
		*at++ = 0;
	memcpy(at, bytes, len);
	return at + len;
}

/* r and s as OpenSSL wants them, a SEQUENCE of DER; its length. */
static size_t put_ecdsa(uint8_t out[DER_MOST], const uint8_t *signature)
{
	uint8_t *end = put_integer(put_integer(out + 2, signature), signature + P256_SIZE);

	out[0] = 0x30;
	out[1] = (uint8_t)(end - out - 2);
	return (size_t)(end - out);
}

static bool verify_public(const struct crypto_key *key, leat_text message, leat_bytes signature)
{
	const char *digest = key->algorithm == CRYPTO_EDDSA ? NULL : "SHA256";
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_good;

	is_good = context && EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, key->public, NULL) == 1 &&
		  EVP_DigestVerify(context, signature.ptr, signature.len, (const uint8_t *)message.ptr, message.len) ==
			  1;
	EVP_MD_CTX_free(context);
	return is_good;
}

bool crypto_verify(const struct crypto_key *key, leat_text message, leat_bytes signature)
{
	uint8_t der[DER_MOST];
	bool is_good;

	ERR_set_mark();
	if (key->algorithm == CRYPTO_HS256)
		is_good = verify_mac(key, message, signature);
	else if (key->algorithm != CRYPTO_ES256)
		is_good = verify_public(key, message, signature);
	else
		is_good = signature.len == 2 * P256_SIZE &&
			  verify_public(key, message, (leat_bytes){ der, put_ecdsa(der, signature.ptr) });
	ERR_pop_to_mark();
	return is_good;
}

/* Looking it up takes longer than hashing 300 bytes. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch_sha256(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

bool crypto_sha256(leat_text text, uint8_t out[CRYPTO_SHA256_SIZE])
{
	unsigned len = 0;
	bool is_computed;

	ERR_set_mark();
	pthread_once(&sha256_once, fetch_sha256);
	is_computed = sha256 && EVP_Digest(text.ptr, text.len, out, &len, sha256, NULL) == 1;
	ERR_pop_to_mark();
	return is_computed && len == CRYPTO_SHA256_SIZE;
}

bool crypto_equal(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}
