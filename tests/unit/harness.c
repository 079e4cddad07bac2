/* harness.c - see harness.h. */
#include "tests/unit/harness.h"

#include <stdlib.h>

TCase *harness_case(Suite *to, const char *name, const TTest *const *tests)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60); /* sanitizers on a busy machine */
	for (; *tests; tests++)
		tcase_add_test(tcase, *tests);
	suite_add_tcase(to, tcase);
	return tcase;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
