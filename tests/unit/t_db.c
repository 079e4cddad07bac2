/* t_db.c - statements and their answers, against a real PostgreSQL. */
#include "tests/unit/people.h"

static const struct leat_statement all_people = { .sql = "SELECT id, name, note FROM people ORDER BY id",
						  .row = &person_shape,
						  .read_only = true };

TASK_TEST(one_row_fills_a_struct)
{
	struct person person;

	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(1)), LEAT_OK);
	ck_assert_int_eq(person.id, 1);
	ck_assert(leat_text_equal(person.name, LEAT_TEXT_OF("Ada")));
	ck_assert(leat_text_equal(person.note, LEAT_TEXT_OF("first")));
}

TASK_TEST(no_row_is_not_found)
{
	struct person person;

	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(99)), LEAT_NOT_FOUND);
}

TASK_TEST(null_leaves_an_optional_field_absent_and_empty_does_not)
{
	struct person person;

	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(2)), LEAT_OK);
	ck_assert_ptr_null(person.note.ptr);
	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(3)), LEAT_OK);
	ck_assert_ptr_nonnull(person.note.ptr);
	ck_assert_uint_eq(person.note.len, 0);
}

TASK_TEST(many_rows_come_as_a_list_in_order)
{
	struct leat_list list;
	struct person *people;

	ck_assert_result(leat_db_all(req, &all_people, &list), LEAT_OK);
	ck_assert_uint_eq(list.count, 3);
	people = list.items;
	ck_assert_int_eq(people[2].id, 3);
	ck_assert(leat_text_equal(people[2].name, LEAT_TEXT_OF("Zoë")));
}

TASK_TEST(no_rows_are_an_empty_list)
{
	static const struct leat_statement nobody = { .sql = "SELECT id, name, note FROM people WHERE false",
						      .row = &person_shape };
	struct leat_list list;

	ck_assert_result(leat_db_all(req, &nobody, &list), LEAT_OK);
	ck_assert_uint_eq(list.count, 0);
}

TASK_TEST(a_large_result_arrives_whole)
{
	static const struct leat_statement many = {
		.sql = "SELECT i AS id, repeat('x', 100) AS name FROM generate_series(1, 20000) AS i",
		.row = &person_shape
	};
	struct leat_list list;

	ck_assert_result(leat_db_all(req, &many, &list), LEAT_OK);
	ck_assert_uint_eq(list.count, 20000);
	ck_assert_int_eq(((struct person *)list.items)[19999].id, 20000);
}

TASK_TEST(a_text_larger_than_the_socket_goes_there_and_back)
{
	static const struct leat_statement echo = { .sql = "SELECT 1::int8 AS id, $1::text AS name",
						    .row = &person_shape };
	leat_text text = { arena_alloc(call_of(req)->arena, 3000000), 3000000 };
	struct person person;

	memset((char *)text.ptr, 'x', text.len);
	ck_assert_result(leat_db_one(req, &echo, &person, LEAT_ARG(text)), LEAT_OK);
	ck_assert(leat_text_equal(person.name, text));
}

TASK_TEST(exec_counts_the_rows_it_changed)
{
	int64_t count;

	ck_assert_result(leat_db_exec(req, &rename_all, &count, LEAT_ARG("Ida")), LEAT_OK);
	ck_assert_int_eq(count, 3);
}

TASK_TEST(a_duplicate_key_is_a_conflict)
{
	ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(1), LEAT_ARG("Ada")), LEAT_CONFLICT);
}

TASK_TEST(an_sql_error_is_internal)
{
	static const struct leat_statement wrong = { .sql = "SELECT nonsense FROM nowhere", .row = &number_shape };
	struct number number;

	ck_assert_result(leat_db_one(req, &wrong, &number), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &wrong, &number), LEAT_INTERNAL);
}

TASK_TEST(arguments_of_every_kind_arrive)
{
	static const struct leat_statement check = {
		.sql = "SELECT ($1::int8 = -9223372036854775808 AND $2::bool AND $3::float8 = 0.1 AND $4::text = 'ü' "
		       "AND $5::text IS NULL AND $6::numeric = 0.1 AND $7::int2 = 7 AND $8::uuid IS NOT NULL "
		       "AND $9::text = '')::int AS n",
		.row = &number_shape,
	};
	struct number number;

	ck_assert_result(leat_db_one(req, &check, &number, LEAT_ARG(INT64_MIN), LEAT_ARG((bool)true), LEAT_ARG(0.1),
				     LEAT_ARG(LEAT_TEXT_OF("ü")), LEAT_NULL, LEAT_ARG(0.1), LEAT_ARG(7),
				     LEAT_ARG("5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f"), LEAT_ARG("")),
			 LEAT_OK);
	ck_assert_int_eq(number.n, 1);
}

TASK_TEST(a_text_with_nul_is_refused_instead_of_cut)
{
	ck_assert_result(leat_db_exec(req, &rename_all, NULL, LEAT_ARG(LEAT_TEXT_OF("a\0b"))), LEAT_INTERNAL);
}

TASK_TEST(the_wrong_number_of_arguments_is_internal)
{
	struct number number;

	ck_assert_result(leat_db_one(req, &twice, &number), LEAT_INTERNAL);
}

TASK_TEST(copy_is_refused_and_the_lane_comes_back)
{
	static const struct leat_statement copy = { .sql = "COPY people TO STDOUT", .read_only = true };
	struct number number;

	ck_assert_result(leat_db_exec(req, &copy, NULL), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &one, &number), LEAT_OK);
}

static void measure_backslash(struct leat_request *req)
{
	static const struct leat_statement backslash = { .sql = "SELECT length('a\\nb') AS n", .row = &number_shape };
	struct number number;

	ck_assert_result(leat_db_one(req, &backslash, &number), LEAT_OK);
	job_of(req)->arg = number.n;
}

START_TEST(a_backslash_is_itself_whatever_the_server_is_set_to)
{
	struct job job = { 0 };

	end();
	postgres_sql("ALTER ROLE postgres SET standard_conforming_strings = off");
	begin();
	start(&job, measure_backslash, 5000);
	finish_all();
	postgres_sql("ALTER ROLE postgres RESET standard_conforming_strings");
	ck_assert_int_eq(job.arg, 4);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("db");

	postgres_need();
	HARNESS_CASE_WITH(s, "rows", setup, teardown, one_row_fills_a_struct, no_row_is_not_found,
			  null_leaves_an_optional_field_absent_and_empty_does_not, many_rows_come_as_a_list_in_order,
			  no_rows_are_an_empty_list, a_large_result_arrives_whole,
			  a_text_larger_than_the_socket_goes_there_and_back, exec_counts_the_rows_it_changed);
	HARNESS_CASE_WITH(s, "refusals", setup, teardown, a_duplicate_key_is_a_conflict, an_sql_error_is_internal,
			  a_text_with_nul_is_refused_instead_of_cut, the_wrong_number_of_arguments_is_internal,
			  copy_is_refused_and_the_lane_comes_back);
	HARNESS_CASE_WITH(s, "arguments", setup, teardown, arguments_of_every_kind_arrive,
			  a_backslash_is_itself_whatever_the_server_is_set_to);
	return s;
}
