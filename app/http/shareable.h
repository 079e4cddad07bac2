/* shareable.h - whether a reply may be given to several clients, and how long it may be kept: by what it says itself. Pure.
 *
 * Use:
 *     struct shareable verdict = shareable_judge(&response, vary);
 *     if (verdict.fault) ...            -- it is for one client alone
 *
 * Ownership:      nothing to own; 'fault' is static.
 * Thread-safety:  any thread.
 * Errors:         none. A time that is no number is 0 (RFC 9111 4.2.1 lets caches take it for stale).
 */
#ifndef APP_HTTP_SHAREABLE_H
#define APP_HTTP_SHAREABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "http/response.h"

struct shareable {
	const char *fault; /* why it is for one client alone; NULL: it is not */
	bool may_be_kept;
	int64_t fresh_most_ns; /* by s-maxage or max-age; INT64_MAX: it says nothing */
};

/* 'vary': the names of the headers that it may have been chosen by, ended by NULL; NULL: none. */
struct shareable shareable_judge(const struct response *response, const char *const *vary);

#endif
