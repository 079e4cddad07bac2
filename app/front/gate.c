/* gate.c - see gate.h. The front's connection feeds it; it calls nobody.
 *
 * A record is its header, its content and its padding. The header decides what is done with all three; one that does
 * not stand in one piece in the input is gathered in 'unit'. Our BEGIN_REQUEST counts as a header of 16 bytes, for its
 * content decides too. Other content is looked at as it comes; nothing is kept of it. */
#include "front/gate.h"

#include <string.h>

#include "base/check.h"
#include "base/number.h"

enum {
	VERSION = 1,
	HEADER_SIZE = 8,
	PADDING_AT = 6, /* its length, in the header */
	BEGIN_SIZE = 8, /* content of BEGIN_REQUEST, END_REQUEST and UNKNOWN_TYPE */
	ROLE_RESPONDER = 1,
	FLAG_KEEP_CONN = 1,
};

/* FastCGI 8. */
enum type {
	BEGIN_REQUEST = 1,
	ABORT_REQUEST = 2,
	END_REQUEST = 3,
	PARAMS = 4,
	STDIN = 5,
	DATA = 8, /* the last of the types that belong to a request */
	GET_VALUES = 9,
	GET_VALUES_RESULT = 10,
	UNKNOWN_TYPE = 11,
};

enum protocol_status { CANT_MPX_CONN = 1, UNKNOWN_ROLE = 3 };

/* What is done with the present record; the last three are passed. */
enum record { RECORD_DROPPED, RECORD_QUESTION, RECORD_BEGIN, RECORD_PARAMS, RECORD_STDIN };

enum part { PART_NAME_LENGTH, PART_VALUE_LENGTH, PART_NAME, PART_VALUE };

struct input {
	const uint8_t *at;
	const uint8_t *end;
};

static size_t available(const struct input *in, size_t most)
{
	size_t size = (size_t)(in->end - in->at);

	return size < most ? size : most;
}

struct header {
	uint8_t version;
	uint8_t type;
	uint16_t id;
	uint16_t content;
	uint8_t padding;
};

static bool next_piece(struct gate *gate, struct input *in, struct gate_step *step);
static bool take_header(struct gate *gate, struct input *in, struct gate_step *step);
static const uint8_t *without_padding(struct gate *gate, const uint8_t *unit, size_t size);
static const uint8_t *whole(struct gate *gate, struct input *in, size_t size);
static void take_content(struct gate *gate, struct input *in, struct gate_step *step);
static void take_padding(struct gate *gate, struct input *in, struct gate_step *step);

static enum record judge(struct gate *gate, const struct header *header, struct gate_step *step);
static enum record judge_ours(struct gate *gate, const struct header *header);
static enum record judge_params(struct gate *gate, const struct header *header);
static enum record judge_foreign(struct gate *gate, const struct header *header, struct gate_step *step);
static enum record judge_management(struct gate *gate, const struct header *header, struct gate_step *step);
static bool begin_request(struct gate *gate, const struct header *header, const uint8_t *content,
			  struct gate_step *step);

static bool pair_is_whole(const struct gate_pair *pair);
static size_t check_params(struct gate *gate, const uint8_t *bytes, size_t size);
static void note_question(struct gate *gate, const uint8_t *bytes, size_t size);

static void answer_values(struct gate *gate, struct gate_step *step);
static void answer_end(struct gate *gate, uint16_t id, enum protocol_status status, struct gate_step *step);
static void answer_unknown(struct gate *gate, uint8_t type, struct gate_step *step);

void gate_init(struct gate *gate, const struct gate_limits *limits)
{
	*gate = (struct gate){ .limits = limits };
}

void gate_next(struct gate *gate)
{
	LEAT_CHECK(gate->state == GATE_DONE);
	gate_init(gate, gate->limits);
}

static bool is_open(const struct gate *gate)
{
	return gate->state < GATE_DONE;
}

/* Is what comes next joined to the bytes already passed? */
static bool is_joined(const struct gate_step *step, const uint8_t *at)
{
	return step->pass_len == 0 || step->pass + step->pass_len == at;
}

enum gate_state gate_feed(struct gate *gate, const uint8_t *bytes, size_t size, struct gate_step *step)
{
	struct input in = { bytes, bytes + size };

	*step = (struct gate_step){ .pass = bytes, .answer = gate->answer };
	while (in.at < in.end && is_open(gate) && !step->answer_len && is_joined(step, in.at))
		if (!next_piece(gate, &in, step))
			break;
	step->consumed = (size_t)(in.at - bytes);
	return gate->state;
}

const char *gate_refusal_text(enum gate_refusal refusal)
{
	static const char *const sentences[GATE_REFUSAL_COUNT] = {
		[GATE_REFUSAL_NONE] = "Nothing was refused.",
#define GATE_SENTENCE(id, counter, sentence) [GATE_REFUSAL_##id] = sentence,
		GATE_REFUSALS(GATE_SENTENCE)
#undef GATE_SENTENCE
	};

	return sentences[refusal];
}

/* Records ------------------------------------------------------------------------------------------------------- */

/* False, with nothing taken, when what comes next does not join the run that is passed. */
static bool next_piece(struct gate *gate, struct input *in, struct gate_step *step)
{
	if (gate->content_left)
		take_content(gate, in, step);
	else if (gate->padding_left)
		take_padding(gate, in, step);
	else if (!take_header(gate, in, step))
		return false;
	if (gate->last && is_open(gate) && !gate->content_left && !gate->padding_left)
		gate->state = GATE_DONE;
	return true;
}

static bool is_passed(const struct gate *gate)
{
	return gate->record >= RECORD_BEGIN;
}

static void pass(struct gate_step *step, const uint8_t *bytes, size_t size)
{
	if (step->pass_len == 0)
		step->pass = bytes;
	step->pass_len += size;
}

static enum record refuse(struct gate *gate, enum gate_refusal refusal)
{
	gate->state = GATE_REFUSED;
	gate->refusal = refusal;
	return RECORD_DROPPED;
}

static struct header decode(const uint8_t *bytes)
{
	return (struct header){
		.version = bytes[0],
		.type = bytes[1],
		.id = (uint16_t)(bytes[2] << 8 | bytes[3]),
		.content = (uint16_t)(bytes[4] << 8 | bytes[5]),
		.padding = bytes[PADDING_AT],
	};
}

/* A BEGIN_REQUEST that could begin our request. */
static bool is_first_begin(const struct gate *gate, const uint8_t *unit)
{
	struct header header = decode(unit);

	return gate->state == GATE_IDLE && header.version == VERSION && header.type == BEGIN_REQUEST &&
	       header.id != 0 && header.content == BEGIN_SIZE;
}

static bool take_header(struct gate *gate, struct input *in, struct gate_step *step)
{
	size_t size = HEADER_SIZE;
	const uint8_t *unit = whole(gate, in, size);
	struct header header;
	bool is_bare; /* all its content is in the unit */

	if (unit && is_first_begin(gate, unit)) {
		size += BEGIN_SIZE;
		unit = whole(gate, in, size);
	}
	if (!unit)
		return true;
	header = decode(unit);
	is_bare = header.content == size - HEADER_SIZE;
	if (is_bare && header.padding && step->pass_len)
		return false;
	if (unit == in->at)
		in->at += size;
	gate->gathered = 0;
	gate->record = judge(gate, &header, step);
	if (!is_open(gate) || (size > HEADER_SIZE && !begin_request(gate, &header, unit + HEADER_SIZE, step)))
		return true;
	gate->content_left = (uint16_t)(HEADER_SIZE + header.content - size);
	gate->padding_left = header.padding;
	if (is_passed(gate))
		pass(step, is_bare && header.padding ? without_padding(gate, unit, size) : unit, size);
	if (gate->record == RECORD_QUESTION && !gate->content_left)
		answer_values(gate, step);
	return true;
}

/* libfcgi forgets the padding of BEGIN_REQUEST and of the records that end a stream, and takes its bytes for the next
 * record. So these pass without it. */
static const uint8_t *without_padding(struct gate *gate, const uint8_t *unit, size_t size)
{
	memmove(gate->unit, unit, size);
	gate->unit[PADDING_AT] = 0;
	gate->record = RECORD_DROPPED;
	return gate->unit;
}

/* The next 'size' bytes in one piece: in the input, which is then not advanced, or gathered; NULL when they are not
 * all there yet. */
static const uint8_t *whole(struct gate *gate, struct input *in, size_t size)
{
	if (!gate->gathered && available(in, size) == size)
		return in->at;
	if (gate->gathered < size) {
		size_t more = available(in, size - gate->gathered);

		memcpy(gate->unit + gate->gathered, in->at, more);
		gate->gathered += (uint8_t)more;
		in->at += more;
	}
	return gate->gathered >= size ? gate->unit : NULL;
}

static void move_on(const struct gate *gate, struct input *in, struct gate_step *step, size_t size)
{
	if (is_passed(gate))
		pass(step, in->at, size);
	in->at += size;
}

static void take_content(struct gate *gate, struct input *in, struct gate_step *step)
{
	size_t size = available(in, gate->content_left);

	if (gate->record == RECORD_PARAMS) {
		size = check_params(gate, in->at, size);
		gate->params_bytes += (uint32_t)size;
	} else if (gate->record == RECORD_STDIN) {
		gate->stdin_bytes += size;
	} else if (gate->record == RECORD_QUESTION) {
		note_question(gate, in->at, size);
	}
	gate->content_left -= (uint16_t)size;
	move_on(gate, in, step, size);
	if (gate->record == RECORD_QUESTION && !gate->content_left)
		answer_values(gate, step);
}

static void take_padding(struct gate *gate, struct input *in, struct gate_step *step)
{
	size_t size = available(in, gate->padding_left);

	gate->padding_left -= (uint8_t)size;
	move_on(gate, in, step, size);
}

/* What a header decides ------------------------------------------------------------------------------------------ */

static enum record judge(struct gate *gate, const struct header *header, struct gate_step *step)
{
	if (header->version != VERSION)
		return refuse(gate, GATE_REFUSAL_VERSION);
	if (header->id == 0)
		return judge_management(gate, header, step);
	if (header->type == BEGIN_REQUEST && header->content != BEGIN_SIZE)
		return refuse(gate, GATE_REFUSAL_LENGTH);
	if (gate->state == GATE_IDLE)
		return header->type == BEGIN_REQUEST ? RECORD_BEGIN : RECORD_DROPPED;
	if (header->id == gate->request_id)
		return judge_ours(gate, header);
	return judge_foreign(gate, header, step);
}

static enum record judge_ours(struct gate *gate, const struct header *header)
{
	switch (header->type) {
	case PARAMS:
		return judge_params(gate, header);
	case STDIN:
		if (gate->state != GATE_BODY)
			return refuse(gate, GATE_REFUSAL_ORDER);
		gate->last = header->content == 0;
		return RECORD_STDIN;
	case ABORT_REQUEST:
		gate->state = GATE_ABORTED;
		return RECORD_DROPPED;
	case BEGIN_REQUEST:
		return refuse(gate, GATE_REFUSAL_ORDER);
	default:
		return refuse(gate, GATE_REFUSAL_TYPE);
	}
}

static enum record judge_params(struct gate *gate, const struct header *header)
{
	if (gate->state != GATE_PARAMS)
		return refuse(gate, GATE_REFUSAL_ORDER);
	if ((uint64_t)gate->params_bytes + header->content > gate->limits->params_size)
		return refuse(gate, GATE_REFUSAL_PARAMS_SIZE);
	if (header->content == 0) {
		if (!pair_is_whole(&gate->param))
			return refuse(gate, GATE_REFUSAL_PARAMS_CUT);
		gate->state = GATE_BODY;
	}
	return RECORD_PARAMS;
}

/* A request beside ours is told that one at a time is all; what follows of it is dropped without a word. */
static enum record judge_foreign(struct gate *gate, const struct header *header, struct gate_step *step)
{
	if (header->type == BEGIN_REQUEST)
		answer_end(gate, header->id, CANT_MPX_CONN, step);
	return RECORD_DROPPED;
}

/* Results and UNKNOWN_TYPE answer what leat never asks: they are no questions and get no answer. */
static enum record judge_management(struct gate *gate, const struct header *header, struct gate_step *step)
{
	switch (header->type) {
	case GET_VALUES:
		gate->asked = 0;
		return RECORD_QUESTION;
	case GET_VALUES_RESULT:
	case UNKNOWN_TYPE:
		return RECORD_DROPPED;
	default:
		if (header->type >= BEGIN_REQUEST && header->type <= DATA)
			return refuse(gate, GATE_REFUSAL_TYPE);
		answer_unknown(gate, header->type, step);
		return RECORD_DROPPED;
	}
}

/* False for a role that is not ours. */
static bool begin_request(struct gate *gate, const struct header *header, const uint8_t *content,
			  struct gate_step *step)
{
	if ((content[0] << 8 | content[1]) != ROLE_RESPONDER) {
		answer_end(gate, header->id, UNKNOWN_ROLE, step);
		refuse(gate, GATE_REFUSAL_ROLE);
		return false;
	}
	gate->request_id = header->id;
	gate->keep_conn = content[2] & FLAG_KEEP_CONN;
	gate->state = GATE_PARAMS;
	return true;
}

/* Pairs ---------------------------------------------------------------------------------------------------------- */

static bool pair_is_whole(const struct gate_pair *pair)
{
	return pair->part == PART_NAME_LENGTH && pair->length_left == 0;
}

/* Goes on to the next part that has bytes. */
static void pair_settle(struct gate_pair *pair)
{
	if (pair->part == PART_NAME && pair->name_left == 0)
		pair->part = PART_VALUE;
	if (pair->part == PART_VALUE && pair->value_left == 0)
		pair->part = PART_NAME_LENGTH;
}

/* A byte of a length: one below 128 is all of it, else it is four bytes whose highest bit is not counted. True when
 * the length is complete. */
static bool pair_length(struct gate_pair *pair, uint8_t byte)
{
	uint32_t *length = pair->part == PART_NAME_LENGTH ? &pair->name_left : &pair->value_left;

	if (pair->length_left > 0) {
		*length = *length << 8 | byte;
		pair->length_left--;
	} else if (byte < 0x80) {
		*length = byte;
	} else {
		*length = byte & 0x7f;
		pair->length_left = 3;
	}
	if (pair->length_left > 0)
		return false;
	pair->part = pair->part == PART_NAME_LENGTH ? PART_VALUE_LENGTH : PART_NAME;
	return true;
}

/* Parameters ----------------------------------------------------------------------------------------------------- */

/* A length that is complete; 'room' is what params_size leaves for the pair's bytes. */
static bool check_length(struct gate *gate, uint64_t room)
{
	const struct gate_pair *pair = &gate->param;

	if ((uint64_t)pair->name_left + pair->value_left > room)
		refuse(gate, GATE_REFUSAL_PARAMS_SIZE);
	else if (pair->part == PART_VALUE_LENGTH && pair->name_left == 0)
		refuse(gate, GATE_REFUSAL_PARAM_BYTES);
	else if (pair->part == PART_VALUE_LENGTH && ++gate->params_count > gate->limits->params_count)
		refuse(gate, GATE_REFUSAL_PARAMS_COUNT);
	return is_open(gate);
}

/* Is a byte of the word NUL or 'forbidden'? The borrow of a subtraction shows it; it may name a wrong byte beside the
 * first, never a wrong answer. */
static bool word_has(uint64_t word, uint8_t forbidden)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t other = word ^ (ones * forbidden);

	return (((word - ones) & ~word) | ((other - ones) & ~other)) & (ones << 7);
}

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* How many bytes from the first are neither NUL nor 'forbidden'. */
static size_t plain_length(const uint8_t *bytes, size_t size, uint8_t forbidden)
{
	size_t i = 0;

	while (i < size && bytes[i] != '\0' && bytes[i] != forbidden)
		i++;
	return i;
}

/* Are all of them? Eight at a time, the last eight overlapping those before. */
static bool is_plain(const uint8_t *bytes, size_t size, uint8_t forbidden)
{
	if (size < 8)
		return plain_length(bytes, size, forbidden) == size;
	for (size_t i = 0; i < size - 8; i += 8)
		if (word_has(word_at(bytes + i), forbidden))
			return false;
	return !word_has(word_at(bytes + size - 8), forbidden);
}

static size_t plain_value(const uint8_t *bytes, size_t size)
{
	const uint8_t *nul = memchr(bytes, '\0', size);

	return nul ? (size_t)(nul - bytes) : size;
}

/* The hot path: takes leading pairs that are whole, have lengths below 128 and break no rule; that they fit in
 * params_size is known since their record's header. All else is left to take_part, so it alone refuses. */
static void take_plain_pairs(struct gate *gate, struct input *in)
{
	while (in->end - in->at >= 2 && gate->params_count < gate->limits->params_count) {
		size_t name_len = in->at[0], value_len = in->at[1];
		const uint8_t *name = in->at + 2;

		if (name_len == 0 || ((name_len | value_len) & 0x80) ||
		    name_len + value_len > (size_t)(in->end - name) || !is_plain(name, name_len, '=') ||
		    !is_plain(name + name_len, value_len, '\0'))
			break;
		in->at = name + name_len + value_len;
		gate->params_count++;
	}
}

/* Takes what there is of the pair's next part. */
static void take_part(struct gate *gate, struct input *in, uint64_t room)
{
	struct gate_pair *pair = &gate->param;
	uint32_t *left = pair->part == PART_NAME ? &pair->name_left : &pair->value_left;
	size_t size, plain;

	if (pair->part == PART_NAME_LENGTH || pair->part == PART_VALUE_LENGTH) {
		if (pair_length(pair, *in->at) && !check_length(gate, room - 1))
			return;
		in->at++;
	} else {
		size = available(in, *left);
		plain = pair->part == PART_NAME ? plain_length(in->at, size, '=') : plain_value(in->at, size);
		in->at += plain;
		*left -= (uint32_t)plain;
		if (plain < size)
			refuse(gate, GATE_REFUSAL_PARAM_BYTES);
	}
	pair_settle(pair);
}

/* How many of the bytes may pass: all, or the gate has refused. */
static size_t check_params(struct gate *gate, const uint8_t *bytes, size_t size)
{
	uint64_t room = gate->limits->params_size - gate->params_bytes;
	struct input in = { bytes, bytes + size };

	while (in.at < in.end && is_open(gate)) {
		if (pair_is_whole(&gate->param))
			take_plain_pairs(gate, &in);
		if (in.at < in.end)
			take_part(gate, &in, room - (uint64_t)(in.at - bytes));
	}
	return (size_t)(in.at - bytes);
}

/* GET_VALUES ----------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t len;
} values[] = {
	{ "FCGI_MAX_CONNS", 14 },
	{ "FCGI_MAX_REQS", 13 },
	{ "FCGI_MPXS_CONNS", 15 },
};

enum { MAX_CONNS, MAX_REQS, MPXS_CONNS, VALUE_COUNT };

static uint32_t value_of(const struct gate *gate, int which)
{
	switch (which) {
	case MAX_CONNS:
		return gate->limits->max_conns;
	case MAX_REQS:
		return gate->limits->max_reqs;
	default:
		return 0;
	}
}

/* A byte of a name in question. 'unit' is long enough for those we know and one more. */
static void note_name_byte(struct gate *gate, uint8_t byte)
{
	if (gate->asked_len < GATE_UNIT_SIZE)
		gate->unit[gate->asked_len++] = byte;
	if (--gate->question.name_left > 0)
		return;
	for (int i = 0; i < VALUE_COUNT; i++)
		if (gate->asked_len == values[i].len && memcmp(gate->unit, values[i].name, values[i].len) == 0)
			gate->asked |= (uint8_t)(1 << i);
	gate->asked_len = 0;
}

static void note_question(struct gate *gate, const uint8_t *bytes, size_t size)
{
	struct gate_pair *pair = &gate->question;

	for (size_t i = 0; i < size; i++) {
		switch ((enum part)pair->part) {
		case PART_NAME_LENGTH:
		case PART_VALUE_LENGTH:
			pair_length(pair, bytes[i]);
			break;
		case PART_NAME:
			note_name_byte(gate, bytes[i]);
			break;
		case PART_VALUE:
			pair->value_left--;
			break;
		}
		pair_settle(pair);
	}
}

/* Answers: there is room for the longest, GET_VALUES_RESULT with numbers of ten digits -------------------------- */

static void answer(struct gate *gate, enum type type, uint16_t id, size_t size, struct gate_step *step)
{
	const uint8_t header[HEADER_SIZE] = {
		VERSION, (uint8_t)type, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(size >> 8), (uint8_t)size, 0, 0,
	};

	memcpy(gate->answer, header, HEADER_SIZE);
	step->answer_len = HEADER_SIZE + size;
}

/* A pair of one-byte lengths, name and decimal digits; returns its size. */
static size_t write_value(char *out, int which, uint32_t value)
{
	size_t name_len = values[which].len;
	size_t digits = number_write_uint(out + 2 + name_len, value);

	out[0] = (char)name_len;
	out[1] = (char)digits;
	memcpy(out + 2, values[which].name, name_len);
	return 2 + name_len + digits;
}

/* The values that were asked for and are known, each once. */
static void answer_values(struct gate *gate, struct gate_step *step)
{
	size_t len = 0;

	if (!pair_is_whole(&gate->question)) {
		refuse(gate, GATE_REFUSAL_LENGTH);
		return;
	}
	for (int i = 0; i < VALUE_COUNT; i++)
		if (gate->asked & 1 << i)
			len += write_value((char *)gate->answer + HEADER_SIZE + len, i, value_of(gate, i));
	answer(gate, GET_VALUES_RESULT, 0, len, step);
}

/* END_REQUEST: appStatus 0 in four bytes, then the reason, then three reserved bytes. */
static void answer_end(struct gate *gate, uint16_t id, enum protocol_status status, struct gate_step *step)
{
	const uint8_t content[BEGIN_SIZE] = { [4] = (uint8_t)status };

	memcpy(gate->answer + HEADER_SIZE, content, BEGIN_SIZE);
	answer(gate, END_REQUEST, id, BEGIN_SIZE, step);
}

static void answer_unknown(struct gate *gate, uint8_t type, struct gate_step *step)
{
	const uint8_t content[BEGIN_SIZE] = { type };

	memcpy(gate->answer + HEADER_SIZE, content, BEGIN_SIZE);
	answer(gate, UNKNOWN_TYPE, 0, BEGIN_SIZE, step);
}
