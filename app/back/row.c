/* row.c - see row.h. Called by db.c, on the task's stack. The bytes are the server's, and still checked: a length or a
 * type that is not what it should be ends in LEAT_INTERNAL.
 *
 * A result is first matched to the shape, once for all its rows: a list of cells, each a column, a field and the
 * function that carries the one into the other. */
#include "back/row.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/calendar.h"
#include "base/check.h"
#include "base/log.h"

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

struct bytes {
	const char *at;
	size_t len;
};

/* Puts a value into a member; NULL, or what the value is when it does not fit. */
typedef const char *(*row_put_fn)(const struct leat_field *field, struct bytes value, struct arena *arena,
				  char *member);

struct cell {
	int column;
	const struct leat_field *field;
	row_put_fn put;
};

struct reader {
	const PGresult *result;
	const struct leat_statement *statement;
	struct arena *arena;
	struct cell *cells;
	unsigned cell_count;
};

static row_put_fn put_for(Oid type, enum leat_kind kind);
static enum leat_result match(struct reader *reader);
static enum leat_result read_row(const struct reader *reader, int row, char *ret_row);

static struct reader reader_of(const PGresult *result, const struct leat_statement *statement, struct arena *arena)
{
	LEAT_CHECK(statement->row);
	return (struct reader){ .result = result, .statement = statement, .arena = arena };
}

enum leat_result row_read_one(const PGresult *result, const struct leat_statement *statement, struct arena *arena,
			      void *ret_row)
{
	struct reader reader = reader_of(result, statement, arena);

	if (PQntuples(result) == 0)
		return LEAT_NOT_FOUND;
	LEAT_TRY(match(&reader));
	return read_row(&reader, 0, ret_row);
}

enum leat_result row_read_all(const PGresult *result, const struct leat_statement *statement, struct arena *arena,
			      struct leat_list *ret_list)
{
	struct reader reader = reader_of(result, statement, arena);
	int count = PQntuples(result);
	size_t size = statement->row->size;
	char *items;

	*ret_list = (struct leat_list){ 0 };
	if (count == 0)
		return LEAT_OK;
	LEAT_TRY(match(&reader));
	items = arena_alloc(arena, (size_t)count * size);
	for (int row = 0; row < count; row++)
		LEAT_TRY(read_row(&reader, row, items + (size_t)row * size));
	*ret_list = (struct leat_list){ .items = items, .count = (size_t)count };
	return LEAT_OK;
}

/* One line for whoever wrote the statement. */
static enum leat_result misfit(const struct reader *reader, const char *name, const char *format, ...)
	LEAT_PRINTF(3, 4);
static enum leat_result misfit(const struct reader *reader, const char *name, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	log_limited(LOG_LEVEL_ERROR, "database: column %s for %s %s in: %s", name, reader->statement->row->name, what,
		    reader->statement->sql);
	return LEAT_INTERNAL;
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

static const char *put_int2(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	uint16_t raw;

	(void)arena;
	if (value.len != sizeof(raw))
		return malformed;
	memcpy(&raw, value.at, sizeof(raw));
	return store_int(field, (int16_t)be16toh(raw), member);
}

static const char *put_int4(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)arena;
	return value.len == 4 ? store_int(field, (int32_t)load32(value.at), member) : malformed;
}

static const char *put_int8(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)arena;
	return value.len == 8 ? store_int(field, (int64_t)load64(value.at), member) : malformed;
}

static const char *put_bool(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)field, (void)arena;
	if (value.len != 1)
		return malformed;
	*(bool *)member = value.at[0] != 0;
	return NULL;
}

static const char *put_float4(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	uint32_t raw;
	float number;

	(void)field, (void)arena;
	if (value.len != sizeof(raw))
		return malformed;
	raw = load32(value.at);
	memcpy(&number, &raw, sizeof(number));
	*(double *)member = number;
	return NULL;
}

static const char *put_float8(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	uint64_t raw;

	(void)field, (void)arena;
	if (value.len != sizeof(raw))
		return malformed;
	raw = load64(value.at);
	memcpy(member, &raw, sizeof(raw));
	return NULL;
}

static const char *put_text(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)field;
	*(leat_text *)member = (leat_text){ arena_copy(arena, value.at, value.len), value.len };
	return NULL;
}

static const char *put_bytes(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)field;
	*(leat_bytes *)member = (leat_bytes){ (const uint8_t *)arena_copy(arena, value.at, value.len), value.len };
	return NULL;
}

/* Microseconds since 2000; the greatest and the least number are infinity and -infinity (datatype/timestamp.h). */
static const char *put_time(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	const int64_t seconds_to_2000 = 946684800;
	int64_t since_2000;
	leat_time time;

	(void)field, (void)arena;
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

static const char *put_uuid(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)field, (void)arena;
	if (value.len != sizeof(leat_uuid))
		return malformed;
	memcpy(member, value.at, sizeof(leat_uuid));
	return NULL;
}

static const char *put_json(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)field;
	((leat_json *)member)->text = (leat_text){ arena_copy(arena, value.at, value.len), value.len };
	return NULL;
}

/* A version, always 1 so far, and the same as json (jsonb_send in PostgreSQL's jsonb.c). */
static const char *put_jsonb(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	if (value.len == 0 || value.at[0] != 1)
		return "of a version of jsonb that is not known";
	return put_json(field, (struct bytes){ value.at + 1, value.len - 1 }, arena, member);
}

/* Arrays ------------------------------------------------------------------------------------------------------------ */

/* An item is put like a member. */
static const struct leat_field int_item = { .kind = LEAT_KIND_INT, .size = sizeof(int64_t), .is_signed = true };
static const struct leat_field text_item = { .kind = LEAT_KIND_TEXT, .size = sizeof(leat_text) };

static bool take32(struct bytes *rest, uint32_t *ret_value)
{
	if (rest->len < sizeof(*ret_value))
		return false;
	*ret_value = load32(rest->at);
	*rest = (struct bytes){ rest->at + sizeof(*ret_value), rest->len - sizeof(*ret_value) };
	return true;
}

static const char *put_item(const struct leat_field *item, row_put_fn put, struct bytes *rest, struct arena *arena,
			    char *place)
{
	struct bytes value;
	uint32_t len;

	if (!take32(rest, &len))
		return malformed;
	if (len == UINT32_MAX)
		return "with a NULL element";
	if (len > rest->len)
		return malformed;
	value = (struct bytes){ rest->at, len };
	*rest = (struct bytes){ rest->at + len, rest->len - len };
	return put(item, value, arena, place);
}

static const char *put_items(const struct leat_field *field, Oid type, uint32_t count, struct bytes rest,
			     struct arena *arena, char *member)
{
	const struct leat_field *item = field->kind == LEAT_KIND_INTS ? &int_item : &text_item;
	row_put_fn put = put_for(type, (enum leat_kind)item->kind);
	struct leat_list list = { .count = count };

	/* Each element has a length at least, so a count that lies takes no memory. */
	if (!put || count > rest.len / sizeof(uint32_t))
		return malformed;
	list.items = arena_alloc(arena, list.count * item->size);
	for (size_t i = 0; i < list.count; i++) {
		const char *why_not = put_item(item, put, &rest, arena, (char *)list.items + i * item->size);

		if (why_not)
			return why_not;
	}
	memcpy(member, &list, sizeof(list)); /* leat_ints and leat_texts are lists of their items */
	return rest.len == 0 ? NULL : malformed;
}

/* How many dimensions, whether there are NULLs, the type of the elements; of each dimension its size and first index;
 * of each element its length, -1 for NULL, and its bytes (array_send in PostgreSQL's arrayfuncs.c). */
static const char *put_array(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	struct bytes rest = value;
	uint32_t dimensions, has_null, type, first;
	uint32_t count = 0;

	if (!take32(&rest, &dimensions) || !take32(&rest, &has_null) || !take32(&rest, &type))
		return malformed;
	if (dimensions > 1)
		return "of more than one dimension";
	if (dimensions == 1 && (!take32(&rest, &count) || !take32(&rest, &first)))
		return malformed;
	return put_items(field, type, count, rest, arena, member);
}

_Static_assert(sizeof(leat_ints) == sizeof(struct leat_list) && sizeof(leat_texts) == sizeof(struct leat_list),
	       "an array is a list of its items");

/* Matching ----------------------------------------------------------------------------------------------------------- */

/* Those that are met most come first. */
static const struct {
	Oid type;
	enum leat_kind kind;
	const char *name;
	row_put_fn put;
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

static row_put_fn put_for(Oid type, enum leat_kind kind)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].type == type && types[i].kind == kind)
			return types[i].put;
	return NULL;
}

unsigned row_type(enum leat_kind kind, unsigned index)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].kind == kind && index-- == 0)
			return types[i].type;
	return 0;
}

/* The column of a name, -1 when there is none. Statements usually list their columns in the fields' order: looked at
 * first. (PQfnumber folds case like SQL and parses quotes; a field's name is taken as it is.) */
static int column_of(const PGresult *result, const char *name, int expected)
{
	int count = PQnfields(result);

	if (expected < count && strcmp(PQfname(result, expected), name) == 0)
		return expected;
	for (int column = 0; column < count; column++)
		if (strcmp(PQfname(result, column), name) == 0)
			return column;
	return -1;
}

/* "is uuid, and its field takes text, varchar": for types without a field, their number. */
static enum leat_result misfit_of_type(const struct reader *reader, Oid type, const struct leat_field *field)
{
	const char *name = NULL;
	struct buffer takes;

	buffer_init(&takes, reader->arena, 64);
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (types[i].type == type)
			name = types[i].name;
		if (types[i].kind == field->kind)
			buffer_format(&takes, "%s%s", takes.len ? ", " : "", types[i].name);
	}
	if (!takes.len)
		buffer_text(&takes, LEAT_TEXT_OF("no column"));
	if (name)
		return misfit(reader, field->name, "is %s, and its field takes %.*s", name, (int)takes.len, takes.data);
	return misfit(reader, field->name, "is of type %u, and its field takes %.*s", type, (int)takes.len, takes.data);
}

static enum leat_result match_field(struct reader *reader, const struct leat_field *field, int column)
{
	Oid type = PQftype(reader->result, column);
	row_put_fn put = put_for(type, (enum leat_kind)field->kind);

	if (!put)
		return misfit_of_type(reader, type, field);
	if (PQfformat(reader->result, column) != 1)
		return misfit(reader, field->name, "is not in binary form");
	reader->cells[reader->cell_count++] = (struct cell){ column, field, put };
	return LEAT_OK;
}

static enum leat_result match(struct reader *reader)
{
	const struct leat_shape *shape = reader->statement->row;

	reader->cells = arena_alloc(reader->arena, shape->field_count * sizeof(*reader->cells));
	for (int i = 0; i < shape->field_count; i++) {
		const struct leat_field *field = &shape->fields[i];
		int column = column_of(reader->result, field->name, i);

		if (column < 0 && field->optional)
			continue;
		if (column < 0)
			return misfit(reader, field->name, "is missing");
		LEAT_TRY(match_field(reader, field, column));
	}
	return LEAT_OK;
}

static enum leat_result read_row(const struct reader *reader, int row, char *ret_row)
{
	const PGresult *result = reader->result;

	memset(ret_row, 0, reader->statement->row->size);
	for (unsigned i = 0; i < reader->cell_count; i++) {
		const struct cell *cell = &reader->cells[i];
		const struct leat_field *field = cell->field;
		struct bytes value = { PQgetvalue(result, row, cell->column),
				       (size_t)PQgetlength(result, row, cell->column) };
		const char *why_not;

		if (value.len == 0 && PQgetisnull(result, row, cell->column)) {
			if (!field->optional)
				return misfit(reader, field->name, "is NULL in row %d, and its field not optional",
					      row + 1);
			continue;
		}
		why_not = cell->put(field, value, reader->arena, ret_row + field->offset);
		if (why_not)
			return misfit(reader, field->name, "has in row %d a value %s", row + 1, why_not);
		leat_field_set_there(field, ret_row);
	}
	return LEAT_OK;
}
