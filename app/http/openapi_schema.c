/* openapi_schema.c - shapes as JSON Schemas (2020-12, the dialect of OpenAPI 3.1); see openapi_internal.h.
 *
 * One schema stands for what is read and for what is written: what is optional may be absent or null when it is read, and is written as null. */
#include <string.h>

#include "http/openapi_internal.h"

#define PROBLEM_NAME "Problem"

/* Names ------------------------------------------------------------------------------------------------------------ */

static leat_text type_name(struct arena *arena, const struct leat_shape *shape)
{
	static const leat_text keyword = LEAT_TEXT_OF("struct ");
	leat_text name = leat_text_from(shape->name);

	if (leat_text_starts(name, keyword))
		name = (leat_text){ name.ptr + keyword.len, name.len - keyword.len };
	return openapi_name(arena, name);
}

static bool is_taken(const struct openapi *api, leat_text name)
{
	if (leat_text_equal(name, LEAT_TEXT_OF(PROBLEM_NAME)))
		return true;
	for (const struct openapi_shape *at = api->shapes; at; at = at->next)
		if (leat_text_equal(at->name, name))
			return true;
	return false;
}

static leat_text name_of(struct openapi *api, const struct leat_shape *shape)
{
	leat_text name = type_name(api->arena, shape), wanted = name;
	struct openapi_shape *added;

	for (const struct openapi_shape *at = api->shapes; at; at = at->next)
		if (at->shape == shape)
			return at->name;
	for (unsigned number = 2; is_taken(api, name); number++)
		name = arena_format(api->arena, "%.*s_%u", LEAT_TEXT_PRINTF(wanted), number);
	added = arena_alloc(api->arena, sizeof(*added));
	*added = (struct openapi_shape){ NULL, shape, name };
	*api->last_shape = added;
	api->last_shape = &added->next;
	return name;
}

static void put_reference(struct openapi *api, const struct leat_shape *shape)
{
	leat_text name = name_of(api, shape);

	json_put_open(&api->put, '{');
	json_put_key(&api->put, "$ref");
	json_put_text(&api->put, arena_format(api->arena, "#/components/schemas/%.*s", LEAT_TEXT_PRINTF(name)));
	json_put_close(&api->put, '}');
}

static bool came_before(const struct leat_shape *const *shapes, unsigned count, const struct leat_shape *shape)
{
	for (unsigned i = 0; i < count; i++)
		if (shapes[i] == shape)
			return true;
	return false;
}

void openapi_put_shapes(struct openapi *api, const struct leat_shape *const *shapes, unsigned count)
{
	const struct leat_shape *first = NULL;
	bool has_several = false;

	for (unsigned i = 0; i < count; i++) {
		has_several = has_several || (first && shapes[i] && shapes[i] != first);
		first = first ? first : shapes[i];
	}
	if (!has_several) {
		put_reference(api, first);
		return;
	}
	json_put_open(&api->put, '{');
	json_put_key(&api->put, "anyOf");
	json_put_open(&api->put, '[');
	for (unsigned i = 0; i < count; i++)
		if (shapes[i] && !came_before(shapes, i, shapes[i]))
			put_reference(api, shapes[i]);
	json_put_close(&api->put, ']');
	json_put_close(&api->put, '}');
}

/* Limits ----------------------------------------------------------------------------------------------------------- */

static void put_number(struct openapi *api, const char *key, int64_t value)
{
	json_put_key(&api->put, key);
	json_put_int(&api->put, value);
}

static bool is_limited(const struct leat_field *field)
{
	return field->min != 0 || field->max != 0;
}

static bool has_most(const struct leat_field *field)
{
	return is_limited(field) && field->max >= field->min;
}

/* Of characters or items. */
static void put_count_limits(struct openapi *api, const struct leat_field *field, const char *least, const char *most)
{
	if (field->min > 0)
		put_number(api, least, field->min);
	if (has_most(field))
		put_number(api, most, field->max);
}

/* Bytes as characters of base64, which come in fours: the exact limits are words. */
static void put_base64_limits(struct openapi *api, const struct leat_field *field)
{
	if (field->min > 0)
		put_number(api, "minLength", (field->min + 2) / 3 * 4);
	if (has_most(field) && field->max <= INT32_MAX)
		put_number(api, "maxLength", (field->max + 2) / 3 * 4);
	if (!is_limited(field))
		return;
	json_put_key(&api->put, "description");
	json_put_text(&api->put, has_most(field)
					 ? arena_format(api->arena, "%lld to %lld bytes", (long long)field->min,
							(long long)field->max)
					 : arena_format(api->arena, "at least %lld bytes", (long long)field->min));
}

/* The format says what type it is; of the small ones, and of those without a sign, few programs know the formats. */
static void put_int_limits(struct openapi *api, const struct leat_field *field)
{
	unsigned bits = field->size * 8u;
	bool has_type_most = field->size < 8;
	int64_t least = !field->is_signed ? 0 : field->size < 8 ? -((int64_t)1 << (bits - 1)) : INT64_MIN;
	int64_t most = field->size < 8 ? ((int64_t)1 << (bits - field->is_signed)) - 1 : INT64_MAX;

	json_put_key(&api->put, "format");
	json_put_text(&api->put, arena_format(api->arena, "%sint%u", field->is_signed ? "" : "u", bits));
	if (is_limited(field) && field->min > least)
		put_number(api, "minimum", field->min);
	else if (!field->is_signed || field->size < 4)
		put_number(api, "minimum", least);
	if (has_most(field) && field->max < most)
		put_number(api, "maximum", field->max);
	else if (has_type_most && (!field->is_signed || field->size < 4))
		put_number(api, "maximum", most);
}

static void put_float_limits(struct openapi *api, const struct leat_field *field)
{
	json_put_member(&api->put, "format", "double");
	if (is_limited(field))
		put_number(api, "minimum", field->min);
	if (has_most(field))
		put_number(api, "maximum", field->max);
}

/* Fields ----------------------------------------------------------------------------------------------------------- */

static void put_type(struct openapi *api, const struct leat_field *field, const char *type)
{
	struct json_put *put = &api->put;

	if (!field->optional) {
		json_put_member(put, "type", type);
		return;
	}
	json_put_key(put, "type");
	json_put_open(put, '[');
	json_put_text(put, leat_text_from(type));
	json_put_text(put, LEAT_TEXT_OF("null"));
	json_put_close(put, ']');
}

static void put_array(struct openapi *api, const struct leat_field *field, const char *item_type)
{
	struct json_put *put = &api->put;

	put_type(api, field, "array");
	put_count_limits(api, field, "minItems", "maxItems");
	json_put_key(put, "items");
	if (!item_type) {
		put_reference(api, field->shape);
		return;
	}
	json_put_open(put, '{');
	json_put_member(put, "type", item_type);
	if (field->kind == LEAT_KIND_INTS)
		json_put_member(put, "format", "int64");
	json_put_close(put, '}');
}

static void put_text(struct openapi *api, const struct leat_field *field)
{
	put_type(api, field, "string");
	put_count_limits(api, field, "minLength", "maxLength");
	if (field->format == LEAT_FORMAT_EMAIL)
		json_put_member(&api->put, "format", "email");
}

static void put_bytes(struct openapi *api, const struct leat_field *field)
{
	put_type(api, field, "string");
	json_put_member(&api->put, "contentEncoding", "base64");
	put_base64_limits(api, field);
}

static void put_formatted(struct openapi *api, const struct leat_field *field, const char *format)
{
	put_type(api, field, "string");
	json_put_member(&api->put, "format", format);
}

/* The members of its schema. */
static void put_kind(struct openapi *api, const struct leat_field *field)
{
	switch ((enum leat_kind)field->kind) {
	case LEAT_KIND_INT:
		put_type(api, field, "integer");
		put_int_limits(api, field);
		break;
	case LEAT_KIND_BOOL:
		put_type(api, field, "boolean");
		break;
	case LEAT_KIND_FLOAT:
		put_type(api, field, "number");
		put_float_limits(api, field);
		break;
	case LEAT_KIND_TEXT:
		put_text(api, field);
		break;
	case LEAT_KIND_LIST:
		put_array(api, field, NULL);
		break;
	case LEAT_KIND_OBJECT:
		break;
	case LEAT_KIND_BYTES:
		put_bytes(api, field);
		break;
	case LEAT_KIND_TIME:
		put_formatted(api, field, "date-time");
		break;
	case LEAT_KIND_UUID:
		put_formatted(api, field, "uuid");
		break;
	case LEAT_KIND_JSON:
		json_put_member(&api->put, "description", "Any JSON.");
		break;
	case LEAT_KIND_INTS:
		put_array(api, field, "integer");
		break;
	case LEAT_KIND_TEXTS:
		put_array(api, field, "string");
		break;
	}
}

static void put_object(struct openapi *api, const struct leat_field *field)
{
	struct json_put *put = &api->put;

	if (!field->optional) {
		put_reference(api, field->shape);
		return;
	}
	json_put_open(put, '{');
	json_put_key(put, "anyOf");
	json_put_open(put, '[');
	put_reference(api, field->shape);
	json_put_open(put, '{');
	json_put_member(put, "type", "null");
	json_put_close(put, '}');
	json_put_close(put, ']');
	json_put_close(put, '}');
}

static void put_field(struct openapi *api, const struct leat_field *field)
{
	json_put_key(&api->put, field->name);
	if (field->kind == LEAT_KIND_OBJECT) {
		put_object(api, field);
		return;
	}
	json_put_open(&api->put, '{');
	put_kind(api, field);
	json_put_close(&api->put, '}');
}

/* Shapes ----------------------------------------------------------------------------------------------------------- */

static void put_required(struct openapi *api, const struct leat_shape *shape)
{
	json_put_key(&api->put, "required");
	json_put_open(&api->put, '[');
	for (unsigned i = 0; i < shape->field_count; i++)
		if (!shape->fields[i].optional)
			json_put_text(&api->put, leat_text_from(shape->fields[i].name));
	json_put_close(&api->put, ']');
}

static void put_shape(struct openapi *api, const struct leat_shape *shape)
{
	struct json_put *put = &api->put;

	json_put_open(put, '{');
	json_put_member(put, "type", "object");
	json_put_key(put, "properties");
	json_put_open(put, '{');
	for (unsigned i = 0; i < shape->field_count; i++)
		put_field(api, &shape->fields[i]);
	json_put_close(put, '}');
	put_required(api, shape);
	json_put_key(put, "additionalProperties");
	json_put_word(put, "false");
	json_put_close(put, '}');
}

/* What problem.c writes. */
static const char problem_schema
	[] = "{\"type\":\"object\",\"description\":\"A failure (RFC 9457).\",\"properties\":{"
	     "\"type\":{\"type\":\"string\",\"format\":\"uri-reference\"},"
	     "\"title\":{\"type\":\"string\"},"
	     "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},"
	     "\"detail\":{\"type\":\"string\"},"
	     "\"request_id\":{\"type\":\"string\",\"description\":\"What the service's log calls this request.\"},"
	     "\"errors\":{\"type\":\"array\",\"description\":\"All that is wrong with the "
	     "input.\",\"items\":{\"type\":\"object\","
	     "\"properties\":{"
	     "\"pointer\":{\"type\":\"string\",\"description\":\"A place in the body: a JSON pointer as a fragment "
	     "(RFC 6901 6).\"},"
	     "\"parameter\":{\"type\":\"string\",\"description\":\"Or a parameter of the path or the query.\"},"
	     "\"detail\":{\"type\":\"string\"}},"
	     "\"required\":[\"detail\"]}}},"
	     "\"required\":[\"type\",\"title\",\"status\"]}";

/* The list grows while it is written: shapes refer to others. */
void openapi_put_schemas(struct openapi *api)
{
	json_put_key(&api->put, "schemas");
	json_put_open(&api->put, '{');
	for (const struct openapi_shape *at = api->shapes; at; at = at->next) {
		json_put_key_text(&api->put, at->name);
		put_shape(api, at->shape);
	}
	json_put_key(&api->put, PROBLEM_NAME);
	json_put_word(&api->put, problem_schema);
	json_put_close(&api->put, '}');
}
