/* column.c - see column.h. Under row.c and rows.c. */
#include "back/column.h"

#include <endian.h>
#include <leat/value.h>
#include <stdint.h>
#include <string.h>

#include "base/calendar.h"

/* pg_type.dat of PostgreSQL: these never change. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_JSON = 114,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_NAME_ARRAY = 1003,
	OID_INT2_ARRAY = 1005,
	OID_INT4_ARRAY = 1007,
	OID_TEXT_ARRAY = 1009,
	OID_BPCHAR_ARRAY = 1014,
	OID_VARCHAR_ARRAY = 1015,
	OID_INT8_ARRAY = 1016,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_UUID = 2950,
	OID_JSONB = 3802,
};

#define OWN(KIND, type, ...) [LEAT_KIND_##KIND] = { .kind = LEAT_KIND_##KIND, .size = sizeof(type), __VA_ARGS__ }
static const struct leat_field own_fields[] = {
	OWN(INT, int64_t, .is_signed = true),
	OWN(BOOL, bool),
	OWN(FLOAT, double),
	OWN(TEXT, leat_text),
	OWN(BYTES, leat_bytes),
	OWN(TIME, leat_time),
	OWN(UUID, leat_uuid),
	OWN(JSON, leat_json),
	OWN(INTS, leat_ints),
	OWN(TEXTS, leat_texts),
};

const struct leat_field *column_field(enum leat_kind kind)
{
	return own_fields[kind].size ? &own_fields[kind] : NULL;
}

/* Values ------------------------------------------------------------------------------------------------------------ */

static const char too_large[] = "that its member cannot hold";
static const char malformed[] = "whose bytes are malformed";

static const char *store_int(const struct leat_field *field, int64_t value, char *member)
{
	unsigned bits = 8u * field->size;

	if (!field->is_signed && value < 0)
		return too_large;
	if (bits < 64) {
		int64_t limit = INT64_C(1) << (field->is_signed ? bits - 1 : bits);

		if (value >= limit || (field->is_signed && value < -limit))
			return too_large;
	}
	switch (field->size) {
	case 1:
		memcpy(member, &(uint8_t){ (uint8_t)value }, 1);
		return NULL;
	case 2:
		memcpy(member, &(uint16_t){ (uint16_t)value }, 2);
		return NULL;
	case 4:
		memcpy(member, &(uint32_t){ (uint32_t)value }, 4);
		return NULL;
	case 8:
		memcpy(member, &value, 8);
		return NULL;
	}
	return too_large;
}

static uint32_t load32(const char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static uint64_t load64(const char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

static const char *put_int2(const struct leat_field *field, struct column_value value, const struct column_room *room,
			    char *member)
{
	uint16_t raw;

	(void)room;
	if (value.len != sizeof(raw))
		return malformed;
	memcpy(&raw, value.at, sizeof(raw));
	return store_int(field, (int16_t)be16toh(raw), member);
}

static const char *put_int4(const struct leat_field *field, struct column_value value, const struct column_room *room,
			    char *member)
{
	(void)room;
	return value.len == 4 ? store_int(field, (int32_t)load32(value.at), member) : malformed;
}

static const char *put_int8(const struct leat_field *field, struct column_value value, const struct column_room *room,
			    char *member)
{
	(void)room;
	return value.len == 8 ? store_int(field, (int64_t)load64(value.at), member) : malformed;
}

/* The commonest of all, without regard to sizes. */
static const char *put_whole_int8(const struct leat_field *field, struct column_value value,
				  const struct column_room *room, char *member)
{
	int64_t number;

	(void)field, (void)room;
	if (value.len != sizeof(number))
		return malformed;
	number = (int64_t)load64(value.at);
	memcpy(member, &number, sizeof(number));
	return NULL;
}

static const char *put_bool(const struct leat_field *field, struct column_value value, const struct column_room *room,
			    char *member)
{
	(void)field, (void)room;
	if (value.len != 1)
		return malformed;
	*(bool *)member = value.at[0] != 0;
	return NULL;
}

static const char *put_float4(const struct leat_field *field, struct column_value value, const struct column_room *room,
			      char *member)
{
	uint32_t raw;
	float number;

	(void)field, (void)room;
	if (value.len != sizeof(raw))
		return malformed;
	raw = load32(value.at);
	memcpy(&number, &raw, sizeof(number));
	*(double *)member = number;
	return NULL;
}

static const char *put_float8(const struct leat_field *field, struct column_value value, const struct column_room *room,
			      char *member)
{
	uint64_t raw;

	(void)field, (void)room;
	if (value.len != sizeof(raw))
		return malformed;
	raw = load64(value.at);
	memcpy(member, &raw, sizeof(raw));
	return NULL;
}

static leat_text text_of(struct column_value value, const struct column_room *room)
{
	return (leat_text){ room->is_copying ? arena_copy(room->arena, value.at, value.len) : value.at, value.len };
}

static const char *put_text(const struct leat_field *field, struct column_value value, const struct column_room *room,
			    char *member)
{
	(void)field;
	*(leat_text *)member = text_of(value, room);
	return NULL;
}

static const char *put_bytes(const struct leat_field *field, struct column_value value, const struct column_room *room,
			     char *member)
{
	leat_text bytes = text_of(value, room);

	(void)field;
	*(leat_bytes *)member = (leat_bytes){ (const uint8_t *)bytes.ptr, bytes.len };
	return NULL;
}

/* Microseconds since 2000; the greatest and the least number are infinity and -infinity (datatype/timestamp.h). */
static const char *put_time(const struct leat_field *field, struct column_value value, const struct column_room *room,
			    char *member)
{
	const int64_t seconds_to_2000 = 946684800;
	int64_t since_2000;
	leat_time time;

	(void)field, (void)room;
	if (value.len != 8)
		return malformed;
	since_2000 = (int64_t)load64(value.at);
	if (since_2000 == INT64_MAX || since_2000 == INT64_MIN)
		return "that is infinite";
	if (__builtin_add_overflow(since_2000, seconds_to_2000 * CALENDAR_S, &time.us) || !calendar_holds(time.us))
		return "beyond the years 1 to 9999";
	*(leat_time *)member = time;
	return NULL;
}

static const char *put_uuid(const struct leat_field *field, struct column_value value, const struct column_room *room,
			    char *member)
{
	(void)field, (void)room;
	if (value.len != sizeof(leat_uuid))
		return malformed;
	memcpy(member, value.at, sizeof(leat_uuid));
	return NULL;
}

static const char *put_json(const struct leat_field *field, struct column_value value, const struct column_room *room,
			    char *member)
{
	(void)field;
	((leat_json *)member)->text = text_of(value, room);
	return NULL;
}

/* A version, always 1 so far, and the same as json (jsonb_send in PostgreSQL's jsonb.c). */
static const char *put_jsonb(const struct leat_field *field, struct column_value value, const struct column_room *room,
			     char *member)
{
	if (value.len == 0 || value.at[0] != 1)
		return "of a version of jsonb that is not known";
	return put_json(field, (struct column_value){ value.at + 1, value.len - 1 }, room, member);
}

/* Arrays ------------------------------------------------------------------------------------------------------------ */

static bool take32(struct column_value *rest, uint32_t *ret_value)
{
	if (rest->len < sizeof(*ret_value))
		return false;
	*ret_value = load32(rest->at);
	*rest = (struct column_value){ rest->at + sizeof(*ret_value), rest->len - sizeof(*ret_value) };
	return true;
}

static const char *put_item(const struct leat_field *item, column_put_fn put, struct column_value *rest,
			    const struct column_room *room, char *place)
{
	struct column_value value;
	uint32_t len;

	if (!take32(rest, &len))
		return malformed;
	if (len == UINT32_MAX)
		return "with a NULL element";
	if (len > rest->len)
		return malformed;
	value = (struct column_value){ rest->at, len };
	*rest = (struct column_value){ rest->at + len, rest->len - len };
	return put(item, value, room, place);
}

static const char *put_items(const struct leat_field *field, uint32_t type, uint32_t count, struct column_value rest,
			     const struct column_room *room, char *member)
{
	const struct leat_field *item = &own_fields[field->kind == LEAT_KIND_INTS ? LEAT_KIND_INT : LEAT_KIND_TEXT];
	column_put_fn put = column_put_for(type, item);
	struct leat_list list = { .count = count };

	/* Each element has a length at least, so a count that lies takes no memory. */
	if (!put || count > rest.len / sizeof(uint32_t))
		return malformed;
	list.items = arena_alloc(room->arena, list.count * item->size);
	for (size_t i = 0; i < list.count; i++) {
		const char *why_not = put_item(item, put, &rest, room, (char *)list.items + i * item->size);

		if (why_not)
			return why_not;
	}
	memcpy(member, &list, sizeof(list)); /* leat_ints and leat_texts are lists of their items */
	return rest.len == 0 ? NULL : malformed;
}

/* How many dimensions, whether there are NULLs, the type of the elements; of each dimension its size and first index;
 * of each element its length, -1 for NULL, and its bytes (array_send in PostgreSQL's arrayfuncs.c). */
static const char *put_array(const struct leat_field *field, struct column_value value, const struct column_room *room,
			     char *member)
{
	struct column_value rest = value;
	uint32_t dimensions, has_null, type, first;
	uint32_t count = 0;

	if (!take32(&rest, &dimensions) || !take32(&rest, &has_null) || !take32(&rest, &type))
		return malformed;
	if (dimensions > 1)
		return "of more than one dimension";
	if (dimensions == 1 && (!take32(&rest, &count) || !take32(&rest, &first)))
		return malformed;
	return put_items(field, type, count, rest, room, member);
}

_Static_assert(sizeof(leat_ints) == sizeof(struct leat_list) && sizeof(leat_texts) == sizeof(struct leat_list),
	       "an array is a list of its items");

/* Matching ----------------------------------------------------------------------------------------------------------- */

/* Those that are met most come first. */
static const struct {
	unsigned type;
	enum leat_kind kind;
	const char *name;
	column_put_fn put;
} types[] = {
	{ OID_INT8, LEAT_KIND_INT, "int8", put_int8 },
	{ OID_TEXT, LEAT_KIND_TEXT, "text", put_text },
	{ OID_INT4, LEAT_KIND_INT, "int4", put_int4 },
	{ OID_VARCHAR, LEAT_KIND_TEXT, "varchar", put_text },
	{ OID_BOOL, LEAT_KIND_BOOL, "bool", put_bool },
	{ OID_FLOAT8, LEAT_KIND_FLOAT, "float8", put_float8 },
	{ OID_TIMESTAMPTZ, LEAT_KIND_TIME, "timestamptz", put_time },
	{ OID_UUID, LEAT_KIND_UUID, "uuid", put_uuid },
	{ OID_JSONB, LEAT_KIND_JSON, "jsonb", put_jsonb },
	{ OID_INT2, LEAT_KIND_INT, "int2", put_int2 },
	{ OID_FLOAT4, LEAT_KIND_FLOAT, "float4", put_float4 },
	{ OID_BPCHAR, LEAT_KIND_TEXT, "bpchar", put_text },
	{ OID_NAME, LEAT_KIND_TEXT, "name", put_text },
	{ OID_JSON, LEAT_KIND_TEXT, "json", put_text },
	{ OID_JSON, LEAT_KIND_JSON, "json", put_json },
	{ OID_BYTEA, LEAT_KIND_BYTES, "bytea", put_bytes },
	{ OID_TIMESTAMP, LEAT_KIND_TIME, "timestamp", put_time },
	{ OID_INT8_ARRAY, LEAT_KIND_INTS, "int8[]", put_array },
	{ OID_INT4_ARRAY, LEAT_KIND_INTS, "int4[]", put_array },
	{ OID_INT2_ARRAY, LEAT_KIND_INTS, "int2[]", put_array },
	{ OID_TEXT_ARRAY, LEAT_KIND_TEXTS, "text[]", put_array },
	{ OID_VARCHAR_ARRAY, LEAT_KIND_TEXTS, "varchar[]", put_array },
	{ OID_BPCHAR_ARRAY, LEAT_KIND_TEXTS, "bpchar[]", put_array },
	{ OID_NAME_ARRAY, LEAT_KIND_TEXTS, "name[]", put_array },
};

enum { TYPE_COUNT = sizeof(types) / sizeof(types[0]) };

column_put_fn column_put_for(unsigned type, const struct leat_field *field)
{
	if (type == OID_INT8 && field->kind == LEAT_KIND_INT && field->size == 8 && field->is_signed)
		return put_whole_int8;
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].type == type && types[i].kind == (enum leat_kind)field->kind)
			return types[i].put;
	return NULL;
}

unsigned column_type(enum leat_kind kind, unsigned index)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].kind == kind && index-- == 0)
			return types[i].type;
	return 0;
}

void column_write_misfit(unsigned type, enum leat_kind kind, struct buffer *out)
{
	const char *name = NULL, *separator = "";
	bool is_any = false;

	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].type == type)
			name = types[i].name;
	if (name)
		buffer_format(out, "is %s, and its field takes ", name);
	else
		buffer_format(out, "is of type %u, and its field takes ", type);
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (types[i].kind != kind)
			continue;
		buffer_format(out, "%s%s", separator, types[i].name);
		separator = ", ";
		is_any = true;
	}
	if (!is_any)
		buffer_text(out, LEAT_TEXT_OF("no column"));
}
