/* range.h - which part of a file is asked for (RFC 9110 14.2).
 *
 * Use:
 *     switch (range_read(leat_header(req, "Range"), size, &range)) ...
 *
 * Ownership:      nothing is kept.
 * Thread-safety:  any thread.
 * Errors:         what is no single range of bytes counts as none, as RFC 9110 allows: the whole is sent.
 */
#ifndef APP_HTTP_RANGE_H
#define APP_HTTP_RANGE_H

#include <leat/text.h>
#include <stdint.h>

enum range_verdict {
	RANGE_WHOLE, /* there is none that counts */
	RANGE_PART,
	RANGE_PAST_END, /* 416 */
};

struct range {
	int64_t first; /* offset of the first byte */
	int64_t len;
};

/* Of a file of 'size' bytes; *ret_range is the whole unless it is RANGE_PART. */
enum range_verdict range_read(leat_text header, int64_t size, struct range *ret_range);

#endif
