/* t_db_kinds.c - bytes, times, UUIDs, JSON and arrays, to PostgreSQL and back. */
#include "tests/unit/people.h"

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

Suite *suite(void)
{
	Suite *s = suite_create("db_kinds");

	postgres_need();
	HARNESS_CASE_WITH(s, "there and back", setup, teardown, every_other_kind_goes_there_and_back,
			  what_is_empty_stays_empty, what_is_absent_comes_back_absent,
			  the_first_and_the_last_time_arrive, a_time_is_the_same_whatever_the_server_is_set_to);
	HARNESS_CASE_WITH(s, "refusals", setup, teardown, a_time_that_is_not_held_is_internal,
			  a_null_among_the_elements_is_internal, an_array_of_two_dimensions_is_internal);
	HARNESS_CASE_WITH(s, "arguments", setup, teardown, an_array_chooses_rows,
			  arguments_of_other_kinds_need_no_types);
	return s;
}
