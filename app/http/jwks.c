/* jwks.c - see jwks.h. Read by http/auth_jwt from a file. */
#include "http/jwks.h"

#include <leat/shape.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/check.h"
#include "base/log.h"
#include "http/json_read.h"

struct jwks_entry {
	struct crypto_key *key;
	char *kid; /* NULL: it has none */
	size_t kid_len;
};

struct jwks {
	unsigned count;
	struct jwks_entry entries[JWKS_MAX];
};

struct jwk {
	leat_text kty, kid, alg, use, crv;
	leat_texts key_ops;
	leat_text n, e; /* RSA */
	leat_text x, y; /* EC, OKP */
	leat_text k;    /* oct */
};

static const struct leat_shape jwk_shape = LEAT_SHAPE(struct jwk, LEAT_TEXT(kty), LEAT_TEXT(kid, .optional = true), LEAT_TEXT(alg, .optional = true),
		   LEAT_TEXT(use, .optional = true), LEAT_TEXT(crv, .optional = true),
		   LEAT_TEXTS(key_ops, .optional = true), LEAT_TEXT(n, .optional = true),
		   LEAT_TEXT(e, .optional = true), LEAT_TEXT(x, .optional = true), LEAT_TEXT(y, .optional = true),
		   LEAT_TEXT(k, .optional = true));

struct jwk_set {
	struct leat_list keys;
};

static const struct leat_shape set_shape = LEAT_SHAPE(struct jwk_set, LEAT_LIST(keys, &jwk_shape, .min = 1, .max = JWKS_MAX));

struct reader {
	struct jwks *set;
	struct arena arena;
	char *error;
	size_t size;
};

static bool read_keys(struct reader *reader, leat_text document);

struct jwks *jwks_read(leat_text document, char *error, size_t size)
{
	struct arena_pool *pool = arena_pool_new(0);
	struct reader reader = { .set = calloc(1, sizeof(*reader.set)), .error = error, .size = size };

	LEAT_CHECK(reader.set);
	arena_init(&reader.arena, pool);
	if (!read_keys(&reader, document)) {
		jwks_free(reader.set);
		reader.set = NULL;
	}
	arena_reset(&reader.arena);
	arena_pool_free(pool);
	return reader.set;
}

void jwks_free(struct jwks *set)
{
	for (unsigned i = 0; set && i < set->count; i++) {
		crypto_key_free(set->entries[i].key);
		free(set->entries[i].kid);
	}
	free(set);
}

/* Finding ---------------------------------------------------------------------------------------------------------- */

/* Byte by byte, as RFC 7515 4.1.1 wants it: "HS256" and "hs256" are two. */
static bool read_algorithm(leat_text name, enum crypto_algorithm *ret_algorithm)
{
	static const leat_text names[] = {
		[CRYPTO_HS256] = { "HS256", 5 },
		[CRYPTO_RS256] = { "RS256", 5 },
		[CRYPTO_ES256] = { "ES256", 5 },
		[CRYPTO_EDDSA] = { "EdDSA", 5 },
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (leat_text_equal(name, names[i])) {
			*ret_algorithm = (enum crypto_algorithm)i;
			return true;
		}
	return false;
}

static bool has_kid(const struct jwks_entry *entry, leat_text kid)
{
	return entry->kid && kid.ptr && leat_text_equal((leat_text){ entry->kid, entry->kid_len }, kid);
}

const struct crypto_key *jwks_find(const struct jwks *set, leat_text kid, leat_text alg, const char **ret_fault)
{
	const struct crypto_key *found = NULL;
	enum crypto_algorithm algorithm;
	unsigned fits = 0;
	bool is_known = false;

	if (!read_algorithm(alg, &algorithm)) {
		*ret_fault = "its alg is none of HS256, RS256, ES256, EdDSA";
		return NULL;
	}
	for (unsigned i = 0; i < set->count; i++) {
		const struct jwks_entry *entry = &set->entries[i];

		if (kid.ptr && !has_kid(entry, kid))
			continue;
		is_known = true;
		if (crypto_key_algorithm(entry->key) != algorithm)
			continue;
		found = entry->key;
		fits++;
	}
	if (fits == 1)
		return found;
	*ret_fault = fits > 1   ? "it has no kid, and several keys have its alg"
		     : !kid.ptr ? "no key has its alg"
		     : is_known ? "its alg is not that of its key"
				: "no key has its kid";
	return NULL;
}

/* Reading ---------------------------------------------------------------------------------------------------------- */

static bool refuse(struct reader *reader, unsigned index, const char *fault)
{
	snprintf(reader->error, reader->size, "key %u: %s", index + 1, fault);
	return false;
}

/* base64url; what is none becomes an absent value, which makes no key. */
static leat_bytes decode(struct reader *reader, leat_text text)
{
	uint8_t *bytes = arena_alloc(&reader->arena, base64_url_room(text.len));
	size_t len;

	if (!text.ptr || !base64_read_url(bytes, text, &len))
		return (leat_bytes){ NULL, 0 };
	return (leat_bytes){ bytes, len };
}

static bool is_text(leat_text text, const char *wanted)
{
	return leat_text_equal(text, leat_text_from(wanted));
}

/* What the key's kind is, and so its algorithm; false for kinds that leat does not know. */
static bool find_algorithm(const struct jwk *jwk, enum crypto_algorithm *ret_algorithm)
{
	static const struct {
		const char *kty, *crv;
		enum crypto_algorithm algorithm;
	} kinds[] = {
		{ "oct", NULL, CRYPTO_HS256 },
		{ "RSA", NULL, CRYPTO_RS256 },
		{ "EC", "P-256", CRYPTO_ES256 },
		{ "OKP", "Ed25519", CRYPTO_EDDSA },
	};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is_text(jwk->kty, kinds[i].kty) && (!kinds[i].crv || is_text(jwk->crv, kinds[i].crv))) {
			*ret_algorithm = kinds[i].algorithm;
			return true;
		}
	return false;
}

/* NULL, or why the key is for something else. */
static const char *other_use(const struct jwk *jwk, enum crypto_algorithm algorithm)
{
	enum crypto_algorithm named;
	bool verifies = !jwk->key_ops.items;

	if (jwk->alg.ptr && (!read_algorithm(jwk->alg, &named) || named != algorithm))
		return "its alg is another than leat has for its kind";
	if (jwk->use.ptr && !is_text(jwk->use, "sig"))
		return "its use is not sig";
	for (size_t i = 0; i < jwk->key_ops.count; i++)
		verifies |= is_text(jwk->key_ops.items[i], "verify");
	return verifies ? NULL : "its key_ops do not have verify";
}

static struct crypto_key *make_key(struct reader *reader, const struct jwk *jwk, enum crypto_algorithm algorithm,
				   const char **ret_fault)
{
	switch (algorithm) {
	case CRYPTO_HS256:
		return crypto_key_hmac(decode(reader, jwk->k), ret_fault);
	case CRYPTO_RS256:
		return crypto_key_rsa(decode(reader, jwk->n), decode(reader, jwk->e), ret_fault);
	case CRYPTO_ES256:
		return crypto_key_p256(decode(reader, jwk->x), decode(reader, jwk->y), ret_fault);
	case CRYPTO_EDDSA:
		return crypto_key_ed25519(decode(reader, jwk->x), ret_fault);
	}
	return NULL;
}

static bool is_taken(const struct jwks *set, leat_text kid, enum crypto_algorithm algorithm)
{
	for (unsigned i = 0; i < set->count; i++)
		if (has_kid(&set->entries[i], kid) && crypto_key_algorithm(set->entries[i].key) == algorithm)
			return true;
	return false;
}

static bool read_key(struct reader *reader, unsigned index, const struct jwk *jwk)
{
	struct jwks_entry *entry = &reader->set->entries[reader->set->count];
	enum crypto_algorithm algorithm;
	const char *fault = "leat does not know its kty or crv";

	if (find_algorithm(jwk, &algorithm))
		fault = other_use(jwk, algorithm);
	if (fault) {
		log_warn("key %u of a key set is left out: %s", index + 1, fault);
		return true;
	}
	if (is_taken(reader->set, jwk->kid, algorithm))
		return refuse(reader, index, "another key has its kid and its algorithm");
	entry->key = make_key(reader, jwk, algorithm, &fault);
	if (!entry->key)
		return refuse(reader, index, fault);
	if (jwk->kid.ptr) {
		entry->kid = strndup(jwk->kid.ptr, jwk->kid.len);
		LEAT_CHECK(entry->kid);
		entry->kid_len = jwk->kid.len;
	}
	reader->set->count++;
	return true;
}

static bool refuse_document(struct reader *reader, const struct problem *problem)
{
	const struct fault *fault = problem->faults;

	if (fault)
		snprintf(reader->error, reader->size, "%.*s %.*s", LEAT_TEXT_PRINTF(fault->pointer),
			 LEAT_TEXT_PRINTF(fault->detail));
	else
		snprintf(reader->error, reader->size, "%.*s", LEAT_TEXT_PRINTF(problem->detail));
	return false;
}

static bool read_keys(struct reader *reader, leat_text document)
{
	struct problem problem = { 0 };
	struct jwk_set set;
	const struct jwk *keys;

	if (json_read_open(&reader->arena, document, &set_shape, &set, &problem) != LEAT_OK)
		return refuse_document(reader, &problem);
	keys = set.keys.items;
	for (unsigned i = 0; i < set.keys.count; i++)
		if (!read_key(reader, i, &keys[i]))
			return false;
	if (reader->set->count == 0)
		snprintf(reader->error, reader->size, "no key of the set can be used");
	return reader->set->count > 0;
}
