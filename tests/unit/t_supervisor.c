/* t_supervisor.c - real supervisors with real children. Children report what happens to them as single bytes through a
 * pipe; its end says that the supervisor and all its children are gone. */
#include "tests/unit/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ops/supervisor.h"

enum { PATIENCE_MS = 30000 };

static int report_fd; /* of the children */
static int reports;   /* of the test */
static pid_t supervisor;

/* Children -------------------------------------------------------------------------------------------------------- */

static void report(char what)
{
	if (write(report_fd, &what, 1) != 1)
		_exit(99);
}

static void report_signal(int signal_number)
{
	report(signal_number == SIGTERM ? 't' : signal_number == SIGHUP ? 'h' : 'u');
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* Ends when it is told to. */
static int obedient(void *arg, unsigned process, int lifeline_fd)
{
	(void)arg, (void)process, (void)lifeline_fd;
	report('s');
	wait_for_ever();
	return 0;
}

/* Reports signals and never ends by itself. */
static int stubborn(void *arg, unsigned process, int lifeline_fd)
{
	(void)arg, (void)process, (void)lifeline_fd;
	signal(SIGTERM, report_signal);
	signal(SIGHUP, report_signal);
	signal(SIGUSR1, report_signal);
	report('s');
	wait_for_ever();
	return 0;
}

/* Process 0 crashes once; the second life sees the count of the first. */
static int crashing_once(void *arg, unsigned process, int lifeline_fd)
{
	if (process == 0 && metrics_total(METRIC_WORKER_CRASHES) == 0) {
		metrics_add(METRIC_REQUESTS_ACTIVE, 1);
		report('c');
		raise(SIGKILL);
	}
	return obedient(arg, process, lifeline_fd);
}

/* The first life leaves, and does not end. */
static int leaving_once(void *arg, unsigned process, int lifeline_fd)
{
	metrics_add(METRIC_REQUESTS_ACTIVE, 1);
	if (metrics_total(METRIC_WORKER_CRASHES) == 0)
		supervisor_leave();
	return stubborn(arg, process, lifeline_fd);
}

/* The next one tells whether it is alone. */
static int leaving_in_turn(void *arg, unsigned process, int lifeline_fd)
{
	if (metrics_total(METRIC_WORKER_CRASHES) > 0)
		report(metrics_total(METRIC_REQUESTS_ACTIVE) == 0 ? 'a' : 'b');
	return leaving_once(arg, process, lifeline_fd);
}

static int leaving_always(void *arg, unsigned process, int lifeline_fd)
{
	metrics_add(METRIC_REQUESTS_ACTIVE, 1);
	supervisor_leave();
	return stubborn(arg, process, lifeline_fd);
}

static int fatal(void *arg, unsigned process, int lifeline_fd)
{
	return process == 1 ? SUPERVISOR_FATAL : obedient(arg, process, lifeline_fd);
}

/* Lives on without its supervisor until the lifeline ends. */
static int watching_the_lifeline(void *arg, unsigned process, int lifeline_fd)
{
	char byte;

	(void)arg, (void)process;
	prctl(PR_SET_PDEATHSIG, 0);
	report('s');
	report(read(lifeline_fd, &byte, 1) == 0 ? 'e' : '!');
	return 0;
}

static bool is_ignored(int signal_number)
{
	struct sigaction action;

	sigaction(signal_number, NULL, &action);
	return action.sa_handler == SIG_IGN;
}

static int reporting_its_signals(void *arg, unsigned process, int lifeline_fd)
{
	sigset_t mask, empty;

	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	report(sigisemptyset(&mask) ? 'm' : '!');
	report(is_ignored(SIGINT) && is_ignored(SIGHUP) && is_ignored(SIGUSR1) && is_ignored(SIGPIPE) ? 'i' : '!');
	report(!is_ignored(SIGTERM) && !is_ignored(SIGCHLD) && !is_ignored(SIGUSR2) ? 'd' : '!');
	return obedient(arg, process, lifeline_fd);
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* The lifeline and nothing else came with the supervisor; arg tells what was open before. */
static int counting_descriptors(void *arg, unsigned process, int lifeline_fd)
{
	const unsigned *before = arg;

	report(open_descriptors() == *before + 1 ? 'd' : '!');
	return obedient(arg, process, lifeline_fd);
}

/* The test's side ------------------------------------------------------------------------------------------------- */

static void start(const struct supervisor_plan *plan)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	reports = ends[0];
	report_fd = ends[1];
	metrics_create(SUPERVISOR_SEATS(plan->processes), 1);
	log_init(LOG_LEVEL_ERROR, false);
	supervisor = fork();
	if (supervisor == 0) {
		close(reports);
		exit(supervisor_run(plan));
	}
	close(report_fd);
}

/* Waits for the next report; 0 at the end of all processes. */
static char next_report(void)
{
	struct pollfd readable = { .fd = reports, .events = POLLIN };
	char what = 0;

	ck_assert_msg(poll(&readable, 1, PATIENCE_MS) == 1, "nothing happens");
	ck_assert_int_ge(read(reports, &what, 1), 0);
	return what;
}

static void expect(const char *expected)
{
	for (; *expected; expected++)
		ck_assert_int_eq(next_report(), *expected);
}

static void expect_all_gone(void)
{
	ck_assert_int_eq(next_report(), 0);
}

static int exit_status(void)
{
	int status;

	ck_assert_int_eq(waitpid(supervisor, &status, 0), supervisor);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* Signals that were sent to the supervisor and not taken yet, as a set of bits (proc(5), ShdPnd). */
static unsigned long long pending_signals(void)
{
	unsigned long long pending = 0;
	char text[4096];
	FILE *file;

	snprintf(text, sizeof(text), "/proc/%d/status", (int)supervisor);
	file = fopen(text, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(text, sizeof(text), file))
		if (sscanf(text, "ShdPnd: %llx", &pending) == 1)
			break;
	fclose(file);
	return pending;
}

static void wait_until_taken(int signal_number)
{
	int64_t until_ns = clock_now_ns() + PATIENCE_MS * CLOCK_MS;

	while (pending_signals() >> (signal_number - 1) & 1) {
		ck_assert_int_lt(clock_now_ns(), until_ns);
		usleep(1000);
	}
}

static const struct supervisor_plan two_obedient = { .processes = 2, .grace_ms = 60000, .run = obedient };
static const struct supervisor_plan one_stubborn = { .processes = 1, .grace_ms = 3600000, .run = stubborn };

/* Stopping -------------------------------------------------------------------------------------------------------- */

START_TEST(term_ends_all_and_is_a_clean_stop)
{
	start(&two_obedient);
	expect("ss");
	kill(supervisor, SIGTERM);
	expect_all_gone();
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

START_TEST(int_ends_all_and_is_a_clean_stop)
{
	start(&two_obedient);
	expect("ss");
	kill(supervisor, SIGINT);
	expect_all_gone();
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

START_TEST(a_second_term_ends_at_once)
{
	start(&one_stubborn);
	expect("s");
	kill(supervisor, SIGTERM);
	expect("t");
	kill(supervisor, SIGTERM);
	expect_all_gone();
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

START_TEST(a_term_and_its_echo_are_one_stop)
{
	const struct supervisor_plan plan = {
		.processes = 1, .grace_ms = 3600000, .same_ask_ms = 3600000, .run = stubborn
	};

	start(&plan);
	expect("s");
	kill(supervisor, SIGTERM);
	expect("t");
	kill(supervisor, SIGTERM);
	wait_until_taken(SIGTERM);
	kill(supervisor, SIGHUP);
	expect("h"); /* the child lives */
	kill(supervisor, SIGKILL);
	expect_all_gone();
}
END_TEST

START_TEST(int_and_then_term_is_one_stop)
{
	start(&one_stubborn);
	expect("s");
	kill(supervisor, SIGINT);
	expect("t");
	kill(supervisor, SIGTERM);
	wait_until_taken(SIGTERM);
	kill(supervisor, SIGHUP);
	expect("h"); /* the child lives */
	kill(supervisor, SIGTERM);
	expect_all_gone();
}
END_TEST

START_TEST(a_child_that_does_not_end_is_killed_after_the_grace_time)
{
	const struct supervisor_plan plan = { .processes = 1, .grace_ms = 1, .run = stubborn };

	start(&plan);
	expect("s");
	kill(supervisor, SIGTERM);
	expect("t");
	expect_all_gone();
	ck_assert_int_eq(exit_status(), 0);
}
END_TEST

/* Ends of children ------------------------------------------------------------------------------------------------ */

START_TEST(a_child_that_died_is_started_again)
{
	const struct supervisor_plan plan = { .processes = 1, .grace_ms = 60000, .run = crashing_once };

	start(&plan);
	expect("cs");
	kill(supervisor, SIGTERM);
	ck_assert_int_eq(exit_status(), 0);
	ck_assert_uint_eq(metrics_total(METRIC_WORKER_STARTS), 2); /* a child may be heard before it is counted */
	ck_assert_uint_eq(metrics_total(METRIC_WORKER_CRASHES), 1);
}
END_TEST

START_TEST(gauges_of_a_dead_child_are_forgotten)
{
	const struct supervisor_plan plan = { .processes = 1, .grace_ms = 60000, .run = crashing_once };

	start(&plan);
	expect("cs");
	ck_assert_uint_eq(metrics_total(METRIC_REQUESTS_ACTIVE), 0);
	kill(supervisor, SIGTERM);
	exit_status();
}
END_TEST

START_TEST(ends_that_were_asked_for_are_no_crashes)
{
	start(&two_obedient);
	expect("ss");
	kill(supervisor, SIGTERM);
	exit_status();
	ck_assert_uint_eq(metrics_total(METRIC_WORKER_CRASHES), 0);
}
END_TEST

START_TEST(a_child_that_cannot_work_ends_the_service)
{
	const struct supervisor_plan plan = { .processes = 2, .grace_ms = 60000, .run = fatal };

	start(&plan);
	while (next_report()) /* its sibling may or may not have begun */
		;
	ck_assert_int_eq(exit_status(), 1);
}
END_TEST

/* Leaving --------------------------------------------------------------------------------------------------------- */

static void wait_for_lives(uint64_t count)
{
	int64_t until_ns = clock_now_ns() + PATIENCE_MS * CLOCK_MS;

	while (metrics_total(METRIC_REQUESTS_ACTIVE) != count) { /* one each */
		ck_assert_int_lt(clock_now_ns(), until_ns);
		usleep(1000);
	}
}

START_TEST(a_child_that_leaves_is_replaced_while_it_lives)
{
	const struct supervisor_plan plan = {
		.processes = 1, .grace_ms = 60000, .leave_ms = 60000, .run = leaving_once
	};

	start(&plan);
	expect("ss");
	wait_for_lives(2);
	kill(supervisor, SIGHUP);
	expect("hh");
	ck_assert_uint_eq(metrics_total(METRIC_WORKER_CRASHES), 1);
	kill(supervisor, SIGKILL);
	expect_all_gone();
}
END_TEST

START_TEST(a_child_that_leaves_and_does_not_end_is_killed)
{
	const struct supervisor_plan plan = { .processes = 1, .grace_ms = 60000, .leave_ms = 1, .run = leaving_once };

	start(&plan);
	expect("ss");
	wait_for_lives(1);
	kill(supervisor, SIGHUP);
	expect("h");
	ck_assert_uint_eq(metrics_total(METRIC_WORKER_CRASHES), 1);
	kill(supervisor, SIGKILL);
	expect_all_gone();
}
END_TEST

START_TEST(in_turn_it_is_replaced_when_it_has_ended)
{
	const struct supervisor_plan plan = {
		.processes = 1, .grace_ms = 60000, .leave_ms = 1, .is_in_turn = true, .run = leaving_in_turn
	};

	start(&plan);
	expect("sas");
	kill(supervisor, SIGKILL);
	expect_all_gone();
}
END_TEST

START_TEST(as_many_leave_as_there_are_processes)
{
	const struct supervisor_plan plan = {
		.processes = 1, .grace_ms = 1, .leave_ms = 3600000, .run = leaving_always
	};

	start(&plan);
	expect("ssss");
	ck_assert_uint_le(metrics_total(METRIC_REQUESTS_ACTIVE), SUPERVISOR_SEATS(1));
	kill(supervisor, SIGKILL);
}
END_TEST

/* Being a parent -------------------------------------------------------------------------------------------------- */

START_TEST(hup_and_usr1_are_passed_on)
{
	start(&one_stubborn);
	expect("s");
	kill(supervisor, SIGHUP);
	expect("h");
	kill(supervisor, SIGUSR1);
	expect("u");
	kill(supervisor, SIGKILL);
}
END_TEST

START_TEST(nothing_outlives_a_killed_supervisor)
{
	const struct supervisor_plan plan = { .processes = 3, .grace_ms = 60000, .run = stubborn };

	start(&plan);
	expect("sss");
	kill(supervisor, SIGKILL);
	expect_all_gone();
}
END_TEST

START_TEST(the_lifeline_ends_with_the_supervisor)
{
	const struct supervisor_plan plan = { .processes = 2, .grace_ms = 60000, .run = watching_the_lifeline };

	start(&plan);
	expect("ss");
	kill(supervisor, SIGKILL);
	expect("ee");
	expect_all_gone();
}
END_TEST

START_TEST(a_child_starts_with_fresh_signals)
{
	const struct supervisor_plan plan = { .processes = 1, .grace_ms = 60000, .run = reporting_its_signals };

	signal(SIGUSR2, SIG_IGN);
	start(&plan);
	expect("mids");
	kill(supervisor, SIGTERM);
	exit_status();
}
END_TEST

START_TEST(an_inherited_blocked_term_is_taken)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	start(&two_obedient);
	expect("ss");
	kill(supervisor, SIGTERM);
	expect_all_gone();
}
END_TEST

START_TEST(a_child_inherits_one_descriptor_of_the_supervisor)
{
	static unsigned before;
	const struct supervisor_plan plan = {
		.processes = 2, .grace_ms = 60000, .run = counting_descriptors, .arg = &before
	};

	before = open_descriptors() + 1; /* the pipe's end for reports */
	start(&plan);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_ne(next_report(), '!');
	kill(supervisor, SIGTERM);
	exit_status();
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("supervisor");

	HARNESS_CASE(s, "stopping", term_ends_all_and_is_a_clean_stop, int_ends_all_and_is_a_clean_stop,
		     a_second_term_ends_at_once, int_and_then_term_is_one_stop, a_term_and_its_echo_are_one_stop,
		     int_and_then_term_is_one_stop, a_child_that_does_not_end_is_killed_after_the_grace_time);
	HARNESS_CASE(s, "ends", a_child_that_died_is_started_again, gauges_of_a_dead_child_are_forgotten,
		     ends_that_were_asked_for_are_no_crashes, a_child_that_cannot_work_ends_the_service);
	HARNESS_CASE(s, "leaving", a_child_that_leaves_is_replaced_while_it_lives,
		     a_child_that_leaves_and_does_not_end_is_killed, in_turn_it_is_replaced_when_it_has_ended,
		     as_many_leave_as_there_are_processes);
	HARNESS_CASE(s, "parent", hup_and_usr1_are_passed_on, nothing_outlives_a_killed_supervisor,
		     the_lifeline_ends_with_the_supervisor, a_child_starts_with_fresh_signals,
		     an_inherited_blocked_term_is_taken, a_child_inherits_one_descriptor_of_the_supervisor);
	return s;
}
