/* leat/cors.h - which pages of other origins may ask: CORS (Fetch Standard, 3.3).
 *
 * Use:
 *     static const struct leat_cors shop = { .origins = "https://shop.example.org http://localhost:5173",
 *                                            .headers = "Authorization, Content-Type, If-Match",
 *                                            .expose = "ETag, X-Request-Id",
 *                                            .max_age_s = 600 };
 *     static const struct leat_middleware everything[] = { LEAT_CORS(&shop), LEAT_JWT(&staff), LEAT_MIDDLEWARE_END };
 *
 * A policy stands in the service's list, then it is for all replies, or in that of a mount or route. Of several the one nearest to the route
 * counts, alone. Put it before what refuses, authentication above all: a reply that ends the way in before it has no headers of it, and a
 * browser hides such a reply from the page.
 *
 * Preflights, that is OPTIONS with Origin and Access-Control-Request-Method, are answered with 204 by the policy of the route that the method
 * asked for has, before there is any 404 or 405; that is why OPTIONS needs no route. Hooks of the mount and the route do not run, those of
 * the service's list before the policy do. Where no route is, the service's policy answers just the same: then the request itself comes,
 * and the page can read the 404 or 405 with its problem document. Without a policy in the service's list it is 404, or 204 with Allow alone.
 *
 * Who may not ask is not refused: CORS keeps browsers from showing a reply to a page, it keeps nobody from asking (curl sends any
 * Origin; a page of your own origin sends it, too). Such a reply, or preflight, has no Access-Control-Allow-Origin; preflights of that kind are counted:
 * leat_cors_refused_total. The same holds for a method that is not in .methods.
 *
 * "Vary: Origin" is on every reply, of whatever kind, unless the origin is "*": then Access-Control-Allow-Origin: * is. What the handler has set
 * itself stays. A request that is no HTTP (400) meets no middleware. Files that nginx sends (send_files = accel) have none of these
 * headers: nginx drops what leat says of them, so its location needs its own.
 *
 * Access-Control-Request-Private-Network has no answer: it never came into the standard, and browsers have given it up.
 *
 * Ownership:      a policy is static.
 * Thread-safety:  as for all middleware.
 * Errors:         a policy that cannot be meant ends the start.
 */
#ifndef LEAT_CORS_H
#define LEAT_CORS_H

#include <leat/middleware.h>
#include <stdbool.h>

struct leat_cors {
	/* Divided by spaces, each as browsers send it: scheme, host in small letters, port unless it is the scheme's own; no path. A host may begin with
	 * "*.": any subdomain, of whatever depth, but not the domain itself. "*" alone: any page of anybody, never with credentials.
	 * "null" is refused, since any page can have that origin. */
	const char *origins;
	const char *methods; /* "GET, HEAD"; NULL: all that leat routes; the routes decide */
	const char *headers; /* that pages may send; "*": any but Authorization. NULL: "Authorization, Content-Type" */
	const char *
		expose; /* headers of replies that pages may read, beyond the few that they always may; "*": all. NULL: no more */
	bool credentials; /* cookies and other credentials that browsers add of themselves; not a token that the page sends */
	unsigned max_age_s; /* seconds for which a preflight's answer is good; 0: not told, browsers then take 5 */
};

#define LEAT_CORS(policy) \
	{ \
		.name = "cors", .before = leat_cors_before_, .after = leat_cors_after_, .check = leat_cors_check_, \
		.options = 1 ? (policy) : (const struct leat_cors *)NULL \
	}

LEAT_API enum leat_result leat_cors_before_(struct leat_request *req, const void *options);
LEAT_API void leat_cors_after_(struct leat_request *req, const void *options);
LEAT_API const char *leat_cors_check_(const void *options);

#endif
