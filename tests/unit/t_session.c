/* t_session.c - the connection that a request has for itself: one, and not a second. No call of leat/db.h asks for a second one, so the test
 * does by the internal header. */
#include <unistd.h>

#include "back/db_internal.h"
#include "base/log.h"
#include "tests/unit/people.h"

static FILE *log_file;

static void setup_one_connection(void)
{
	log_file = tmpfile();
	ck_assert_ptr_nonnull(log_file);
	ck_assert_int_eq(dup2(fileno(log_file), STDERR_FILENO), STDERR_FILENO);
	log_init(LOG_LEVEL_INFO, false);
	set_defaults();
	settings.db_lent_max = 1; /* the second one would wait for the first */
	set_up_stand();
}

static void ck_assert_logged(const char *words)
{
	char text[4096];

	rewind(log_file);
	text[fread(text, 1, sizeof(text) - 1, log_file)] = '\0';
	ck_assert_msg(strstr(text, words), "not in the log: %s\n%s", words, text);
}

static enum leat_result ask_for_a_second(struct leat_request *req, void *arg)
{
	struct session second;

	(void)arg;
	return session_open(call_of(req), &second, "one: SELECT 1");
}

TASK_TEST(a_second_connection_is_refused_and_told)
{
	call_of(req)->route = "/people/{id:int}";
	ck_assert_result(leat_tx(req, NULL, ask_for_a_second, NULL), LEAT_INTERNAL);
	ck_assert_logged("error");
	ck_assert_logged("/people/{id:int}: a second connection for one: SELECT 1 while the request holds one for a "
			 "transaction");
}

TASK_TEST(after_a_refusal_the_first_is_as_good_as_before)
{
	ck_assert_result(leat_tx(req, NULL, ask_for_a_second, NULL), LEAT_INTERNAL);
	ck_assert_ptr_null(call_of(req)->session);
	ck_assert_result(leat_tx(req, NULL, add_two, NULL), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 1);
}

static enum leat_result listen_to_news(struct leat_request *req, void *arg)
{
	struct leat_subscription *subscription;

	(void)arg;
	return leat_db_listen(req, "news", &subscription);
}

static enum leat_result do_all(struct leat_request *req, void *arg)
{
	struct leat_copy *copy;
	struct leat_query *query;

	(void)arg;
	LEAT_TRY(listen_to_news(req, NULL));
	LEAT_TRY(leat_db_send(req, &count_people, &query));
	LEAT_TRY(leat_tx(req, NULL, add_two, NULL));
	LEAT_TRY(leat_db_wait(req, query, NULL));
	LEAT_TRY(leat_db_copy_in(req, "COPY people (id, name) FROM STDIN", &copy));
	return leat_db_copy_end(copy, NULL);
}

/* All that leat/db.h has, in a transaction on the only connection that is lent. */
TASK_TEST(no_call_within_a_transaction_asks_for_a_second)
{
	ck_assert_result(leat_tx(req, NULL, do_all, NULL), LEAT_OK);
	ck_assert_uint_eq(metrics_total(METRIC_DB_LENT_OPEN), 1);
}

Suite *suite(void)
{
	Suite *s;

	postgres_need();
	s = suite_create("session");
	HARNESS_CASE_WITH(s, "one", setup_one_connection, teardown, a_second_connection_is_refused_and_told,
			  after_a_refusal_the_first_is_as_good_as_before,
			  no_call_within_a_transaction_asks_for_a_second);
	return s;
}
