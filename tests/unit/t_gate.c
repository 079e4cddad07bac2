/* t_gate.c - the gate as scripts of records: what is passed, what is answered, what is refused. */
#include "front/gate.h"
#include "tests/unit/harness.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { BEGIN = 1, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE };
enum { RESPONDER = 1, AUTHORIZER, FILTER };
enum { KEEP = 1 };

static const struct gate_limits limits = {
	.params_size = 70000,
	.params_count = 8,
	.max_conns = 4294967295,
	.max_reqs = 16384,
};

/* Wires: bytes a peer sends -------------------------------------------------------------------------------------- */

struct wire {
	uint8_t bytes[140000];
	size_t len;
};

static struct wire script, whole, pieces, answers, answers_in_pieces;

static void put(struct wire *wire, const void *bytes, size_t size)
{
	LEAT_CHECK(wire->len + size <= sizeof(wire->bytes));
	if (size)
		memcpy(wire->bytes + wire->len, bytes, size);
	wire->len += size;
}

/* Any record, right or wrong; the padding is 0xEE. */
static void put_record(struct wire *wire, int version, int type, int id, const void *content, size_t size, int padding)
{
	const uint8_t header[8] = {
		(uint8_t)version,     (uint8_t)type, (uint8_t)(id >> 8), (uint8_t)id,
		(uint8_t)(size >> 8), (uint8_t)size, (uint8_t)padding,   0,
	};
	uint8_t filling[255];

	memset(filling, 0xEE, sizeof(filling));
	put(wire, header, sizeof(header));
	put(wire, content, size);
	put(wire, filling, (size_t)padding);
}

static void record(int type, int id, const void *content, size_t size)
{
	put_record(&script, 1, type, id, content, size, 0);
}

static void begin_as(int id, int role, int flags)
{
	record(BEGIN, id, (uint8_t[8]){ (uint8_t)(role >> 8), (uint8_t)role, (uint8_t)flags }, 8);
}

static void begin(int id)
{
	begin_as(id, RESPONDER, KEEP);
}

static void empty(int type, int id)
{
	record(type, id, NULL, 0);
}

/* A text with its NULs: TEXT("a\0b"). */
#define TEXT(literal) literal, sizeof(literal) - 1

/* A whole request but for its BEGIN: one parameter, a body of four bytes. */
static void rest_of_request(int id)
{
	record(PARAMS, id, TEXT("\4\3PATHone"));
	empty(PARAMS, id);
	record(STDIN, id, TEXT("body"));
	empty(STDIN, id);
}

static void request(int id)
{
	begin(id);
	rest_of_request(id);
}

/* Up to the point where STDIN is open. */
static void request_head(int id)
{
	begin(id);
	record(PARAMS, id, TEXT("\4\3PATHone"));
	empty(PARAMS, id);
}

/* A name of 'size' bytes in the long form of its length, with an empty value. */
static size_t long_name(uint8_t *out, size_t size)
{
	const uint8_t length[5] = {
		(uint8_t)(0x80 | size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size, 0,
	};

	memcpy(out, length, sizeof(length));
	memset(out + sizeof(length), 'n', size);
	return sizeof(length) + size;
}

/* What the gate makes of it -------------------------------------------------------------------------------------- */

static struct gate gate;

/* Feeds bytes until the gate takes no more of them; gathers what it passes and answers; returns what it took. */
static size_t feed_into(struct gate *to, const uint8_t *bytes, size_t size, struct wire *passed, struct wire *answered)
{
	size_t at = 0;

	while (at < size && to->state < GATE_DONE) {
		struct gate_step step;
		enum gate_state state = gate_feed(to, bytes + at, size - at, &step);

		LEAT_CHECK(state == (enum gate_state)to->state);
		LEAT_CHECK(step.consumed <= size - at && step.pass && step.answer);
		LEAT_CHECK(step.consumed > 0 || state == GATE_REFUSED);
		put(passed, step.pass, step.pass_len);
		put(answered, step.answer, step.answer_len);
		at += step.consumed;
	}
	return at;
}

/* A new gate meets the script. */
static enum gate_state outcome(void)
{
	gate_init(&gate, &limits);
	whole.len = answers.len = 0;
	feed_into(&gate, script.bytes, script.len, &whole, &answers);
	return gate.state;
}

static void assert_refused(enum gate_refusal refusal)
{
	ck_assert_int_eq(outcome(), GATE_REFUSED);
	ck_assert_int_eq(gate.refusal, refusal);
}

static void assert_passed(const struct wire *expected)
{
	ck_assert_uint_eq(whole.len, expected->len);
	ck_assert_mem_eq(whole.bytes, expected->bytes, expected->len);
}

static void assert_answered(const void *bytes, size_t size)
{
	ck_assert_uint_eq(answers.len, size);
	ck_assert_mem_eq(answers.bytes, bytes, size);
}

/* What 'with' sends passes as if it were what 'without' sends. */
static void assert_passes_without(void (*with)(void), void (*without)(void))
{
	static struct wire expected;

	script.len = 0;
	without();
	expected = script;
	script.len = 0;
	with();
	outcome();
	assert_passed(&expected);
}

static void start_script(void)
{
	script.len = 0;
}

static void plain_request(void)
{
	request(1);
}

/* Requests ------------------------------------------------------------------------------------------------------- */

START_TEST(passes_a_whole_request_in_one_step_from_the_input_itself)
{
	struct gate_step step;

	request(1);
	gate_init(&gate, &limits);
	ck_assert_int_eq(gate_feed(&gate, script.bytes, script.len, &step), GATE_DONE);
	ck_assert_uint_eq(step.consumed, script.len);
	ck_assert_ptr_eq(step.pass, script.bytes);
	ck_assert_uint_eq(step.pass_len, script.len);
	ck_assert_uint_eq(step.answer_len, 0);
}
END_TEST

START_TEST(says_what_it_saw_of_the_request)
{
	request(258);
	ck_assert_int_eq(outcome(), GATE_DONE);
	ck_assert_uint_eq(gate.request_id, 258);
	ck_assert(gate.keep_conn);
	ck_assert_uint_eq(gate.params_bytes, 9);
	ck_assert_uint_eq(gate.params_count, 1);
	ck_assert_uint_eq(gate.stdin_bytes, 4);
}
END_TEST

START_TEST(sees_that_the_connection_is_not_to_be_kept)
{
	begin_as(1, RESPONDER, 0xFE);
	outcome();
	ck_assert(!gate.keep_conn);
}
END_TEST

START_TEST(goes_through_its_states)
{
	ck_assert_int_eq(outcome(), GATE_IDLE);
	begin(1);
	ck_assert_int_eq(outcome(), GATE_PARAMS);
	record(PARAMS, 1, TEXT("\4\3PATHone"));
	ck_assert_int_eq(outcome(), GATE_PARAMS);
	empty(PARAMS, 1);
	ck_assert_int_eq(outcome(), GATE_BODY);
	record(STDIN, 1, TEXT("body"));
	ck_assert_int_eq(outcome(), GATE_BODY);
	empty(STDIN, 1);
	ck_assert_int_eq(outcome(), GATE_DONE);
}
END_TEST

START_TEST(passes_a_request_without_parameters_and_body)
{
	begin(1);
	empty(PARAMS, 1);
	empty(STDIN, 1);
	ck_assert_int_eq(outcome(), GATE_DONE);
	assert_passed(&script);
}
END_TEST

START_TEST(passes_padding_with_its_content)
{
	begin(1);
	put_record(&script, 1, PARAMS, 1, TEXT("\1\1ab"), 4);
	put_record(&script, 1, PARAMS, 1, TEXT("\1\1ab"), 255);
	empty(PARAMS, 1);
	put_record(&script, 1, STDIN, 1, TEXT("body"), 1);
	empty(STDIN, 1);
	ck_assert_int_eq(outcome(), GATE_DONE);
	assert_passed(&script);
}
END_TEST

static void padded_ends(void)
{
	put_record(&script, 1, BEGIN, 1, (uint8_t[8]){ 0, RESPONDER, KEEP }, 8, 255);
	record(PARAMS, 1, TEXT("\4\3PATHone"));
	put_record(&script, 1, PARAMS, 1, NULL, 0, 8);
	record(STDIN, 1, TEXT("body"));
	put_record(&script, 1, STDIN, 1, NULL, 0, 200);
}

START_TEST(takes_out_padding_that_libfcgi_does_not_skip)
{
	assert_passes_without(padded_ends, plain_request);
	ck_assert_int_eq(gate.state, GATE_DONE);
}
END_TEST

START_TEST(is_done_only_after_the_last_padding)
{
	request_head(1);
	put_record(&script, 1, STDIN, 1, NULL, 0, 3);
	script.len--;
	ck_assert_int_eq(outcome(), GATE_BODY);
	script.len++;
	ck_assert_int_eq(outcome(), GATE_DONE);
}
END_TEST

START_TEST(takes_nothing_after_the_end_until_told)
{
	struct gate_step step;
	size_t first, second;

	request(1);
	first = script.len;
	request(2);
	gate_init(&gate, &limits);
	whole.len = 0;
	ck_assert_uint_eq(feed_into(&gate, script.bytes, script.len, &whole, &answers), first);
	ck_assert_int_eq(gate_feed(&gate, script.bytes + first, script.len - first, &step), GATE_DONE);
	ck_assert_uint_eq(step.consumed, 0);
	ck_assert_uint_eq(step.pass_len, 0);
	gate_next(&gate);
	second = feed_into(&gate, script.bytes + first, script.len - first, &whole, &answers);
	ck_assert_uint_eq(second, script.len - first);
	ck_assert_uint_eq(gate.request_id, 2);
	assert_passed(&script);
}
END_TEST

START_TEST(is_quiet_only_between_requests)
{
	gate_init(&gate, &limits);
	ck_assert(gate_is_quiet(&gate));
	request(1);
	for (size_t len = 1; len < script.len; len++) {
		size_t was = script.len;

		script.len = len;
		outcome();
		ck_assert(!gate_is_quiet(&gate));
		script.len = was;
	}
	outcome();
	gate_next(&gate);
	ck_assert(gate_is_quiet(&gate));
}
END_TEST

START_TEST(stays_small)
{
	ck_assert_uint_le(sizeof(struct gate), 200);
}
END_TEST

/* Records out of place ------------------------------------------------------------------------------------------- */

START_TEST(refuses_another_version)
{
	begin(1);
	put_record(&script, 2, PARAMS, 1, TEXT("\1\1ab"), 0);
	assert_refused(GATE_REFUSAL_VERSION);
	ck_assert_uint_eq(whole.len, 16);
}
END_TEST

START_TEST(refuses_http)
{
	put(&script, TEXT("GET / HTTP/1.0\r\n\r\n"));
	assert_refused(GATE_REFUSAL_VERSION);
	ck_assert_uint_eq(whole.len, 0);
}
END_TEST

START_TEST(refuses_a_begin_of_another_length)
{
	record(BEGIN, 1, (uint8_t[9]){ 0, RESPONDER }, _i);
	assert_refused(GATE_REFUSAL_LENGTH);
}
END_TEST

START_TEST(refuses_a_foreign_begin_of_another_length)
{
	begin(1);
	record(BEGIN, 2, (uint8_t[9]){ 0, RESPONDER }, 9);
	assert_refused(GATE_REFUSAL_LENGTH);
}
END_TEST

START_TEST(refuses_a_second_begin)
{
	begin(1);
	begin(1);
	assert_refused(GATE_REFUSAL_ORDER);
}
END_TEST

START_TEST(refuses_stdin_before_the_parameters_end)
{
	begin(1);
	record(PARAMS, 1, TEXT("\1\1ab"));
	record(STDIN, 1, TEXT("body"));
	assert_refused(GATE_REFUSAL_ORDER);
}
END_TEST

START_TEST(refuses_parameters_after_their_end)
{
	request_head(1);
	record(PARAMS, 1, TEXT("\1\1ab"));
	assert_refused(GATE_REFUSAL_ORDER);
}
END_TEST

START_TEST(refuses_the_end_of_parameters_twice)
{
	request_head(1);
	empty(PARAMS, 1);
	assert_refused(GATE_REFUSAL_ORDER);
}
END_TEST

static const int wrong_types[] = {
	0, END, STDOUT, STDERR, DATA, GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE, 12, 255,
};

START_TEST(refuses_other_types_in_our_request)
{
	request_head(1);
	record(wrong_types[_i], 1, TEXT("content"));
	assert_refused(GATE_REFUSAL_TYPE);
}
END_TEST

START_TEST(refuses_requests_with_the_id_zero)
{
	record(_i, 0, (uint8_t[8]){ 0, RESPONDER }, 8);
	assert_refused(GATE_REFUSAL_TYPE);
}
END_TEST

START_TEST(answers_another_role_and_refuses)
{
	begin_as(0x102, FILTER, KEEP);
	assert_refused(GATE_REFUSAL_ROLE);
	assert_answered(TEXT("\1\3\1\2\0\10\0\0\0\0\0\0\3\0\0\0"));
	ck_assert_uint_eq(whole.len, 0);
}
END_TEST

START_TEST(refuses_a_role_that_is_right_only_in_its_low_byte)
{
	begin_as(1, 0x0101, KEEP);
	assert_refused(GATE_REFUSAL_ROLE);
}
END_TEST

START_TEST(sees_an_abort)
{
	begin(1);
	record(PARAMS, 1, TEXT("\1\1ab"));
	empty(ABORT, 1);
	ck_assert_int_eq(outcome(), GATE_ABORTED);
}
END_TEST

START_TEST(passes_nothing_of_an_abort_or_after_it)
{
	static struct wire expected;

	request_head(1);
	expected = script;
	put_record(&script, 1, ABORT, 1, TEXT("why"), 5);
	record(STDIN, 1, TEXT("body"));
	ck_assert_int_eq(outcome(), GATE_ABORTED);
	assert_passed(&expected);
}
END_TEST

/* Records that are taken out ------------------------------------------------------------------------------------- */

static void request_with_strays(void)
{
	record(STDIN, 7, TEXT("late"));
	empty(ABORT, 1);
	begin(1);
	record(PARAMS, 9, TEXT("\4\5USERadmin"));
	empty(PARAMS, 9);
	record(PARAMS, 1, TEXT("\4\3PATHone"));
	put_record(&script, 1, STDIN, 9, NULL, 0, 7);
	empty(PARAMS, 1);
	put_record(&script, 1, 99, 9, TEXT("what"), 3);
	record(STDIN, 1, TEXT("body"));
	empty(ABORT, 2);
	empty(STDIN, 1);
}

START_TEST(takes_out_records_of_requests_that_do_not_exist)
{
	assert_passes_without(request_with_strays, plain_request);
	ck_assert_int_eq(gate.state, GATE_DONE);
	ck_assert_uint_eq(answers.len, 0);
}
END_TEST

static void request_beside_another(void)
{
	begin(1);
	begin(0x304);
	record(PARAMS, 0x304, TEXT("\4\5USERadmin"));
	empty(PARAMS, 0x304);
	empty(STDIN, 0x304);
	rest_of_request(1);
}

START_TEST(tells_a_second_request_that_one_at_a_time_is_all)
{
	assert_passes_without(request_beside_another, plain_request);
	ck_assert_int_eq(gate.state, GATE_DONE);
	assert_answered(TEXT("\1\3\3\4\0\10\0\0\0\0\0\0\1\0\0\0"));
}
END_TEST

static void request_with_unknown_management(void)
{
	put_record(&script, 1, 77, 0, TEXT("\4\5USERadmin"), 6);
	begin(1);
	empty(77, 0);
	record(PARAMS, 1, TEXT("\4\3PATHone"));
	record(77, 0, TEXT("\4\5USERadmin"));
	empty(PARAMS, 1);
	record(STDIN, 1, TEXT("bo"));
	record(77, 0, TEXT("XX"));
	record(STDIN, 1, TEXT("dy"));
	empty(STDIN, 1);
}

static void request_in_two_bodies(void)
{
	request_head(1);
	record(STDIN, 1, TEXT("bo"));
	record(STDIN, 1, TEXT("dy"));
	empty(STDIN, 1);
}

#define UNKNOWN_77 "\1\13\0\0\0\10\0\0\115\0\0\0\0\0\0\0"

START_TEST(answers_and_takes_out_unknown_management)
{
	assert_passes_without(request_with_unknown_management, request_in_two_bodies);
	ck_assert_int_eq(gate.state, GATE_DONE);
	assert_answered(TEXT(UNKNOWN_77 UNKNOWN_77 UNKNOWN_77 UNKNOWN_77));
}
END_TEST

static void request_among_results(void)
{
	record(GET_VALUES_RESULT, 0, TEXT("\1\1ab"));
	begin(1);
	record(UNKNOWN_TYPE, 0, (uint8_t[8]){ 9 }, 8);
	rest_of_request(1);
}

START_TEST(does_not_answer_answers)
{
	assert_passes_without(request_among_results, plain_request);
	ck_assert_uint_eq(answers.len, 0);
}
END_TEST

/* GET_VALUES ----------------------------------------------------------------------------------------------------- */

#define MAX_CONNS  "\16\0FCGI_MAX_CONNS"
#define MAX_REQS   "\15\0FCGI_MAX_REQS"
#define MPXS_CONNS "\17\0FCGI_MPXS_CONNS"
#define ALL_VALUES "\1\12\0\0\0\100\0\0\16\12FCGI_MAX_CONNS4294967295\15\5FCGI_MAX_REQS16384\17\1FCGI_MPXS_CONNS0"

START_TEST(answers_get_values_alone)
{
	record(GET_VALUES, 0, TEXT(MPXS_CONNS MAX_CONNS MAX_REQS));
	ck_assert_int_eq(outcome(), GATE_IDLE);
	assert_answered(TEXT(ALL_VALUES));
	ck_assert(gate_is_quiet(&gate));
}
END_TEST

START_TEST(answers_before_the_padding_has_come)
{
	put_record(&script, 1, GET_VALUES, 0, TEXT(MPXS_CONNS MAX_CONNS MAX_REQS), 40);
	script.len -= 40;
	outcome();
	assert_answered(TEXT(ALL_VALUES));
}
END_TEST

START_TEST(answers_each_value_once)
{
	record(GET_VALUES, 0, TEXT(MAX_REQS MAX_REQS MAX_REQS MAX_REQS MAX_REQS MAX_REQS MAX_REQS MAX_REQS));
	outcome();
	assert_answered(TEXT("\1\12\0\0\0\24\0\0\15\5FCGI_MAX_REQS16384"));
}
END_TEST

START_TEST(answers_each_question_for_itself)
{
	record(GET_VALUES, 0, TEXT(MAX_CONNS MAX_REQS MPXS_CONNS));
	record(GET_VALUES, 0, TEXT(MAX_REQS));
	outcome();
	assert_answered(TEXT(ALL_VALUES "\1\12\0\0\0\24\0\0\15\5FCGI_MAX_REQS16384"));
}
END_TEST

START_TEST(leaves_out_values_that_it_does_not_know)
{
	record(GET_VALUES, 0,
	       TEXT("\0\0\16\0FCGI_MAX_CONN?\17\0FCGI_MAX_CONNS_\20\0FCGI_MPXS_CONNS0" MAX_REQS
		    "\200\0\0\24\3FCGI_MPXS_CONNS_LONGabc\15\0fcgi_max_reqs"));
	outcome();
	assert_answered(TEXT("\1\12\0\0\0\24\0\0\15\5FCGI_MAX_REQS16384"));
}
END_TEST

START_TEST(skips_the_values_of_questions)
{
	record(GET_VALUES, 0, TEXT("\1\17xFCGI_MPXS_CONNS\15\1FCGI_MAX_REQS7"));
	outcome();
	assert_answered(TEXT("\1\12\0\0\0\24\0\0\15\5FCGI_MAX_REQS16384"));
}
END_TEST

START_TEST(answers_an_empty_question)
{
	empty(GET_VALUES, 0);
	outcome();
	assert_answered(TEXT("\1\12\0\0\0\0\0\0"));
}
END_TEST

START_TEST(refuses_a_question_that_is_cut_off)
{
	static const char question[] = "\200\0\0\15\1FCGI_MAX_REQS7";

	record(GET_VALUES, 0, question, (size_t)_i);
	assert_refused(GATE_REFUSAL_LENGTH);
	ck_assert_uint_eq(answers.len, 0);
}
END_TEST

static void request_among_questions(void)
{
	record(GET_VALUES, 0, TEXT(MAX_CONNS MAX_REQS MPXS_CONNS));
	begin(1);
	record(PARAMS, 1, TEXT("\4\3PA"));
	record(GET_VALUES, 0, TEXT(MAX_CONNS MAX_REQS MPXS_CONNS));
	record(PARAMS, 1, TEXT("THone"));
	empty(PARAMS, 1);
	record(GET_VALUES, 0, TEXT(MAX_CONNS MAX_REQS MPXS_CONNS));
	empty(STDIN, 1);
}

static void request_without_questions(void)
{
	begin(1);
	record(PARAMS, 1, TEXT("\4\3PA"));
	record(PARAMS, 1, TEXT("THone"));
	empty(PARAMS, 1);
	empty(STDIN, 1);
}

START_TEST(answers_get_values_anywhere)
{
	assert_passes_without(request_among_questions, request_without_questions);
	ck_assert_int_eq(gate.state, GATE_DONE);
	assert_answered(TEXT(ALL_VALUES ALL_VALUES ALL_VALUES));
}
END_TEST

/* Parameters ----------------------------------------------------------------------------------------------------- */

START_TEST(passes_parameters_over_many_records)
{
	const char params[] = "\4\3PATHone\1\0a\200\0\0\2\200\0\0\3bbccc\5\1empty-";

	begin(1);
	for (size_t i = 0; i < sizeof(params) - 1; i++)
		put_record(&script, 1, PARAMS, 1, params + i, 1, (int)i);
	empty(PARAMS, 1);
	empty(STDIN, 1);
	ck_assert_int_eq(outcome(), GATE_DONE);
	ck_assert_uint_eq(gate.params_count, 4);
	assert_passed(&script);
}
END_TEST

static const struct {
	const char *content;
	size_t size;
	size_t plain; /* bytes before the one that breaks the rule */
} bad_params[] = {
	{ TEXT("\0\1b"), 0 },
	{ TEXT("\200\0\0\0\1b"), 3 },
	{ TEXT("\1\1=b"), 2 },
	{ TEXT("\3\1A=Bx"), 3 },
	{ TEXT("\11\1NINECHAR=x"), 10 },
	{ TEXT("\20\1SIXTEEN=CHARACTSx"), 9 },
	{ TEXT("\1\1\0b"), 2 },
	{ TEXT("\3\1A\0Bx"), 3 },
	{ TEXT("\1\1a\0"), 3 },
	{ TEXT("\1\5aab\0cd"), 5 },
	{ TEXT("\1\12aabcdefgh\0i"), 11 },
	{ TEXT("\1\1aa\1\5aab\0cd"), 9 },
	{ TEXT("\200\0\0\1\200\0\0\2aa\0"), 10 },
};

START_TEST(refuses_parameters_with_bad_bytes_and_passes_what_is_before)
{
	static struct wire expected;

	begin(1);
	expected = script;
	record(PARAMS, 1, bad_params[_i].content, bad_params[_i].size);
	put(&expected, script.bytes + expected.len, 8 + bad_params[_i].plain);
	assert_refused(GATE_REFUSAL_PARAM_BYTES);
	assert_passed(&expected);
}
END_TEST

START_TEST(passes_every_other_byte_in_names_and_values)
{
	uint8_t pair[256 * 2 + 8] = { 0x80, 0, 0, 254, 0x80, 0, 0, 255 };
	size_t len = 8;

	for (int c = 1; c < 256; c++)
		if (c != '=')
			pair[len++] = (uint8_t)c;
	for (int c = 1; c < 256; c++)
		pair[len++] = (uint8_t)c;
	begin(1);
	record(PARAMS, 1, pair, len);
	ck_assert_int_eq(outcome(), GATE_PARAMS);
	assert_passed(&script);
}
END_TEST

START_TEST(refuses_parameters_that_end_inside_a_pair)
{
	static const char pair[] = "\200\0\0\2\200\0\0\3aabbb";

	begin(1);
	record(PARAMS, 1, TEXT("\1\1ab"));
	record(PARAMS, 1, pair, (size_t)_i);
	empty(PARAMS, 1);
	assert_refused(GATE_REFUSAL_PARAMS_CUT);
}
END_TEST

START_TEST(allows_as_many_parameters_as_the_limit)
{
	begin(1);
	for (uint32_t i = 0; i < limits.params_count; i++)
		record(PARAMS, 1, TEXT("\1\1ab"));
	ck_assert_int_eq(outcome(), GATE_PARAMS);
	record(PARAMS, 1, TEXT("\1\1ab"));
	assert_refused(GATE_REFUSAL_PARAMS_COUNT);
}
END_TEST

/* One parameter that uses up all but 'less' bytes of the limit, in two records. */
static void large_parameter(size_t less)
{
	static uint8_t pair[70000];
	size_t size = long_name(pair, limits.params_size - less - 5);

	begin(1);
	record(PARAMS, 1, pair, 60000);
	record(PARAMS, 1, pair + 60000, size - 60000);
}

START_TEST(allows_as_many_bytes_of_parameters_as_the_limit)
{
	large_parameter(0);
	empty(PARAMS, 1);
	ck_assert_int_eq(outcome(), GATE_BODY);
	ck_assert_uint_eq(gate.params_bytes, limits.params_size);
	assert_passed(&script);
}
END_TEST

START_TEST(refuses_a_record_of_parameters_beyond_the_limit_before_it_passes)
{
	static struct wire expected;

	large_parameter(3);
	expected = script;
	record(PARAMS, 1, TEXT("\1\1ab"));
	assert_refused(GATE_REFUSAL_PARAMS_SIZE);
	assert_passed(&expected);
}
END_TEST

static const struct {
	const char *content;
	size_t size;
	size_t plain;
} long_params[] = {
	{ TEXT("\377\377\377\377"), 3 },
	{ TEXT("\177\377\377\377\376xxxx"), 4 },
	{ TEXT("\377\377\377\376\001xxxx"), 3 },
	{ TEXT("\300\0\0\1\1xx"), 3 },
	{ TEXT("\1\377\377\377\377x"), 4 },
	/* Each too long by one; the lengths themselves count. */
	{ TEXT("\200\1\21\155"), 3 },         /* a name of 69997 */
	{ TEXT("\200\1\21\153\1"), 4 },       /* a name of 69995, a value of 1 */
	{ TEXT("\1\200\1\21\153"), 4 },       /* a name of 1, a value of 69995 */
	{ TEXT("\1\1ab\1\200\1\21\147"), 8 }, /* the same behind a pair of 4 */
};

START_TEST(refuses_lengths_beyond_the_limit_before_they_are_complete)
{
	static struct wire expected;

	begin(1);
	expected = script;
	record(PARAMS, 1, long_params[_i].content, long_params[_i].size);
	put(&expected, script.bytes + expected.len, 8 + long_params[_i].plain);
	assert_refused(GATE_REFUSAL_PARAMS_SIZE);
	assert_passed(&expected);
}
END_TEST

/* Bodies --------------------------------------------------------------------------------------------------------- */

START_TEST(passes_a_body_of_large_records)
{
	static uint8_t body[65535];

	request_head(1);
	for (int i = 0; i < 2; i++)
		put_record(&script, 1, STDIN, 1, body, sizeof(body), 255);
	empty(STDIN, 1);
	ck_assert_int_eq(outcome(), GATE_DONE);
	ck_assert_uint_eq(gate.stdin_bytes, 2 * sizeof(body));
	assert_passed(&script);
}
END_TEST

START_TEST(takes_records_in_a_body_for_bytes)
{
	static struct wire forged;

	request(1);
	forged = script;
	script.len = 0;
	request_head(1);
	record(STDIN, 1, forged.bytes, forged.len);
	ck_assert_int_eq(outcome(), GATE_BODY);
	ck_assert_uint_eq(gate.stdin_bytes, forged.len);
}
END_TEST

/* Properties: in their loops LEAT_CHECK stands for Check's asserts, each of which is a system call ---------------- */

static void refused_in_a_body(void)
{
	request_head(1);
	record(STDIN, 1, TEXT("body"));
	begin(1);
	request(2);
}

static void refused_in_a_length(void)
{
	begin(1);
	record(PARAMS, 1, TEXT("\1\1ab\200\1\21\152\1x"));
}

static void refused_in_a_value(void)
{
	begin(1);
	record(PARAMS, 1, TEXT("\10\20SIXTEENS0123456789abcde\0\4\3PATHone"));
}

static void refused_for_its_role(void)
{
	record(GET_VALUES, 0, TEXT(MAX_CONNS));
	begin_as(3, AUTHORIZER, 0);
}

static void aborted(void)
{
	request_head(1);
	put_record(&script, 1, ABORT, 1, TEXT("why"), 5);
}

static void padded_request(void)
{
	put_record(&script, 1, GET_VALUES, 0, TEXT(MPXS_CONNS MAX_CONNS "\4\4nopenope"), 3);
	put_record(&script, 1, BEGIN, 5, (uint8_t[8]){ 0, RESPONDER }, 8, 9);
	put_record(&script, 1, 200, 0, TEXT("unknown"), 1);
	put_record(&script, 1, PARAMS, 5, TEXT("\4\3PATHone\200\0\0\11\200\0\0\4LONG"), 2);
	put_record(&script, 1, BEGIN, 6, (uint8_t[8]){ 0, RESPONDER }, 8, 9);
	put_record(&script, 1, PARAMS, 5, TEXT("_NAMEtext"), 0);
	put_record(&script, 1, PARAMS, 5, NULL, 0, 4);
	put_record(&script, 1, STDIN, 5, TEXT("body"), 7);
	put_record(&script, 1, STDIN, 5, NULL, 0, 2);
}

static void (*const scripts[])(void) = {
	plain_request,
	request_with_strays,
	request_beside_another,
	request_with_unknown_management,
	request_among_results,
	request_among_questions,
	refused_in_a_body,
	refused_in_a_length,
	refused_in_a_value,
	refused_for_its_role,
	aborted,
	padded_request,
	padded_ends,
};

enum { SCRIPTS = sizeof(scripts) / sizeof(scripts[0]) };

static bool same_bytes(const struct wire *one, const struct wire *other)
{
	return one->len == other->len && memcmp(one->bytes, other->bytes, one->len) == 0;
}

static bool same_in_pieces(const struct gate *other)
{
	return other->state == gate.state && other->refusal == gate.refusal &&
	       other->params_count == gate.params_count && other->params_bytes == gate.params_bytes &&
	       other->stdin_bytes == gate.stdin_bytes && same_bytes(&pieces, &whole) &&
	       same_bytes(&answers_in_pieces, &answers);
}

START_TEST(does_the_same_wherever_the_input_is_cut)
{
	scripts[_i]();
	outcome();
	for (size_t first = 0; first <= script.len; first++) {
		for (size_t second = first; second <= script.len; second++) {
			struct gate other;

			gate_init(&other, &limits);
			pieces.len = answers_in_pieces.len = 0;
			feed_into(&other, script.bytes, first, &pieces, &answers_in_pieces);
			feed_into(&other, script.bytes + first, second - first, &pieces, &answers_in_pieces);
			feed_into(&other, script.bytes + second, script.len - second, &pieces, &answers_in_pieces);
			LEAT_CHECK(same_in_pieces(&other));
		}
	}
}
END_TEST

START_TEST(does_the_same_byte_by_byte)
{
	struct gate other;

	scripts[_i]();
	outcome();
	gate_init(&other, &limits);
	pieces.len = answers_in_pieces.len = 0;
	for (size_t i = 0; i < script.len; i++)
		feed_into(&other, script.bytes + i, 1, &pieces, &answers_in_pieces);
	ck_assert(same_in_pieces(&other));
}
END_TEST

START_TEST(takes_and_passes_nothing_once_refused)
{
	struct gate_step step;

	refused_in_a_body();
	outcome();
	ck_assert_int_eq(gate_feed(&gate, script.bytes, script.len, &step), GATE_REFUSED);
	ck_assert_uint_eq(step.consumed, 0);
	ck_assert_uint_eq(step.pass_len, 0);
	ck_assert_uint_eq(step.answer_len, 0);
}
END_TEST

/* Scripts with bytes changed at random, from a fixed seed: whole garbage would never come far. */
START_TEST(passes_no_byte_of_garbage_after_refusing_it)
{
	unsigned int seed = (unsigned int)_i;
	int refused = 0;

	for (int round = 0; round < 2000; round++) {
		struct gate_step step;

		script.len = 0;
		scripts[round % SCRIPTS]();
		for (int i = 0; i < 4; i++)
			script.bytes[(size_t)rand_r(&seed) % script.len] = (uint8_t)rand_r(&seed);
		if (outcome() != GATE_REFUSED)
			continue;
		refused++;
		for (size_t i = 0; i < script.len; i++) {
			LEAT_CHECK(gate_feed(&gate, script.bytes + i, script.len - i, &step) == GATE_REFUSED);
			LEAT_CHECK(step.consumed + step.pass_len + step.answer_len == 0);
		}
	}
	ck_assert_int_gt(refused, 100);
}
END_TEST

START_TEST(has_a_sentence_for_every_refusal)
{
	for (int i = 0; i < GATE_REFUSAL_COUNT; i++) {
		const char *sentence = gate_refusal_text((enum gate_refusal)i);

		ck_assert_ptr_nonnull(sentence);
		ck_assert_int_eq(sentence[strlen(sentence) - 1], '.');
	}
}
END_TEST

/* The list ------------------------------------------------------------------------------------------------------- */

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *looped(Suite *s, const char *name, const TTest *test, int from, int to)
{
	TCase *tcase = harness_case(s, name, (const TTest *const[]){ NULL });

	tcase_add_checked_fixture(tcase, start_script, NULL);
	tcase_add_loop_test(tcase, test, from, to);
	return tcase;
}

#define FRESH_CASE(s, name, ...) tcase_add_checked_fixture(HARNESS_CASE(s, name, __VA_ARGS__), start_script, NULL)

Suite *suite(void)
{
	Suite *s = suite_create("gate");

	FRESH_CASE(s, "request", passes_a_whole_request_in_one_step_from_the_input_itself,
		   says_what_it_saw_of_the_request, sees_that_the_connection_is_not_to_be_kept, goes_through_its_states,
		   passes_a_request_without_parameters_and_body, passes_padding_with_its_content,
		   takes_out_padding_that_libfcgi_does_not_skip, is_done_only_after_the_last_padding,
		   takes_nothing_after_the_end_until_told, is_quiet_only_between_requests, stays_small);
	FRESH_CASE(s, "out of place", refuses_another_version, refuses_http, refuses_a_foreign_begin_of_another_length,
		   refuses_a_second_begin, refuses_stdin_before_the_parameters_end, refuses_parameters_after_their_end,
		   refuses_the_end_of_parameters_twice, answers_another_role_and_refuses,
		   refuses_a_role_that_is_right_only_in_its_low_byte, sees_an_abort,
		   passes_nothing_of_an_abort_or_after_it);
	looped(s, "short begin", refuses_a_begin_of_another_length, 0, 8);
	looped(s, "long begin", refuses_a_begin_of_another_length, 9, 10);
	looped(s, "wrong types", refuses_other_types_in_our_request, 0, COUNT_OF(wrong_types));
	looped(s, "id zero", refuses_requests_with_the_id_zero, BEGIN, DATA + 1);
	FRESH_CASE(s, "taken out", takes_out_records_of_requests_that_do_not_exist,
		   tells_a_second_request_that_one_at_a_time_is_all, answers_and_takes_out_unknown_management,
		   does_not_answer_answers);
	FRESH_CASE(s, "get values", answers_get_values_alone, answers_before_the_padding_has_come,
		   answers_each_value_once, answers_each_question_for_itself, leaves_out_values_that_it_does_not_know,
		   skips_the_values_of_questions, answers_an_empty_question, answers_get_values_anywhere);
	looped(s, "cut question", refuses_a_question_that_is_cut_off, 1, 19);
	FRESH_CASE(s, "params", passes_parameters_over_many_records, passes_every_other_byte_in_names_and_values,
		   allows_as_many_parameters_as_the_limit, allows_as_many_bytes_of_parameters_as_the_limit,
		   refuses_a_record_of_parameters_beyond_the_limit_before_it_passes);
	looped(s, "bad params", refuses_parameters_with_bad_bytes_and_passes_what_is_before, 0, COUNT_OF(bad_params));
	looped(s, "long params", refuses_lengths_beyond_the_limit_before_they_are_complete, 0, COUNT_OF(long_params));
	looped(s, "cut params", refuses_parameters_that_end_inside_a_pair, 1, 13);
	FRESH_CASE(s, "body", passes_a_body_of_large_records, takes_records_in_a_body_for_bytes);
	looped(s, "cuts", does_the_same_wherever_the_input_is_cut, 0, SCRIPTS);
	looped(s, "bytes", does_the_same_byte_by_byte, 0, SCRIPTS);
	FRESH_CASE(s, "refused", takes_and_passes_nothing_once_refused, has_a_sentence_for_every_refusal);
	looped(s, "garbage", passes_no_byte_of_garbage_after_refusing_it, 1, 9);
	return s;
}
