/* jwt.c - see jwt.h. Called by http/auth_jwt. */
#include "http/jwt.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "http/json_lex.h"
#include "http/json_read.h"
#include "http/parameter.h"
#include "http/words.h"

struct parts {
	leat_text header, claims, signature;
	leat_text signed_text; /* the first two with their dot */
};

struct header {
	leat_text alg, kid, typ;
	leat_json crit;
};

static const struct leat_shape header_shape = LEAT_SHAPE(struct header, LEAT_TEXT(alg), LEAT_TEXT(kid, .optional = true), LEAT_TEXT(typ, .optional = true),
		   LEAT_JSON(crit, .optional = true));

struct claims {
	leat_text iss, sub;
	leat_json aud, scope, scp, roles; /* a string, or an array of them */
	double exp, nbf, iat;             /* seconds since 1970, with a fraction if need be (RFC 7519 section 2) */
	bool has_nbf, has_iat;
};

static const struct leat_shape claims_shape = LEAT_SHAPE(struct claims, LEAT_TEXT(iss, .optional = true), LEAT_TEXT(sub, .optional = true),
		   LEAT_JSON(aud, .optional = true), LEAT_JSON(scope, .optional = true),
		   LEAT_JSON(scp, .optional = true), LEAT_JSON(roles, .optional = true), LEAT_FLOAT(exp),
		   LEAT_FLOAT(nbf, .optional = true, .has = LEAT_HAS(struct claims, has_nbf)),
		   LEAT_FLOAT(iat, .optional = true, .has = LEAT_HAS(struct claims, has_iat)));

static bool split(leat_text token, struct parts *parts);
static const char *verify_signature(const struct jwt_check *check, const struct parts *parts);
static const char *read_claims(const struct jwt_check *check, leat_text part, struct leat_caller *caller);

const char *jwt_verify(const struct jwt_check *check, leat_text token, struct leat_caller *ret_caller)
{
	struct parts parts;
	const char *fault;

	*ret_caller = (struct leat_caller){ .kind = LEAT_CALLER_JWT };
	if (!split(token, &parts))
		return "it has not the three parts of a signed token";
	fault = verify_signature(check, &parts);
	return fault ? fault : read_claims(check, parts.claims, ret_caller);
}

/* Three parts, none of them empty. */
static bool split(leat_text token, struct parts *parts)
{
	const char *end = token.ptr + token.len;
	const char *first = memchr(token.ptr, '.', token.len);
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

	if (!second)
		return false;
	parts->header = (leat_text){ token.ptr, (size_t)(first - token.ptr) };
	parts->claims = (leat_text){ first + 1, (size_t)(second - first - 1) };
	parts->signature = (leat_text){ second + 1, (size_t)(end - second - 1) };
	parts->signed_text = (leat_text){ token.ptr, (size_t)(second - token.ptr) };
	return parts->header.len > 0 && parts->claims.len > 0 && parts->signature.len > 0; /* dots are no base64url */
}

static bool decode(struct arena *arena, leat_text part, leat_bytes *ret_bytes)
{
	uint8_t *bytes = arena_alloc(arena, base64_url_room(part.len));

	ret_bytes->ptr = bytes;
	return base64_read_url(bytes, part, &ret_bytes->len);
}

static leat_text as_text(leat_bytes bytes)
{
	return (leat_text){ (const char *)bytes.ptr, bytes.len };
}

/* Signature -------------------------------------------------------------------------------------------------------- */

/* RFC 7515 4.1.9: a media type without "application/", in any case. */
static bool is_type(leat_text typ, const char *wanted)
{
	static const char prefix[] = "application/";
	size_t skipped = sizeof(prefix) - 1;

	if (typ.len > skipped && strncasecmp(typ.ptr, prefix, skipped) == 0)
		typ = (leat_text){ typ.ptr + skipped, typ.len - skipped };
	return parameter_equals(typ, wanted);
}

static const char *read_header(const struct jwt_check *check, leat_text part, struct header *header)
{
	struct problem problem;
	leat_bytes bytes;

	if (!decode(check->arena, part, &bytes))
		return "its header is no base64url";
	if (json_read_open(check->arena, as_text(bytes), &header_shape, header, &problem) != LEAT_OK)
		return "its header is no JSON object with an alg";
	if (header->crit.text.ptr)
		return "its header has crit";
	if (check->policy->type && (!header->typ.ptr || !is_type(header->typ, check->policy->type)))
		return "its typ is not the one that is wanted here";
	return NULL;
}

static const char *verify_signature(const struct jwt_check *check, const struct parts *parts)
{
	const struct crypto_key *key;
	struct header header;
	leat_bytes signature;
	const char *fault = read_header(check, parts->header, &header);

	if (fault)
		return fault;
	key = jwks_find(check->keys, header.kid, header.alg, &fault);
	if (!key)
		return fault;
	if (!decode(check->arena, parts->signature, &signature))
		return "its signature is no base64url";
	return crypto_verify(key, parts->signed_text, signature) ? NULL : "its signature is not that of its key";
}

/* Claims ----------------------------------------------------------------------------------------------------------- */

/* 'value' is JSON: a string, or an array of strings. Nothing, {NULL, 0}, when it is something else. */
static leat_texts read_texts(struct arena *arena, leat_json value)
{
	static const leat_texts none = { NULL, 0 };
	leat_text *items;
	struct json_string string;
	struct json_lex lex;
	bool is_array, is_end = false;
	size_t count = 0;

	if (!value.text.ptr)
		return none;
	json_lex_init(&lex, value.text);
	is_array = json_lex_peek(&lex) == '[';
	if (is_array && !json_lex_enter(&lex, ']', &is_end))
		return none;
	items = arena_alloc(arena, (value.text.len / 3 + 1) * sizeof(*items)); /* "", is the shortest */
	while (!is_end) {
		json_lex_peek(&lex);
		if (!json_lex_string(&lex, "", &string))
			return none;
		items[count++] = json_lex_unescape(&string, arena);
		is_end = !is_array;
		if (is_array && !json_lex_go_on(&lex, ']', &is_end))
			return none;
	}
	return (leat_texts){ items, count };
}

/* A string of several words is several. */
static leat_texts read_words(struct arena *arena, leat_json value)
{
	leat_texts texts = read_texts(arena, value);

	if (texts.count == 1 && *value.text.ptr == '"')
		return words_split(arena, texts.items[0]);
	return texts;
}

static bool has_audience(struct arena *arena, leat_json aud, const char *wanted)
{
	return words_have(read_texts(arena, aud), leat_text_from(wanted));
}

static const char *check_times(const struct claims *claims, int64_t now_s, unsigned leeway_s)
{
	double now = (double)now_s, leeway = leeway_s;

	if (now >= claims->exp + leeway)
		return "it has expired";
	if (claims->has_nbf && now < claims->nbf - leeway)
		return "its time has not come (nbf)";
	if (claims->has_iat && now < claims->iat - leeway)
		return "it was issued in the future (iat)";
	return NULL;
}

static const char *check_claims(const struct jwt_check *check, const struct claims *claims)
{
	const struct leat_jwt *policy = check->policy;

	if (policy->issuer && !(claims->iss.ptr && leat_text_equal(claims->iss, leat_text_from(policy->issuer))))
		return "its issuer is not the one that is wanted here";
	if (policy->audience && !has_audience(check->arena, claims->aud, policy->audience))
		return "it is for another audience";
	if (!policy->audience && claims->aud.text.ptr)
		return "it is for an audience, and this service is none";
	return check_times(claims, check->now_s, policy->leeway_s);
}

static const char *read_claims(const struct jwt_check *check, leat_text part, struct leat_caller *caller)
{
	const struct leat_shape *own_shape = check->policy->claims;
	struct problem problem;
	struct claims claims;
	leat_bytes bytes;
	const char *fault;
	void *own;

	if (!decode(check->arena, part, &bytes))
		return "its claims are no base64url";
	if (json_read_open(check->arena, as_text(bytes), &claims_shape, &claims, &problem) != LEAT_OK)
		return "its claims are no JSON object with an exp, or one has a wrong type";
	fault = check_claims(check, &claims);
	if (fault)
		return fault;
	if (own_shape) {
		own = arena_alloc(check->arena, own_shape->size);
		if (json_read_open(check->arena, as_text(bytes), own_shape, own, &problem) != LEAT_OK)
			return "its claims are not those that this service wants";
		caller->claims = own;
	}
	caller->subject = claims.sub;
	caller->issuer = claims.iss;
	caller->scopes = read_words(check->arena, claims.scope.text.ptr ? claims.scope : claims.scp);
	caller->roles = read_texts(check->arena, claims.roles);
	caller->token.text = as_text(bytes);
	return NULL;
}
