/* metrics_guard.h - circuit breakers and semaphores, by their names, as Prometheus text.
 *
 * Use (metrics_text.c):
 *     metrics_guard_write(&out);
 *
 * Ownership:      the caller's buffer.
 * Thread-safety:  any thread that is attached to the metrics.
 * Errors:         none.
 */
#ifndef APP_OPS_METRICS_GUARD_H
#define APP_OPS_METRICS_GUARD_H

#include "base/buffer.h"

/* Nothing of a service that has none. */
void metrics_guard_write(struct buffer *out);

#endif
