/* t_row.c - results into structs, without a server: libpq can make results itself. */
#include "back/row.h"

#include <libpq-fe.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/harness.h"

enum { BOOL = 16, INT8 = 20, INT2 = 21, INT4 = 23, TEXT = 25, JSON = 114, FLOAT4 = 700, FLOAT8 = 701, UUID = 2950 };

struct thing {
	int64_t id;
	uint8_t small;
	bool is_on;
	double size;
	leat_text name;
};

static const struct leat_shape thing_shape =
	LEAT_SHAPE(struct thing, LEAT_INT(id), LEAT_INT(small, .optional = true), LEAT_BOOL(is_on, .optional = true),
		   LEAT_FLOAT(size, .optional = true), LEAT_TEXT(name, .optional = true));

static const struct leat_statement statement = { .sql = "SELECT ...", .row = &thing_shape };

static struct arena_pool *pool;
static struct arena arena;
static PGresult *result;

static void setup(void)
{
	pool = arena_pool_new(0);
	arena_init(&arena, pool);
}

static void teardown(void)
{
	PQclear(result);
	arena_reset(&arena);
	arena_pool_free(pool);
}

struct column {
	const char *name;
	Oid type;
	const char *bytes; /* of the first row; NULL is NULL */
	int len;
};

static void set(int row, int column, const char *bytes, int len)
{
	ck_assert(PQsetvalue(result, row, column, (char *)bytes, bytes ? len : -1));
}

static void answer(const struct column *columns, int count)
{
	PGresAttDesc descriptions[8] = { 0 };

	for (int i = 0; i < count; i++)
		descriptions[i] = (PGresAttDesc){
			.name = (char *)columns[i].name, .typid = columns[i].type, .typlen = -1, .format = 1,
		};
	result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	ck_assert(PQsetResultAttrs(result, count, descriptions));
	for (int i = 0; i < count; i++)
		set(0, i, columns[i].bytes, columns[i].len);
}

/* A column of a literal's bytes, without its NUL. */
#define COLUMN(name, type, literal) { name, type, literal, sizeof(literal) - 1 }
#define ANSWER(...) \
	answer((const struct column[]){ __VA_ARGS__ }, sizeof((const struct column[]){ __VA_ARGS__ }) / sizeof(struct column))
#define ID COLUMN("id", INT8, "\0\0\0\0\0\0\0\x01")

static void reads(enum leat_result expected, struct thing *ret_thing)
{
	ck_assert_int_eq(row_read_one(result, &statement, &arena, ret_thing), expected);
}

static void fits(struct column column)
{
	struct thing thing;

	ANSWER(ID, column);
	reads(LEAT_OK, &thing);
}

static void does_not_fit(struct column column)
{
	struct thing thing;

	ANSWER(ID, column);
	reads(LEAT_INTERNAL, &thing);
}

START_TEST(every_kind_is_read)
{
	struct thing thing;

	ANSWER(COLUMN("id", INT8, "\x80\0\0\0\0\0\0\0"), COLUMN("small", INT2, "\0\xff"), COLUMN("is_on", BOOL, "\1"),
	       COLUMN("size", FLOAT8, "\x3f\xf8\0\0\0\0\0\0"), COLUMN("name", TEXT, "Zo\xc3\xab"));
	reads(LEAT_OK, &thing);
	ck_assert(thing.id == INT64_MIN);
	ck_assert_uint_eq(thing.small, 255);
	ck_assert(thing.is_on);
	ck_assert_double_eq(thing.size, 1.5);
	ck_assert(leat_text_equal(thing.name, LEAT_TEXT_OF("Zo\xc3\xab")));
}
END_TEST

START_TEST(columns_are_found_by_name_in_any_order)
{
	struct thing thing;

	ANSWER(COLUMN("name", TEXT, "x"), COLUMN("other", UUID, "?"), COLUMN("id", INT4, "\xff\xff\xff\xfe"));
	reads(LEAT_OK, &thing);
	ck_assert_int_eq(thing.id, -2);
}
END_TEST

START_TEST(texts_are_copies)
{
	struct thing thing;

	ANSWER(ID, COLUMN("name", JSON, "{}"));
	reads(LEAT_OK, &thing);
	ck_assert(thing.name.ptr != PQgetvalue(result, 0, 1));
}
END_TEST

START_TEST(a_short_float_is_widened)
{
	struct thing thing;

	ANSWER(ID, COLUMN("size", FLOAT4, "\x3f\x80\0\0"));
	reads(LEAT_OK, &thing);
	ck_assert_double_eq(thing.size, 1.0);
}
END_TEST

START_TEST(no_row_is_not_found)
{
	struct thing thing;

	result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	reads(LEAT_NOT_FOUND, &thing);
}
END_TEST

START_TEST(what_is_absent_leaves_zero)
{
	struct thing thing;

	memset(&thing, 0xff, sizeof(thing));
	ANSWER(ID, { "name", TEXT, NULL, 0 });
	reads(LEAT_OK, &thing);
	ck_assert_ptr_null(thing.name.ptr);
	ck_assert_uint_eq(thing.small, 0);
	ck_assert(!thing.is_on);
}
END_TEST

START_TEST(an_empty_text_is_not_absent)
{
	struct thing thing;

	ANSWER(ID, COLUMN("name", TEXT, ""));
	reads(LEAT_OK, &thing);
	ck_assert_ptr_nonnull(thing.name.ptr);
}
END_TEST

START_TEST(null_in_a_required_field_is_internal)
{
	struct thing thing;

	ANSWER({ "id", INT8, NULL, 0 });
	reads(LEAT_INTERNAL, &thing);
}
END_TEST

START_TEST(a_required_field_without_a_column_is_internal)
{
	struct thing thing;

	ANSWER(COLUMN("name", TEXT, "x"));
	reads(LEAT_INTERNAL, &thing);
}
END_TEST

START_TEST(a_type_that_does_not_fit_is_internal)
{
	does_not_fit((struct column)COLUMN("name", UUID, "0123456789abcdef"));
}
END_TEST

START_TEST(a_kind_that_does_not_fit_is_internal)
{
	does_not_fit((struct column)COLUMN("size", INT4, "\0\0\0\1"));
}
END_TEST

START_TEST(the_largest_value_fits)
{
	fits((struct column)COLUMN("small", INT4, "\0\0\0\xff"));
}
END_TEST

START_TEST(a_value_too_large_is_internal)
{
	does_not_fit((struct column)COLUMN("small", INT4, "\0\0\1\0"));
}
END_TEST

START_TEST(a_negative_value_in_an_unsigned_member_is_internal)
{
	does_not_fit((struct column)COLUMN("small", INT2, "\xff\xff"));
}
END_TEST

START_TEST(a_value_of_the_wrong_length_is_internal)
{
	does_not_fit((struct column)COLUMN("small", INT4, "\0\1"));
}
END_TEST

struct limits {
	int8_t a;
	int16_t b;
	int32_t c;
	uint16_t d;
	uint32_t e;
	uint64_t f;
};

static const struct leat_shape limits_shape = LEAT_SHAPE(struct limits, LEAT_INT(a), LEAT_INT(b), LEAT_INT(c), LEAT_INT(d),
							 LEAT_INT(e), LEAT_INT(f));
static const struct leat_statement limits_statement = { .sql = "SELECT ...", .row = &limits_shape };

START_TEST(members_of_every_size_hold_their_limits)
{
	struct limits limits;

	ANSWER(COLUMN("a", INT8, "\xff\xff\xff\xff\xff\xff\xff\x80"), COLUMN("b", INT8, "\0\0\0\0\0\0\x7f\xff"),
	       COLUMN("c", INT8, "\xff\xff\xff\xff\x80\0\0\0"), COLUMN("d", INT8, "\0\0\0\0\0\0\xff\xff"),
	       COLUMN("e", INT8, "\0\0\0\0\xff\xff\xff\xff"), COLUMN("f", INT8, "\x7f\xff\xff\xff\xff\xff\xff\xff"));
	ck_assert_int_eq(row_read_one(result, &limits_statement, &arena, &limits), LEAT_OK);
	ck_assert_int_eq(limits.a, INT8_MIN);
	ck_assert_int_eq(limits.b, INT16_MAX);
	ck_assert_int_eq(limits.c, INT32_MIN);
	ck_assert_uint_eq(limits.d, UINT16_MAX);
	ck_assert_uint_eq(limits.e, UINT32_MAX);
	ck_assert_uint_eq(limits.f, INT64_MAX);
}
END_TEST

START_TEST(all_rows_become_a_list)
{
	struct leat_list list;

	ANSWER(ID, COLUMN("name", TEXT, "first"));
	set(1, 0, "\0\0\0\0\0\0\0\2", 8);
	set(1, 1, "second", 6);
	ck_assert_int_eq(row_read_all(result, &statement, &arena, &list), LEAT_OK);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_int_eq(((struct thing *)list.items)[1].id, 2);
	ck_assert(leat_text_equal(((struct thing *)list.items)[1].name, LEAT_TEXT_OF("second")));
}
END_TEST

START_TEST(one_bad_row_spoils_the_list)
{
	struct leat_list list;

	ANSWER(ID);
	set(1, 0, NULL, 0);
	ck_assert_int_eq(row_read_all(result, &statement, &arena, &list), LEAT_INTERNAL);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("row");

	tcase_add_checked_fixture(HARNESS_CASE(s, "what fits", every_kind_is_read, columns_are_found_by_name_in_any_order,
					       texts_are_copies, a_short_float_is_widened, no_row_is_not_found,
					       what_is_absent_leaves_zero, an_empty_text_is_not_absent, the_largest_value_fits,
					       members_of_every_size_hold_their_limits, all_rows_become_a_list),
				  setup, teardown);
	tcase_add_checked_fixture(HARNESS_CASE(s, "what does not fit", null_in_a_required_field_is_internal,
					       a_required_field_without_a_column_is_internal,
					       a_type_that_does_not_fit_is_internal, a_kind_that_does_not_fit_is_internal,
					       a_value_too_large_is_internal,
					       a_negative_value_in_an_unsigned_member_is_internal,
					       a_value_of_the_wrong_length_is_internal, one_bad_row_spoils_the_list),
				  setup, teardown);
	return s;
}
