/* segment.h - whether a segment of a path fits one of a pattern that is no literal.
 *
 * Use:
 *     unsigned steps = 20000;
 *     leat_text values[PATTERN_PARAMS_MAX];
 *     switch (segment_match(&pattern->segments[1], text, &steps, values)) ...
 *
 * Text and parameters, "v{major:int}.{minor:int}": splits are tried from the right, the shortest last parameter first. A
 * split is given up together with all that leave less to an untyped parameter before it: those cannot fit either. So untyped
 * parameters cost one pass over the text, whatever it holds; types have few lengths; regular expressions can cost more.
 *
 * Ownership:      values are views into the text.
 * Thread-safety:  any thread.
 * Errors:         SEGMENT_LIMIT when the steps are used up: one for each split tried and each byte that a regular
 *                 expression looks at, beside the choices in it (base/regex.h).
 */
#ifndef APP_HTTP_SEGMENT_H
#define APP_HTTP_SEGMENT_H

#include "http/pattern.h"

enum segment_verdict { SEGMENT_FITS_NOT, SEGMENT_FITS, SEGMENT_LIMIT };

/* 'text' is decoded, without NUL; URI_ESCAPED_SLASH may stand in it. 'steps' are counted down. Sets the values of the
 * parameters, in their order. */
enum segment_verdict segment_match(const struct pattern_segment *segment, leat_text text, uint32_t *steps,
				   leat_text *ret_values);

/* Whether a value fits a parameter; for a tail it may be empty. */
enum segment_verdict segment_part_fits(const struct pattern_part *part, leat_text value, uint32_t *steps);

/* Midnight in UTC of the day that the text of a {name:date} tells, in microseconds since 1970. */
bool segment_read_date(leat_text text, int64_t *ret_us) __attribute__((warn_unused_result));

#endif
