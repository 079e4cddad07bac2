/* t_metrics_route.c - requests counted by their route in several processes, and their Prometheus text. */
#include "tests/unit/router_stand.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics_route.h"
#include "ops/metrics_text.h"

START_TEST(nothing_is_counted_before_routes_are_known)
{
	struct metrics_route sums;

	metrics_route_observe(0, 200, 1000);
	metrics_route_total(0, &sums);
	ck_assert_uint_eq(sums.classes[0], 0);
}
END_TEST

static void create(void)
{
	metrics_create(2, 2);
	metrics_route_create(2);
}

START_TEST(other_processes_counts_are_seen)
{
	struct metrics_route sums;
	int status;
	pid_t pid;

	create();
	pid = fork();
	if (pid == 0) {
		metrics_enter(1);
		metrics_attach(1, 1);
		metrics_route_observe(1, 404, CLOCK_MS);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	metrics_route_observe(1, 204, CLOCK_MS);
	metrics_route_total(1, &sums);
	ck_assert_uint_eq(sums.classes[0], 1);
	ck_assert_uint_eq(sums.classes[2], 1);
	ck_assert_uint_eq(sums.durations.sum_ns, 2 * CLOCK_MS);
	metrics_route_total(0, &sums);
	ck_assert_uint_eq(sums.durations.sum_ns, 0);
}
END_TEST

START_TEST(a_route_that_was_not_created_is_not_counted)
{
	create();
	metrics_route_observe(2, 200, CLOCK_MS);
}
END_TEST

/* Backslashes and quotes of an expression are escaped; routes that nobody asked for are left out. */
START_TEST(the_text_names_pattern_and_method)
{
	static const struct leat_route table[] = { { LEAT_GET, "/a/{x:\\d\"}", .handler = handler },
						   { LEAT_POST, "/b", .handler = handler },
						   LEAT_ROUTES_END };
	char error[512];
	struct router *router = router_new((const struct leat_route *const[]){ table, NULL }, error, sizeof(error));
	const struct metrics_text_facts facts = { .version = "1", .routes = router_routes(router) };
	struct buffer text;

	create();
	metrics_route_observe(0, 500, CLOCK_MS);
	buffer_init(&text, &arena, 4096);
	metrics_text_write(&text, &facts);
	buffer_byte(&text, '\0');
	ck_assert_ptr_nonnull(strstr(
		text.data, "\nleat_route_requests_total{route=\"/a/{x:\\\\d\\\"}\",method=\"GET\",code=\"5xx\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(
		text.data,
		"\nleat_route_duration_seconds_bucket{route=\"/a/{x:\\\\d\\\"}\",method=\"GET\",le=\"0.001\"} 1\n"));
	ck_assert_ptr_null(strstr(text.data, "/b"));
	router_free(router);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("metrics of routes");

	ARENA_CASE(s, "routes", nothing_is_counted_before_routes_are_known, other_processes_counts_are_seen,
		   a_route_that_was_not_created_is_not_counted, the_text_names_pattern_and_method);
	return s;
}
