/* leat/shape.h - one table over a struct that parses, validates, answers in JSON and reads database rows.
 *
 * Use:
 *     struct user { int64_t id; leat_text name; leat_text email; };
 *
 *     static const struct leat_shape user_shape = LEAT_SHAPE(struct user,
 *         LEAT_INT(id),
 *         LEAT_TEXT(name, .min = 1, .max = 80),
 *         LEAT_TEXT(email, .format = LEAT_FORMAT_EMAIL));
 *
 * Member types: LEAT_INT any signed or unsigned integer of 1 to 8 bytes; LEAT_BOOL bool; LEAT_FLOAT double;
 * LEAT_TEXT leat_text; LEAT_BYTES, LEAT_TIME, LEAT_UUID, LEAT_JSON, LEAT_INTS and LEAT_TEXTS the types of leat/value.h;
 * LEAT_LIST struct leat_list of structs of another shape; LEAT_OBJECT a struct of another shape. A wrong type of member
 * does not compile.
 *
 * Limits: for integers and floats .min and .max bound the value, for text the characters (code points), for bytes and
 * JSON the bytes, for lists and arrays the items. Both 0 means no limit.
 *
 * A field is required unless .optional; an absent or null optional field leaves the member zero. A text that is absent
 * ({NULL, 0}) is written as null; so are absent bytes, JSON, and arrays when they are optional. What has no absent
 * value of its own, like a number, names a bool that tells the value from nothing:
 *
 *     struct page { int64_t next; bool has_next; };
 *     LEAT_INT(next, .optional = true, .has = LEAT_HAS(struct page, has_next))
 *
 * Reading sets the bool to whether the value is there; writing looks at it, and writes null when it is false.
 *
 * Ownership:      shapes are static. What parsing fills in lives as long as the request.
 * Thread-safety:  any thread; read only.
 * Errors:         parsing collects every fault of the input, each with its JSON pointer (RFC 6901): LEAT_INVALID.
 */
#ifndef LEAT_SHAPE_H
#define LEAT_SHAPE_H

#include <leat/text.h>
#include <leat/value.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum leat_kind {
	LEAT_KIND_INT,
	LEAT_KIND_BOOL,
	LEAT_KIND_FLOAT,
	LEAT_KIND_TEXT,
	LEAT_KIND_LIST,
	LEAT_KIND_OBJECT,
	LEAT_KIND_BYTES,
	LEAT_KIND_TIME,
	LEAT_KIND_UUID,
	LEAT_KIND_JSON,
	LEAT_KIND_INTS,
	LEAT_KIND_TEXTS,
};

enum leat_format {
	LEAT_FORMAT_NONE,
	LEAT_FORMAT_EMAIL, /* the HTML standard's "valid email address" */
};

/* A list member: 'count' structs of the item shape, one after the other. */
struct leat_list {
	void *items;
	size_t count;
};

struct leat_field {
	const char *name; /* in JSON, in rows, in problems */
	uint16_t name_len;
	uint16_t offset;
	uint16_t size;
	uint8_t kind; /* enum leat_kind */
	bool is_signed;
	bool optional;
	uint8_t format; /* enum leat_format */
	uint16_t has;   /* one more than the offset of the bool that LEAT_HAS names; 0: there is none */
	int64_t min, max;
	const struct leat_shape *shape; /* of list items and of objects */
};

struct leat_shape {
	const char *name; /* the C type, as written */
	size_t size;
	uint16_t field_count;
	const struct leat_field *fields;
};

/* Whether a field's value is there, as far as its LEAT_HAS tells; 'value' is the struct. */
static inline bool leat_field_is_there(const struct leat_field *field, const void *value)
{
	return !field->has || *((const bool *)value + field->has - 1);
}

/* Notes that it is. */
static inline void leat_field_set_there(const struct leat_field *field, void *value)
{
	if (field->has)
		*((bool *)value + field->has - 1) = true;
}

#define LEAT_SHAPE(type, ...) \
	{ .name = #type, .size = sizeof(type), \
	  .field_count = sizeof((const struct leat_field[]){ LEAT_EACH_(type, __VA_ARGS__) }) / sizeof(struct leat_field), \
	  .fields = (const struct leat_field[]){ LEAT_EACH_(type, __VA_ARGS__) } }

#define LEAT_INT(member, ...) (INT, member, __VA_ARGS__)
#define LEAT_BOOL(member, ...) (BOOL, member, __VA_ARGS__)
#define LEAT_FLOAT(member, ...) (FLOAT, member, __VA_ARGS__)
#define LEAT_TEXT(member, ...) (TEXT, member, __VA_ARGS__)
#define LEAT_BYTES(member, ...) (BYTES, member, __VA_ARGS__)
#define LEAT_TIME(member, ...) (TIME, member, __VA_ARGS__)
#define LEAT_UUID(member, ...) (UUID, member, __VA_ARGS__)
#define LEAT_JSON(member, ...) (JSON, member, __VA_ARGS__)
#define LEAT_INTS(member, ...) (INTS, member, __VA_ARGS__)
#define LEAT_TEXTS(member, ...) (TEXTS, member, __VA_ARGS__)
#define LEAT_LIST(member, item_shape, ...) (LIST, member, .shape = (item_shape), __VA_ARGS__)
#define LEAT_OBJECT(member, object_shape, ...) (OBJECT, member, .shape = (object_shape), __VA_ARGS__)

/* For .has: the member that tells whether an optional value is there, a bool. */
#define LEAT_HAS(type, member) (offsetof(type, member) + 1 + LEAT_MATCHES_(BOOL, type, member))

/* What follows makes LEAT_SHAPE work; nobody else needs it. */
#define LEAT_MEMBER_(type, member) (((type *)0)->member)
#define LEAT_IS_INT_(x) _Generic((x), int8_t : 1, uint8_t : 1, int16_t : 1, uint16_t : 1, int32_t : 1, uint32_t : 1, \
	long : 1, unsigned long : 1, long long : 1, unsigned long long : 1, char : 1, default : 0)
#define LEAT_IS_BOOL_(x) _Generic((x), bool : 1, default : 0)
#define LEAT_IS_FLOAT_(x) _Generic((x), double : 1, default : 0)
#define LEAT_IS_TEXT_(x) _Generic((x), leat_text : 1, default : 0)
#define LEAT_IS_BYTES_(x) _Generic((x), leat_bytes : 1, default : 0)
#define LEAT_IS_TIME_(x) _Generic((x), leat_time : 1, default : 0)
#define LEAT_IS_UUID_(x) _Generic((x), leat_uuid : 1, default : 0)
#define LEAT_IS_JSON_(x) _Generic((x), leat_json : 1, default : 0)
#define LEAT_IS_INTS_(x) _Generic((x), leat_ints : 1, default : 0)
#define LEAT_IS_TEXTS_(x) _Generic((x), leat_texts : 1, default : 0)
#define LEAT_IS_LIST_(x) _Generic((x), struct leat_list : 1, default : 0)
#define LEAT_IS_OBJECT_(x) 1
#define LEAT_IS_SIGNED_(x) _Generic((x), int8_t : 1, int16_t : 1, int32_t : 1, long : 1, long long : 1, char : (char)-1 < 0, default : 0)

/* Adds nothing; refuses to compile when the member has another type than the field says. */
#define LEAT_MATCHES_(KIND, type, member) \
	(0 * sizeof(struct { int field_and_member_types_differ : LEAT_IS_##KIND##_(LEAT_MEMBER_(type, member)) ? 1 : -1; }))

#define LEAT_FIELD_(type, KIND, member, ...) \
	{ .name = #member, .name_len = sizeof(#member) - 1, .offset = offsetof(type, member), \
	  .size = sizeof(LEAT_MEMBER_(type, member)) + LEAT_MATCHES_(KIND, type, member), .kind = LEAT_KIND_##KIND, \
	  .is_signed = LEAT_IS_SIGNED_(LEAT_MEMBER_(type, member)), __VA_ARGS__ },
#define LEAT_FIELD_OF_(type, ...) LEAT_FIELD_(type, __VA_ARGS__)
#define LEAT_UNWRAP_(...) __VA_ARGS__
#define LEAT_ONE_(type, field) LEAT_FIELD_OF_(type, LEAT_UNWRAP_ field)

#define LEAT_PARENS_ ()
#define LEAT_EXPAND_(...) LEAT_EXPAND3_(LEAT_EXPAND3_(LEAT_EXPAND3_(LEAT_EXPAND3_(__VA_ARGS__))))
#define LEAT_EXPAND3_(...) LEAT_EXPAND2_(LEAT_EXPAND2_(LEAT_EXPAND2_(LEAT_EXPAND2_(__VA_ARGS__))))
#define LEAT_EXPAND2_(...) LEAT_EXPAND1_(LEAT_EXPAND1_(LEAT_EXPAND1_(LEAT_EXPAND1_(__VA_ARGS__))))
#define LEAT_EXPAND1_(...) __VA_ARGS__
#define LEAT_EACH_(type, ...) LEAT_EXPAND_(LEAT_EACH_NEXT_(type, __VA_ARGS__))
#define LEAT_EACH_NEXT_(type, field, ...) \
	LEAT_ONE_(type, field) __VA_OPT__(LEAT_EACH_AGAIN_ LEAT_PARENS_(type, __VA_ARGS__))
#define LEAT_EACH_AGAIN_() LEAT_EACH_NEXT_

#endif
