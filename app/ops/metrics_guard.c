/* metrics_guard.c - see metrics_guard.h. Called by metrics_text.c. Names are those of C's variables, and need no escapes. */
#include "ops/metrics_guard.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "guard/breaker.h"
#include "guard/semaphores.h"
#include "ops/metrics_text.h"

/* A sample of each. */
struct row {
	const char *family, *help;
	const char *label; /* with its value; NULL: none */
	size_t offset;     /* of its number in the statistics */
};

static void write_breakers(struct buffer *out);
static void write_semaphores(struct buffer *out);

void metrics_guard_write(struct buffer *out)
{
	if (breaker_at(0))
		write_breakers(out);
	if (semaphore_at(0))
		write_semaphores(out);
}

static void write_sample(struct buffer *out, const struct row *row, const char *name, const void *stats)
{
	buffer_format(out, "%s{name=\"%s\"%s%s} %" PRIu64 "\n", row->family, name, row->label ? "," : "",
		      row->label ? row->label : "", *(const uint64_t *)((const char *)stats + row->offset));
}

typedef void (*write_row_fn)(struct buffer *out, const struct row *row);

/* Rows of one family stand together. */
static void write_rows(struct buffer *out, const struct row *rows, size_t count, write_row_fn write_row)
{
	const char *family = "";

	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].family, family) != 0)
			metrics_text_family(out, rows[i].family, "counter", rows[i].help);
		family = rows[i].family;
		write_row(out, &rows[i]);
	}
}

/* Circuit breakers ------------------------------------------------------------------------------------------------ */

static const struct row breaker_rows[] = {
#define CALLS \
	"leat_breaker_calls_total", "Calls by outcome; late: begun in an earlier state or window, so not counted " \
				    "there."
#define REFUSED "leat_breaker_refused_total", "Calls refused, by state."
#define CHANGES "leat_breaker_changes_total", "Changes of state, by the new one."
	{ CALLS, "outcome=\"success\"", offsetof(struct breaker_stats, successes) },
	{ CALLS, "outcome=\"failure\"", offsetof(struct breaker_stats, failures) },
	{ CALLS, "outcome=\"excluded\"", offsetof(struct breaker_stats, exclusions) },
	{ CALLS, "outcome=\"late\"", offsetof(struct breaker_stats, late) },
	{ "leat_breaker_slow_calls_total", "Calls that took slow_ms or longer.", NULL,
	  offsetof(struct breaker_stats, slow) },
	{ REFUSED, "state=\"open\"", offsetof(struct breaker_stats, refused_open) },
	{ REFUSED, "state=\"half-open\"", offsetof(struct breaker_stats, refused_probed) },
	{ CHANGES, "to=\"closed\"", offsetof(struct breaker_stats, changes[LEAT_BREAKER_CLOSED]) },
	{ CHANGES, "to=\"half-open\"", offsetof(struct breaker_stats, changes[LEAT_BREAKER_HALF_OPEN]) },
	{ CHANGES, "to=\"open\"", offsetof(struct breaker_stats, changes[LEAT_BREAKER_OPEN]) },
#undef CALLS
#undef REFUSED
#undef CHANGES
};

static void write_breaker_row(struct buffer *out, const struct row *row)
{
	const struct leat_breaker *breaker;
	struct breaker_stats stats;

	for (unsigned i = 0; (breaker = breaker_at(i)); i++) {
		breaker_stats(breaker, &stats);
		write_sample(out, row, breaker->name, &stats);
	}
}

static void write_breakers(struct buffer *out)
{
	const struct leat_breaker *breaker;

	metrics_text_family(out, "leat_breaker_state", "gauge", "0: closed, 1: half-open, 2: open.");
	for (unsigned i = 0; (breaker = breaker_at(i)); i++)
		buffer_format(out, "leat_breaker_state{name=\"%s\"} %d\n", breaker->name,
			      (int)leat_breaker_state(breaker));
	write_rows(out, breaker_rows, sizeof(breaker_rows) / sizeof(breaker_rows[0]), write_breaker_row);
}

/* Semaphores ------------------------------------------------------------------------------------------------------- */

#define TAKEN "leat_semaphore_taken_total", "Times that places of a semaphore were taken: at once, or after a wait."
#define REFUSED \
	"leat_semaphore_refused_total", \
		"Times that they were not, by reason: .queue, .wait_ms, the request's deadline, cancelled."
#define STAT(field) offsetof(struct semaphore_stats, field)
static const struct row semaphore_rows[] = {
	{ TAKEN, "after=\"nothing\"", STAT(at_once) },        { TAKEN, "after=\"wait\"", STAT(waited) },
	{ REFUSED, "reason=\"queue\"", STAT(refused_queue) }, { REFUSED, "reason=\"wait_ms\"", STAT(refused_wait) },
	{ REFUSED, "reason=\"deadline\"", STAT(timed_out) },  { REFUSED, "reason=\"cancelled\"", STAT(cancelled) },
};
#undef TAKEN
#undef REFUSED
#undef STAT

static void write_semaphore_row(struct buffer *out, const struct row *row)
{
	const struct leat_semaphore *semaphore;
	struct semaphore_stats stats;

	for (unsigned i = 0; (semaphore = semaphore_at(i)); i++) {
		semaphore_stats(semaphore, &stats);
		write_sample(out, row, semaphore->name, &stats);
	}
}

static void write_semaphores(struct buffer *out)
{
	write_rows(out, semaphore_rows, sizeof(semaphore_rows) / sizeof(semaphore_rows[0]), write_semaphore_row);
}
