/* fuzz_row.c - what holds for a value of a row whatever a server sends. See README.md for how it is built and run. The
 * first byte chooses the column and its type, the rest is the value. Stands in for libpq: the value lies in a piece of
 * memory of its own size, so that a read past its end is seen. Checked:
 *   - the row is read, or refused as LEAT_INTERNAL, whether its texts are copied or point into the answer;
 *   - what was read lies in memory that may be read, arrays have no more elements than bytes came, and a time is held. */
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "back/row.h"
#include "base/calendar.h"
#include "base/check.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct row {
	int64_t small;
	bool flag;
	double number;
	leat_text text;
	leat_bytes bytes;
	leat_time time;
	leat_uuid uuid;
	leat_json json;
	leat_ints ints;
	leat_texts texts;
};

static const struct leat_shape row_shape = LEAT_SHAPE(struct row,
	LEAT_INT(small, .optional = true),
	LEAT_BOOL(flag, .optional = true),
	LEAT_FLOAT(number, .optional = true),
	LEAT_TEXT(text, .optional = true),
	LEAT_BYTES(bytes, .optional = true),
	LEAT_TIME(time, .optional = true),
	LEAT_UUID(uuid, .optional = true),
	LEAT_JSON(json, .optional = true),
	LEAT_INTS(ints, .optional = true),
	LEAT_TEXTS(texts, .optional = true));

static const struct leat_statement statement = { .sql = "SELECT ...", .row = &row_shape };

static const struct column {
	const char *name;
	Oid type;
} columns[] = {
	{ "small", 20 },   { "small", 21 },  { "small", 23 },   { "flag", 16 },    { "number", 700 },
	{ "number", 701 }, { "text", 25 },   { "text", 1043 },  { "bytes", 17 },   { "time", 1184 },
	{ "time", 1114 },  { "uuid", 2950 }, { "json", 114 },   { "json", 3802 },  { "ints", 1005 },
	{ "ints", 1007 },  { "ints", 1016 }, { "texts", 1009 }, { "texts", 1015 }, { "texts", 25 },
};

enum { COLUMN_COUNT = sizeof(columns) / sizeof(columns[0]) };

/* In place of libpq and the log ------------------------------------------------------------------------------------ */

struct pg_result {
	const struct column *column;
	char *value;
	int len;
};

int PQntuples(const PGresult *result)
{
	(void)result;
	return 1;
}

int PQnfields(const PGresult *result)
{
	(void)result;
	return 1;
}

char *PQfname(const PGresult *result, int column)
{
	(void)column;
	return (char *)result->column->name;
}

Oid PQftype(const PGresult *result, int column)
{
	(void)column;
	return result->column->type;
}

int PQfformat(const PGresult *result, int column)
{
	(void)result, (void)column;
	return 1;
}

char *PQgetvalue(const PGresult *result, int row, int column)
{
	(void)row, (void)column;
	return result->value;
}

int PQgetlength(const PGresult *result, int row, int column)
{
	(void)row, (void)column;
	return result->len;
}

void PQclear(PGresult *result)
{
	(void)result;
}

int PQgetisnull(const PGresult *result, int row, int column)
{
	(void)result, (void)row, (void)column;
	return 0;
}

void log_line_limited(struct log_limit *limit, enum log_level level, const char *format, ...)
{
	(void)limit, (void)level, (void)format;
}

/* Properties ------------------------------------------------------------------------------------------------------- */

static void check_bytes(const void *at, size_t len, size_t most)
{
	static volatile unsigned char sum;

	LEAT_CHECK(len <= most);
	for (size_t i = 0; i < len; i++)
		sum += ((const unsigned char *)at)[i];
}

static void check_row(const struct row *row, size_t size)
{
	check_bytes(row->text.ptr, row->text.len, size);
	check_bytes(row->bytes.ptr, row->bytes.len, size);
	check_bytes(row->json.text.ptr, row->json.text.len, size);
	check_bytes(row->ints.items, row->ints.count * sizeof(*row->ints.items), 2 * size);
	LEAT_CHECK(row->texts.count <= size);
	for (size_t i = 0; i < row->texts.count; i++)
		check_bytes(row->texts.items[i].ptr, row->texts.items[i].len, size);
	LEAT_CHECK(calendar_holds(row->time.us));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena_pool *pool;
	struct arena arena;
	struct pg_result answer;
	struct column_room room = { .arena = &arena }; /* texts point into the answer */
	struct row_reader *reader;
	struct row row;
	enum leat_result result;

	if (size == 0)
		return 0;
	pool = arena_pool_new(0);
	arena_init(&arena, pool);
	answer = (struct pg_result){ &columns[data[0] % COLUMN_COUNT], malloc(size - 1 + (size == 1)), (int)size - 1 };
	memcpy(answer.value, data + 1, size - 1);
	result = row_read_one(&answer, &statement, &arena, &row);
	LEAT_CHECK(result == LEAT_OK || result == LEAT_INTERNAL);
	if (result == LEAT_OK)
		check_row(&row, size);
	if (row_match(&answer, &statement, &arena, &reader) == LEAT_OK) {
		LEAT_CHECK(result == row_read(reader, (struct row_at){ &answer, 0, 1 }, &room, &row));
		if (result == LEAT_OK)
			check_row(&row, size);
	}
	free(answer.value);
	arena_reset(&arena);
	arena_pool_free(pool);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif
