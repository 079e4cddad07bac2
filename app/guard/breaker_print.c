/* breaker_print.c - see breaker_print.h. Called by service.c. */
#include "guard/breaker_print.h"

#include <inttypes.h>

#include "base/clock.h"
#include "guard/breaker.h"
#include "guard/breaker_machine.h"

static void print_reasons(const struct breaker_rules *rules, FILE *out)
{
	const char * or = "";

	if (rules->trips) {
		fputs("when its own function says so", out);
		return;
	}
	if (rules->failures_in_a_row) {
		fprintf(out, "after %" PRIu64 " failures in a row", rules->failures_in_a_row);
		or = ", or ";
	}
	if (rules->failure_percent) {
		fprintf(out, "%swhen %" PRIu64 "%% fail", or, rules->failure_percent);
		or = ", or ";
	}
	if (rules->slow_percent)
		fprintf(out, "%swhen %" PRIu64 "%% take %" PRId64 " ms", or, rules->slow_percent,
			rules->slow_ns / CLOCK_MS);
	if (rules->failure_percent || rules->slow_percent)
		fprintf(out, " (of %" PRIu64 " at least)", rules->calls_least);
}

static void print_window(const struct breaker_rules *rules, FILE *out)
{
	if (rules->bucket_count)
		fprintf(out, "%" PRId64 " ms, in steps of %" PRId64 " ms",
			(int64_t)rules->bucket_count * rules->bucket_ns / CLOCK_MS, rules->bucket_ns / CLOCK_MS);
	else if (rules->window_ns)
		fprintf(out, "%" PRId64 " ms", rules->window_ns / CLOCK_MS);
	else
		fputs("for ever", out);
}

static void print_breaker(const struct leat_breaker *breaker, FILE *out)
{
	struct breaker_rules rules;

	breaker_rules_set(&rules, breaker);
	fprintf(out, "%s\n  opens   ", breaker->name);
	print_reasons(&rules, out);
	fputs("\n  counts  ", out);
	print_window(&rules, out);
	fprintf(out, "\n  open    %" PRId64 " ms", rules.open_ns / CLOCK_MS);
	if (rules.open_most_ns > rules.open_ns)
		fprintf(out, ", up to %" PRId64 " ms", rules.open_most_ns / CLOCK_MS);
	fprintf(out, "\n  probes  %" PRIu64 ", of %" PRId64 " ms at most\n", rules.probes, rules.probe_ns / CLOCK_MS);
}

void breakers_print(FILE *out)
{
	const struct leat_breaker *breaker;

	for (unsigned i = 0; (breaker = breaker_at(i)); i++)
		print_breaker(breaker, out);
	if (!breaker_at(0))
		fputs("There are none.\n", out);
}
