/* column.h - which columns of PostgreSQL fit which kinds of fields, and how a value in binary form becomes a member.
 *
 * Use:
 *     column_put_fn put = column_put_for(type, field);          -- once for a column; NULL: it does not fit
 *     const char *why_not = put(field, value, &room, member);   -- for each value
 *
 *     field       columns that fit
 *     LEAT_INT    int2, int4, int8, when the value fits the member
 *     LEAT_BOOL   bool
 *     LEAT_FLOAT  float4, float8
 *     LEAT_TEXT   text, varchar, bpchar, name, json
 *     LEAT_BYTES  bytea
 *     LEAT_TIME   timestamptz, timestamp (taken for UTC), from the year 1 to 9999; not the infinite ones
 *     LEAT_UUID   uuid
 *     LEAT_JSON   json, jsonb
 *     LEAT_INTS   int2[], int4[], int8[]: one dimension, no NULL among the elements
 *     LEAT_TEXTS  text[], varchar[], bpchar[], name[]: likewise
 *
 * The bytes are the server's, and still checked.
 *
 * Ownership:      the caller's. What a value needs beside its member comes from the room's arena; texts are copied there, or
 *                 stay where they are.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         a value that does not fit, in words that go on "a value ..."; its member may be changed then.
 */
#ifndef APP_BACK_COLUMN_H
#define APP_BACK_COLUMN_H

#include <leat/shape.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"

struct column_value {
	const char *at;
	size_t len;
};

struct column_room {
	struct arena *arena;
	bool is_copying; /* texts and bytes too, so that the values need not be kept */
};

typedef const char *(*column_put_fn)(const struct leat_field *field, struct column_value value,
				     const struct column_room *room, char *member);

column_put_fn column_put_for(unsigned type, const struct leat_field *field);

/* A field that is no shape's: its member is the kind's own type, for integers an int64_t. NULL: no column fits that kind. */
const struct leat_field *column_field(enum leat_kind kind);

/* The OID of the index-th type of column that fits a field of the kind; 0 behind the last. */
unsigned column_type(enum leat_kind kind, unsigned index);

/* "is uuid, and its field takes text, varchar": for types that fit no field, their number. */
void column_write_misfit(unsigned type, enum leat_kind kind, struct buffer *out);

#endif
