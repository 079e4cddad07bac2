/* auth_key.c - LEAT_API_KEY of leat/auth.h: a key in a header, whose digest a file or the service's own function knows. */
#include "http/auth.h"
#include "http/credentials.h"
#include "http/crypto.h"
#include "http/keyfile.h"
#include "http/request.h"
#include "http/words.h"

enum { HEX_SIZE = 2 * CRYPTO_SHA256_SIZE };

static const char *fault_of_line(const struct credential *line)
{
	if (line->secret.len != HEX_SIZE || strspn(line->secret.ptr, "0123456789abcdef") != HEX_SIZE)
		return "has no SHA-256 digest of 64 small hexadecimal digits";
	return NULL;
}

static void *read_lines(leat_text document, char *error, size_t size)
{
	return credentials_read(document, fault_of_line, error, size);
}

static void free_lines(void *lines)
{
	credentials_free(lines);
}

static const struct keyfile_kind key_lines = { read_lines, free_lines };

static const char *header_of(const struct leat_api_key *policy)
{
	return policy->header ? policy->header : "X-API-Key";
}

const char *leat_api_key_check_(const void *options)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	const struct leat_api_key *policy = options;
	const char *header = header_of(policy);
	uint8_t digest[CRYPTO_SHA256_SIZE]; /* OpenSSL's first use reads its configuration: not in a request's task */

	if (!policy->file == !policy->find)
		return "it wants a file or a lookup function, one of the two";
	if (!*header || header[strspn(header, letters)])
		return "its header is no name of letters, digits and '-'";
	if (auth_realm_fault(policy->realm))
		return auth_realm_fault(policy->realm);
	if (!crypto_sha256(LEAT_TEXT_OF(""), digest))
		return "OpenSSL computes no SHA-256";
	return policy->file ? keyfile_open(policy->file, &key_lines) : NULL;
}

/* RFC 9110 wants a challenge with every 401, and there is no scheme that is registered for keys in a header. */
static leat_text challenge(struct leat_request *req, const void *options)
{
	const struct leat_api_key *policy = options;
	leat_text realm = auth_realm(req, policy->realm);

	return leat_format(req, "ApiKey%.*s%s header=\"%s\"", LEAT_TEXT_PRINTF(realm), realm.len ? "," : "",
			   header_of(policy));
}

/* The line of the digest; it looks at all of them whatever it finds. */
static const struct credential *find_line(const struct credentials *lines, const char hex[HEX_SIZE])
{
	const struct credential *found = NULL;

	for (size_t i = 0; i < lines->count; i++)
		if (crypto_equal(lines->items[i].secret.ptr, hex, HEX_SIZE))
			found = &lines->items[i];
	return found;
}

static leat_text copy(struct leat_request *req, leat_text text)
{
	return (leat_text){ arena_copy(req->call.arena, text.ptr, text.len), text.len };
}

static enum leat_result find_in_file(struct leat_request *req, const struct leat_api_key *policy,
				     const uint8_t digest[CRYPTO_SHA256_SIZE], struct leat_caller *caller)
{
	static const char digits[] = "0123456789abcdef";
	struct keyfile_content *held = keyfile_hold(policy->file, &key_lines);
	const struct credential *line;
	char hex[HEX_SIZE];

	for (int i = 0; i < CRYPTO_SHA256_SIZE; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	line = find_line(keyfile_value(held), hex);
	if (line) {
		caller->subject = copy(req, line->name);
		if (line->more.ptr)
			caller->scopes = words_split(req->call.arena, copy(req, line->more));
	}
	keyfile_release(held);
	return line ? LEAT_OK : LEAT_NOT_FOUND;
}

enum leat_result leat_api_key_before_(struct leat_request *req, const void *options)
{
	const struct leat_api_key *policy = options;
	leat_text key = leat_header(req, header_of(policy));
	struct leat_caller *caller;
	uint8_t *digest;
	enum leat_result result;

	if (key.len == 0)
		return auth_unauthorized(req, policy, challenge, METRIC_AUTH_MISSING, "An API key is needed.");
	if (auth_is_too_long(key))
		return auth_unauthorized(req, policy, challenge, METRIC_AUTH_TOKEN_SIZE,
					 leat_format(req, "The key is refused: %s.", auth_too_long(req)).ptr);
	caller = leat_alloc(req, sizeof(*caller));
	caller->kind = LEAT_CALLER_API_KEY;
	digest = leat_alloc(req, CRYPTO_SHA256_SIZE);
	if (!crypto_sha256(key, digest))
		return LEAT_INTERNAL;
	result = policy->find ? policy->find(req, (leat_bytes){ digest, CRYPTO_SHA256_SIZE }, caller)
			      : find_in_file(req, policy, digest, caller);
	if (result == LEAT_NOT_FOUND)
		return auth_unauthorized(req, policy, challenge, METRIC_AUTH_INVALID, "The key is not known.");
	if (result == LEAT_OK)
		leat_caller_set(req, caller);
	return result;
}

void leat_api_key_after_(struct leat_request *req, const void *options)
{
	auth_leave(req, options, challenge);
}

struct leat_demand leat_api_key_demand_(const void *options)
{
	return (struct leat_demand){ .header = header_of(options) };
}
