/* row.h - a result of PostgreSQL, in binary form, into structs of a shape.
 *
 * Use:
 *     enum leat_result result = row_read_one(answer, statement, &arena, &user);   -- LEAT_NOT_FOUND: no row
 *     enum leat_result result = row_read_all(answer, statement, &arena, &list);
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
 * Columns are matched to fields by name; the first of several counts; a column without a field is not read.
 * NULL, and a column that is not there, leave an optional field zero, and the bool of its LEAT_HAS false.
 *
 * Ownership:      the result stays the caller's and can be cleared at once: texts are copied into the arena. (Views that
 *                 keep the result alive would save little: libpq's result takes 2 KiB and more for the smallest row.)
 * Thread-safety:  one thread at a time per arena.
 * Errors:         LEAT_INTERNAL, with a line in the log that names column, statement, and what does not fit. A
 *                 statement without a shape is a bug.
 */
#ifndef APP_BACK_ROW_H
#define APP_BACK_ROW_H

#include <leat/db.h>

#include "base/arena.h"

struct pg_result; /* libpq's PGresult */

enum leat_result row_read_one(const struct pg_result *result, const struct leat_statement *statement,
			      struct arena *arena, void *ret_row) LEAT_MUST_USE;
enum leat_result row_read_all(const struct pg_result *result, const struct leat_statement *statement,
			      struct arena *arena, struct leat_list *ret_list) LEAT_MUST_USE;

/* The OID of the index-th type of column that fits a field of the kind; 0 behind the last. */
unsigned row_type(enum leat_kind kind, unsigned index);

#endif
