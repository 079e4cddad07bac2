/* t_jwt.c - tokens and the keys that sign them (http/jwt.h, http/jwks.h, http/crypto.h): the RFCs' examples, and what is refused and why. */
#include "http/jwt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/arena_stand.h"

/* RFC 7515, A.1 to A.3; the first is RFC 7519, 3.1, too. */
#define RFC_CLAIMS "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC_HS256  "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_CLAIMS ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define RFC_RS256 \
	"eyJhbGciOiJSUzI1NiJ9." RFC_CLAIMS \
	".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF" \
	"9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcO" \
	"Ln6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVm" \
	"tVrBp0igcN_IoypGlUPQGe77Rw"
#define RFC_ES256 \
	"eyJhbGciOiJFUzI1NiJ9." RFC_CLAIMS \
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define RFC_OCT \
	"{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9C" \
	"Aow\"}"
#define RFC_RSA \
	"{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPME" \
	"zP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbB" \
	"YUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9" \
	"_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}"
#define RFC_EC \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36H" \
	"LN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

/* RFC 8037, A.4. */
#define RFC_ED25519_MESSAGE "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define RFC_OKP             "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
static const uint8_t ed25519_signature[] = {
	0x86, 0x0c, 0x98, 0xd2, 0x29, 0x7f, 0x30, 0x60, 0xa3, 0x3f, 0x42, 0x73, 0x96, 0x72, 0xd6, 0x1b,
	0x53, 0xcf, 0x3a, 0xde, 0xfe, 0xd3, 0xd3, 0xc6, 0x72, 0xf3, 0x20, 0xdc, 0x02, 0x1b, 0x41, 0x1e,
	0x9d, 0x59, 0xb8, 0x62, 0x8d, 0xc3, 0x51, 0xe2, 0x48, 0xb8, 0x8b, 0x29, 0x46, 0x8e, 0x0e, 0x41,
	0x85, 0x5b, 0x0f, 0xb7, 0xd8, 0x3b, 0xb1, 0x5b, 0xe9, 0x02, 0xbf, 0xcc, 0xb8, 0xcd, 0x0a, 0x02,
};

#define SET(...) "{\"keys\":[" __VA_ARGS__ "]}"

/* The secret of the tests' own tokens: 32 times 'k'. */
#define SECRET     "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define SECRET_B64 "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"
#define OWN_OCT    "{\"kty\":\"oct\",\"kid\":\"own\",\"k\":\"" SECRET_B64 "\"}"

static struct leat_caller caller;
static const struct leat_jwt anything = { .issuer = NULL };

static struct jwks *read_set(const char *document)
{
	char error[256] = "";
	struct jwks *set = jwks_read(leat_text_from(document), error, sizeof(error));

	ck_assert_msg(set, "%s", error);
	return set;
}

static const char *verify_with(const char *document, const char *token, const struct leat_jwt *policy, int64_t now_s)
{
	struct jwks *keys = read_set(document);
	const struct jwt_check check = { .keys = keys, .policy = policy, .now_s = now_s, .arena = &arena };
	const char *fault = jwt_verify(&check, leat_text_from(token), &caller);

	jwks_free(keys);
	return fault;
}

static void put_base64url(char *out, const void *bytes, size_t len)
{
	int size = EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);

	while (size > 0 && out[size - 1] == '=')
		size--;
	out[size] = '\0';
	for (; *out; out++)
		*out = *out == '+' ? '-' : *out == '/' ? '_' : *out;
}

/* A token of these JSON texts, signed by HMAC. */
static const char *sign(const char *header, const char *claims)
{
	static char token[16384];
	unsigned char mac[32];

	put_base64url(token, header, strlen(header));
	strcat(token, ".");
	put_base64url(token + strlen(token), claims, strlen(claims));
	HMAC(EVP_sha256(), SECRET, 32, (const unsigned char *)token, strlen(token), mac, NULL);
	strcat(token, ".");
	put_base64url(token + strlen(token), mac, sizeof(mac));
	return token;
}

/* Vectors ---------------------------------------------------------------------------------------------------------- */

START_TEST(the_examples_of_rfc_7515_are_good)
{
	static const char *const examples[][2] = { { SET(RFC_OCT), RFC_HS256 },
						   { SET(RFC_RSA), RFC_RS256 },
						   { SET(RFC_EC), RFC_ES256 } };

	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_null(verify_with(examples[i][0], examples[i][1], &anything, 1300819379));
		ck_assert(leat_text_equal(caller.issuer, LEAT_TEXT_OF("joe")));
		ck_assert_str_eq(verify_with(examples[i][0], examples[i][1], &anything, 1300819380), "it has expired");
	}
}
END_TEST

START_TEST(each_example_needs_its_own_key)
{
	static const char *const tokens[] = { RFC_HS256, RFC_RS256, RFC_ES256 };
	static const char *const sets[] = { SET(RFC_OCT), SET(RFC_RSA), SET(RFC_EC), SET(RFC_OKP) };

	for (int token = 0; token < 3; token++)
		for (int set = 0; set < 4; set++)
			if (set != token)
				ck_assert_str_eq(verify_with(sets[set], tokens[token], &anything, 0),
						 "no key has its alg");
	for (int token = 0; token < 3; token++)
		ck_assert_ptr_null(
			verify_with(SET(RFC_OKP "," RFC_EC "," RFC_RSA "," RFC_OCT), tokens[token], &anything, 0));
}
END_TEST

START_TEST(the_example_of_rfc_8037_is_good)
{
	struct jwks *keys = read_set(SET(RFC_OKP));
	const char *fault;
	const struct crypto_key *key = jwks_find(keys, (leat_text){ NULL, 0 }, LEAT_TEXT_OF("EdDSA"), &fault);
	uint8_t wrong[sizeof(ed25519_signature)];
	leat_bytes signature = { ed25519_signature, sizeof(ed25519_signature) };

	ck_assert(crypto_verify(key, LEAT_TEXT_OF(RFC_ED25519_MESSAGE), signature));
	ck_assert(!crypto_verify(key, LEAT_TEXT_OF(RFC_ED25519_MESSAGE "."), signature));
	memcpy(wrong, ed25519_signature, sizeof(wrong));
	wrong[40] ^= 1;
	ck_assert(!crypto_verify(key, LEAT_TEXT_OF(RFC_ED25519_MESSAGE), (leat_bytes){ wrong, sizeof(wrong) }));
	jwks_free(keys);
}
END_TEST

/* Signatures ------------------------------------------------------------------------------------------------------- */

START_TEST(no_bit_of_a_token_may_change)
{
	char token[] = RFC_HS256;

	for (size_t i = 0; i < sizeof(token) - 1; i++) {
		token[i] ^= 1;
		ck_assert_msg(verify_with(SET(RFC_OCT), token, &anything, 0), "at %zu", i);
		token[i] ^= 1;
	}
	ck_assert_ptr_null(verify_with(SET(RFC_OCT), token, &anything, 0));
}
END_TEST

/* r and s of zero were good once, elsewhere (CVE-2022-21449); so were other lengths, and the form of X.509. */
START_TEST(odd_signatures_of_es256_are_refused)
{
	static const uint8_t zeros[72], der[] = { 0x30, 6, 2, 1, 1, 2, 1, 1 };
	static const uint8_t order[64] = { 0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
					   0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
					   0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };
	struct jwks *keys = read_set(SET(RFC_EC));
	const char *fault;
	const struct crypto_key *key = jwks_find(keys, (leat_text){ NULL, 0 }, LEAT_TEXT_OF("ES256"), &fault);

	for (size_t len = 0; len <= sizeof(zeros); len++)
		ck_assert(!crypto_verify(key, LEAT_TEXT_OF("x"), (leat_bytes){ zeros, len }));
	ck_assert(!crypto_verify(key, LEAT_TEXT_OF("x"), (leat_bytes){ der, sizeof(der) }));
	ck_assert(!crypto_verify(key, LEAT_TEXT_OF("x"), (leat_bytes){ order, sizeof(order) }));
	jwks_free(keys);
}
END_TEST

/* Forms ------------------------------------------------------------------------------------------------------------ */

static const char *const forms[][2] = {
	{ "", "it has not the three parts of a signed token" },
	{ ".", "it has not the three parts of a signed token" },
	{ "..", "it has not the three parts of a signed token" },
	{ "a.b", "it has not the three parts of a signed token" },
	{ "eyJhbGciOiJub25lIn0.e30.", "it has not the three parts of a signed token" },
	{ "a.b.c.d.e", "its header is no base64url" },
	{ "e30=.e30.e30", "its header is no base64url" },
	{ "e3 0.e30.e30", "its header is no base64url" },
	{ "e+/0.e30.e30", "its header is no base64url" },
	{ "e31.e30.e30", "its header is no base64url" }, /* bits behind the last byte */
	{ "e30.e30.e30", "its header is no JSON object with an alg" },
	{ "bnVsbA.e30.e30", "its header is no JSON object with an alg" },
	{ "77u_e30.e30.e30", "its header is no JSON object with an alg" }, /* a byte order mark */
	{ RFC_HS256 ".x", "its signature is no base64url" },
	{ RFC_HS256 "=", "its signature is no base64url" },
	{ RFC_HS256 "A", "its signature is not that of its key" },
	{ "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_CLAIMS ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl",
	  "its signature is no base64url" }, /* the same bytes, spelt otherwise */
	{ "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_CLAIMS ".dBjf", "its signature is not that of its key" },
};

START_TEST(other_forms_are_refused)
{
	const char *fault = verify_with(SET(RFC_OCT), forms[_i][0], &anything, 0);

	ck_assert_msg(fault, "%s", forms[_i][0]);
	ck_assert_str_eq(fault, forms[_i][1]);
}
END_TEST

/* Headers and claims; all of these are signed well ----------------------------------------------------------------- */

#define HS256_HEADER "{\"alg\":\"HS256\"}"

static const struct leat_jwt shop = { .issuer = "joe", .audience = "shop", .leeway_s = 10 };
static const struct leat_jwt access_only = { .type = "at+jwt" };

enum { NOW = 1000000 };
#define EXP        "\"exp\":1000001"
#define BAD_CLAIMS "its claims are no JSON object with an exp, or one has a wrong type"

static const struct {
	const char *header, *claims;
	const struct leat_jwt *policy;
	const char *fault; /* NULL: it is good */
} tokens[] = {
	{ HS256_HEADER, "{" EXP "}", &anything, NULL },
	{ "{\"alg\":\"none\"}", "{" EXP "}", &anything, "its alg is none of HS256, RS256, ES256, EdDSA" },
	{ "{\"alg\":\"nOnE\"}", "{" EXP "}", &anything, "its alg is none of HS256, RS256, ES256, EdDSA" },
	{ "{\"alg\":\"\"}", "{" EXP "}", &anything, "its alg is none of HS256, RS256, ES256, EdDSA" },
	{ "{\"alg\":\"hs256\"}", "{" EXP "}", &anything, "its alg is none of HS256, RS256, ES256, EdDSA" },
	{ "{\"alg\":\"HS256 \"}", "{" EXP "}", &anything, "its alg is none of HS256, RS256, ES256, EdDSA" },
	{ "{\"alg\":\"HS512\"}", "{" EXP "}", &anything, "its alg is none of HS256, RS256, ES256, EdDSA" },
	{ "{\"alg\":\"RS256\"}", "{" EXP "}", &anything, "no key has its alg" },
	{ "{\"alg\":null}", "{" EXP "}", &anything, "its header is no JSON object with an alg" },
	{ "{\"alg\":[\"HS256\"]}", "{" EXP "}", &anything, "its header is no JSON object with an alg" },
	{ "{\"alg\":\"none\",\"alg\":\"HS256\"}", "{" EXP "}", &anything, "its header is no JSON object with an alg" },
	{ "{\"alg\":\"HS256\",\"alg\":\"none\"}", "{" EXP "}", &anything, "its header is no JSON object with an alg" },
	{ "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}", "{" EXP "}", &anything,
	  "its header is no JSON object with an alg" },
	{ "{\"ALG\":\"HS256\"}", "{" EXP "}", &anything, "its header is no JSON object with an alg" },
	{ "{\"alg\":\"HS256\"}x", "{" EXP "}", &anything, "its header is no JSON object with an alg" },
	{ "{\"alg\":\"HS256\",}", "{" EXP "}", &anything, "its header is no JSON object with an alg" },
	{ "{\"\\u0061lg\":\"HS256\"}", "{" EXP "}", &anything, NULL },
	{ "{\"alg\":\"HS256\",\"x5c\":[1],\"b64\":true}", "{" EXP "}", &anything, NULL },
	{ "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{" EXP "}", &anything, "its header has crit" },
	{ "{\"alg\":\"HS256\",\"crit\":[]}", "{" EXP "}", &anything, "its header has crit" },
	{ "{\"alg\":\"HS256\",\"crit\":false}", "{" EXP "}", &anything, "its header has crit" },
	{ "{\"alg\":\"HS256\",\"kid\":\"own\"}", "{" EXP "}", &anything, NULL },
	{ "{\"alg\":\"HS256\",\"kid\":\"Own\"}", "{" EXP "}", &anything, "no key has its kid" },
	{ "{\"alg\":\"HS256\",\"kid\":\"\"}", "{" EXP "}", &anything, "no key has its kid" },
	{ "{\"alg\":\"HS256\",\"kid\":7}", "{" EXP "}", &anything, "its header is no JSON object with an alg" },
	{ "{\"alg\":\"ES256\",\"kid\":\"own\"}", "{" EXP "}", &anything, "its alg is not that of its key" },
	{ HS256_HEADER, "{}", &anything, BAD_CLAIMS },
	{ HS256_HEADER, "[]", &anything, BAD_CLAIMS },
	{ HS256_HEADER, "", &anything, "it has not the three parts of a signed token" },
	{ HS256_HEADER, "{\"exp\":null}", &anything, BAD_CLAIMS },
	{ HS256_HEADER, "{\"exp\":\"1000001\"}", &anything, BAD_CLAIMS },
	{ HS256_HEADER, "{\"exp\":1e999}", &anything, BAD_CLAIMS },
	{ HS256_HEADER, "{" EXP ",\"exp\":1}", &anything, BAD_CLAIMS },
	{ HS256_HEADER, "{\"exp\":1000000}", &anything, "it has expired" },
	{ HS256_HEADER, "{\"exp\":1000000.5}", &anything, NULL },
	{ HS256_HEADER, "{\"exp\":-1}", &anything, "it has expired" },
	{ HS256_HEADER, "{" EXP ",\"nbf\":1000000,\"iat\":1000000}", &anything, NULL },
	{ HS256_HEADER, "{" EXP ",\"nbf\":1000000.1}", &anything, "its time has not come (nbf)" },
	{ HS256_HEADER, "{" EXP ",\"nbf\":true}", &anything, BAD_CLAIMS },
	{ HS256_HEADER, "{" EXP ",\"iat\":1000001}", &anything, "it was issued in the future (iat)" },
	{ HS256_HEADER, "{" EXP ",\"aud\":\"shop\"}", &anything, "it is for an audience, and this service is none" },
	{ HS256_HEADER, "{" EXP ",\"sub\":5}", &anything, BAD_CLAIMS },
	{ HS256_HEADER, "{" EXP ",\"iss\":[\"joe\"]}", &shop, BAD_CLAIMS },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"joe\",\"aud\":\"shop\"}", &shop, NULL },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"joe\",\"aud\":[\"bank\",\"shop\"]}", &shop, NULL },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"joe\",\"aud\":\"sh\\u006fp\"}", &shop, NULL },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"joe\",\"aud\":\"Shop\"}", &shop, "it is for another audience" },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"joe\",\"aud\":[\"bank\"]}", &shop, "it is for another audience" },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"joe\",\"aud\":[]}", &shop, "it is for another audience" },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"joe\",\"aud\":[\"shop\",7]}", &shop, "it is for another audience" },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"joe\",\"aud\":{\"shop\":1}}", &shop, "it is for another audience" },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"joe\"}", &shop, "it is for another audience" },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"jo\",\"aud\":\"shop\"}", &shop,
	  "its issuer is not the one that is wanted here" },
	{ HS256_HEADER, "{" EXP ",\"aud\":\"shop\"}", &shop, "its issuer is not the one that is wanted here" },
	{ HS256_HEADER, "{\"exp\":999991,\"iss\":\"joe\",\"aud\":\"shop\",\"nbf\":1000010,\"iat\":1000010}", &shop,
	  NULL },
	{ HS256_HEADER, "{\"exp\":999990,\"iss\":\"joe\",\"aud\":\"shop\"}", &shop, "it has expired" },
	{ HS256_HEADER, "{" EXP ",\"iss\":\"joe\",\"aud\":\"shop\",\"nbf\":1000011}", &shop,
	  "its time has not come (nbf)" },
	{ "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", "{" EXP "}", &access_only, NULL },
	{ "{\"alg\":\"HS256\",\"typ\":\"application/AT+jwt\"}", "{" EXP "}", &access_only, NULL },
	{ "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "{" EXP "}", &access_only,
	  "its typ is not the one that is wanted here" },
	{ HS256_HEADER, "{" EXP "}", &access_only, "its typ is not the one that is wanted here" },
};

START_TEST(signed_tokens_are_taken_or_refused)
{
	const char *token = sign(tokens[_i].header, tokens[_i].claims);
	const char *fault = verify_with(SET(OWN_OCT), token, tokens[_i].policy, NOW);

	ck_assert_msg((!fault && !tokens[_i].fault) ||
			      (fault && tokens[_i].fault && strcmp(fault, tokens[_i].fault) == 0),
		      "%s %s: %s", tokens[_i].header, tokens[_i].claims, fault ? fault : "good");
}
END_TEST

/* The caller ------------------------------------------------------------------------------------------------------- */

static void check_scopes(const char *claim, size_t count, const char *last)
{
	char claims[256];

	snprintf(claims, sizeof(claims), "{" EXP ",%s}", claim);
	ck_assert_ptr_null(verify_with(SET(OWN_OCT), sign(HS256_HEADER, claims), &anything, NOW));
	ck_assert_msg(caller.scopes.count == count, "%s: %zu", claim, caller.scopes.count);
	if (count)
		ck_assert(leat_text_equal(caller.scopes.items[count - 1], leat_text_from(last)));
}

START_TEST(scopes_are_words_or_lists)
{
	check_scopes("\"scope\":\"a b\"", 2, "b");
	check_scopes("\"scope\":\" a  bc \"", 2, "bc");
	check_scopes("\"scope\":\"\"", 0, NULL);
	check_scopes("\"scope\":[\"a\",\"b c\"]", 2, "b c");
	check_scopes("\"scope\":[]", 0, NULL);
	check_scopes("\"scp\":[\"a\"]", 1, "a");
	check_scopes("\"scp\":\"a b\",\"scope\":\"c\"", 1, "c");
	check_scopes("\"scope\":{\"a\":1}", 0, NULL);
	check_scopes("\"scope\":[\"a\",1]", 0, NULL);
	check_scopes("\"scope\":null", 0, NULL);
}
END_TEST

struct own {
	int64_t level;
};

static const struct leat_shape own_shape = LEAT_SHAPE(struct own, LEAT_INT(level, .min = 1, .max = 9));

START_TEST(claims_of_the_services_own_are_typed)
{
	static const struct leat_jwt policy = { .claims = &own_shape };
	const char *claims = "{\"level\":3," EXP ",\"sub\":\"alice\",\"roles\":[\"x\"]}";

	ck_assert_ptr_null(verify_with(SET(OWN_OCT), sign(HS256_HEADER, claims), &policy, NOW));
	ck_assert_int_eq(((const struct own *)caller.claims)->level, 3);
	ck_assert(leat_text_equal(caller.subject, LEAT_TEXT_OF("alice")));
	ck_assert(leat_text_equal(caller.token.text, leat_text_from(claims)));
	ck_assert_uint_eq(caller.roles.count, 1);
	ck_assert_str_eq(verify_with(SET(OWN_OCT), sign(HS256_HEADER, "{\"level\":10," EXP "}"), &policy, NOW),
			 "its claims are not those that this service wants");
}
END_TEST

/* Keys ------------------------------------------------------------------------------------------------------------- */

#define OCT_OF(members) "{\"kty\":\"oct\",\"k\":\"" SECRET_B64 "\"," members "}"

START_TEST(a_token_without_kid_needs_the_only_key)
{
	static const char two[] = SET(OWN_OCT "," OCT_OF("\"kid\":\"other\""));

	ck_assert_str_eq(verify_with(two, sign(HS256_HEADER, "{" EXP "}"), &anything, NOW),
			 "it has no kid, and several keys have its alg");
	ck_assert_ptr_null(
		verify_with(two, sign("{\"alg\":\"HS256\",\"kid\":\"other\"}", "{" EXP "}"), &anything, NOW));
}
END_TEST

START_TEST(keys_for_something_else_are_left_out)
{
	static const char *const others[] = { OCT_OF("\"alg\":\"HS512\""),
					      OCT_OF("\"alg\":\"RS256\""),
					      OCT_OF("\"use\":\"enc\""),
					      OCT_OF("\"key_ops\":[\"sign\"]"),
					      "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}",
					      "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AA\"}",
					      "{\"kty\":\"new\"}" };
	char document[1024];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(document, sizeof(document), SET("%s," OWN_OCT), others[i]);
		ck_assert_ptr_null(verify_with(document, sign(HS256_HEADER, "{" EXP "}"), &anything, NOW));
	}
}
END_TEST

static const char *const bad_sets[][2] = {
	{ "", "line 1, column 1: the document ends too early" },
	{ "{}", "#/keys is required" },
	{ "{\"keys\":[]}", "#/keys must have from 1 to 64 items" },
	{ SET("{}"), "#/keys/0/kty is required" },
	{ SET("{\"kty\":\"new\"}"), "no key of the set can be used" },
	{ SET("{\"kty\":\"oct\",\"k\":7}"), "#/keys/0/k must be a string" },
	{ SET("{\"kty\":\"oct\"}"), "key 1: a key for HS256 has 32 bytes at least" },
	{ SET("{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}"), "key 1: a key for HS256 has 32 bytes at least" },
	{ SET("{\"kty\":\"oct\",\"k\":\"" SECRET_B64 "=\"}"), "key 1: a key for HS256 has 32 bytes at least" },
	{ SET(OWN_OCT "," OWN_OCT), "key 2: another key has its kid and its algorithm" },
	{ SET("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"),
	  "key 1: an RSA key has 2048 to 8192 bits and an odd exponent of at most 64" },
	{ SET("{\"kty\":\"RSA\"}"), "key 1: an RSA key has 2048 to 8192 bits and an odd exponent of at most 64" },
	{ SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"f83OJ3"
	      "D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}"),
	  "key 1: x and y are no point of P-256, 32 bytes each" },
	{ SET("{\"kty\":\"EC\",\"crv\":\"P-256\"}"), "key 1: x and y are no point of P-256, 32 bytes each" },
	{ SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qY\"}"), "key 1: x is no Ed25519 key of 32 bytes" },
};

START_TEST(bad_sets_are_refused)
{
	char error[256] = "";

	ck_assert_ptr_null(jwks_read(leat_text_from(bad_sets[_i][0]), error, sizeof(error)));
	ck_assert_str_eq(error, bad_sets[_i][1]);
}
END_TEST

static void add_table(TCase *tcase, const TTest *test, size_t rows)
{
	tcase_add_loop_test(tcase, test, 0, (int)rows);
}

Suite *suite(void)
{
	Suite *s = suite_create("jwt");
	TCase *vectors = HARNESS_CASE(s, "vectors", the_examples_of_rfc_7515_are_good, each_example_needs_its_own_key,
				      the_example_of_rfc_8037_is_good);
	TCase *signatures = HARNESS_CASE(s, "signatures", no_bit_of_a_token_may_change,
					 odd_signatures_of_es256_are_refused);
	TCase *callers = HARNESS_CASE(s, "caller", scopes_are_words_or_lists, claims_of_the_services_own_are_typed);
	TCase *keys = HARNESS_CASE(s, "keys", a_token_without_kid_needs_the_only_key,
				   keys_for_something_else_are_left_out);
	TCase *tables = tcase_create("tables");

	add_table(tables, other_forms_are_refused, sizeof(forms) / sizeof(forms[0]));
	add_table(tables, signed_tokens_are_taken_or_refused, sizeof(tokens) / sizeof(tokens[0]));
	add_table(tables, bad_sets_are_refused, sizeof(bad_sets) / sizeof(bad_sets[0]));
	suite_add_tcase(s, tables);
	tcase_add_checked_fixture(vectors, set_up_arena, tear_down_arena);
	tcase_add_checked_fixture(signatures, set_up_arena, tear_down_arena);
	tcase_add_checked_fixture(callers, set_up_arena, tear_down_arena);
	tcase_add_checked_fixture(keys, set_up_arena, tear_down_arena);
	tcase_add_checked_fixture(tables, set_up_arena, tear_down_arena);
	return s;
}
