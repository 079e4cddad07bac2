/* rows_reading.h - what the tests of results read row by row share: pairs, the statement that counts, and what a stream leaves behind.
 *
 * Use:
 *     ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(1000)), LEAT_OK);
 *     read_all(rows, 1000);
 *     expect_reuse(req);
 *
 * Ownership:      nothing to own.
 * Thread-safety:  the main thread.
 * Errors:         what is not as expected fails the test.
 */
#ifndef TESTS_UNIT_ROWS_READING_H
#define TESTS_UNIT_ROWS_READING_H

#include "base/annotate.h"
#include "tests/unit/people.h"

/* Sanitizers are slow. */
#if defined(LEAT_WITH_ASAN) || defined(LEAT_WITH_TSAN)
enum { HUNDRED_THOUSAND = 100000, MILLION = HUNDRED_THOUSAND };
#else
enum { HUNDRED_THOUSAND = 100000, MILLION = 1000000 };
#endif

struct pair {
	int64_t id;
	leat_text name;
};

static const struct leat_shape pair_shape = LEAT_SHAPE(struct pair, LEAT_INT(id), LEAT_TEXT(name));

/* Made as they are asked for; a function in FROM is run to its end first. */
static const struct leat_statement count_to = {
	.sql = "SELECT i AS id, 'row ' || i AS name FROM (SELECT generate_series(1, $1::int8) AS i) AS numbers",
	.row = &pair_shape,
	.read_only = true
};
static const struct leat_statement fails_at_5000 = {
	.sql = "SELECT i::int8 AS id, (10 / (5000 - i))::text AS name FROM generate_series(1, $1::int8) i",
	.row = &pair_shape,
	.read_only = true
};
static const struct leat_statement renamed = { .sql = "UPDATE people SET name = name || '!' RETURNING id, name",
					       .row = &pair_shape };

static inline bool is_at_rest(void)
{
	return !db_is_returning(db) && metrics_total(METRIC_DB_LENT_OPEN) == metrics_total(METRIC_DB_LENT_IDLE) &&
	       metrics_total(METRIC_DB_IN_FLIGHT) == 0;
}

static inline void stream_two(struct leat_request *req)
{
	struct leat_rows *rows;
	struct pair pair;

	ck_assert_result(leat_db_stream(req, &count_to, &rows, LEAT_ARG(2)), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_OK);
	ck_assert_int_eq(pair.id, 1);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_OK);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_NOT_FOUND);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
}

/* The connection that has served a stream is the one that the next one gets, and fit for use. */
static inline void expect_reuse(struct leat_request *req)
{
	while (!is_at_rest())
		task_yield();
	stream_two(req);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 1);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_BAD_CLOSED), 0);
}

static inline bool is_row(const struct pair *pair, int64_t id)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "row %" PRId64, id);
	return pair->id == id && leat_text_equal(pair->name, leat_text_from(expected));
}

static inline void read_all(struct leat_rows *rows, int64_t count)
{
	struct pair pair;

	for (int64_t i = 1; i <= count; i++) {
		ck_assert_result(leat_rows_next(rows, &pair), LEAT_OK);
		ck_assert_msg(is_row(&pair, i), "row %" PRId64 " is another", i);
	}
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_NOT_FOUND);
	ck_assert_result(leat_rows_next(rows, &pair), LEAT_NOT_FOUND);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
	ck_assert_result(leat_rows_end(rows), LEAT_OK);
}

/* No limit but those that a test is about: a machine may be busy. */
static inline void set_patience(void)
{
	set_defaults();
	settings.db_cancel_grace = LIMIT_S * 1000;
	settings.db_lent_wait = LIMIT_S * 1000;
}

static inline void setup_patient(void)
{
	set_patience();
	set_up_stand();
}

static inline void setup_bouncer(void)
{
	set_patience();
	settings.database_url = getenv("LEAT_TEST_BOUNCER");
	set_up_stand();
}

#define ROWS_CASE(s, name, setup_fn, ...) \
	tcase_add_checked_fixture(HARNESS_CASE(s, name, __VA_ARGS__), setup_fn, teardown)

/* Through PgBouncer in transaction mode, where it is installed. */
#define ROWS_BOUNCER_CASE(s, ...) \
	do { \
		if (getenv("LEAT_TEST_BOUNCER") && *getenv("LEAT_TEST_BOUNCER")) \
			ROWS_CASE(s, "bouncer", setup_bouncer, __VA_ARGS__); \
	} while (0)

#endif
