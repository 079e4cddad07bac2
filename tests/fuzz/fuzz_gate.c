/* fuzz_gate.c - what holds for the gate whatever a peer sends. See README.md for how it is built and run.
 *
 * The first byte of the input chooses the limits, the second how the rest is cut. Checked, against a second, simple
 * parser of whole records that shares nothing with the gate:
 *   - what is passed is the beginning of one request, within the limits, and all of it once the gate says so;
 *   - what is answered are whole records of the three kinds that a gate may send;
 *   - both, and the verdict, are the same when the input comes in one piece, in pieces, and byte by byte;
 *   - the gate always goes on, until it has a reason to stop, and then takes nothing more. */
#include "front/gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { MOST = 1 << 17 };

struct bytes {
	uint8_t data[MOST];
	size_t len;
};

/* Everything that came of one input. */
struct outcome {
	struct gate gate;
	struct bytes passed; /* of the present request */
	struct bytes answered;
	uint64_t earlier; /* a hash of the requests before it */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void append(struct bytes *to, const uint8_t *bytes, size_t size)
{
	LEAT_CHECK(to->len + size <= MOST);
	if (size)
		memcpy(to->data + to->len, bytes, size);
	to->len += size;
}

/* A second opinion ----------------------------------------------------------------------------------------------- */

struct record {
	uint8_t type;
	uint16_t id;
	const uint8_t *content;
	size_t size; /* of the content that is there */
	bool empty;  /* its header says: no content */
	bool padded; /* its header says so */
	bool whole;  /* the content is all there, and the padding */
};

/* False when there is not even a header. */
static bool read_record(const struct bytes *from, size_t *at, struct record *ret_record)
{
	const uint8_t *header = from->data + *at;
	size_t left = from->len - *at, padding;

	if (left < 8)
		return false;
	LEAT_CHECK(header[0] == 1);
	ret_record->type = header[1];
	ret_record->id = (uint16_t)(header[2] * 256 + header[3]);
	ret_record->content = header + 8;
	ret_record->size = (size_t)header[4] * 256 + header[5];
	ret_record->empty = ret_record->size == 0;
	padding = header[6];
	ret_record->padded = padding > 0;
	left -= 8;
	ret_record->whole = left >= ret_record->size + padding;
	if (ret_record->size > left)
		ret_record->size = left;
	*at += 8 + (ret_record->whole ? ret_record->size + padding : left);
	return true;
}

/* False when the length is cut off. */
static bool read_length(const struct bytes *from, size_t *at, size_t *ret_length)
{
	const uint8_t *byte = from->data + *at;
	size_t size = *at < from->len && *byte >= 128 ? 4 : 1;

	if (from->len - *at < size)
		return false;
	*ret_length = size == 1 ? *byte : (size_t)(*byte - 128) << 24 | byte[1] << 16 | byte[2] << 8 | byte[3];
	*at += size;
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Returns how many pairs begin; ret_whole: the last one is not cut off. */
static uint32_t check_pairs(const struct bytes *params, const struct gate_limits *limits, bool *ret_whole)
{
	uint32_t count = 0;
	size_t at = 0, name, value;

	*ret_whole = false;
	while (at < params->len) {
		if (!read_length(params, &at, &name))
			return count;
		count++;
		LEAT_CHECK(name > 0 && name <= limits->params_size - at);
		if (!read_length(params, &at, &value))
			return count;
		LEAT_CHECK(name + value <= limits->params_size - at);
		LEAT_CHECK(!memchr(params->data + at, '\0', least(name + value, params->len - at)));
		LEAT_CHECK(!memchr(params->data + at, '=', least(name, params->len - at)));
		if (name + value > params->len - at)
			return count;
		at += name + value;
	}
	*ret_whole = true;
	return count;
}

/* The passed bytes must be BEGIN_REQUEST, PARAMS ..., an empty PARAMS, STDIN ..., an empty STDIN, or the beginning
 * of that. Returns whether they are all of it. */
static bool check_request(const struct bytes *passed, const struct gate *gate)
{
	static struct bytes params;
	struct record record;
	uint8_t expected = 1;
	uint64_t body = 0;
	bool ended = false, pairs_whole;
	size_t at = 0;

	params.len = 0;
	while (read_record(passed, &at, &record)) {
		LEAT_CHECK(!ended);
		LEAT_CHECK(record.type == expected);
		LEAT_CHECK(!record.padded || (record.type != 1 && !record.empty)); /* libfcgi does not skip it there */
		LEAT_CHECK(record.id != 0 && record.id == gate->request_id);
		if (expected == 1) {
			LEAT_CHECK(record.size == 8 && record.content[0] == 0 && record.content[1] == 1);
			LEAT_CHECK(gate->keep_conn == (record.content[2] % 2 == 1));
			expected = 4;
		} else if (expected == 4) {
			append(&params, record.content, record.size);
			if (record.empty) {
				check_pairs(&params, gate->limits, &pairs_whole);
				LEAT_CHECK(pairs_whole);
				expected = 5;
			}
		} else {
			body += record.size;
			ended = record.empty && record.whole;
		}
	}
	LEAT_CHECK(at == passed->len); /* no part of a header is passed */
	LEAT_CHECK(params.len <= gate->limits->params_size && params.len == gate->params_bytes);
	LEAT_CHECK(check_pairs(&params, gate->limits, &pairs_whole) <= gate->limits->params_count);
	LEAT_CHECK(body == gate->stdin_bytes);
	return ended;
}

static void check_answers(const struct bytes *answered)
{
	struct record record;
	size_t at = 0;

	while (read_record(answered, &at, &record)) {
		LEAT_CHECK(record.whole);
		LEAT_CHECK(record.type == 3 || record.type == 10 || record.type == 11);
		LEAT_CHECK((record.id != 0) == (record.type == 3));
		LEAT_CHECK(record.type == 10 ? record.size <= 72 : record.size == 8);
	}
	LEAT_CHECK(at == answered->len);
}

/* The gate at work ----------------------------------------------------------------------------------------------- */

static void next_request(struct outcome *outcome)
{
	for (size_t i = 0; i < outcome->passed.len; i++)
		outcome->earlier = (outcome->earlier ^ outcome->passed.data[i]) * UINT64_C(1099511628211);
	outcome->passed.len = 0;
	gate_next(&outcome->gate);
}

/* The bytes are copied to a place of their own size, so that AddressSanitizer sees a step beyond them. */
static void feed(struct outcome *outcome, const uint8_t *bytes, size_t size)
{
	uint8_t *input = malloc(size);
	size_t at = 0;

	memcpy(input, bytes, size);
	while (at < size) {
		struct gate_step step;
		enum gate_state state = gate_feed(&outcome->gate, input + at, size - at, &step);

		LEAT_CHECK(step.consumed <= size - at);
		append(&outcome->passed, step.pass, step.pass_len);
		append(&outcome->answered, step.answer, step.answer_len);
		at += step.consumed;
		if (state >= GATE_DONE) {
			gate_feed(&outcome->gate, input + at, size - at, &step);
			LEAT_CHECK(step.consumed == 0 && step.pass_len == 0 && step.answer_len == 0);
		} else {
			LEAT_CHECK(step.consumed > 0);
		}
		if (state > GATE_DONE)
			break;
		if (state == GATE_DONE) {
			LEAT_CHECK(check_request(&outcome->passed, &outcome->gate));
			next_request(outcome);
		}
	}
	free(input);
}

/* In pieces of 1 to 'piece' bytes; 0: all at once. */
static void run(struct outcome *outcome, const struct gate_limits *limits, const uint8_t *bytes, size_t size,
		unsigned int piece)
{
	unsigned int random = piece;

	gate_init(&outcome->gate, limits);
	outcome->passed.len = outcome->answered.len = 0;
	outcome->earlier = 0;
	while (size > 0 && outcome->gate.state < GATE_DONE) {
		size_t some = piece ? least(size, 1 + (size_t)rand_r(&random) % piece) : size;

		feed(outcome, bytes, some);
		bytes += some;
		size -= some;
	}
	LEAT_CHECK(!check_request(&outcome->passed, &outcome->gate) || outcome->gate.padding_left > 0);
	check_answers(&outcome->answered);
}

static void check_same(const struct outcome *one, const struct outcome *other)
{
	LEAT_CHECK(one->gate.state == other->gate.state && one->gate.refusal == other->gate.refusal);
	LEAT_CHECK(one->gate.params_count == other->gate.params_count);
	LEAT_CHECK(gate_is_quiet(&one->gate) == gate_is_quiet(&other->gate));
	LEAT_CHECK(one->earlier == other->earlier);
	LEAT_CHECK(one->passed.len == other->passed.len);
	LEAT_CHECK(memcmp(one->passed.data, other->passed.data, one->passed.len) == 0);
	LEAT_CHECK(one->answered.len == other->answered.len);
	LEAT_CHECK(memcmp(one->answered.data, other->answered.data, one->answered.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gate_limits limits[] = {
		{ .params_size = 65536, .params_count = 256, .max_conns = 1000, .max_reqs = 1 },
		{ .params_size = 64, .params_count = 4, .max_conns = UINT32_MAX, .max_reqs = UINT32_MAX },
		{ .params_size = UINT32_MAX, .params_count = UINT32_MAX },
		{ .params_size = 1, .params_count = 1 },
	};
	static struct outcome whole, pieces, single;
	const struct gate_limits *chosen;

	if (size < 2 || size > MOST / 8) /* an answer may be longer than its question: UNKNOWN_TYPE, twice */
		return 0;
	chosen = &limits[data[0] % 4];
	run(&whole, chosen, data + 2, size - 2, 0);
	run(&pieces, chosen, data + 2, size - 2, 2 + data[1]);
	run(&single, chosen, data + 2, size - 2, 1);
	check_same(&whole, &pieces);
	check_same(&whole, &single);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif
