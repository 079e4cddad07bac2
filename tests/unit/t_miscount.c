/* t_miscount.c - a handler that gives a statement more or fewer arguments than it takes: the one fault of statements that `check`
 * cannot see, so the log has to tell it. */
#include <unistd.h>

#include "back/lane.h"
#include "base/log.h"
#include "tests/unit/db_stand.h"

LEAT_STATEMENT(name_person, .sql = "UPDATE people SET name = $2 WHERE id = $1");

static FILE *log_file;

static void keep_log(void)
{
	log_file = tmpfile();
	ck_assert_ptr_nonnull(log_file);
	ck_assert_int_eq(dup2(fileno(log_file), STDERR_FILENO), STDERR_FILENO);
	log_init(LOG_LEVEL_INFO, false);
}

static void setup_named(void)
{
	keep_log();
	setup();
}

static void setup_unnamed(void)
{
	keep_log();
	set_defaults();
	settings.db_prepare = PREPARE_UNNAMED;
	set_up_stand();
}

/* One line has all of them. */
static void ck_assert_logged(const char *const *words)
{
	char line[4096];

	rewind(log_file);
	while (fgets(line, sizeof(line), log_file)) {
		const char *const *word = words;

		while (*word && strstr(line, *word))
			word++;
		if (!*word)
			return;
	}
	ck_abort_msg("not in the log: %s ...", words[0]);
}

#define LOGGED(...) ck_assert_logged((const char *const[]){ __VA_ARGS__, NULL })

TASK_TEST(too_few_are_told)
{
	ck_assert_result(leat_db_exec(req, &name_person, NULL, LEAT_ARG(1)), LEAT_INTERNAL);
	LOGGED(" error ", "name_person: UPDATE people", "supplies 1 parameters", "requires 2");
}

TASK_TEST(none_at_all_are_told)
{
	ck_assert_result(leat_db_exec(req, &name_person, NULL), LEAT_INTERNAL);
	LOGGED(" error ", "name_person: UPDATE people", "supplies 0 parameters", "requires 2");
}

TASK_TEST(too_many_are_told)
{
	ck_assert_result(leat_db_exec(req, &name_person, NULL, LEAT_ARG(1), LEAT_ARG("Ida"), LEAT_ARG(3)),
			 LEAT_INTERNAL);
	LOGGED(" error ", "name_person: UPDATE people", "supplies 3 parameters", "requires 2");
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE name = 'Ida'"), 0);
}

/* The bug costs its own statement, and no connection. */
TASK_TEST(others_are_not_disturbed)
{
	uint64_t connects;

	ck_assert_result(leat_db_exec(req, &name_person, NULL, LEAT_ARG(1)), LEAT_INTERNAL);
	connects = metrics_total(METRIC_DB_CONNECTS);
	ck_assert_result(leat_db_exec(req, &name_person, NULL, LEAT_ARG(1), LEAT_ARG("Ida")), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_CONNECTS), connects);
	ck_assert_uint_eq(metrics_total(METRIC_DB_RETRIES), 0);
}

Suite *suite(void)
{
	Suite *s;

	postgres_need();
	s = suite_create("miscount");
	HARNESS_CASE_WITH(s, "named", setup_named, teardown, too_few_are_told, none_at_all_are_told, too_many_are_told,
			  others_are_not_disturbed);
	HARNESS_CASE_WITH(s, "unnamed", setup_unnamed, teardown, too_few_are_told, none_at_all_are_told,
			  too_many_are_told, others_are_not_disturbed);
	return s;
}
