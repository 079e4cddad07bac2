/* breaker.c - see breaker.h and leat/breaker.h. The machine (breaker_machine.c), in memory of all worker processes.
 *
 * No lock: a process may be killed anywhere, or stopped. Each thread has two cells of its own for each breaker, and a head says whose cell is the
 * machine as it is:
 *
 *     head | cells of thread 0: a, b | of thread 1: a, b | ..    (threads as the metrics number them)
 *
 * To change it, a thread copies the cell that the head names, feeds the copy, writes that into the one of its cells which the head does not name, and
 * exchanges the head, whose other half counts: if anybody was faster, it starts anew. A cell is written only by its thread and only while the
 * head does not name it, so a machine is seen whole or, by the head, to be stale. Who is killed half-way leaves a cell that nobody names; who
 * comes after it, with the same number, writes over it.
 *
 * What a cell's words need: a reader that sees a word of a later writing must then see a later head, so they are stored with release and loaded
 * with acquire (plain moves on x86). */
#include "guard/breaker.h"

#include <inttypes.h>
#include <leat/request.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/shared.h"
#include "guard/breaker_machine.h"
#include "task/held.h"

enum {
	LINE = 64, /* bytes of a cache line */
	CELL_BITS = 20,
	STATE_WORD = offsetof(struct breaker_machine, state) / sizeof(uint64_t),
};

/* The machine, seen as words. */
typedef uint64_t __attribute__((may_alias)) machine_word;

struct cell {
	uint64_t words[sizeof(struct breaker_machine) / sizeof(uint64_t)];
} __attribute__((aligned(LINE)));

/* One thread's part. */
struct seat {
	struct cell cells[2];
	struct breaker_stats stats;
} __attribute__((aligned(LINE)));

struct live {
	struct breaker_rules rules;
	uint64_t head __attribute__((aligned(LINE)));
	struct seat seats[];
};

struct ticket {
	struct held held;
	const struct leat_breaker *breaker;
	struct breaker_ticket ticket;
};

static const struct leat_breaker *const *listed;
static unsigned listed_count;

/* The list ------------------------------------------------------------------------------------------------------------- */

void leat_breakers_list_(const struct leat_breaker *const *first, const struct leat_breaker *const *end)
{
	listed = first;
	listed_count = (unsigned)(end - first);
}

const struct leat_breaker *breaker_at(unsigned index)
{
	return index < listed_count ? listed[index] : NULL;
}

static bool has_namesake_before(unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (strcmp(listed[i]->name, listed[index]->name) == 0)
			return true;
	return false;
}

const char *breakers_fault(void)
{
	static char sentence[256];

	for (unsigned i = 0; i < listed_count; i++) {
		const char *fault = has_namesake_before(i) ? "there are two of this name"
							   : breaker_rules_fault(listed[i]);

		if (fault) {
			snprintf(sentence, sizeof(sentence), "breaker '%.60s': %s", listed[i]->name, fault);
			return sentence;
		}
	}
	return NULL;
}

static void create(const struct leat_breaker *breaker)
{
	struct live *live = shared_memory(sizeof(*live) + metrics_slot_count() * sizeof(struct seat),
					  "circuit breakers");
	struct breaker_machine machine;

	LEAT_CHECK(metrics_slot_count() < 1U << (CELL_BITS - 1));
	breaker_rules_set(&live->rules, breaker);
	breaker_machine_init(&machine, &live->rules, clock_now_ns());
	memcpy(live->seats[0].cells[0].words, &machine, breaker_machine_size(&live->rules, machine.state));
	breaker->place->live = live;
}

void breakers_create(void)
{
	for (unsigned i = 0; i < listed_count; i++)
		create(listed[i]);
}

/* Cells ---------------------------------------------------------------------------------------------------------------- */

static struct live *live_of(const struct leat_breaker *breaker)
{
	LEAT_CHECK(breaker->place && breaker->place->live);
	return breaker->place->live;
}

/* Two threads must not have one seat. */
static unsigned own_seat(void)
{
	LEAT_CHECK(metrics_slot_of_thread || metrics_process_count() == 0);
	return metrics_slot_number();
}

static struct cell *cell_at(struct live *live, uint64_t cell)
{
	return &live->seats[cell / 2].cells[cell % 2];
}

static uint64_t cell_of(uint64_t head)
{
	return head & ((1U << CELL_BITS) - 1);
}

/* The machine as it is, and the head that names it. */
static uint64_t read_machine(struct live *live, struct breaker_machine *ret_machine)
{
	machine_word *words = (machine_word *)ret_machine;
	uint64_t head = __atomic_load_n(&live->head, __ATOMIC_ACQUIRE);
	uint64_t before;

	do {
		const struct cell *cell = cell_at(live, cell_of(head));
		uint64_t state = __atomic_load_n(&cell->words[STATE_WORD], __ATOMIC_ACQUIRE);
		size_t count = breaker_machine_size(&live->rules, state) / sizeof(uint64_t);

		before = head;
#pragma GCC unroll 4
		for (size_t i = 0; i < count; i++)
			words[i] = __atomic_load_n(&cell->words[i], __ATOMIC_ACQUIRE);
		head = __atomic_load_n(&live->head, __ATOMIC_ACQUIRE);
	} while (head != before);
	return head;
}

/* False: somebody was faster. */
static bool write_machine(struct live *live, uint64_t head, const struct breaker_machine *machine)
{
	uint64_t own = own_seat() * UINT64_C(2);
	const machine_word *words = (const machine_word *)machine;
	size_t count = breaker_machine_size(&live->rules, machine->state) / sizeof(uint64_t);
	struct cell *cell;

	own += own == cell_of(head);
	cell = cell_at(live, own);
#pragma GCC unroll 4
	for (size_t i = 0; i < count; i++)
		__atomic_store_n(&cell->words[i], words[i], __ATOMIC_RELEASE);
	return __atomic_compare_exchange_n(&live->head, &head, (((head >> CELL_BITS) + 1) << CELL_BITS) | own, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Each thread writes its own alone. */
static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static struct breaker_stats *own_stats(struct live *live)
{
	return &live->seats[own_seat()].stats;
}

enum { STATS_WORDS = sizeof(struct breaker_stats) / sizeof(uint64_t) };

void breaker_stats(const struct leat_breaker *breaker, struct breaker_stats *ret_sums)
{
	struct live *live = live_of(breaker);
	uint64_t sums[STATS_WORDS] = { 0 };

	for (unsigned seat = 0; seat < metrics_slot_count(); seat++)
		for (size_t i = 0; i < STATS_WORDS; i++)
			sums[i] += __atomic_load_n((uint64_t *)&live->seats[seat].stats + i, __ATOMIC_RELAXED);
	memcpy(ret_sums, sums, sizeof(*ret_sums));
}

/* Changes -------------------------------------------------------------------------------------------------------------- */

const char *breaker_state_name(enum leat_breaker_state state)
{
	static const char *const names[] = { "closed", "half-open", "open" };

	return names[state];
}

static void tell(const struct leat_breaker *breaker, const struct breaker_change *change)
{
	const struct leat_breaker_change told = { .breaker = breaker,
						  .from = change->from,
						  .to = change->to,
						  .counts = change->counts,
						  .open_ms = change->open_ns / CLOCK_MS };
	const struct leat_breaker_counts *counts = &told.counts;

	count(&own_stats(live_of(breaker))->changes[told.to]);
	if (told.to == LEAT_BREAKER_OPEN)
		log_warn("breaker %s: %s -> open for %" PRId64 " ms; calls %" PRIu64 ", failed %" PRIu64 " (%" PRIu64
			 " in a row), slow %" PRIu64,
			 breaker->name, breaker_state_name(told.from), told.open_ms, counts->requests, counts->failures,
			 counts->failures_in_a_row, counts->slow);
	else
		log_info("breaker %s: %s -> %s", breaker->name, breaker_state_name(told.from),
			 breaker_state_name(told.to));
	if (breaker->on_change)
		breaker->on_change(&told);
}

/* Calls ---------------------------------------------------------------------------------------------------------------- */

static enum breaker_verdict enter(const struct leat_breaker *breaker, struct breaker_ticket *ret_ticket,
				  int64_t *ret_wait_ns)
{
	struct live *live = live_of(breaker);
	int64_t now_ns = clock_now_ns();
	struct breaker_machine machine;
	struct breaker_change change;
	enum breaker_verdict verdict;
	uint64_t head;

	do {
		head = read_machine(live, &machine);
		verdict = breaker_machine_enter(&machine, &live->rules, now_ns, ret_ticket, &change);
	} while ((verdict == BREAKER_ENTERED || change.has_changed) && !write_machine(live, head, &machine));
	*ret_wait_ns = breaker_machine_wait_ns(&machine, now_ns);
	if (verdict == BREAKER_IS_OPEN)
		count(&own_stats(live)->refused_open);
	if (verdict == BREAKER_IS_PROBED)
		count(&own_stats(live)->refused_probed);
	if (change.has_changed)
		tell(breaker, &change);
	return verdict;
}

static void leave(const struct leat_breaker *breaker, const struct breaker_ticket *ticket,
		  enum leat_breaker_outcome outcome)
{
	struct live *live = live_of(breaker);
	struct breaker_stats *stats = own_stats(live);
	int64_t now_ns = clock_now_ns();
	struct breaker_machine machine;
	struct breaker_change change;
	uint64_t head;
	bool is_counted;

	do {
		head = read_machine(live, &machine);
		is_counted = breaker_machine_leave(&machine, &live->rules, now_ns, ticket, outcome, &change);
	} while ((is_counted || change.has_changed) && !write_machine(live, head, &machine));
	if (live->rules.slow_ns && now_ns - ticket->began_ns >= live->rules.slow_ns)
		count(&stats->slow);
	count(!is_counted                       ? &stats->late
	      : outcome == LEAT_BREAKER_SUCCESS ? &stats->successes
	      : outcome == LEAT_BREAKER_FAILURE ? &stats->failures
						: &stats->exclusions);
	if (change.has_changed)
		tell(breaker, &change);
}

static enum leat_breaker_outcome judge(const struct leat_breaker *breaker, enum leat_result result)
{
	if (breaker->judge)
		return breaker->judge(result);
	if (result == LEAT_CANCELLED)
		return LEAT_BREAKER_EXCLUDED;
	return leat_result_status(result) >= 500 ? LEAT_BREAKER_FAILURE : LEAT_BREAKER_SUCCESS;
}

static void let_go(struct held *held, enum leat_result result)
{
	const struct ticket *ticket = (const struct ticket *)held;

	leave(ticket->breaker, &ticket->ticket, judge(ticket->breaker, result));
}

static enum leat_result refuse(struct leat_request *req, const struct leat_breaker *breaker,
			       enum breaker_verdict verdict, int64_t wait_ns)
{
	int64_t wait_s = wait_ns > CLOCK_S ? (wait_ns + CLOCK_S - 1) / CLOCK_S : 1;

	call_of(req)->retry_after_s = wait_s;
	if (verdict == BREAKER_IS_OPEN)
		return leat_fail(req, LEAT_UNAVAILABLE,
				 "The circuit breaker '%s' is open; it can be tried in %" PRId64 " s.", breaker->name,
				 wait_s);
	return leat_fail(req, LEAT_UNAVAILABLE,
			 "The circuit breaker '%s' is half-open: other requests find out whether it can be closed.",
			 breaker->name);
}

enum leat_result leat_breaker_enter(struct leat_request *req, const struct leat_breaker *breaker)
{
	struct call *call = call_of(req);
	struct ticket *ticket = arena_alloc(call->arena, sizeof(*ticket));
	int64_t wait_ns;
	enum breaker_verdict verdict = enter(breaker, &ticket->ticket, &wait_ns);

	if (verdict != BREAKER_ENTERED)
		return refuse(req, breaker, verdict, wait_ns);
	ticket->breaker = breaker;
	ticket->held.let_go = let_go;
	held_add(call, &ticket->held);
	return LEAT_OK;
}

static struct ticket *find_ticket(const struct call *call, const struct leat_breaker *breaker)
{
	for (struct held *held = call->held; held; held = held->next)
		if (held->let_go == let_go && ((struct ticket *)held)->breaker == breaker)
			return (struct ticket *)held;
	return NULL;
}

enum leat_result leat_breaker_leave(struct leat_request *req, const struct leat_breaker *breaker,
				    enum leat_result result)
{
	struct call *call = call_of(req);
	struct ticket *ticket = find_ticket(call, breaker);

	LEAT_CHECK(ticket);
	held_remove(call, &ticket->held);
	let_go(&ticket->held, result);
	return result;
}

static struct breaker_machine look(const struct leat_breaker *breaker)
{
	struct live *live = live_of(breaker);
	struct breaker_machine machine;
	struct breaker_change change;

	read_machine(live, &machine);
	breaker_machine_look(&machine, &live->rules, clock_now_ns(), &change);
	return machine;
}

enum leat_breaker_state leat_breaker_state(const struct leat_breaker *breaker)
{
	return (enum leat_breaker_state)look(breaker).state;
}

struct leat_breaker_counts leat_breaker_counts(const struct leat_breaker *breaker)
{
	return look(breaker).counts;
}

/* As a middleware ------------------------------------------------------------------------------------------------------ */

enum leat_result leat_breaker_before_(struct leat_request *req, const void *options)
{
	return leat_breaker_enter(req, options);
}

static enum leat_result result_of(int status)
{
	for (enum leat_result result = LEAT_OK; result < LEAT_RESULT_COUNT; result++)
		if (leat_result_status(result) == status)
			return result;
	return status >= 500 ? LEAT_INTERNAL : LEAT_OK;
}

/* It also runs when 'before' refused. */
void leat_breaker_after_(struct leat_request *req, const void *options)
{
	struct call *call = call_of(req);
	struct ticket *ticket = find_ticket(call, options);

	if (!ticket)
		return;
	held_remove(call, &ticket->held);
	let_go(&ticket->held, result_of(leat_reply_status(req)));
}
