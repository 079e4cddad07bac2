/* harness.h - what every unit test program shares: its main and one way to list tests.
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
 *         return s;
 *     }
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

#define HARNESS_CASE(suite, name, ...) \
	harness_case(suite, name, (const TTest *const[]){ __VA_ARGS__, NULL })

TCase *harness_case(Suite *suite, const char *name, const TTest *const *tests);

/* Each test program's own. */
Suite *suite(void);

#endif
