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
 * LEAT_TEXT leat_text; LEAT_LIST struct leat_list of structs of another shape; LEAT_OBJECT a struct of another shape.
 * A wrong type of member does not compile.
 *
 * Limits: for integers and floats .min and .max bound the value, for text the characters (code points), for lists
 * the items. Both 0 means no limit. A field is required unless .optional; an absent or null optional field leaves
 * the member zero, and a text that is absent ({NULL, 0}) is written as null.
 *
 * Ownership:      shapes are static. What parsing fills in lives as long as the request.
 * Thread-safety:  any thread; read only.
 * Errors:         parsing collects every fault of the input, each with its JSON pointer (RFC 6901): LEAT_INVALID.
 */
#ifndef LEAT_SHAPE_H
#define LEAT_SHAPE_H

#include <leat/text.h>
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
	int64_t min, max;
	const struct leat_shape *shape; /* of list items and of objects */
};

struct leat_shape {
	const char *name; /* the C type, as written */
	size_t size;
	uint16_t field_count;
	const struct leat_field *fields;
};

#define LEAT_SHAPE(type, ...) \
	{ .name = #type, .size = sizeof(type), \
	  .field_count = sizeof((const struct leat_field[]){ LEAT_EACH_(type, __VA_ARGS__) }) / sizeof(struct leat_field), \
	  .fields = (const struct leat_field[]){ LEAT_EACH_(type, __VA_ARGS__) } }

#define LEAT_INT(member, ...) (INT, member, __VA_ARGS__)
#define LEAT_BOOL(member, ...) (BOOL, member, __VA_ARGS__)
#define LEAT_FLOAT(member, ...) (FLOAT, member, __VA_ARGS__)
#define LEAT_TEXT(member, ...) (TEXT, member, __VA_ARGS__)
#define LEAT_LIST(member, item_shape, ...) (LIST, member, .shape = (item_shape), __VA_ARGS__)
#define LEAT_OBJECT(member, object_shape, ...) (OBJECT, member, .shape = (object_shape), __VA_ARGS__)

/* What follows makes LEAT_SHAPE work; nobody else needs it. */
#define LEAT_MEMBER_(type, member) (((type *)0)->member)
#define LEAT_IS_INT_(x) _Generic((x), int8_t : 1, uint8_t : 1, int16_t : 1, uint16_t : 1, int32_t : 1, uint32_t : 1, \
	long : 1, unsigned long : 1, long long : 1, unsigned long long : 1, char : 1, default : 0)
#define LEAT_IS_BOOL_(x) _Generic((x), bool : 1, default : 0)
#define LEAT_IS_FLOAT_(x) _Generic((x), double : 1, default : 0)
#define LEAT_IS_TEXT_(x) _Generic((x), leat_text : 1, default : 0)
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
