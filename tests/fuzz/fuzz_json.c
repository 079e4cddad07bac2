/* fuzz_json.c - what holds for the JSON reader and writer whatever a client sends. See README.md for how it is built
 * and run. Checked:
 *   - a document that is accepted, written and read again gives an equal struct;
 *   - one that is refused as no JSON says where, one that is refused for its shape has faults;
 *   - the problem document of either is JSON that the reader accepts. */
#include <stdlib.h>

#include "base/check.h"
#include "http/json_read.h"
#include "http/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Shapes --------------------------------------------------------------------------------------------------------- */

struct point {
	double x, y;
	leat_text name;
};

static const struct leat_shape point_shape = LEAT_SHAPE(struct point,
	LEAT_FLOAT(x),
	LEAT_FLOAT(y, .optional = true),
	LEAT_TEXT(name, .max = 5));

struct item {
	int8_t small;
	uint16_t middle;
	leat_text text;
	struct leat_list items;
};

static const struct leat_shape item_shape;
static const struct leat_shape item_shape = LEAT_SHAPE(struct item,
	LEAT_INT(small),
	LEAT_INT(middle, .optional = true),
	LEAT_TEXT(text, .optional = true),
	LEAT_LIST(items, &item_shape, .optional = true));

struct thing {
	int64_t i;
	uint64_t u;
	int32_t limited;
	bool b;
	double f;
	leat_text t;
	leat_text email;
	struct leat_list l;
	struct point p;
	leat_bytes bytes;
	leat_time time;
	leat_uuid uuid;
	leat_json json;
	leat_ints ints;
	leat_texts texts;
	int64_t maybe;
	bool has_time, has_uuid, has_maybe;
};

static const struct leat_shape thing_shape = LEAT_SHAPE(struct thing,
	LEAT_INT(i, .optional = true),
	LEAT_INT(u, .optional = true),
	LEAT_INT(limited, .min = -100, .max = 100, .optional = true),
	LEAT_BOOL(b, .optional = true),
	LEAT_FLOAT(f, .optional = true),
	LEAT_TEXT(t, .optional = true),
	LEAT_TEXT(email, .format = LEAT_FORMAT_EMAIL, .optional = true),
	LEAT_LIST(l, &item_shape, .max = 20, .optional = true),
	LEAT_OBJECT(p, &point_shape, .optional = true),
	LEAT_BYTES(bytes, .optional = true),
	LEAT_TIME(time, .optional = true, .has = LEAT_HAS(struct thing, has_time)),
	LEAT_UUID(uuid, .optional = true, .has = LEAT_HAS(struct thing, has_uuid)),
	LEAT_JSON(json, .optional = true),
	LEAT_INTS(ints, .optional = true),
	LEAT_TEXTS(texts, .max = 20, .optional = true),
	LEAT_INT(maybe, .optional = true, .has = LEAT_HAS(struct thing, has_maybe)));

struct error {
	leat_text pointer;
	leat_text detail;
};

static const struct leat_shape error_shape = LEAT_SHAPE(struct error,
	LEAT_TEXT(pointer, .min = 1),
	LEAT_TEXT(detail, .min = 1));

struct document {
	leat_text type, title, detail;
	int status;
	struct leat_list errors;
};

static const struct leat_shape document_shape = LEAT_SHAPE(struct document,
	LEAT_TEXT(type),
	LEAT_TEXT(title),
	LEAT_INT(status),
	LEAT_TEXT(detail, .optional = true, .min = 1),
	LEAT_LIST(errors, &error_shape, .optional = true, .max = PROBLEM_FAULTS_MAX + 1));

/* Properties ------------------------------------------------------------------------------------------------------- */

static bool is_same(const struct leat_shape *shape, const void *a, const void *b);

/* Bytes and JSON are the same as a text in memory. */
static bool is_same_text(const leat_text *a, const leat_text *b)
{
	return leat_text_equal(*a, *b) && !a->ptr == !b->ptr;
}

static bool is_same_ints(const leat_ints *a, const leat_ints *b)
{
	return a->count == b->count && !a->items == !b->items &&
	       (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

static bool is_same_texts(const leat_texts *a, const leat_texts *b)
{
	if (a->count != b->count || !a->items != !b->items)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!is_same_text(&a->items[i], &b->items[i]))
			return false;
	return true;
}

static bool is_same_list(const struct leat_shape *shape, const struct leat_list *a, const struct leat_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!is_same(shape, (char *)a->items + i * shape->size, (char *)b->items + i * shape->size))
			return false;
	return true;
}

static bool is_same(const struct leat_shape *shape, const void *a, const void *b)
{
	for (unsigned i = 0; i < shape->field_count; i++) {
		const struct leat_field *field = &shape->fields[i];
		const void *left = (const char *)a + field->offset;
		const void *right = (const char *)b + field->offset;
		bool same;

		if (leat_field_is_there(field, a) != leat_field_is_there(field, b))
			return false;
		if (field->kind == LEAT_KIND_TEXT || field->kind == LEAT_KIND_BYTES || field->kind == LEAT_KIND_JSON) {
			same = is_same_text(left, right);
		} else if (field->kind == LEAT_KIND_INTS) {
			same = is_same_ints(left, right);
		} else if (field->kind == LEAT_KIND_TEXTS) {
			same = is_same_texts(left, right);
		} else if (field->kind == LEAT_KIND_LIST) {
			same = is_same_list(field->shape, left, right);
		} else if (field->kind == LEAT_KIND_OBJECT) {
			same = is_same(field->shape, left, right);
		} else {
			same = memcmp(left, right, field->size) == 0;
		}
		if (!same)
			return false;
	}
	return true;
}

static void check_round_trip(struct arena *arena, const struct thing *thing)
{
	struct problem problem;
	struct buffer out;
	struct thing again;

	buffer_init(&out, arena, 16);
	json_write_shape(&out, &thing_shape, thing);
	LEAT_CHECK(json_read(arena, buffer_as_text(&out), &thing_shape, &again, &problem) == LEAT_OK);
	LEAT_CHECK(is_same(&thing_shape, thing, &again));
}

static void check_problem(struct arena *arena, const struct problem *refusal)
{
	struct problem problem;
	struct document document;
	struct buffer out;

	buffer_init(&out, arena, 16);
	problem_write(&out, refusal, (leat_text){ NULL, 0 });
	LEAT_CHECK(json_read(arena, buffer_as_text(&out), &document_shape, &document, &problem) == LEAT_OK);
	LEAT_CHECK(document.status == leat_result_status(refusal->result));
	LEAT_CHECK(refusal->result == LEAT_BAD_REQUEST ? document.detail.ptr != NULL : document.errors.count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena_pool *pool = arena_pool_new(0);
	struct arena arena;
	struct problem problem;
	struct thing thing;
	enum leat_result result;

	arena_init(&arena, pool);
	result = json_read(&arena, (leat_text){ (const char *)data, size }, &thing_shape, &thing, &problem);
	LEAT_CHECK(result == problem.result);
	LEAT_CHECK(result == LEAT_OK || result == LEAT_BAD_REQUEST || result == LEAT_INVALID);
	if (result == LEAT_OK)
		check_round_trip(&arena, &thing);
	else
		check_problem(&arena, &problem);
	arena_reset(&arena);
	arena_pool_free(pool);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif
