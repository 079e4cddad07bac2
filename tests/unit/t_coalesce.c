/* t_coalesce.c - LEAT_COALESCE at the start: which policies are refused, and where it does not belong. */
#include "tests/unit/harness.h"

#include <leat/coalesce.h>
#include <string.h>

#include "http/middleware.h"
#include "http/routes.h"

static const char *fault_of(struct leat_coalesce policy)
{
	return leat_coalesce_check_(&policy);
}

START_TEST(policies_that_make_sense_are_taken)
{
	static const char *const vary[] = { "Accept", "Accept-Language", NULL };

	ck_assert_ptr_null(fault_of((struct leat_coalesce){ 0 }));
	ck_assert_ptr_null(fault_of((struct leat_coalesce){
		.vary = vary, .fresh_ms = 1, .stale_while_revalidate_ms = 2, .stale_if_error_ms = 3 }));
}
END_TEST

START_TEST(others_are_refused)
{
	static const char *const no_token[] = { "Accept Language", NULL };
	const char *many[40] = { NULL };

	for (int i = 0; i < 39; i++)
		many[i] = "X";
	ck_assert_ptr_nonnull(leat_coalesce_check_(NULL));
	ck_assert_ptr_nonnull(fault_of((struct leat_coalesce){ .vary = no_token }));
	ck_assert_ptr_nonnull(fault_of((struct leat_coalesce){ .vary = many }));
	ck_assert_ptr_nonnull(fault_of((struct leat_coalesce){ .fresh_ms = -1 }));
	ck_assert_ptr_nonnull(fault_of((struct leat_coalesce){ .fresh_ms = INT64_MAX }));
	ck_assert_ptr_nonnull(fault_of((struct leat_coalesce){ .stale_if_error_ms = 1 }));
}
END_TEST

START_TEST(it_does_not_belong_to_the_whole_service)
{
	static const struct leat_coalesce policy = { 0 };
	static const struct leat_middleware list[] = { LEAT_REQUEST_ID, LEAT_COALESCE(&policy), LEAT_MIDDLEWARE_END };
	static const struct routes none;
	char text[512] = "";
	struct routes_faults faults = { .text = text, .size = sizeof(text) };

	ck_assert(!middleware_check(list, &none, &faults));
	ck_assert_ptr_nonnull(strstr(text, "middleware coalesce"));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("coalesce");

	HARNESS_CASE(s, "start", policies_that_make_sense_are_taken, others_are_refused,
		     it_does_not_belong_to_the_whole_service);
	return s;
}
