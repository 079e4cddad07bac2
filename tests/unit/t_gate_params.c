/* t_gate_params.c - parameters at the gate: their bytes, their number, their size. */
#include "tests/unit/gate_script.h"

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

/* Of the record only its header and the plain bytes get through. */
static void assert_refused_behind(size_t plain, const char *content, size_t size, enum gate_refusal refusal)
{
	static struct wire expected;

	begin(1);
	expected = script;
	record(PARAMS, 1, content, size);
	put(&expected, script.bytes + expected.len, 8 + plain);
	assert_refused(refusal);
	assert_passed(&expected);
}

START_TEST(refuses_parameters_with_bad_bytes_and_passes_what_is_before)
{
	assert_refused_behind(bad_params[_i].plain, bad_params[_i].content, bad_params[_i].size,
			      GATE_REFUSAL_PARAM_BYTES);
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
	assert_refused_behind(long_params[_i].plain, long_params[_i].content, long_params[_i].size,
			      GATE_REFUSAL_PARAMS_SIZE);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("gate_params");

	GATE_CASE(s, "params", passes_parameters_over_many_records, passes_every_other_byte_in_names_and_values,
		  allows_as_many_parameters_as_the_limit, allows_as_many_bytes_of_parameters_as_the_limit,
		  refuses_a_record_of_parameters_beyond_the_limit_before_it_passes);
	looped(s, "bad params", refuses_parameters_with_bad_bytes_and_passes_what_is_before, 0, COUNT_OF(bad_params));
	looped(s, "long params", refuses_lengths_beyond_the_limit_before_they_are_complete, 0, COUNT_OF(long_params));
	looped(s, "cut params", refuses_parameters_that_end_inside_a_pair, 1, 13);
	return s;
}
