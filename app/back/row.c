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

#include "base/check.h"
#include "base/log.h"

/* pg_type.dat of PostgreSQL: these never change. */
enum {
	OID_BOOL = 16,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_JSON = 114,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
};

struct bytes {
	const char *at;
	size_t len;
};

/* Puts a value into a member; false when it does not fit. */
typedef bool (*row_put_fn)(const struct leat_field *field, struct bytes value, struct arena *arena, char *member);

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
	char what[128];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	log_limited(LOG_LEVEL_ERROR, "database: column %s for %s %s in: %s", name, reader->statement->row->name, what,
		    reader->statement->sql);
	return LEAT_INTERNAL;
}

/* Values ------------------------------------------------------------------------------------------------------------ */

static bool store_int(const struct leat_field *field, int64_t value, char *member)
{
	unsigned bits = 8u * field->size;

	if (!field->is_signed && value < 0)
		return false;
	if (bits < 64) {
		int64_t limit = INT64_C(1) << (field->is_signed ? bits - 1 : bits);

		if (value >= limit || (field->is_signed && value < -limit))
			return false;
	}
	switch (field->size) {
	case 1:
		memcpy(member, &(uint8_t){ (uint8_t)value }, 1);
		return true;
	case 2:
		memcpy(member, &(uint16_t){ (uint16_t)value }, 2);
		return true;
	case 4:
		memcpy(member, &(uint32_t){ (uint32_t)value }, 4);
		return true;
	case 8:
		memcpy(member, &value, 8);
		return true;
	}
	return false;
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

static bool put_int2(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	uint16_t raw;

	(void)arena;
	if (value.len != sizeof(raw))
		return false;
	memcpy(&raw, value.at, sizeof(raw));
	return store_int(field, (int16_t)be16toh(raw), member);
}

static bool put_int4(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)arena;
	return value.len == 4 && store_int(field, (int32_t)load32(value.at), member);
}

static bool put_int8(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)arena;
	return value.len == 8 && store_int(field, (int64_t)load64(value.at), member);
}

static bool put_bool(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)field, (void)arena;
	if (value.len != 1)
		return false;
	*(bool *)member = value.at[0] != 0;
	return true;
}

static bool put_float4(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	uint32_t raw;
	float number;

	(void)field, (void)arena;
	if (value.len != sizeof(raw))
		return false;
	raw = load32(value.at);
	memcpy(&number, &raw, sizeof(number));
	*(double *)member = number;
	return true;
}

static bool put_float8(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	uint64_t raw;

	(void)field, (void)arena;
	if (value.len != sizeof(raw))
		return false;
	raw = load64(value.at);
	memcpy(member, &raw, sizeof(raw));
	return true;
}

static bool put_text(const struct leat_field *field, struct bytes value, struct arena *arena, char *member)
{
	(void)field;
	*(leat_text *)member = (leat_text){ arena_copy(arena, value.at, value.len), value.len };
	return true;
}

/* Matching ----------------------------------------------------------------------------------------------------------- */

static const struct {
	Oid type;
	enum leat_kind kind;
	row_put_fn put;
} types[] = {
	{ OID_INT8, LEAT_KIND_INT, put_int8 },    { OID_TEXT, LEAT_KIND_TEXT, put_text },
	{ OID_INT4, LEAT_KIND_INT, put_int4 },    { OID_VARCHAR, LEAT_KIND_TEXT, put_text },
	{ OID_BOOL, LEAT_KIND_BOOL, put_bool },   { OID_FLOAT8, LEAT_KIND_FLOAT, put_float8 },
	{ OID_INT2, LEAT_KIND_INT, put_int2 },    { OID_FLOAT4, LEAT_KIND_FLOAT, put_float4 },
	{ OID_BPCHAR, LEAT_KIND_TEXT, put_text }, { OID_NAME, LEAT_KIND_TEXT, put_text },
	{ OID_JSON, LEAT_KIND_TEXT, put_text },
};

static row_put_fn put_for(Oid type, enum leat_kind kind)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type && types[i].kind == kind)
			return types[i].put;
	return NULL;
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

static enum leat_result match(struct reader *reader)
{
	const struct leat_shape *shape = reader->statement->row;

	reader->cells = arena_alloc(reader->arena, shape->field_count * sizeof(*reader->cells));
	for (int i = 0; i < shape->field_count; i++) {
		const struct leat_field *field = &shape->fields[i];
		int column = column_of(reader->result, field->name, i);
		struct cell *cell = &reader->cells[reader->cell_count];

		if (column < 0 && field->optional)
			continue;
		if (column < 0)
			return misfit(reader, field->name, "is missing");
		*cell = (struct cell){ column, field, put_for(PQftype(reader->result, column), field->kind) };
		if (!cell->put || PQfformat(reader->result, column) != 1)
			return misfit(reader, field->name, "has a type (%u) that does not fit its field",
				      PQftype(reader->result, column));
		reader->cell_count++;
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

		if (value.len == 0 && PQgetisnull(result, row, cell->column)) {
			if (!field->optional)
				return misfit(reader, field->name, "is NULL in row %d, and its field not optional",
					      row + 1);
			continue;
		}
		if (!cell->put(field, value, reader->arena, ret_row + field->offset))
			return misfit(reader, field->name, "has a value in row %d that does not fit its field",
				      row + 1);
	}
	return LEAT_OK;
}
