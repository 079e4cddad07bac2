/* leat/security.h - headers that tell browsers what not to do with a reply.
 *
 * Use:
 *     static const struct leat_security shop = { .hsts_max_age_s = 31536000 };
 *     const struct leat_middleware everything[] = { LEAT_SECURITY(&shop), ..., LEAT_MIDDLEWARE_END };   -- or LEAT_SECURITY(NULL)
 *
 * It stands first in the service's list, so that every reply passes it last. Without options they are what an API of JSON wants: nothing
 * in a reply is ever run, framed or embedded. A header that the handler, or a hook behind it, has set itself stays as it is and is not sent twice. What
 * the front server adds (nginx: add_header) leat cannot see.
 *
 * Ownership:      options are static.
 * Thread-safety:  as for all middleware.
 * Errors:         a value that is no header's ends the start.
 */
#ifndef LEAT_SECURITY_H
#define LEAT_SECURITY_H

#include <leat/middleware.h>
#include <stdbool.h>

/* NULL is what stands beside it, "" leaves the header out. X-Content-Type-Options: nosniff is always sent. */
struct leat_security {
	const char *content_policy;  /* Content-Security-Policy; "default-src 'none'; frame-ancestors 'none'" */
	const char *referrer_policy; /* Referrer-Policy; "no-referrer" */
	const char
		*resource_policy; /* Cross-Origin-Resource-Policy; "same-origin". What CORS allows is not concerned */
	const char *permissions;  /* Permissions-Policy; "" */
	/* Strict-Transport-Security (RFC 6797): for so many seconds browsers ask this host by HTTPS alone, even if it has none any more. Sent over HTTPS only
	 * (leat_client_is_https). 0: not sent. */
	unsigned hsts_max_age_s;
	bool hsts_subdomains; /* all hosts below it as well */
};

#define LEAT_SECURITY(policy) \
	{ \
		.name = "security", .after = leat_security_after_, .check = leat_security_check_, \
		.options = 1 ? (policy) : (const struct leat_security *)NULL \
	}

LEAT_API void leat_security_after_(struct leat_request *req, const void *options);
LEAT_API const char *leat_security_check_(const void *options);

#endif
