/* t_db_prepared.c - prepared statements: made before their first use, and made again when they went stale. */
#include "back/statement.h"
#include "tests/unit/people.h"

TASK_TEST(deallocate_all_goes_unnoticed)
{
	static const struct leat_statement deallocate = { .sql = "DEALLOCATE ALL" };
	struct leat_query *queries[3];
	struct number number;

	ck_assert_result(leat_db_one(req, &one, &number), LEAT_OK);
	ck_assert_result(leat_db_exec(req, &deallocate, NULL), LEAT_OK);
	for (int i = 0; i < 3; i++)
		ck_assert_result(leat_db_send(req, &one, &queries[i]), LEAT_OK);
	for (int i = 0; i < 3; i++)
		ck_assert_result(leat_db_wait(req, queries[i], NULL), LEAT_OK);
}

TASK_TEST(a_write_is_executed_once_when_its_prepared_form_is_gone)
{
	static const struct leat_statement deallocate = { .sql = "DEALLOCATE ALL" };

	ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(10), LEAT_ARG("Lin")), LEAT_OK);
	ck_assert_result(leat_db_exec(req, &deallocate, NULL), LEAT_OK);
	ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(11), LEAT_ARG("Mae")), LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people"), 5);
}

TASK_TEST(a_changed_table_is_prepared_for_again)
{
	struct person person;

	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(1)), LEAT_OK);
	postgres_sql("ALTER TABLE people ALTER name TYPE varchar(40)");
	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(1)), LEAT_OK);
	ck_assert(leat_text_equal(person.name, LEAT_TEXT_OF("Ada")));
}

TASK_TEST(a_table_that_appears_later_is_found)
{
	static const struct leat_statement later = { .sql = "SELECT n FROM later", .row = &number_shape };
	struct number number;

	postgres_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS later");
	ck_assert_result(leat_db_one(req, &later, &number), LEAT_INTERNAL);
	postgres_sql("CREATE TABLE later AS SELECT 5::int8 AS n");
	ck_assert_result(leat_db_one(req, &later, &number), LEAT_OK);
	postgres_sql("DROP TABLE later");
	ck_assert_int_eq(number.n, 5);
}

/* Statements that the program lists ------------------------------------------------------------------------------- */

LEAT_STATEMENT(listed, .sql = "SELECT 4711::int8 AS n", .row = &number_shape, .read_only = true);

static void count_prepared(struct leat_request *req)
{
	static const struct leat_statement prepared = {
		.sql = "SELECT count(*) AS n FROM pg_prepared_statements WHERE statement = 'SELECT 4711::int8 AS n'",
		.row = &number_shape,
	};
	struct number number;

	ck_assert_result(leat_db_one(req, &prepared, &number), LEAT_OK);
	job_of(req)->arg = number.n;
}

START_TEST(a_listed_statement_is_prepared_before_its_first_use)
{
	struct job job = { 0 };

	end();
	statements_list(__start_leat_statements, __stop_leat_statements);
	begin();
	start(&job, count_prepared, 5000);
	finish_all();
	ck_assert_int_eq(job.arg, 1);
}
END_TEST

START_TEST(the_linker_lists_statements_with_their_names)
{
	ck_assert_int_eq(__stop_leat_statements - __start_leat_statements, 1);
	ck_assert_ptr_eq(__start_leat_statements[0], &listed);
	ck_assert_str_eq(listed.name, "listed");
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("db_prepared");

	postgres_need();
	HARNESS_CASE_WITH(s, "stale", setup, teardown, deallocate_all_goes_unnoticed,
			  a_write_is_executed_once_when_its_prepared_form_is_gone,
			  a_changed_table_is_prepared_for_again, a_table_that_appears_later_is_found);
	HARNESS_CASE_WITH(s, "listed", setup, teardown, a_listed_statement_is_prepared_before_its_first_use,
			  the_linker_lists_statements_with_their_names);
	return s;
}
