/* auth.h - what the kinds of authentication share: credentials from a header, refusals, challenges.
 *
 * Use (auth_jwt.c):
 *     if (!auth_credentials(req, "Bearer", &token))
 *         return auth_refuse(req, policy, &(struct auth_refusal){ LEAT_UNAUTHORIZED, METRIC_AUTH_MISSING, challenge, "..." });
 *     ...
 *     auth_leave(req, policy, challenge_of);      -- in the 'after' hook
 *
 * The pipeline forgets headers when a request fails, so a challenge waits for the 'after' hook of the middleware that refused.
 *
 * Ownership:      challenges live as long as the request.
 * Thread-safety:  only the request's task; auth_setup before all other threads.
 * Errors:         none of its own.
 */
#ifndef APP_HTTP_AUTH_H
#define APP_HTTP_AUTH_H

#include <leat/auth.h>
#include <stdbool.h>

#include "base/metrics.h"

struct auth_refusal {
	enum leat_result result;
	enum metric metric;
	leat_text challenge; /* for WWW-Authenticate; absent: none */
	const char *detail;  /* for the client; NULL: none */
};

/* The settings auth_folder, auth_file_max and auth_token_max. 'folder' is kept. */
void auth_setup(const char *folder, size_t file_max, size_t token_max);

/* What follows the scheme in Authorization; false when there is no such header, or another scheme. */
bool auth_credentials(struct leat_request *req, const char *scheme, leat_text *ret_credentials);

/* Whether a credential is longer than auth_token_max; auth_too_long has the words for it. */
bool auth_is_too_long(leat_text credential);
const char *auth_too_long(struct leat_request *req);

/* 'by' are the options of who refuses. Returns the result. */
enum leat_result auth_refuse(struct leat_request *req, const void *by, const struct auth_refusal *refusal);

/* The same with LEAT_UNAUTHORIZED, and with what 'challenge' makes of 'by'. */
enum leat_result auth_unauthorized(struct leat_request *req, const void *by,
				   leat_text (*challenge)(struct leat_request *req, const void *options),
				   enum metric metric, const char *detail);

/* Adds the challenge of 'by', or, to a 401 of somebody who gave none, what 'challenge' makes (NULL: nothing). */
void auth_leave(struct leat_request *req, const void *by,
		leat_text (*challenge)(struct leat_request *req, const void *options));

/* " realm=\"shop\"", or nothing for NULL; escaped (RFC 9110 5.6.4). */
leat_text auth_realm(struct leat_request *req, const char *realm);

/* What is wrong with a realm; NULL: nothing. */
const char *auth_realm_fault(const char *realm);

#endif
