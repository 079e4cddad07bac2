/* fuzz_jwt.c - what holds for tokens and key sets whatever a client sends, or an operator writes. See README.md for how it is built and run.
 * The first byte chooses:
 *   - a token as it stands: it is never good, for nobody who does not know the secret can sign one, and there is always a reason;
 *   - header and claims, a line each, that are signed well: a token that is good has HS256 in its header, no crit, and an end that a second and
 *     simple reading finds, too; signed anew with another secret it is refused;
 *   - a key set: it is read or refused with words, and no token is good by it that was not signed by one of its keys. */
#define _GNU_SOURCE
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "base/utf8.h"
#include "http/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define KEYS \
	"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"own\",\"k\":\"a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s\"}," \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"

static size_t put_base64url(char *out, const void *bytes, size_t len)
{
	int size = EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);

	while (size > 0 && out[size - 1] == '=')
		size--;
	for (int i = 0; i < size; i++)
		out[i] = (char)(out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i]);
	return (size_t)size;
}

/* Both lines as a token. */
static leat_text sign(struct arena *arena, leat_text header, leat_text claims, const char *secret)
{
	char *token = arena_alloc(arena, 2 * (header.len + claims.len) + 128);
	unsigned char mac[32];
	size_t len = put_base64url(token, header.ptr, header.len);

	token[len++] = '.';
	len += put_base64url(token + len, claims.ptr, claims.len);
	HMAC(EVP_sha256(), secret, 32, (const unsigned char *)token, len, mac, NULL);
	token[len++] = '.';
	len += put_base64url(token + len, mac, sizeof(mac));
	return (leat_text){ token, len };
}

static bool holds(leat_text text, const char *word)
{
	return memmem(text.ptr, text.len, word, strlen(word));
}

static void check_signed(struct jwt_check *check, leat_text lines)
{
	const char *end = lines.len ? memchr(lines.ptr, '\n', lines.len) : NULL;
	leat_text header = { lines.ptr, end ? (size_t)(end - lines.ptr) : lines.len };
	leat_text claims = { end ? end + 1 : "", end ? lines.len - header.len - 1 : 0 };
	struct leat_caller caller;

	if (jwt_verify(check, sign(check->arena, header, claims, SECRET), &caller))
		return;
	LEAT_CHECK(header.len > 0 && utf8_is_valid(header) && utf8_is_valid(claims));
	LEAT_CHECK(holds(header, "\\u") || (holds(header, "\"alg\"") && holds(header, "\"HS256\"")));
	LEAT_CHECK(holds(claims, "\\u") || holds(claims, "\"exp\""));
	LEAT_CHECK(leat_text_equal(caller.token.text, claims));
	LEAT_CHECK(!caller.subject.ptr || utf8_is_valid(caller.subject));
	for (size_t i = 0; i < caller.scopes.count; i++)
		LEAT_CHECK(caller.scopes.items[i].ptr && caller.scopes.items[i].len <= claims.len);
	LEAT_CHECK(jwt_verify(check, sign(check->arena, header, claims, "another secret that is no key..."), &caller));
}

static void check_set(struct jwt_check *check, leat_text document)
{
	char error[256] = "";
	struct jwks *set = jwks_read(document, error, sizeof(error));
	leat_text token = sign(check->arena, LEAT_TEXT_OF("{\"alg\":\"HS256\"}"), LEAT_TEXT_OF("{\"exp\":2000000}"),
			       SECRET);
	struct leat_caller caller;

	LEAT_CHECK(!set == (*error != '\0'));
	if (!set)
		return;
	check->keys = set;
	if (!jwt_verify(check, token, &caller))
		LEAT_CHECK(holds(document, "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s") || holds(document, "\\u"));
	jwks_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct leat_jwt policies[] = { { .keys = NULL },
						    { .issuer = "joe", .audience = "shop", .leeway_s = 60 } };
	static struct jwks *keys;
	struct arena_pool *pool = arena_pool_new(0);
	struct arena arena;
	struct leat_caller caller;
	char error[256];
	leat_text rest = { (const char *)data + 1, size - 1 };

	if (!keys) {
		log_init(LOG_LEVEL_ERROR, false);
		keys = jwks_read(LEAT_TEXT_OF(KEYS), error, sizeof(error));
	}
	arena_init(&arena, pool);
	if (size > 0) {
		struct jwt_check check = {
			.keys = keys, .policy = &policies[data[0] & 1], .now_s = 1000000, .arena = &arena
		};

		switch (data[0] >> 1 & 3) {
		case 0:
			LEAT_CHECK(jwt_verify(&check, rest, &caller));
			break;
		case 1:
			check_set(&check, rest);
			break;
		default:
			check_signed(&check, rest);
		}
	}
	arena_reset(&arena);
	arena_pool_free(pool);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif
