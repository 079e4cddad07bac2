/* pattern.h - the pattern of a route, taken apart and checked.
 *
 * Use:
 *     struct pattern pattern;
 *     if (!pattern_parse("/users/{id:int}", &pattern, error, sizeof(error))) ...
 *     pattern.segments[0]   -- PATTERN_LITERAL "users"
 *     pattern.segments[1]   -- PATTERN_INT "id"
 *
 * A pattern is a list of segments, each behind a '/'. A literal may be empty: "/" is one empty literal, "/a/" ends
 * with one.
 *
 * Ownership:      the struct owns nothing: texts are views into the pattern.
 * Thread-safety:  any thread.
 * Errors:         false with a sentence about the pattern, which does not name it: "'{' is never closed".
 */
#ifndef APP_HTTP_PATTERN_H
#define APP_HTTP_PATTERN_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	PATTERN_PARAMS_MAX = 16,
	PATTERN_LEN_MAX = 255,
	PATTERN_SEGMENTS_MAX = 64,
};

/* In the order in which they are tried. */
enum pattern_kind {
	PATTERN_LITERAL,
	PATTERN_INT,  /* {name:int} */
	PATTERN_ANY,  /* {name} */
	PATTERN_TAIL, /* {name...} */
};

struct pattern_segment {
	enum pattern_kind kind;
	leat_text text; /* the literal, or the parameter's name */
};

struct pattern {
	unsigned segment_count;
	unsigned param_count;
	struct pattern_segment segments[PATTERN_SEGMENTS_MAX];
};

bool pattern_parse(const char *text, struct pattern *ret_pattern, char *error, size_t error_size) LEAT_MUST_USE;

#endif
