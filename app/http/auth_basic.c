/* auth_basic.c - LEAT_BASIC of leat/auth.h: a user and a password (RFC 7617), whose hash a file or the service's own function knows. */
#include <stdio.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/utf8.h"
#include "http/auth.h"
#include "http/credentials.h"
#include "http/keyfile.h"
#include "http/password.h"
#include "http/request.h"

static const char *fault_of_line(const struct credential *line)
{
	if (line->more.ptr)
		return "has more than USER:HASH";
	return password_is_hash(line->secret) ? NULL : "has no hash of yescrypt, bcrypt or SHA-512";
}

static const struct credential *find_user(const struct credentials *users, leat_text name)
{
	for (size_t i = 0; i < users->count; i++)
		if (leat_text_equal(users->items[i].name, name))
			return &users->items[i];
	return NULL;
}

static void *read_users(leat_text document, char *error, size_t size)
{
	struct credentials *users = credentials_read(document, fault_of_line, error, size);

	for (size_t i = 0; users && i < users->count; i++)
		if (find_user(users, users->items[i].name) != &users->items[i]) {
			snprintf(error, size, "has the user %.80s twice", users->items[i].name.ptr);
			credentials_free(users);
			return NULL;
		}
	return users;
}

static void free_users(void *users)
{
	credentials_free(users);
}

static const struct keyfile_kind user_lines = { read_users, free_users };

const char *leat_basic_check_(const void *options)
{
	const struct leat_basic *policy = options;

	if (!policy->realm)
		return "it has no realm (RFC 7617 section 2)";
	if (auth_realm_fault(policy->realm))
		return auth_realm_fault(policy->realm);
	if (!policy->file == !policy->find)
		return "it wants a file or a lookup function, one of the two";
	return policy->file ? keyfile_open(policy->file, &user_lines) : NULL;
}

static leat_text challenge(struct leat_request *req, const void *options)
{
	const struct leat_basic *policy = options;

	return leat_format(req, "Basic%.*s, charset=\"UTF-8\"", LEAT_TEXT_PRINTF(auth_realm(req, policy->realm)));
}

/* A user has no colon, a password may (RFC 7617 section 2). */
static bool read_pair(struct leat_request *req, leat_text credentials, leat_text *ret_user, leat_text *ret_password)
{
	char *bytes = leat_alloc(req, base64_room(credentials.len) + 1);
	const char *colon;
	leat_text pair = { bytes, 0 };

	if (!base64_read((uint8_t *)bytes, credentials, &pair.len) || !utf8_is_valid(pair) ||
	    credentials_has_control(pair))
		return false;
	colon = memchr(pair.ptr, ':', pair.len);
	if (!colon)
		return false;
	*ret_user = (leat_text){ pair.ptr, (size_t)(colon - pair.ptr) };
	*ret_password = (leat_text){ colon + 1, pair.len - ret_user->len - 1 };
	return true;
}

/* Of a user whom the file does not have, the hash is another's: it takes as long. */
static enum leat_result find_in_file(struct leat_request *req, const struct leat_basic *policy, leat_text user,
				     leat_text *ret_hash)
{
	struct keyfile_content *held = keyfile_hold(policy->file, &user_lines);
	const struct credentials *users = keyfile_value(held);
	const struct credential *found = find_user(users, user);
	leat_text hash = found ? found->secret : users->items[0].secret;

	*ret_hash = (leat_text){ arena_copy(req->call.arena, hash.ptr, hash.len), hash.len };
	keyfile_release(held);
	return found ? LEAT_OK : LEAT_NOT_FOUND;
}

static enum leat_result check_password(struct leat_request *req, leat_text password, leat_text hash, bool *ret_is_right)
{
	struct password_work work;
	enum leat_result result = LEAT_OK;

	if (password_prepare(&work, password, hash))
		result = leat_offload(req, password_run, &work, sizeof(work));
	*ret_is_right = result == LEAT_OK && work.is_right;
	password_forget(&work);
	return result;
}

/* Whether the user has the password. */
static enum leat_result verify(struct leat_request *req, const struct leat_basic *policy, leat_text user,
			       leat_text password, struct leat_caller *caller, bool *ret_is_right)
{
	leat_text hash = leat_text_from(password_nobody);
	enum leat_result found = policy->find ? policy->find(req, user, &hash, caller)
					      : find_in_file(req, policy, user, &hash);

	if (found != LEAT_OK && found != LEAT_NOT_FOUND)
		return found;
	if (policy->find && found == LEAT_NOT_FOUND)
		hash = leat_text_from(password_nobody);
	if (!password_is_hash(hash))
		log_limited(LOG_LEVEL_ERROR, "a user of the realm %s has no hash of yescrypt, bcrypt or SHA-512",
			    policy->realm);
	LEAT_TRY(check_password(req, password, hash, ret_is_right));
	*ret_is_right = *ret_is_right && found == LEAT_OK;
	return LEAT_OK;
}

enum leat_result leat_basic_before_(struct leat_request *req, const void *options)
{
	const struct leat_basic *policy = options;
	leat_text credentials, user, password;
	struct leat_caller *caller;
	bool is_right;

	if (!auth_credentials(req, "Basic", &credentials))
		return auth_unauthorized(req, policy, challenge, METRIC_AUTH_MISSING,
					 "A user and a password are needed.");
	if (auth_is_too_long(credentials))
		return auth_unauthorized(req, policy, challenge, METRIC_AUTH_TOKEN_SIZE,
					 leat_format(req, "The password is refused: %s.", auth_too_long(req)).ptr);
	if (!read_pair(req, credentials, &user, &password))
		return auth_unauthorized(req, policy, challenge, METRIC_AUTH_INVALID,
					 "The credentials are not base64 of USER:PASSWORD.");
	caller = leat_alloc(req, sizeof(*caller));
	caller->kind = LEAT_CALLER_BASIC;
	caller->subject = user;
	LEAT_TRY(verify(req, policy, user, password, caller, &is_right));
	if (!is_right)
		return auth_unauthorized(req, policy, challenge, METRIC_AUTH_INVALID, "User or password is wrong.");
	leat_caller_set(req, caller);
	return LEAT_OK;
}

void leat_basic_after_(struct leat_request *req, const void *options)
{
	auth_leave(req, options, challenge);
}

struct leat_demand leat_basic_demand_(const void *options)
{
	(void)options;
	return (struct leat_demand){ .scheme = "basic" };
}
