/* pattern.h - the pattern of a route, taken apart and checked.
 *
 * Use:
 *     struct pattern *pattern = pattern_new("/users/{id:int}", error, sizeof(error));
 *     pattern->segments[0]   -- PATTERN_LITERAL, one part: "users"
 *     pattern->segments[1]   -- PATTERN_INT, one part: "id"
 *     pattern_free(pattern);
 *
 * A pattern is a list of segments, each behind a '/', and a segment a list of parts: one, but for PATTERN_MIXED. A literal
 * may be empty: "/" is one empty literal, "/a/" ends with one. What may be written is told in leat/route.h.
 *
 * Ownership:      pattern_free frees it, NULL too; it keeps a copy of the text.
 * Thread-safety:  any thread, once made.
 * Errors:         NULL with a sentence about the pattern, which does not name it: "a '{' is never closed".
 */
#ifndef APP_HTTP_PATTERN_H
#define APP_HTTP_PATTERN_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct regex;

enum {
	PATTERN_PARAMS_MAX = 16,
	PATTERN_LEN_MAX = 255,
	PATTERN_SEGMENTS_MAX = 64,
};

/* In the order in which they are tried. */
enum pattern_kind {
	PATTERN_LITERAL,
	PATTERN_UINT,  /* {name:uint} */
	PATTERN_INT,   /* {name:int} */
	PATTERN_UUID,  /* {name:uuid} */
	PATTERN_DATE,  /* {name:date} */
	PATTERN_MIXED, /* text and parameters */
	PATTERN_REGEX, /* {name:expression} */
	PATTERN_ANY,   /* {name} */
	PATTERN_TAIL,  /* {name...} */
	PATTERN_KIND_COUNT
};

struct pattern_part {
	enum pattern_kind kind;
	leat_text text; /* the literal, or the parameter's name */
	leat_text expression;
	struct regex *regex;
};

struct pattern_segment {
	enum pattern_kind kind;
	unsigned part_count;
	struct pattern_part *parts;
};

struct pattern_param {
	leat_text name;
	enum pattern_kind kind;
};

struct pattern {
	char *text;
	unsigned segment_count;
	unsigned part_count;
	unsigned param_count;
	struct pattern_segment *segments;
	struct pattern_part *parts;
	struct pattern_param params[PATTERN_PARAMS_MAX];
};

struct pattern *pattern_new(const char *text, char *error, size_t error_size);
void pattern_free(struct pattern *pattern);

/* Which of two segments is tried first, less than 0: the left one. 0: they fit the same texts. */
int pattern_compare_segments(const struct pattern_segment *left, const struct pattern_segment *right);

/* "int" for PATTERN_INT; NULL for a kind that is no type. */
const char *pattern_type_name(enum pattern_kind kind);

#endif
