/* leat/auth.h - who asks: tokens (JWT), API keys, and users with passwords.
 *
 * Use:
 *     static const struct leat_jwt staff = { .keys = "jwks.json", .issuer = "https://id.example.org", .audience = "shop" };
 *     static const struct leat_middleware office[] = { LEAT_JWT(&staff), LEAT_MIDDLEWARE_END };
 *     static const struct leat_middleware orders[] = { LEAT_SCOPE("orders:write"), LEAT_MIDDLEWARE_END };
 *
 *     const struct leat_caller *caller = leat_caller_get(req);      -- in the handler
 *     leat_log(req, "%.*s orders", LEAT_TEXT_PRINTF(caller->subject));
 *
 * LEAT_JWT, LEAT_API_KEY and LEAT_BASIC let nobody pass who does not say who he is, and prove it: 401 with a WWW-Authenticate (RFC 9110 11.6.1). LEAT_SCOPE and
 * LEAT_ROLE stand behind one of them and refuse with 403 who is known but may not. Several in one list must all let pass; the last one
 * sets the caller. A handler's own 401 gets the challenge, too.
 *
 * Files are named absolutely, or in the folder of the setting auth_folder. They are read at the start, where a fault ends it, and again within a
 * second or so of a change; a fault then goes to the log, and what was read before stays. Replace them by a rename. In files of lines, an
 * empty line or one that begins with '#' means nothing. auth_file_max bounds them.
 *
 * The credentials themselves go to no log. Shared caches keep no reply to a request with Authorization (RFC 9111 3.5); for an API key
 * in a header of its own, say Cache-Control: private.
 *
 * Ownership:      options and what they name are static. A caller, and all it points to, lives as long as the request.
 * Thread-safety:  as for all middleware. Lookup functions run in the request's task and may wait for the database.
 * Errors:         400 for a Bearer header that is none, 401, 403; 503 when no thread is left for a password (setting offload_queue). A credential
 *                 of more than auth_token_max bytes is refused with 401, which names the setting. Counted: leat_auth_refused_total.
 */
#ifndef LEAT_AUTH_H
#define LEAT_AUTH_H

#include <leat/middleware.h>
#include <leat/result.h>
#include <leat/shape.h>
#include <leat/text.h>
#include <leat/value.h>
#include <stddef.h>

/* The caller ------------------------------------------------------------------------------------------------------- */

enum leat_caller_kind {
	LEAT_CALLER_OTHER, /* a middleware of the service's own */
	LEAT_CALLER_JWT,
	LEAT_CALLER_API_KEY,
	LEAT_CALLER_BASIC,
};

/* Scopes are those of a token's scope, or else its scp (a list, or words in a string), of a key's line, or what a lookup says. */
struct leat_caller {
	enum leat_caller_kind kind;
	leat_text subject; /* the token's sub (may be absent), the key's name, the user */
	leat_text issuer;  /* the token's iss; absent otherwise */
	leat_texts scopes;
	leat_texts roles;   /* of the token's roles; or what the lookup says */
	const void *claims; /* a struct of the shape leat_jwt.claims; NULL: none wanted */
	leat_json token;    /* all claims of a token as they stand; absent otherwise */
};

/* NULL where no middleware of this header stands before the handler, nor another that sets it. */
LEAT_API const struct leat_caller *leat_caller_get(const struct leat_request *req);

/* For a middleware of the service's own; as LEAT_VALUE. */
LEAT_API void leat_caller_set(struct leat_request *req, const struct leat_caller *caller);

/* Tokens ----------------------------------------------------------------------------------------------------------- */

/* A JWT (RFC 7519) as a bearer token (RFC 6750), signed by a key of a JWK Set (RFC 7517): HS256, RS256, ES256 or EdDSA
 * (Ed25519, RFC 8037). The key decides which; a token that says another is refused, and so is none. With a kid in its header the token needs
 * the key of that kid, without one a set that has one key alone for its alg. crit is refused (RFC 7515 4.1.11): leat knows no
 * extension. Keys that a token brings along, or names by URL, are not looked at.
 *
 * exp must be there and to come, nbf and iat must have come if they are there. In JSON a member comes once, and null counts as absent. */
struct leat_jwt {
	const char *keys;     /* file: a JWK Set of up to 64 keys; RSA from 2048 to 8192 bits, oct from 32 bytes */
	const char *issuer;   /* iss must be this; NULL: whoever */
	const char *audience; /* aud must have it; NULL: a token that has any aud is refused (RFC 7519 4.1.3) */
	const char *type;     /* typ must be this, as "at+jwt" (RFC 9068); NULL: whatever */
	const char *realm;    /* in the challenge; NULL: none */
	const struct leat_shape *claims; /* that the service wants of a token, too; NULL: none */
	unsigned leeway_s;               /* seconds by which clocks may differ, 300 at most; 0: none */
};

#define LEAT_JWT(policy) \
	{ \
		.name = "jwt", .before = leat_jwt_before_, .after = leat_jwt_after_, .check = leat_jwt_check_, \
		.demand = leat_jwt_demand_, .options = 1 ? (policy) : (const struct leat_jwt *)NULL \
	}

/* API keys --------------------------------------------------------------------------------------------------------- */

/* A key in a header. leat keeps SHA-256 digests of keys alone, so a key must be long and random:
 *
 *     key=$(openssl rand -hex 32); printf %s "$key" | sha256sum
 *
 * A line of the file is NAME:DIGEST or NAME:DIGEST:SCOPES, the digest as 64 small hexadecimal digits, the scopes divided by spaces. Several lines may have one name. Each request is
 * compared with all lines, in the same time whichever fits. Or 'find' looks the digest up; it sets at least the subject.
 * LEAT_NOT_FOUND is 401, what else it returns is the request's result. */
struct leat_api_key {
	const char *header; /* NULL: X-API-Key */
	const char *file;   /* this, or find */
	enum leat_result (*find)(struct leat_request *req, leat_bytes digest, struct leat_caller *caller);
	const char *realm; /* in the challenge; NULL: none */
};

#define LEAT_API_KEY(policy) \
	{ \
		.name = "api key", .before = leat_api_key_before_, .after = leat_api_key_after_, \
		.check = leat_api_key_check_, .demand = leat_api_key_demand_, \
		.options = 1 ? (policy) : (const struct leat_api_key *)NULL \
	}

/* Users and passwords ---------------------------------------------------------------------------------------------- */

/* Basic authentication (RFC 7617). A line of the file is USER:HASH; hashes are those of crypt(3): yescrypt ("$y$"), bcrypt ("$2b$", "$2a$", "$2y$") or SHA-512 ("$6$"):
 *
 *     mkpasswd -m yescrypt          htpasswd -nB alice
 *
 * Or 'find' gives the hash of a user, for example from the database; LEAT_NOT_FOUND is 401, what else it returns is the request's result.
 * A check is slow by design. It runs on an offload thread (settings offload_threads, offload_queue); of an unknown user a hash is
 * computed as well. Passwords have 511 bytes at most, of which bcrypt looks at 72. */
struct leat_basic {
	const char *realm; /* must be there */
	const char *file;  /* this, or find */
	enum leat_result (*find)(struct leat_request *req, leat_text user, leat_text *ret_hash,
				 struct leat_caller *caller);
};

#define LEAT_BASIC(policy) \
	{ \
		.name = "basic", .before = leat_basic_before_, .after = leat_basic_after_, .check = leat_basic_check_, \
		.demand = leat_basic_demand_, .options = 1 ? (policy) : (const struct leat_basic *)NULL \
	}

/* What a caller may ------------------------------------------------------------------------------------------------ */

/* 403 unless the caller has all the scopes, divided by spaces; for a token with the challenge of RFC 6750 3.1. */
#define LEAT_SCOPE(scopes) \
	{ \
		.name = "scope", .before = leat_scope_before_, .after = leat_scope_after_, .check = leat_scope_check_, \
		.demand = leat_scope_demand_, .options = "" scopes \
	}

/* 403 unless the caller has the role. */
#define LEAT_ROLE(role) \
	{ \
		.name = "role", .before = leat_role_before_, .check = leat_role_check_, .demand = leat_role_demand_, \
		.options = "" role \
	}

LEAT_API enum leat_result leat_jwt_before_(struct leat_request *req, const void *options);
LEAT_API void leat_jwt_after_(struct leat_request *req, const void *options);
LEAT_API const char *leat_jwt_check_(const void *options);
LEAT_API struct leat_demand leat_jwt_demand_(const void *options);
LEAT_API enum leat_result leat_api_key_before_(struct leat_request *req, const void *options);
LEAT_API void leat_api_key_after_(struct leat_request *req, const void *options);
LEAT_API const char *leat_api_key_check_(const void *options);
LEAT_API struct leat_demand leat_api_key_demand_(const void *options);
LEAT_API enum leat_result leat_basic_before_(struct leat_request *req, const void *options);
LEAT_API void leat_basic_after_(struct leat_request *req, const void *options);
LEAT_API const char *leat_basic_check_(const void *options);
LEAT_API struct leat_demand leat_basic_demand_(const void *options);
LEAT_API enum leat_result leat_scope_before_(struct leat_request *req, const void *options);
LEAT_API void leat_scope_after_(struct leat_request *req, const void *options);
LEAT_API const char *leat_scope_check_(const void *options);
LEAT_API struct leat_demand leat_scope_demand_(const void *options);
LEAT_API enum leat_result leat_role_before_(struct leat_request *req, const void *options);
LEAT_API const char *leat_role_check_(const void *options);
LEAT_API struct leat_demand leat_role_demand_(const void *options);

#endif
