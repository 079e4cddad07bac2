/* cache_control.h - policies of leat/cache.h: what is wrong with one, and its text (RFC 9111 5.2.2).
 *
 * Use:
 *     if (!cache_control_fault(&policy))
 *             cache_control_write(&out, &policy);              -- "public, max-age=60"
 *
 * Ownership:      faults are static.
 * Thread-safety:  any thread; one at a time per buffer.
 * Errors:         cache_control_fault; NULL: none.
 */
#ifndef APP_HTTP_CACHE_CONTROL_H
#define APP_HTTP_CACHE_CONTROL_H

#include <leat/cache.h>

#include "base/buffer.h"

const char *cache_control_fault(const struct leat_cache *policy);

/* Of a policy without fault. */
void cache_control_write(struct buffer *out, const struct leat_cache *policy);

#endif
