/* leat/value.h - values that are neither number nor text: bytes, times, UUIDs, JSON documents, arrays.
 *
 * Use:
 *     struct note { leat_uuid id; leat_time written; leat_texts tags; leat_json extra; };
 *     LEAT_TRY(leat_db_one(req, &notes_since, &note, LEAT_ARG(note.written), LEAT_ARG(note.tags)));
 *
 *     type        in PostgreSQL                in JSON
 *     leat_bytes  bytea                        a string of base64 (RFC 4648 section 4, padded)
 *     leat_time   timestamptz; timestamp,      a string (RFC 3339), written in UTC: "2026-01-31T09:30:00Z", with
 *                 taken for UTC                microseconds only when there are any
 *     leat_uuid   uuid                         a string: "5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f"
 *     leat_json   json, jsonb                  any value, as it stands
 *     leat_ints   int2[], int4[], int8[]       an array of integers
 *     leat_texts  text[], varchar[]            an array of strings
 *
 * A null pointer means "absent", as in leat_text: it is SQL's NULL. What is empty has a pointer and no length.
 *
 * Ownership:      views; whoever owns the bytes is named where the value comes from. What a request hands out lives as
 *                 long as the request.
 * Thread-safety:  any thread.
 * Errors:         none. A leat_json that a handler makes itself is taken at its word.
 */
#ifndef LEAT_VALUE_H
#define LEAT_VALUE_H

#include <leat/text.h>
#include <stddef.h>
#include <stdint.h>

typedef struct leat_bytes {
	const uint8_t *ptr;
	size_t len;
} leat_bytes;

/* Microseconds since 1970 in UTC without leap seconds; a time in the years 1 to 9999. */
typedef struct leat_time {
	int64_t us;
} leat_time;

/* In the order in which the digits are written (RFC 9562). */
typedef struct leat_uuid {
	uint8_t bytes[16];
} leat_uuid;

/* One JSON document. */
typedef struct leat_json {
	leat_text text;
} leat_json;

typedef struct leat_ints {
	int64_t *items;
	size_t count;
} leat_ints;

/* As an argument, an absent text among the items is a NULL element; results have none. */
typedef struct leat_texts {
	leat_text *items;
	size_t count;
} leat_texts;

#endif
