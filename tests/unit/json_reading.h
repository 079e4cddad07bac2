/* json_reading.h - tests of the JSON reader as tables: a document, and what comes of it.
 *
 * An outcome is "ok"; the detail of a syntax fault, "line 1, column 5: ..."; or the faults of shape, a line each:
 * "#/name must be a string".
 *
 * Use:
 *     START_TEST(a_sentence)
 *     {
 *         CHECK_READINGS(&user_shape, { "{\"id\":1}", "#/name is required" }, ...);
 *     }
 *     END_TEST
 *
 *     ARENA_CASE(s, "name", a_sentence);
 *
 * Ownership:      outcomes are the arena's.
 * Thread-safety:  the main thread.
 * Errors:         an outcome that is not the expected one fails the test and shows both.
 */
#ifndef TESTS_UNIT_JSON_READING_H
#define TESTS_UNIT_JSON_READING_H

#include <stdlib.h>
#include <string.h>

#include "http/json_read.h"
#include "http/json_write.h"
#include "tests/unit/arena_stand.h"

static inline const char *outcome(leat_text document, const struct leat_shape *shape, void *value)
{
	struct problem problem;
	leat_text faults = LEAT_TEXT_OF("");
	char *copy = malloc(document.len + !document.len); /* of its own size: a sanitizer sees a read past the end */
	enum leat_result result;

	memcpy(copy, document.ptr, document.len);
	arena_on_reset(&arena, free, copy);
	result = json_read(&arena, (leat_text){ copy, document.len }, shape, value, &problem);
	if (result == LEAT_OK)
		return "ok";
	if (result == LEAT_BAD_REQUEST)
		return problem.detail.ptr;
	for (const struct fault *fault = problem.faults; fault; fault = fault->next)
		faults = arena_format(&arena, "%s%s%.*s %.*s", faults.ptr, faults.len ? "\n" : "",
				      LEAT_TEXT_PRINTF(fault->pointer), LEAT_TEXT_PRINTF(fault->detail));
	return faults.ptr;
}

struct reading {
	const char *document;
	const char *outcome;
};

static inline void check_readings(const struct leat_shape *shape, const struct reading *readings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		void *value = arena_alloc(&arena, shape->size);
		const char *given = outcome(leat_text_from(readings[i].document), shape, value);

		ck_assert_msg(strcmp(given, readings[i].outcome) == 0, "%s\n  gave:     %s\n  expected: %s",
			      readings[i].document, given, readings[i].outcome);
	}
}
#define CHECK_READINGS(shape, ...) \
	check_readings(shape, (const struct reading[]){ __VA_ARGS__ }, \
		       sizeof((const struct reading[]){ __VA_ARGS__ }) / sizeof(struct reading))

static inline const char *nested(unsigned depth, const char *before, const char *open, const char *close)
{
	struct buffer out;

	buffer_init(&out, &arena, 16);
	buffer_text(&out, leat_text_from(before));
	for (unsigned i = 0; i < depth; i++)
		buffer_text(&out, leat_text_from(open));
	for (unsigned i = 0; i < depth; i++)
		buffer_text(&out, leat_text_from(close));
	buffer_text(&out, leat_text_from(*before ? "}" : ""));
	buffer_byte(&out, '\0');
	return out.data;
}

struct user {
	int64_t id;
	leat_text name;
	leat_text email;
};

static const struct leat_shape user_shape = LEAT_SHAPE(struct user,
	LEAT_INT(id),
	LEAT_TEXT(name, .min = 1, .max = 10),
	LEAT_TEXT(email, .format = LEAT_FORMAT_EMAIL, .optional = true));

#endif
