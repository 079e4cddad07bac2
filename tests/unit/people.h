/* people.h - the table of people that db_stand.h makes for each test: shapes, statements, and what many tests do with them.
 *
 * Use:
 *     TASK_TEST(a_sentence)
 *     {
 *         ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(10), LEAT_ARG("ten")), LEAT_OK);
 *         ck_assert_int_eq(count_rows(), 4);
 *     }
 *
 * Ownership:      nothing to own.
 * Thread-safety:  the main thread.
 * Errors:         db_stand.h's and postgres.h's.
 */
#ifndef TESTS_UNIT_PEOPLE_H
#define TESTS_UNIT_PEOPLE_H

#include "tests/unit/db_stand.h"

struct person {
	int64_t id;
	leat_text name;
	leat_text note;
};

static const struct leat_shape person_shape = LEAT_SHAPE(struct person, LEAT_INT(id), LEAT_TEXT(name), LEAT_TEXT(note, .optional = true));

struct number {
	int64_t n;
};

static const struct leat_shape number_shape = LEAT_SHAPE(struct number, LEAT_INT(n));

static const struct leat_statement person_by_id = { .sql = "SELECT id, name, note FROM people WHERE id = $1",
						    .row = &person_shape,
						    .read_only = true };
static const struct leat_statement count_people = { .sql = "SELECT count(*) AS n FROM people", .row = &number_shape };
static const struct leat_statement add_person = { .sql = "INSERT INTO people (id, name) VALUES ($1, $2)" };
static const struct leat_statement rename_all = { .sql = "UPDATE people SET name = $1" };
static const struct leat_statement one = { .sql = "SELECT 1::int8 AS n", .row = &number_shape, .read_only = true };
static const struct leat_statement twice = { .sql = "SELECT $1::int8 * 2 AS n",
					     .row = &number_shape,
					     .read_only = true };
static const struct leat_statement divide = { .sql = "SELECT 1 / $1::int8 AS n", .row = &number_shape };
static const struct leat_statement backend = { .sql = "SELECT pg_backend_pid()::int8 AS n", .row = &number_shape };
static const struct leat_statement sleep_s = { .sql = "SELECT count(pg_sleep($1)) AS n",
					       .row = &number_shape,
					       .read_only = true };
static const struct leat_statement hundred_by = {
	.sql = "SELECT 100 / $1::int8 AS n",
	.row = &number_shape,
	.read_only = true,
};
/* The same for all that share a transaction. */
static const struct leat_statement began = {
	.sql = "SELECT (extract(epoch FROM now()) * 1000000)::int8 AS n",
	.row = &number_shape,
	.read_only = true,
};

static inline int64_t count_rows(void)
{
	return postgres_sql("SELECT count(*) FROM people");
}

/* In a request's task: the result is the job's. */
static inline void read_one(struct leat_request *req)
{
	struct number number;

	job_of(req)->result = leat_db_one(req, &one, &number);
}

/* Takes as many milliseconds as the job's argument says. */
static inline void read_for_arg(struct leat_request *req)
{
	struct number number;

	job_of(req)->result = leat_db_one(req, &sleep_s, &number, LEAT_ARG((double)job_of(req)->arg / 1000));
}

/* In a transaction. */
static inline enum leat_result add_two(struct leat_request *req, void *arg)
{
	(void)arg;
	LEAT_TRY(leat_db_exec(req, &add_person, NULL, LEAT_ARG(10), LEAT_ARG("ten")));
	return leat_db_exec(req, &add_person, NULL, LEAT_ARG(11), LEAT_ARG("eleven"));
}

static inline enum leat_result all_on_one(struct leat_request *req, void *arg)
{
	struct number first, second;

	(void)arg;
	LEAT_TRY(leat_db_one(req, &backend, &first));
	LEAT_TRY(leat_db_one(req, &backend, &second));
	ck_assert_int_eq(first.n, second.n);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"), 1);
	return LEAT_OK;
}

#endif
