/* field.h - one member of a struct through its description: load it, or store what comes from outside if it fits.
 *
 * Use:
 *     char fault[FIELD_FAULT_MAX];
 *     if (!field_store_int(field, (char *)user + field->offset, digits, fault))
 *         problem_fault(problem, arena, pointer, "%s", fault);
 *
 * Shared by whatever fills structs from outside: JSON bodies, query, form and path. Limits (leat/shape.h): both 0 means
 * none; a greatest below the least means that there is no greatest, so .min = 1 alone is "at least 1".
 *
 * Ownership:      texts are stored as views; decoded bytes lie in the arena.
 * Thread-safety:  any thread.
 * Errors:         false, with nothing stored and what is wrong, for the client: "must be from 1 to 80".
 */
#ifndef APP_HTTP_FIELD_H
#define APP_HTTP_FIELD_H

#include <leat/result.h>
#include <leat/shape.h>
#include <leat/text.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

enum { FIELD_FAULT_MAX = 128 };

/* An integer member of 1 to 8 bytes, its sign spread to 64 bits; that of an unsigned one is to be read as uint64_t. */
static inline int64_t field_load_int(const struct leat_field *field, const void *member)
{
	int64_t wide;
	int32_t word;
	int16_t half;

	switch (field->size) {
	case sizeof(wide):
		memcpy(&wide, member, sizeof(wide));
		return wide;
	case sizeof(word):
		memcpy(&word, member, sizeof(word));
		return field->is_signed ? word : (int64_t)(uint32_t)word;
	case sizeof(half):
		memcpy(&half, member, sizeof(half));
		return field->is_signed ? half : (int64_t)(uint16_t)half;
	default:
		return field->is_signed ? *(const int8_t *)member : *(const uint8_t *)member;
	}
}

/* A decimal integer without leading zeros; -0 is 0. */
bool field_store_int(const struct leat_field *field, void *member, leat_text digits,
		     char fault[FIELD_FAULT_MAX]) LEAT_MUST_USE;

bool field_store_float(const struct leat_field *field, void *member, double value,
		       char fault[FIELD_FAULT_MAX]) LEAT_MUST_USE;

/* A text that is known to be UTF-8. */
bool field_store_text(const struct leat_field *field, void *member, leat_text text,
		      char fault[FIELD_FAULT_MAX]) LEAT_MUST_USE;

/* A string of base64. */
bool field_store_bytes(const struct leat_field *field, void *member, leat_text text, struct arena *arena,
		       char fault[FIELD_FAULT_MAX]) LEAT_MUST_USE;

/* A string that holds a date and time of RFC 3339. */
bool field_store_time(void *member, leat_text text, char fault[FIELD_FAULT_MAX]) LEAT_MUST_USE;

bool field_store_uuid(void *member, leat_text text, char fault[FIELD_FAULT_MAX]) LEAT_MUST_USE;

/* A value that is known to be JSON. */
bool field_store_json(const struct leat_field *field, void *member, leat_text value,
		      char fault[FIELD_FAULT_MAX]) LEAT_MUST_USE;

/* Of a list, or of an array: leat_ints and leat_texts are lists of their items. */
bool field_store_list(const struct leat_field *field, void *member, struct leat_list list,
		      char fault[FIELD_FAULT_MAX]) LEAT_MUST_USE;

/* Whether a list may not have more items than 'count'. */
static inline bool field_list_is_full(const struct leat_field *field, size_t count)
{
	return field->max > 0 && field->max >= field->min && count >= (uint64_t)field->max;
}

#endif
