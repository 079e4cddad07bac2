/* t_db.c - the database against a real PostgreSQL (postgres.h), with tasks on a real loop. */
#include "back/statement.h"
#include "tests/unit/db_stand.h"

struct person {
	int64_t id;
	leat_text name;
	leat_text note;
};

static const struct leat_shape person_shape = LEAT_SHAPE(struct person, LEAT_INT(id), LEAT_TEXT(name), LEAT_TEXT(note, .optional = true));

struct number {
	int64_t n;
};

static const struct leat_shape number_shape = LEAT_SHAPE(struct number, LEAT_INT(n));

static const struct leat_statement person_by_id = { .sql = "SELECT id, name, note FROM people WHERE id = $1",
						    .row = &person_shape,
						    .read_only = true };
static const struct leat_statement all_people = { .sql = "SELECT id, name, note FROM people ORDER BY id",
						  .row = &person_shape,
						  .read_only = true };
static const struct leat_statement add_person = { .sql = "INSERT INTO people (id, name) VALUES ($1, $2)" };
static const struct leat_statement rename_all = { .sql = "UPDATE people SET name = $1" };
static const struct leat_statement one = { .sql = "SELECT 1::int8 AS n", .row = &number_shape, .read_only = true };
static const struct leat_statement twice = { .sql = "SELECT $1::int8 * 2 AS n",
					     .row = &number_shape,
					     .read_only = true };
static const struct leat_statement divide = { .sql = "SELECT 1 / $1::int8 AS n", .row = &number_shape };
static const struct leat_statement read_slowly = { .sql = "SELECT count(pg_sleep($1)) AS n",
						   .row = &number_shape,
						   .read_only = true };
static const struct leat_statement write_slowly = {
	.sql = "INSERT INTO people SELECT 100 + nextval('written'), 'slow' FROM pg_sleep($1)"
};

/* Answers -------------------------------------------------------------------------------------------------------------- */

TASK_TEST(one_row_fills_a_struct)
{
	struct person person;

	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(1)), LEAT_OK);
	ck_assert_int_eq(person.id, 1);
	ck_assert(leat_text_equal(person.name, LEAT_TEXT_OF("Ada")));
	ck_assert(leat_text_equal(person.note, LEAT_TEXT_OF("first")));
}

TASK_TEST(no_row_is_not_found)
{
	struct person person;

	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(99)), LEAT_NOT_FOUND);
}

TASK_TEST(null_leaves_an_optional_field_absent_and_empty_does_not)
{
	struct person person;

	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(2)), LEAT_OK);
	ck_assert_ptr_null(person.note.ptr);
	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(3)), LEAT_OK);
	ck_assert_ptr_nonnull(person.note.ptr);
	ck_assert_uint_eq(person.note.len, 0);
}

TASK_TEST(many_rows_come_as_a_list_in_order)
{
	struct leat_list list;
	struct person *people;

	ck_assert_result(leat_db_all(req, &all_people, &list), LEAT_OK);
	ck_assert_uint_eq(list.count, 3);
	people = list.items;
	ck_assert_int_eq(people[2].id, 3);
	ck_assert(leat_text_equal(people[2].name, LEAT_TEXT_OF("Zoë")));
}

TASK_TEST(no_rows_are_an_empty_list)
{
	static const struct leat_statement nobody = { .sql = "SELECT id, name, note FROM people WHERE false",
						      .row = &person_shape };
	struct leat_list list;

	ck_assert_result(leat_db_all(req, &nobody, &list), LEAT_OK);
	ck_assert_uint_eq(list.count, 0);
}

TASK_TEST(a_large_result_arrives_whole)
{
	static const struct leat_statement many = {
		.sql = "SELECT i AS id, repeat('x', 100) AS name FROM generate_series(1, 20000) AS i",
		.row = &person_shape
	};
	struct leat_list list;

	ck_assert_result(leat_db_all(req, &many, &list), LEAT_OK);
	ck_assert_uint_eq(list.count, 20000);
	ck_assert_int_eq(((struct person *)list.items)[19999].id, 20000);
}

TASK_TEST(a_text_larger_than_the_socket_goes_there_and_back)
{
	static const struct leat_statement echo = { .sql = "SELECT 1::int8 AS id, $1::text AS name",
						    .row = &person_shape };
	leat_text text = { arena_alloc(call_of(req)->arena, 3000000), 3000000 };
	struct person person;

	memset((char *)text.ptr, 'x', text.len);
	ck_assert_result(leat_db_one(req, &echo, &person, LEAT_ARG(text)), LEAT_OK);
	ck_assert(leat_text_equal(person.name, text));
}

TASK_TEST(exec_counts_the_rows_it_changed)
{
	int64_t count;

	ck_assert_result(leat_db_exec(req, &rename_all, &count, LEAT_ARG("Ida")), LEAT_OK);
	ck_assert_int_eq(count, 3);
}

TASK_TEST(a_duplicate_key_is_a_conflict)
{
	ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(1), LEAT_ARG("Ada")), LEAT_CONFLICT);
}

TASK_TEST(an_sql_error_is_internal)
{
	static const struct leat_statement wrong = { .sql = "SELECT nonsense FROM nowhere", .row = &number_shape };
	struct number number;

	ck_assert_result(leat_db_one(req, &wrong, &number), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &wrong, &number), LEAT_INTERNAL);
}

TASK_TEST(arguments_of_every_kind_arrive)
{
	static const struct leat_statement check = {
		.sql = "SELECT ($1::int8 = -9223372036854775808 AND $2::bool AND $3::float8 = 0.1 AND $4::text = 'ü' "
		       "AND $5::text IS NULL AND $6::numeric = 0.1 AND $7::int2 = 7 AND $8::uuid IS NOT NULL "
		       "AND $9::text = '')::int AS n",
		.row = &number_shape,
	};
	struct number number;

	ck_assert_result(leat_db_one(req, &check, &number, LEAT_ARG(INT64_MIN), LEAT_ARG((bool)true), LEAT_ARG(0.1),
				     LEAT_ARG(LEAT_TEXT_OF("ü")), LEAT_NULL, LEAT_ARG(0.1), LEAT_ARG(7),
				     LEAT_ARG("5b2d3a52-7e9c-4d6f-8a4e-0f6f6f6f6f6f"), LEAT_ARG("")),
			 LEAT_OK);
	ck_assert_int_eq(number.n, 1);
}

TASK_TEST(a_text_with_nul_is_refused_instead_of_cut)
{
	ck_assert_result(leat_db_exec(req, &rename_all, NULL, LEAT_ARG(LEAT_TEXT_OF("a\0b"))), LEAT_INTERNAL);
}

TASK_TEST(the_wrong_number_of_arguments_is_internal)
{
	struct number number;

	ck_assert_result(leat_db_one(req, &twice, &number), LEAT_INTERNAL);
}

TASK_TEST(copy_is_refused_and_the_lane_comes_back)
{
	static const struct leat_statement copy = { .sql = "COPY people TO STDOUT", .read_only = true };
	struct number number;

	ck_assert_result(leat_db_exec(req, &copy, NULL), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &one, &number), LEAT_OK);
}

/* Other kinds, there and back --------------------------------------------------------------------------------------- */

struct rich {
	leat_bytes bytes;
	leat_time time;
	leat_time local;
	leat_uuid uuid;
	leat_json json;
	leat_json jsonb;
	leat_ints ints;
	leat_ints small;
	leat_texts texts;
	int64_t number;
	bool has_time, has_local, has_uuid, has_number;
};

static const struct leat_shape rich_shape = LEAT_SHAPE(struct rich,
	LEAT_BYTES(bytes, .optional = true),
	LEAT_TIME(time, .optional = true, .has = LEAT_HAS(struct rich, has_time)),
	LEAT_TIME(local, .optional = true, .has = LEAT_HAS(struct rich, has_local)),
	LEAT_UUID(uuid, .optional = true, .has = LEAT_HAS(struct rich, has_uuid)),
	LEAT_JSON(json, .optional = true),
	LEAT_JSON(jsonb, .optional = true),
	LEAT_INTS(ints, .optional = true),
	LEAT_INTS(small, .optional = true),
	LEAT_TEXTS(texts, .optional = true),
	LEAT_INT(number, .optional = true, .has = LEAT_HAS(struct rich, has_number)));

static const struct leat_statement rich_echo = {
	.sql = "SELECT $1::bytea AS bytes, $2::timestamptz AS time, $3::timestamp AS local, $4::uuid AS uuid, "
	       "$5::json AS json, $6::jsonb AS jsonb, $7::int8[] AS ints, $8::int2[] AS small, $9::varchar[] AS texts, "
	       "$10::int4 AS number",
	.row = &rich_shape,
};

static enum leat_result echo_rich(struct leat_request *req, const struct rich *rich, struct rich *ret_rich)
{
	return leat_db_one(req, &rich_echo, ret_rich, LEAT_ARG(rich->bytes), LEAT_ARG_IF(rich->has_time, rich->time),
			   LEAT_ARG_IF(rich->has_local, rich->local), LEAT_ARG_IF(rich->has_uuid, rich->uuid),
			   LEAT_ARG(rich->json), LEAT_ARG(rich->jsonb), LEAT_ARG(rich->ints), LEAT_ARG(rich->small),
			   LEAT_ARG(rich->texts), LEAT_ARG_IF(rich->has_number, rich->number));
}

TASK_TEST(every_other_kind_goes_there_and_back)
{
	int64_t ints[] = { INT64_MIN, 0, INT64_MAX };
	int64_t small[] = { -32768, 32767 };
	leat_text texts[] = { LEAT_TEXT_OF(""), LEAT_TEXT_OF("NULL"), LEAT_TEXT_OF("a, \"b\" {c} \\d\n'é'") };
	uint8_t bytes[256];
	struct rich again;
	struct rich rich = {
		.bytes = { bytes, sizeof(bytes) },
		.time = { INT64_C(1769851800000001) },
		.local = { -1 },
		.uuid = { { 0x5b, 0x2d, 0x3a, 0x52, 0, 0xff } },
		.json = { LEAT_TEXT_OF("{\"b\": 1,  \"a\": \"\\u00e9\"}") },
		.jsonb = { LEAT_TEXT_OF("[1, {\"a\": null}]") },
		.ints = { ints, 3 },
		.small = { small, 2 },
		.texts = { texts, 3 },
		.has_time = true,
		.has_local = true,
		.has_uuid = true,
		.has_number = true,
	};

	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	ck_assert_result(echo_rich(req, &rich, &again), LEAT_OK);
	ck_assert_uint_eq(again.bytes.len, sizeof(bytes));
	ck_assert_mem_eq(again.bytes.ptr, bytes, sizeof(bytes));
	ck_assert_int_eq(again.time.us, rich.time.us);
	ck_assert_int_eq(again.local.us, rich.local.us);
	ck_assert_mem_eq(again.uuid.bytes, rich.uuid.bytes, sizeof(rich.uuid.bytes));
	ck_assert(leat_text_equal(again.json.text, rich.json.text));
	ck_assert(leat_text_equal(again.jsonb.text, rich.jsonb.text));
	ck_assert_uint_eq(again.ints.count, 3);
	ck_assert_mem_eq(again.ints.items, ints, sizeof(ints));
	ck_assert_uint_eq(again.small.count, 2);
	ck_assert_mem_eq(again.small.items, small, sizeof(small));
	ck_assert_uint_eq(again.texts.count, 3);
	for (int i = 0; i < 3; i++)
		ck_assert(leat_text_equal(again.texts.items[i], texts[i]));
	ck_assert(again.has_number && again.number == 0);
}

TASK_TEST(what_is_empty_stays_empty)
{
	struct rich again;
	struct rich rich = {
		.bytes = { (const uint8_t *)"", 0 },
		.ints = { (int64_t[1]){ 0 }, 0 },
		.texts = { (leat_text[1]){ { "", 0 } }, 0 },
	};

	ck_assert_result(echo_rich(req, &rich, &again), LEAT_OK);
	ck_assert(again.bytes.ptr && again.bytes.len == 0);
	ck_assert(again.ints.items && again.ints.count == 0);
	ck_assert(again.texts.items && again.texts.count == 0);
}

TASK_TEST(what_is_absent_comes_back_absent)
{
	struct rich rich = { .has_time = false };
	struct rich again;

	ck_assert_result(echo_rich(req, &rich, &again), LEAT_OK);
	ck_assert(!again.bytes.ptr && !again.json.text.ptr && !again.jsonb.text.ptr);
	ck_assert(!again.ints.items && !again.small.items && !again.texts.items);
	ck_assert(!again.has_time && !again.has_local && !again.has_uuid && !again.has_number);
}

TASK_TEST(the_first_and_the_last_time_arrive)
{
	static const int64_t times[] = { INT64_C(-62135596800000000), INT64_C(-2), INT64_C(951782400000000),
					 INT64_C(253402300799999999) };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct rich rich = { .time = { times[i] }, .local = { times[i] }, .has_time = true, .has_local = true };
		struct rich again;

		ck_assert_result(echo_rich(req, &rich, &again), LEAT_OK);
		ck_assert_int_eq(again.time.us, times[i]);
		ck_assert_int_eq(again.local.us, times[i]);
	}
}

static const struct leat_statement made_of = { .sql = "SELECT $1::text::timestamptz AS time", .row = &rich_shape };

TASK_TEST(a_time_that_is_not_held_is_internal)
{
	struct rich rich;

	ck_assert_result(leat_db_one(req, &made_of, &rich, LEAT_ARG("infinity")), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &made_of, &rich, LEAT_ARG("-infinity")), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &made_of, &rich, LEAT_ARG("0001-12-31 00:00:00Z BC")), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &made_of, &rich, LEAT_ARG("10000-01-01 00:00:00Z")), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &made_of, &rich, LEAT_ARG((leat_time){ INT64_MAX })), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &made_of, &rich, LEAT_ARG("9999-12-31 23:59:59Z")), LEAT_OK);
}

TASK_TEST(a_null_among_the_elements_is_internal)
{
	static const struct leat_statement ints = { .sql = "SELECT ARRAY[1, NULL] AS ints", .row = &rich_shape };
	static const struct leat_statement texts = { .sql = "SELECT $1::text[] AS texts", .row = &rich_shape };
	leat_text items[] = { LEAT_TEXT_OF("a"), { NULL, 0 } };
	struct rich rich;

	ck_assert_result(leat_db_one(req, &ints, &rich), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &texts, &rich, LEAT_ARG((leat_texts){ items, 2 })), LEAT_INTERNAL);
	ck_assert_result(leat_db_one(req, &texts, &rich, LEAT_ARG((leat_texts){ items, 1 })), LEAT_OK);
}

TASK_TEST(an_array_of_two_dimensions_is_internal)
{
	static const struct leat_statement square = { .sql = "SELECT ARRAY[[1, 2], [3, 4]] AS ints",
						      .row = &rich_shape };
	struct rich rich;

	ck_assert_result(leat_db_one(req, &square, &rich), LEAT_INTERNAL);
}

TASK_TEST(an_array_chooses_rows)
{
	static const struct leat_statement some = {
		.sql = "SELECT id, name, note FROM people WHERE id = ANY($1) ORDER BY id", .row = &person_shape
	};
	int64_t ids[] = { 3, 99, 1 };
	struct leat_list list;

	ck_assert_result(leat_db_all(req, &some, &list, LEAT_ARG((leat_ints){ ids, 3 })), LEAT_OK);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_int_eq(((struct person *)list.items)[1].id, 3);
}

TASK_TEST(arguments_of_other_kinds_need_no_types)
{
	static const struct leat_statement check = {
		.sql = "SELECT ($1::date = '2026-01-31' AND $2::text = '\\xff' AND $3::numeric[] = '{1,2}' "
		       "AND $4::text = 'ab000000-0000-0000-0000-000000000000' AND $5::text = '[1]' "
		       "AND $6::json ->> 0 = 'x')::int AS n",
		.row = &number_shape,
	};
	int64_t ints[] = { 1, 2 };
	struct number number;

	ck_assert_result(leat_db_one(req, &check, &number, LEAT_ARG((leat_time){ INT64_C(1769851800000000) }),
				     LEAT_ARG((leat_bytes){ (const uint8_t *)"\xff", 1 }),
				     LEAT_ARG((leat_ints){ ints, 2 }), LEAT_ARG((leat_uuid){ { 0xab } }),
				     LEAT_ARG((leat_json){ LEAT_TEXT_OF("[1]") }), LEAT_ARG("[\"x\"]")),
			 LEAT_OK);
	ck_assert_int_eq(number.n, 1);
}

/* Several at once --------------------------------------------------------------------------------------------------- */

TASK_TEST(several_statements_travel_together)
{
	struct leat_query *queries[20];
	struct leat_list list;

	for (int i = 0; i < 20; i++)
		ck_assert_result(leat_db_send(req, &twice, &queries[i], LEAT_ARG(i)), LEAT_OK);
	for (int i = 19; i >= 0; i--) {
		ck_assert_result(leat_db_wait(req, queries[i], &list), LEAT_OK);
		ck_assert_int_eq(((struct number *)list.items)->n, 2 * i);
	}
}

TASK_TEST(one_that_was_sent_counts_the_rows_it_changed)
{
	struct leat_query *query;
	int64_t count;

	ck_assert_result(leat_db_send(req, &rename_all, &query, LEAT_ARG("Ida")), LEAT_OK);
	ck_assert_result(leat_db_wait_count(req, query, &count), LEAT_OK);
	ck_assert_int_eq(count, 3);
}

TASK_TEST(each_that_was_sent_comes_once)
{
	struct leat_query *queries[20] = { 0 };
	int64_t sum = 0;

	for (int64_t i = 1; i < 20; i++) /* the first entry stays NULL */
		ck_assert_result(leat_db_send(req, &twice, &queries[i], LEAT_ARG(i)), LEAT_OK);
	for (int i = 1; i < 20; i++) {
		struct leat_list list;
		size_t at;

		ck_assert_result(leat_db_wait_any(req, queries, 20, &at), LEAT_OK);
		ck_assert_result(leat_db_wait(req, queries[at], &list), LEAT_OK);
		sum += ((struct number *)list.items)->n;
	}
	ck_assert_int_eq(sum, 2 * 190);
}

TASK_TEST(a_failure_touches_no_neighbour)
{
	struct leat_query *queries[5];

	ck_assert_result(leat_db_send(req, &add_person, &queries[0], LEAT_ARG(10), LEAT_ARG("Lin")), LEAT_OK);
	ck_assert_result(leat_db_send(req, &divide, &queries[1], LEAT_ARG(0)), LEAT_OK);
	ck_assert_result(leat_db_send(req, &add_person, &queries[2], LEAT_ARG(11), LEAT_ARG("Mae")), LEAT_OK);
	ck_assert_result(leat_db_send(req, &add_person, &queries[3], LEAT_ARG(1), LEAT_ARG("Ada")), LEAT_OK);
	ck_assert_result(leat_db_send(req, &person_by_id, &queries[4], LEAT_ARG(1)), LEAT_OK);
	ck_assert_result(leat_db_wait(req, queries[0], NULL), LEAT_OK);
	ck_assert_result(leat_db_wait(req, queries[1], NULL), LEAT_INTERNAL);
	ck_assert_result(leat_db_wait(req, queries[2], NULL), LEAT_OK);
	ck_assert_result(leat_db_wait(req, queries[3], NULL), LEAT_CONFLICT);
	ck_assert_result(leat_db_wait(req, queries[4], NULL), LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id IN (10, 11)"), 2);
}

TASK_TEST(what_was_sent_and_never_awaited_still_happens)
{
	struct leat_query *query;

	ck_assert_result(leat_db_send(req, &add_person, &query, LEAT_ARG(10), LEAT_ARG("Lin")), LEAT_OK);
	ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(11), LEAT_ARG("Mae")), LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE id IN (10, 11)"), 2);
}

static void ask_many(struct leat_request *req)
{
	struct job *job = job_of(req);
	struct number number;

	for (int64_t i = 0; i < 20; i++) {
		ck_assert_result(leat_db_one(req, &twice, &number, LEAT_ARG(job->arg + i)), LEAT_OK);
		ck_assert_int_eq(number.n, 2 * (job->arg + i));
	}
}

static void run_many(int count)
{
	struct job *jobs = calloc((size_t)count, sizeof(*jobs));

	for (int i = 0; i < count; i++) {
		jobs[i].arg = i;
		start(&jobs[i], ask_many, LIMIT_S * 1000);
	}
	finish_all();
	free(jobs);
}

START_TEST(thousands_of_tasks_share_one_lane)
{
	settings.db_lane_depth = 5000;
	run_many(3000);
}
END_TEST

START_TEST(several_lanes_share_the_work)
{
	end();
	settings.db_lanes = 3;
	begin();
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECTIONS) == 3);
	run_many(500);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM pg_stat_activity "
				      "WHERE application_name = 'leat' AND query LIKE '%$1%'"),
			 3);
}
END_TEST

/* Deadlines ----------------------------------------------------------------------------------------------------------- */

static void read_for_arg(struct leat_request *req)
{
	struct number number;

	job_of(req)->result = leat_db_one(req, &read_slowly, &number, LEAT_ARG((double)job_of(req)->arg / 1000));
}

static void write_for_arg(struct leat_request *req)
{
	job_of(req)->result = leat_db_exec(req, &write_slowly, NULL, LEAT_ARG((double)job_of(req)->arg / 1000));
}

static void read_one(struct leat_request *req)
{
	struct number number;

	job_of(req)->result = leat_db_one(req, &one, &number);
}

static void add_lin(struct leat_request *req)
{
	job_of(req)->result = leat_db_exec(req, &add_person, NULL, LEAT_ARG(10), LEAT_ARG("Lin"));
}

START_TEST(a_full_lane_refuses)
{
	struct job jobs[5] = { 0 };

	TURN_UNTIL(db_is_up(db));
	settings.db_lane_depth = 3;
	for (int i = 0; i < 5; i++)
		start(&jobs[i], read_one, 5000);
	finish_all();
	for (int i = 0; i < 5; i++)
		ck_assert_result(jobs[i].result, i < 3 ? LEAT_OK : LEAT_UNAVAILABLE);
	ck_assert_int_eq(metrics_total(METRIC_DB_UNAVAILABLE), 2);
}
END_TEST

START_TEST(a_deadline_is_kept_while_the_server_sleeps)
{
	struct job job = { .arg = 10000 };

	TURN_UNTIL(db_is_up(db));
	start(&job, read_for_arg, 100);
	finish_all();
	ck_assert_result(job.result, LEAT_TIMED_OUT);
	ck_assert_int_ge(job.took_ms, 95);
	ck_assert_int_le(job.took_ms, 100 + LENIENT_MS);
	ck_assert_int_eq(metrics_total(METRIC_DB_TIMEOUTS), 1);
}
END_TEST

START_TEST(a_late_answer_is_drained_without_cancelling)
{
	struct job slow = { .arg = 150 }, next = { 0 };

	TURN_UNTIL(db_is_up(db));
	start(&slow, read_for_arg, 50);
	finish_all();
	start(&next, read_one, 5000);
	finish_all();
	ck_assert_result(slow.result, LEAT_TIMED_OUT);
	ck_assert_result(next.result, LEAT_OK);
	ck_assert_int_eq(metrics_total(METRIC_DB_CONNECTS), 1);
	ck_assert_int_eq(metrics_total(METRIC_DB_ERRORS), 0);
}
END_TEST

START_TEST(past_its_grace_a_late_statement_is_cancelled_and_the_connection_stays)
{
	struct job slow = { .arg = 60000 }, next = { 0 };

	TURN_UNTIL(db_is_up(db));
	start(&slow, read_for_arg, 50);
	finish_all();
	start(&next, read_one, 5000); /* waits: the only lane is late */
	finish_all();
	ck_assert_result(next.result, LEAT_OK);
	ck_assert_int_eq(metrics_total(METRIC_DB_CONNECTS), 1);
	ck_assert_int_eq(metrics_total(METRIC_DB_ERRORS), 1);
	ck_assert(!is_asleep());
}
END_TEST

START_TEST(those_behind_a_late_statement_move_if_they_only_read)
{
	struct job slow = { .arg = 60000 }, reader = { 0 }, writer = { 0 };

	TURN_UNTIL(db_is_up(db));
	start(&slow, read_for_arg, 50);
	start(&reader, read_one, 5000);
	start(&writer, add_lin, 5000);
	finish_all();
	ck_assert_result(slow.result, LEAT_TIMED_OUT);
	ck_assert_result(reader.result, LEAT_OK);
	ck_assert_result(writer.result, LEAT_UNAVAILABLE);
	ck_assert_int_eq(metrics_total(METRIC_DB_RETRIES), 1);
	TURN_UNTIL(!is_asleep());
}
END_TEST

START_TEST(a_late_lane_gets_no_work_while_another_is_ready)
{
	struct job slow = { .arg = 60000 }, next = { 0 };

	end();
	settings.db_lanes = 2;
	settings.db_cancel_grace = 5000;
	begin();
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECTIONS) == 2);
	start(&slow, read_for_arg, 50);
	finish_all();
	for (int i = 0; i < 10; i++) {
		start(&next, read_one, 1000);
		finish_all();
		ck_assert_result(next.result, LEAT_OK);
	}
}
END_TEST

START_TEST(a_cancelled_task_stops_waiting)
{
	struct job job = { .arg = 60000 };

	TURN_UNTIL(db_is_up(db));
	start(&job, read_for_arg, LIMIT_S * 1000);
	TURN_UNTIL(is_asleep());
	task_cancel(job.task);
	finish_all();
	ck_assert_result(job.result, LEAT_CANCELLED);
	TURN_UNTIL(!is_asleep());
}
END_TEST

static void send_and_leave(struct leat_request *req)
{
	struct leat_query *query;

	job_of(req)->result = leat_db_send(req, &read_slowly, &query, LEAT_ARG(60.0));
}

START_TEST(what_a_request_left_behind_is_given_up)
{
	struct job job = { 0 }, next = { 0 };

	TURN_UNTIL(db_is_up(db));
	start(&job, send_and_leave, 5000);
	finish_all();
	start(&next, read_one, 5000);
	finish_all();
	ck_assert_result(next.result, LEAT_OK);
}
END_TEST

START_TEST(statement_timeout_is_timed_out)
{
	struct job job = { .arg = 60000 };
	char url[512];

	snprintf(url, sizeof(url), "%s options='-c statement_timeout=50'", getenv("LEAT_TEST_DATABASE"));
	end();
	settings.database_url = url;
	begin();
	start(&job, read_for_arg, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_TIMED_OUT);
}
END_TEST

/* A server that goes away --------------------------------------------------------------------------------------------- */

START_TEST(a_read_in_flight_is_sent_again_when_its_backend_dies)
{
	struct job job = { .arg = 300 };

	TURN_UNTIL(db_is_up(db));
	start(&job, read_for_arg, 10000);
	TURN_UNTIL(is_asleep());
	kill_backends();
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
	ck_assert_int_eq(metrics_total(METRIC_DB_RETRIES), 1);
	ck_assert_int_eq(metrics_total(METRIC_DB_CONNECTS), 2);
}
END_TEST

START_TEST(a_write_in_flight_is_never_sent_again)
{
	struct job job = { .arg = 300 };

	TURN_UNTIL(db_is_up(db));
	start(&job, write_for_arg, 10000);
	TURN_UNTIL(is_asleep());
	kill_backends();
	finish_all();
	ck_assert_result(job.result, LEAT_UNAVAILABLE);
	TURN_UNTIL(db_is_up(db));
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people WHERE name = 'slow'"), 0);
}
END_TEST

START_TEST(a_read_is_sent_again_only_once)
{
	struct job job = { .arg = 1000 };

	TURN_UNTIL(db_is_up(db));
	start(&job, read_for_arg, 10000);
	for (int i = 0; i < 2; i++) {
		TURN_UNTIL(is_asleep());
		kill_backends();
		TURN_UNTIL(!is_asleep());
	}
	finish_all();
	ck_assert_result(job.result, LEAT_UNAVAILABLE);
}
END_TEST

START_TEST(an_idle_connection_that_dies_is_made_again_and_prepared)
{
	struct job job = { 0 };

	start(&job, read_one, 5000);
	finish_all();
	kill_backends();
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECTS) == 2 && db_is_up(db));
	ck_assert_int_eq(metrics_total(METRIC_DB_QUERIES), 1);
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}
END_TEST

static void restart(const char *how)
{
	struct job job = { 0 };
	char arguments[64];

	start(&job, read_one, 5000);
	finish_all();
	snprintf(arguments, sizeof(arguments), "restart -m %s", how);
	control(arguments);
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECTS) >= 2 && db_is_up(db));
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}

START_TEST(a_fast_restart_is_survived)
{
	restart("fast");
}
END_TEST

START_TEST(an_immediate_restart_is_survived)
{
	restart("immediate");
}
END_TEST

START_TEST(while_the_server_is_down_statements_are_refused_at_once)
{
	struct job job = { 0 };

	TURN_UNTIL(db_is_up(db));
	control("stop -m fast");
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECT_FAILURES) >= 1);
	start(&job, read_one, 5000);
	finish_all();
	control("start");
	ck_assert_result(job.result, LEAT_UNAVAILABLE);
	ck_assert_int_lt(job.took_ms, 100);
	ck_assert(!db_is_up(db));
	TURN_UNTIL(db_is_up(db));
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}
END_TEST

START_TEST(the_first_requests_wait_for_the_first_attempt)
{
	struct job job = { 0 };

	start(&job, read_one, 5000);
	ck_assert(!db_is_up(db));
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}
END_TEST

START_TEST(a_server_that_is_down_at_the_start_is_found_later)
{
	struct job job = { 0 };

	end();
	control("stop -m fast");
	begin();
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_UNAVAILABLE);
	control("start");
	TURN_UNTIL(db_is_up(db));
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}
END_TEST

START_TEST(a_server_that_stands_still_costs_the_deadline_and_is_left)
{
	struct job job = { 0 };
	pid_t backend;

	TURN_UNTIL(db_is_up(db));
	backend = (pid_t)postgres_sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'leat'");
	ck_assert_int_eq(kill(backend, SIGSTOP), 0);
	start(&job, read_one, 100);
	finish_all();
	TURN_UNTIL(metrics_total(METRIC_DB_CONNECTS) == 2 && db_is_up(db));
	kill(backend, SIGCONT);
	ck_assert_result(job.result, LEAT_TIMED_OUT);
	ck_assert_int_le(job.took_ms, 100 + LENIENT_MS);
	start(&job, read_one, 5000);
	finish_all();
	ck_assert_result(job.result, LEAT_OK);
}
END_TEST

START_TEST(after_a_stop_statements_are_refused)
{
	struct job before = { .arg = 200 }, after = { 0 };

	TURN_UNTIL(db_is_up(db));
	start(&before, read_for_arg, 5000);
	turn();
	db_stop(db);
	start(&after, read_one, 5000);
	finish_all();
	ck_assert_result(before.result, LEAT_OK);
	ck_assert_result(after.result, LEAT_UNAVAILABLE);
}
END_TEST

/* Prepared statements that go stale ---------------------------------------------------------------------------------- */

TASK_TEST(deallocate_all_goes_unnoticed)
{
	static const struct leat_statement deallocate = { .sql = "DEALLOCATE ALL" };
	struct leat_query *queries[3];
	struct number number;

	ck_assert_result(leat_db_one(req, &one, &number), LEAT_OK);
	ck_assert_result(leat_db_exec(req, &deallocate, NULL), LEAT_OK);
	for (int i = 0; i < 3; i++)
		ck_assert_result(leat_db_send(req, &one, &queries[i]), LEAT_OK);
	for (int i = 0; i < 3; i++)
		ck_assert_result(leat_db_wait(req, queries[i], NULL), LEAT_OK);
}

TASK_TEST(a_write_is_executed_once_when_its_prepared_form_is_gone)
{
	static const struct leat_statement deallocate = { .sql = "DEALLOCATE ALL" };

	ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(10), LEAT_ARG("Lin")), LEAT_OK);
	ck_assert_result(leat_db_exec(req, &deallocate, NULL), LEAT_OK);
	ck_assert_result(leat_db_exec(req, &add_person, NULL, LEAT_ARG(11), LEAT_ARG("Mae")), LEAT_OK);
	ck_assert_int_eq(postgres_sql("SELECT count(*) FROM people"), 5);
}

TASK_TEST(a_changed_table_is_prepared_for_again)
{
	struct person person;

	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(1)), LEAT_OK);
	postgres_sql("ALTER TABLE people ALTER name TYPE varchar(40)");
	ck_assert_result(leat_db_one(req, &person_by_id, &person, LEAT_ARG(1)), LEAT_OK);
	ck_assert(leat_text_equal(person.name, LEAT_TEXT_OF("Ada")));
}

TASK_TEST(a_table_that_appears_later_is_found)
{
	static const struct leat_statement later = { .sql = "SELECT n FROM later", .row = &number_shape };
	struct number number;

	postgres_sql("SET client_min_messages = warning; DROP TABLE IF EXISTS later");
	ck_assert_result(leat_db_one(req, &later, &number), LEAT_INTERNAL);
	postgres_sql("CREATE TABLE later AS SELECT 5::int8 AS n");
	ck_assert_result(leat_db_one(req, &later, &number), LEAT_OK);
	postgres_sql("DROP TABLE later");
	ck_assert_int_eq(number.n, 5);
}

static void measure_backslash(struct leat_request *req)
{
	static const struct leat_statement backslash = { .sql = "SELECT length('a\\nb') AS n", .row = &number_shape };
	struct number number;

	ck_assert_result(leat_db_one(req, &backslash, &number), LEAT_OK);
	job_of(req)->arg = number.n;
}

START_TEST(a_backslash_is_itself_whatever_the_server_is_set_to)
{
	struct job job = { 0 };

	end();
	postgres_sql("ALTER ROLE postgres SET standard_conforming_strings = off");
	begin();
	start(&job, measure_backslash, 5000);
	finish_all();
	postgres_sql("ALTER ROLE postgres RESET standard_conforming_strings");
	ck_assert_int_eq(job.arg, 4);
}
END_TEST

static void echo_time(struct leat_request *req)
{
	struct rich rich = { .time = { INT64_C(1769851800000001) }, .has_time = true };
	struct rich again;

	rich.local = rich.time;
	rich.has_local = true;
	job_of(req)->result = echo_rich(req, &rich, &again);
	job_of(req)->arg = again.time.us == rich.time.us && again.local.us == rich.local.us;
}

START_TEST(a_time_is_the_same_whatever_the_server_is_set_to)
{
	struct job job = { 0 };

	end();
	postgres_sql("ALTER ROLE postgres SET timezone = 'America/St_Johns';"
		     "ALTER ROLE postgres SET datestyle = 'SQL, DMY'");
	begin();
	start(&job, echo_time, 5000);
	finish_all();
	postgres_sql("ALTER ROLE postgres RESET timezone; ALTER ROLE postgres RESET datestyle");
	ck_assert_result(job.result, LEAT_OK);
	ck_assert(job.arg);
}
END_TEST

/* Statements that the program lists ---------------------------------------------------------------------------------- */

LEAT_STATEMENT(listed, .sql = "SELECT 4711::int8 AS n", .row = &number_shape, .read_only = true);

static void count_prepared(struct leat_request *req)
{
	static const struct leat_statement prepared = {
		.sql = "SELECT count(*) AS n FROM pg_prepared_statements WHERE statement = 'SELECT 4711::int8 AS n'",
		.row = &number_shape,
	};
	struct number number;

	ck_assert_result(leat_db_one(req, &prepared, &number), LEAT_OK);
	job_of(req)->arg = number.n;
}

START_TEST(a_listed_statement_is_prepared_before_its_first_use)
{
	struct job job = { 0 };

	end();
	statements_list(__start_leat_statements, __stop_leat_statements);
	begin();
	start(&job, count_prepared, 5000);
	finish_all();
	ck_assert_int_eq(job.arg, 1);
}
END_TEST

START_TEST(the_linker_lists_statements_with_their_names)
{
	ck_assert_int_eq(__stop_leat_statements - __start_leat_statements, 1);
	ck_assert_ptr_eq(__start_leat_statements[0], &listed);
	ck_assert_str_eq(listed.name, "listed");
}
END_TEST

/* The suite ------------------------------------------------------------------------------------------------------------- */

#define DB_CASE(s, name, ...) tcase_add_checked_fixture(HARNESS_CASE(s, name, __VA_ARGS__), setup, teardown)

Suite *suite(void)
{
	Suite *s = suite_create("db");

	postgres_need();
	DB_CASE(s, "answers", one_row_fills_a_struct, no_row_is_not_found,
		null_leaves_an_optional_field_absent_and_empty_does_not, many_rows_come_as_a_list_in_order,
		no_rows_are_an_empty_list, a_large_result_arrives_whole,
		a_text_larger_than_the_socket_goes_there_and_back, exec_counts_the_rows_it_changed,
		a_duplicate_key_is_a_conflict, an_sql_error_is_internal, arguments_of_every_kind_arrive,
		a_text_with_nul_is_refused_instead_of_cut, the_wrong_number_of_arguments_is_internal,
		copy_is_refused_and_the_lane_comes_back, a_backslash_is_itself_whatever_the_server_is_set_to);
	DB_CASE(s, "other kinds", every_other_kind_goes_there_and_back, what_is_empty_stays_empty,
		what_is_absent_comes_back_absent, the_first_and_the_last_time_arrive,
		a_time_that_is_not_held_is_internal, a_null_among_the_elements_is_internal,
		an_array_of_two_dimensions_is_internal, an_array_chooses_rows, arguments_of_other_kinds_need_no_types,
		a_time_is_the_same_whatever_the_server_is_set_to);
	DB_CASE(s, "several", several_statements_travel_together, each_that_was_sent_comes_once,
		one_that_was_sent_counts_the_rows_it_changed, a_failure_touches_no_neighbour,
		what_was_sent_and_never_awaited_still_happens, thousands_of_tasks_share_one_lane,
		several_lanes_share_the_work, a_full_lane_refuses);
	DB_CASE(s, "deadlines", a_deadline_is_kept_while_the_server_sleeps, a_late_answer_is_drained_without_cancelling,
		past_its_grace_a_late_statement_is_cancelled_and_the_connection_stays,
		those_behind_a_late_statement_move_if_they_only_read, a_late_lane_gets_no_work_while_another_is_ready,
		a_cancelled_task_stops_waiting, what_a_request_left_behind_is_given_up, statement_timeout_is_timed_out);
	DB_CASE(s, "losses", a_read_in_flight_is_sent_again_when_its_backend_dies,
		a_write_in_flight_is_never_sent_again, a_read_is_sent_again_only_once,
		an_idle_connection_that_dies_is_made_again_and_prepared, the_first_requests_wait_for_the_first_attempt,
		after_a_stop_statements_are_refused);
	if (getenv("LEAT_TEST_POSTGRES_CTL"))
		DB_CASE(s, "restarts", a_fast_restart_is_survived, an_immediate_restart_is_survived,
			while_the_server_is_down_statements_are_refused_at_once,
			a_server_that_is_down_at_the_start_is_found_later,
			a_server_that_stands_still_costs_the_deadline_and_is_left);
	DB_CASE(s, "listed", a_listed_statement_is_prepared_before_its_first_use,
		the_linker_lists_statements_with_their_names);
	DB_CASE(s, "stale", deallocate_all_goes_unnoticed, a_write_is_executed_once_when_its_prepared_form_is_gone,
		a_changed_table_is_prepared_for_again, a_table_that_appears_later_is_found);
	return s;
}
