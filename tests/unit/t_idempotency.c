/* t_idempotency.c - the life of a key in a real PostgreSQL, and through PgBouncer: owners that come late, clients that leave, locks. */
#include "tests/unit/people.h"

#include "http/idempotency_table.h"
#include "http/request.h"

enum { REPLY_MAX = 64 };

/* Requests with a key ---------------------------------------------------------------------------------------------- */

static const struct leat_idempotency policy = { 0 };
static const struct leat_caller ada = { .subject = { "ada", 3 } };

static enum leat_result no_body(void *source, char *into, size_t size, int64_t deadline_ns, size_t *ret_len)
{
	(void)source, (void)into, (void)size, (void)deadline_ns;
	*ret_len = 0;
	return LEAT_OK;
}

static const struct request_way way = { .read = no_body };

/* In the task of 'in', on its deadline. */
static struct leat_request *ask(struct leat_request *in)
{
	static const char *const params[] = { "REQUEST_METHOD=POST", "REQUEST_URI=/people", "CONTENT_LENGTH=0",
					      "HTTP_IDEMPOTENCY_KEY=\"key\"", NULL };
	static const struct leat_route route = { .verb = LEAT_POST, .pattern = "/people" };
	struct request_environment *environment = leat_alloc(in, sizeof(*environment));
	struct leat_request *req;

	environment->db = db;
	req = request_new(call_of(in)->arena, params, environment, 0);
	req->way = &way;
	req->call.deadline_ns = call_of(in)->deadline_ns;
	ck_assert_result(request_parse(req), LEAT_OK);
	req->match.route = &route;
	req->match.pattern = route.pattern;
	leat_caller_set(req, &ada);
	return req;
}

static enum leat_result enter(struct leat_request *req)
{
	return leat_idempotency_before_(req, &policy);
}

/* As the pipeline does it. */
static void leave(struct leat_request *req, enum leat_result result)
{
	if (result != LEAT_OK) {
		response_clear(&req->response);
		response_set(&req->response, leat_result_status(result), "application/problem+json",
			     LEAT_TEXT_OF("{}"));
	}
	leat_idempotency_after_(req, &policy);
}

static struct leat_request *begin_work(struct leat_request *in)
{
	struct leat_request *req = ask(in);

	ck_assert_result(enter(req), LEAT_OK);
	ck_assert_int_eq(leat_reply_status(req), 0);
	return req;
}

static void is_answered(struct leat_request *in, int status)
{
	struct leat_request *req = ask(in);

	ck_assert_result(enter(req), LEAT_OK);
	ck_assert_int_eq(leat_reply_status(req), status);
	leave(req, LEAT_OK);
}

static void is_refused(struct leat_request *in, const char *header)
{
	struct leat_request *req = ask(in);

	ck_assert_result(enter(req), LEAT_CONFLICT);
	leave(req, LEAT_CONFLICT);
	ck_assert_str_eq(req->response.headers.data
				 ? arena_copy(req->call.arena, req->response.headers.data, req->response.headers.len)
				 : "",
			 header);
}

#define RUNNING "Retry-After: 1\r\n"

static int64_t rows_with(const char *condition)
{
	char command[256];

	snprintf(command, sizeof(command), "SELECT count(*) FROM leat_idempotency WHERE %s", condition);
	return postgres_sql(command);
}

static void end_lease(void)
{
	postgres_sql("UPDATE leat_idempotency SET lease_until = now()");
}

/* Work ------------------------------------------------------------------------------------------------------------- */

static enum leat_result add_and_reply(struct leat_request *req, void *arg)
{
	LEAT_TRY(add_two(req, arg));
	LEAT_TRY(leat_reply_header(req, "Location", LEAT_TEXT_OF("/people/10")));
	return leat_reply_text(req, 201, "text/plain", LEAT_TEXT_OF("two"));
}

static enum leat_result work(struct leat_request *req, leat_tx_fn fn)
{
	return leat_idempotent_tx(req, NULL, fn, NULL);
}

TASK_TEST(work_and_reply_are_committed_together)
{
	struct leat_request *first = begin_work(req);

	is_refused(req, RUNNING);
	ck_assert_result(work(first, add_and_reply), LEAT_OK);
	ck_assert_int_eq(rows_with("status = 201"), 1);
	is_answered(req, 201); /* already before the first one has left */
	leave(first, LEAT_UNAVAILABLE);
	is_answered(req, 201); /* and whatever becomes of it */
	ck_assert_int_eq(count_rows(), 5);
}

static enum leat_result add_and_fail(struct leat_request *req, void *arg)
{
	LEAT_TRY(add_and_reply(req, arg));
	return LEAT_UNAVAILABLE;
}

TASK_TEST(neither_is_committed_when_it_fails)
{
	struct leat_request *first = begin_work(req);

	ck_assert_result(work(first, add_and_fail), LEAT_UNAVAILABLE);
	ck_assert_int_eq(leat_reply_status(first), 0);
	ck_assert_ptr_null(first->response.headers.data);
	ck_assert_int_eq(rows_with("status IS NULL"), 1);
	leave(first, LEAT_UNAVAILABLE);
	ck_assert_int_eq(rows_with("true"), 0);
	ck_assert_int_eq(count_rows(), 3);
}

static enum leat_result add_without_reply(struct leat_request *req, void *arg)
{
	return add_two(req, arg);
}

TASK_TEST(work_without_a_reply_is_a_bug)
{
	struct leat_request *first = begin_work(req);

	ck_assert_result(work(first, add_without_reply), LEAT_INTERNAL);
	leave(first, LEAT_INTERNAL);
	ck_assert_int_eq(count_rows(), 3);
}

static const struct leat_statement fail_once = { .sql = "SELECT fail_once()" };

static enum leat_result add_and_fail_once(struct leat_request *req, void *arg)
{
	LEAT_TRY(add_and_reply(req, arg));
	return leat_db_exec(req, &fail_once, NULL);
}

static void fail_the_first_time(void)
{
	postgres_sql("CREATE OR REPLACE FUNCTION fail_once() RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
		     "IF nextval('written') = 1 THEN RAISE EXCEPTION USING errcode = '40001'; END IF; END $$");
}

TASK_TEST(what_runs_again_replies_once)
{
	struct leat_request *first = begin_work(req);

	fail_the_first_time();
	ck_assert_result(work(first, add_and_fail_once), LEAT_OK);
	leave(first, LEAT_OK);
	ck_assert_int_eq(rows_with("headers = 'Location: /people/10\r\n'"), 1);
	ck_assert_int_eq(count_rows(), 5);
}

static enum leat_result vary_and_fail_once(struct leat_request *req, void *arg)
{
	LEAT_TRY(leat_vary(req, "Accept"));
	return add_and_fail_once(req, arg);
}

TASK_TEST(what_runs_again_has_the_headers_of_before)
{
	struct leat_request *first = begin_work(req);

	fail_the_first_time();
	ck_assert_result(leat_vary(first, "Origin"), LEAT_OK);
	ck_assert_result(work(first, vary_and_fail_once), LEAT_OK);
	leave(first, LEAT_OK);
	ck_assert_int_eq(rows_with("headers = 'Vary: Origin, Accept\r\nLocation: /people/10\r\n'"), 1);
}

static enum leat_result nested(struct leat_request *req, void *arg)
{
	ck_assert_result(leat_idempotent_tx(req, NULL, add_and_reply, arg), LEAT_OK);
	return LEAT_UNAVAILABLE;
}

static enum leat_result nested_well(struct leat_request *req, void *arg)
{
	return leat_idempotent_tx(req, NULL, add_and_reply, arg);
}

TASK_TEST(within_a_transaction_it_is_part_of_that)
{
	struct leat_request *first = begin_work(req);

	ck_assert_result(leat_tx(first, NULL, nested, NULL), LEAT_UNAVAILABLE);
	ck_assert_int_eq(rows_with("status IS NULL"), 1);
	leave(first, LEAT_UNAVAILABLE);
	ck_assert_int_eq(rows_with("true"), 0);
	ck_assert_int_eq(count_rows(), 3);
}

TASK_TEST(within_a_transaction_it_is_committed_with_that)
{
	struct leat_request *first = begin_work(req);

	ck_assert_result(leat_tx(first, NULL, nested_well, NULL), LEAT_OK);
	leave(first, LEAT_OK);
	is_answered(req, 201);
	ck_assert_uint_eq(metrics_total(METRIC_IDEMPOTENCY_STORED), 1);
	ck_assert_uint_eq(metrics_total(METRIC_IDEMPOTENCY_LOST), 0);
}

TASK_TEST(without_a_key_it_is_a_transaction)
{
	struct leat_request *first = ask(req);

	ck_assert_result(work(first, add_and_reply), LEAT_OK);
	ck_assert_int_eq(leat_reply_status(first), 201);
	ck_assert_int_eq(rows_with("true"), 0);
	ck_assert_int_eq(count_rows(), 5);
}

TASK_TEST(what_is_too_large_is_kept_as_done)
{
	struct leat_request *first = begin_work(req);
	char large[REPLY_MAX + 1] = "";

	ck_assert_result(leat_reply_text(first, 200, NULL, (leat_text){ large, sizeof(large) }), LEAT_OK);
	leave(first, LEAT_OK);
	is_refused(req, "");
	ck_assert_uint_eq(metrics_total(METRIC_IDEMPOTENCY_TOO_LARGE), 1);
}

/* Late owners ------------------------------------------------------------------------------------------------------ */

static struct leat_request *begin_work_after_lease(struct leat_request *in)
{
	end_lease();
	return begin_work(in);
}

TASK_TEST(whose_lease_is_over_loses_the_key_and_its_work)
{
	struct leat_request *first = begin_work(req), *second = begin_work_after_lease(req);

	ck_assert_result(work(first, add_and_reply), LEAT_CONFLICT);
	leave(first, LEAT_CONFLICT);
	ck_assert_int_eq(count_rows(), 3);
	is_refused(req, RUNNING);
	ck_assert_result(work(second, add_and_reply), LEAT_OK);
	leave(second, LEAT_OK);
	is_answered(req, 201);
	ck_assert_int_eq(count_rows(), 5);
	ck_assert_uint_eq(metrics_total(METRIC_IDEMPOTENCY_LEFT), 1);
}

TASK_TEST(a_late_owner_does_not_store)
{
	struct leat_request *first = begin_work(req), *second = begin_work_after_lease(req);

	ck_assert_result(leat_reply_empty(first, 204), LEAT_OK);
	leave(first, LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_IDEMPOTENCY_LOST), 1);
	ck_assert_int_eq(rows_with("status IS NULL"), 1);
	leave(second, LEAT_UNAVAILABLE);
	ck_assert_int_eq(rows_with("true"), 0);
}

TASK_TEST(a_late_owner_does_not_release)
{
	struct leat_request *first = begin_work(req);

	begin_work_after_lease(req);
	leave(first, LEAT_INTERNAL);
	ck_assert_int_eq(rows_with("status IS NULL"), 1);
}

/* Somebody holds the row's lock, as a transaction does whose commit nobody has heard of. */
static PGconn *lock_rows(void)
{
	PGconn *connection = PQconnectdb(getenv("LEAT_TEST_DATABASE"));

	PQclear(PQexec(connection, "BEGIN"));
	PQclear(PQexec(connection, "SELECT FROM leat_idempotency FOR UPDATE"));
	return connection;
}

TASK_TEST(a_locked_row_is_passed_over)
{
	struct leat_request *first = begin_work(req);
	PGconn *holder;

	end_lease();
	holder = lock_rows();
	is_refused(req, RUNNING);
	leave(first, LEAT_UNAVAILABLE);
	idempotency_purge(req);
	ck_assert_int_eq(rows_with("status IS NULL"), 1);
	PQclear(PQexec(holder, "ROLLBACK"));
	PQfinish(holder);
	leave(begin_work(req), LEAT_UNAVAILABLE);
}

/* Ends that come from outside -------------------------------------------------------------------------------------- */

TASK_TEST(a_client_that_leaves_frees_its_key)
{
	struct leat_request *first = begin_work(req);

	task_cancel(task_self());
	ck_assert_result(work(first, add_and_reply), LEAT_CANCELLED);
	leave(first, LEAT_CANCELLED);
	ck_assert_int_eq(rows_with("true"), 0);
}

TASK_TEST(a_client_that_leaves_at_the_end_finds_its_reply)
{
	struct leat_request *first = begin_work(req);

	task_cancel(task_self());
	ck_assert_result(leat_reply_empty(first, 204), LEAT_OK);
	leave(first, LEAT_OK);
	ck_assert_int_eq(rows_with("status = 204"), 1);
}

TASK_TEST(a_client_that_leaves_first_is_waited_for)
{
	struct leat_request *first = ask(req);

	task_cancel(task_self());
	ck_assert_result(enter(first), LEAT_OK);
	ck_assert_int_eq(rows_with("status IS NULL"), 1);
	leave(first, LEAT_CANCELLED);
	ck_assert_int_eq(rows_with("true"), 0);
}

TASK_TEST(at_its_deadline_a_request_frees_its_key)
{
	struct leat_request *first = begin_work(req);

	first->call.deadline_ns = clock_now_ns();
	ck_assert_result(work(first, add_and_reply), LEAT_TIMED_OUT);
	leave(first, LEAT_TIMED_OUT);
	ck_assert_int_eq(rows_with("true"), 0);
}

/* Old rows --------------------------------------------------------------------------------------------------------- */

TASK_TEST(old_rows_go_in_batches)
{
	struct leat_request *first = begin_work(req);

	postgres_sql("INSERT INTO leat_idempotency (id, request, owner, lease_until, expires_at, route, key) "
		     "SELECT n::text::bytea, '', 0, now(), now(), '', '' FROM generate_series(1, 250) n");
	idempotency_purge(req);
	ck_assert_int_eq(rows_with("true"), 51);
	idempotency_purge(req);
	ck_assert_int_eq(rows_with("status IS NULL"), 1);
	leave(first, LEAT_OK);
}

START_TEST(they_go_once_a_minute)
{
	const int64_t now_ns = clock_now_ns() + 1000 * CLOCK_S;

	ck_assert(!idempotency_purge_is_due(now_ns)); /* drawn */
	ck_assert(idempotency_purge_is_due(now_ns + 60 * CLOCK_S));
	ck_assert(!idempotency_purge_is_due(now_ns + 119 * CLOCK_S));
	ck_assert(idempotency_purge_is_due(now_ns + 120 * CLOCK_S));
}
END_TEST

/* Many ------------------------------------------------------------------------------------------------------------- */

static void do_once(struct leat_request *in)
{
	struct leat_request *req = ask(in);
	enum leat_result result = enter(req);

	if (result == LEAT_OK && leat_reply_status(req) == 0)
		result = work(req, add_and_reply);
	leave(req, result);
	job_of(in)->result = result;
}

START_TEST(of_many_at_once_one_works)
{
	static struct job jobs[200];

	for (int i = 0; i < 200; i++) {
		jobs[i] = (struct job){ 0 };
		start(&jobs[i], do_once, LIMIT_S * 1000);
	}
	finish_all();
	for (int i = 0; i < 200; i++)
		ck_assert_msg(jobs[i].result == LEAT_OK || jobs[i].result == LEAT_CONFLICT, "%s",
			      leat_result_name(jobs[i].result));
	ck_assert_int_eq(count_rows(), 5);
	ck_assert_uint_eq(metrics_total(METRIC_IDEMPOTENCY_STORED), 1);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------------ */

/* What is installed for services. */
static void make_table(void)
{
	char path[4096], sql[8192];
	const char *srcdir = getenv("srcdir");
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/deploy/share/idempotency.sql", srcdir ? srcdir : ".");
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	len = fread(sql, 1, sizeof(sql) - 1, file);
	fclose(file);
	sql[len] = '\0';
	postgres_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS leat_idempotency");
	postgres_sql(sql);
	idempotency_setup(3600000, 10000, REPLY_MAX);
	idempotency_list();
}

static void set_up(void)
{
	set_defaults();
	settings.db_lanes = 2;
	make_table();
	set_up_stand();
}

static void set_up_bouncer(void)
{
	set_defaults();
	settings.database_url = getenv("LEAT_TEST_BOUNCER");
	settings.db_lanes = 3;
	settings.db_prepare = 2;
	make_table();
	set_up_stand();
}

static void add_cases(Suite *s, const char *name, void (*before)(void))
{
	HARNESS_CASE_WITH(
		s, name, before, teardown, work_and_reply_are_committed_together, neither_is_committed_when_it_fails,
		work_without_a_reply_is_a_bug, what_runs_again_replies_once, what_runs_again_has_the_headers_of_before,
		within_a_transaction_it_is_part_of_that, within_a_transaction_it_is_committed_with_that,
		without_a_key_it_is_a_transaction, what_is_too_large_is_kept_as_done,
		whose_lease_is_over_loses_the_key_and_its_work, a_late_owner_does_not_store,
		a_late_owner_does_not_release, a_locked_row_is_passed_over, a_client_that_leaves_frees_its_key,
		a_client_that_leaves_at_the_end_finds_its_reply, a_client_that_leaves_first_is_waited_for,
		at_its_deadline_a_request_frees_its_key, old_rows_go_in_batches, of_many_at_once_one_works);
}

Suite *suite(void)
{
	Suite *s = suite_create("idempotency");

	postgres_need();
	add_cases(s, "direct", set_up);
	if (getenv("LEAT_TEST_BOUNCER") && *getenv("LEAT_TEST_BOUNCER"))
		add_cases(s, "bouncer", set_up_bouncer);
	HARNESS_CASE(s, "times", they_go_once_a_minute);
	return s;
}
