/* harness.h - what every unit test program shares: its main and one way to list tests, with or without a fixture.
 *
 * Use:
 *     START_TEST(waits_longer_after_each_failure)
 *     {
 *         ...
 *     }
 *     END_TEST
 *
 *     Suite *suite(void)
 *     {
 *         Suite *s = suite_create("retry");
 *         HARNESS_CASE(s, "back-off", waits_longer_after_each_failure, ...);
 *         HARNESS_CASE_WITH(s, "losses", set_up, tear_down, is_retried_after_a_loss, ...);
 *         return s;
 *     }
 *
 * What some programs share beyond this is in arena_stand.h (an arena), postgres.h (a server), db_stand.h (a worker before it) and
 * people.h (its table), gate_script.h, json_reading.h, migrate_folder.h and settings_stand.h.
 *
 * Run one: make check TESTS=tests/unit/t_retry; one case: CK_RUN_CASE=back-off; in a debugger: CK_FORK=no.
 *
 * Ownership:      Check's.
 * Thread-safety:  the main thread.
 * Errors:         the program's exit status is 1 when a test failed.
 */
#ifndef TESTS_UNIT_HARNESS_H
#define TESTS_UNIT_HARNESS_H

#include <check.h>

#define HARNESS_CASE(suite, name, ...) harness_case(suite, name, (const TTest *const[]){ __VA_ARGS__, NULL })

/* Each test between Check's set_up and tear_down; either may be NULL. */
#define HARNESS_CASE_WITH(suite, name, set_up, tear_down, ...) \
	tcase_add_checked_fixture(HARNESS_CASE(suite, name, __VA_ARGS__), set_up, tear_down)

TCase *harness_case(Suite *suite, const char *name, const TTest *const *tests);

/* Each test program's own. */
Suite *suite(void);

#endif
