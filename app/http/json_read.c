/* json_read.c - see json_read.h. Called by http/request for bodies.
 *
 * The reader goes down the shape and the document together. Two kinds of faults: a syntax fault makes every function
 * return false up to json_read; a fault of shape is added to the problem and reading goes on behind the value, so that
 * all of them are found. Where a value stands is a chain of places on the stack; a pointer is made of it only for a
 * fault. */
#include "http/json_read.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "http/field.h"
#include "http/json_scan.h"

enum {
	KEY_IN_POINTER_MAX = 64, /* an unknown key that is longer is not repeated to the client */
	FIRST_LIST_ROOM = 8,
};

struct reader {
	const char *start;
	const char *at;
	const char *end;
	struct arena *arena;
	struct problem *problem;
	const char *syntax_fault; /* what is wrong at 'at'; NULL: nothing yet */
	unsigned depth;
};

/* Where a value stands: a member or an item of what 'above' names; NULL is the document. */
struct place {
	const struct place *above;
	leat_text key; /* {NULL, 0}: an item */
	size_t index;
};

/* A text between its quotes. */
struct raw_text {
	leat_text text;
	bool has_escapes;
	bool has_nul; /* as \u0000 */
};

static bool read_document(struct reader *reader, const struct leat_shape *shape, void *value);
static enum leat_result refuse_syntax(struct reader *reader);

static bool read_member(struct reader *reader, const struct leat_field *field, void *member, const struct place *place);
static bool read_null(struct reader *reader, const struct leat_field *field, const struct place *place);
static bool read_object(struct reader *reader, const struct leat_shape *shape, void *value, const struct place *place);
static bool read_list(struct reader *reader, const struct leat_field *field, void *member, const struct place *place);
static bool read_text(struct reader *reader, const struct leat_field *field, void *member, const struct place *place);
static bool read_number(struct reader *reader, const struct leat_field *field, void *member, const struct place *place);
static bool read_bool(struct reader *reader, void *member);

static bool skip_value(struct reader *reader);
static bool scan_text(struct reader *reader, struct raw_text *ret_raw);
static leat_text unescape(struct arena *arena, leat_text raw);
static bool scan_number(struct reader *reader, leat_text *ret_token, bool *ret_is_integer);

static void fault_at(struct reader *reader, const struct place *place, const char *text);

enum leat_result json_read(struct arena *arena, leat_text document, const struct leat_shape *shape, void *value,
			   struct problem *problem)
{
	const char *start = document.ptr ? document.ptr : "";
	struct reader reader = {
		.start = start,
		.at = start,
		.end = start + document.len,
		.arena = arena,
		.problem = problem,
	};

	*problem = (struct problem){ .result = LEAT_OK };
	memset(value, 0, shape->size);
	if (!read_document(&reader, shape, value))
		return refuse_syntax(&reader);
	if (problem->faults)
		problem->result = LEAT_INVALID;
	return problem->result;
}

/* Syntax --------------------------------------------------------------------------------------------------------- */

static bool syntax(struct reader *reader, const char *fault)
{
	reader->syntax_fault = fault;
	return false;
}

/* "line 2, column 7: ..."; a column counts characters, from 1. */
static enum leat_result refuse_syntax(struct reader *reader)
{
	const char *line_start = reader->start;
	unsigned long line = 1;
	size_t column;

	for (const char *at = reader->start; at < reader->at; at++) {
		if (*at == '\n') {
			line++;
			line_start = at + 1;
		}
	}
	column = 1 + utf8_count((leat_text){ line_start, (size_t)(reader->at - line_start) });
	*reader->problem = (struct problem){
		.result = LEAT_BAD_REQUEST,
		.detail = arena_format(reader->arena, "line %lu, column %zu: %s", line, column, reader->syntax_fault),
	};
	return LEAT_BAD_REQUEST;
}

/* The next byte that is no white space; 0 at the end, where a NUL in the document is refused just as well. */
static char next_byte(struct reader *reader)
{
	while (reader->at < reader->end) {
		char c = *reader->at;

		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			return c;
		reader->at++;
	}
	return 0;
}

static bool expect(struct reader *reader, char wanted, const char *fault)
{
	if (next_byte(reader) != wanted)
		return syntax(reader, reader->at == reader->end ? "the document ends too early" : fault);
	reader->at++;
	return true;
}

static bool expect_word(struct reader *reader, leat_text word)
{
	leat_text rest = { reader->at, (size_t)(reader->end - reader->at) };

	if (!leat_text_starts(rest, word))
		return syntax(reader, "expected a value");
	reader->at += word.len;
	return true;
}

/* Behind an opening bracket; 'close' is the one that ends it. */
static bool enter(struct reader *reader, char close, bool *ret_is_empty)
{
	if (++reader->depth > JSON_READ_DEPTH)
		return syntax(reader, "nested too deep");
	reader->at++;
	*ret_is_empty = next_byte(reader) == close;
	if (*ret_is_empty) {
		reader->at++;
		reader->depth--;
	}
	return true;
}

/* Behind a member or an item. */
static bool go_on(struct reader *reader, char close, bool *ret_is_end)
{
	char c = next_byte(reader);

	*ret_is_end = c == close;
	if (c != close && c != ',')
		return syntax(reader, reader->at == reader->end ? "the document ends too early"
					: close == '}'          ? "expected ',' or '}'"
								: "expected ',' or ']'");
	reader->at++;
	reader->depth -= *ret_is_end;
	return true;
}

/* Shapes --------------------------------------------------------------------------------------------------------- */

static bool read_document(struct reader *reader, const struct leat_shape *shape, void *value)
{
	if (next_byte(reader) == '{') {
		if (!read_object(reader, shape, value, NULL))
			return false;
	} else {
		fault_at(reader, NULL, "must be an object");
		if (!skip_value(reader))
			return false;
	}
	next_byte(reader);
	return reader->at == reader->end || syntax(reader, "something follows the document");
}

/* Whether the document goes on with this key, spelled plainly. Members mostly come in the order of the shape. */
static bool is_key_here(const struct reader *reader, const struct leat_field *field)
{
	size_t len = field->name_len;

	return (size_t)(reader->end - reader->at) > len + 1 && reader->at[len + 1] == '"' &&
	       word_same(reader->at + 1, field->name, len);
}

static const struct leat_field *find_field(const struct leat_shape *shape, leat_text key)
{
	for (unsigned i = 0; i < shape->field_count; i++)
		if (leat_text_equal(key, (leat_text){ shape->fields[i].name, shape->fields[i].name_len }))
			return &shape->fields[i];
	return NULL;
}

/* A key with its colon. 'likely' is the number of the field to look for first; the field is NULL for an unknown key. */
static bool read_key(struct reader *reader, const struct leat_shape *shape, unsigned likely, leat_text *ret_key,
		     const struct leat_field **ret_field)
{
	struct raw_text raw;

	*ret_field = NULL;
	if (next_byte(reader) != '"')
		return expect(reader, '"', "expected a key in quotes");
	if (likely < shape->field_count && is_key_here(reader, &shape->fields[likely])) {
		*ret_field = &shape->fields[likely];
		*ret_key = (leat_text){ reader->at + 1, (*ret_field)->name_len };
		reader->at += (*ret_field)->name_len + 2;
	} else {
		if (!scan_text(reader, &raw))
			return false;
		*ret_key = raw.has_escapes ? unescape(reader->arena, raw.text) : raw.text;
		*ret_field = find_field(shape, *ret_key);
	}
	return expect(reader, ':', "expected ':'");
}

static void fault_unknown(struct reader *reader, const struct place *place)
{
	if (place->key.len <= KEY_IN_POINTER_MAX)
		fault_at(reader, place, "is not a known key");
	else
		fault_at(reader, place->above, "has an unknown key that is very long");
}

static void fault_missing(struct reader *reader, const struct leat_shape *shape, const uint64_t *given,
			  const struct place *place)
{
	for (unsigned i = 0; i < shape->field_count; i++) {
		const struct leat_field *field = &shape->fields[i];
		struct place here = { .above = place, .key = { field->name, field->name_len } };

		if (!field->optional && !(given[i / 64] >> i % 64 & 1))
			fault_at(reader, &here, "is required");
	}
}

static bool read_object(struct reader *reader, const struct leat_shape *shape, void *value, const struct place *place)
{
	uint64_t few = 0; /* a bit for each field that was given */
	uint64_t *given = shape->field_count <= 64 ? &few : arena_zalloc(reader->arena, shape->field_count / 64 * 8 + 8);
	unsigned likely = 0;
	bool is_end;

	if (!enter(reader, '}', &is_end))
		return false;
	while (!is_end) {
		struct place here = { .above = place };
		const struct leat_field *field;
		bool goes_on;

		if (!read_key(reader, shape, likely, &here.key, &field))
			return false;
		if (!field) {
			fault_unknown(reader, &here);
			goes_on = skip_value(reader);
		} else {
			unsigned i = (unsigned)(field - shape->fields);
			uint64_t bit = UINT64_C(1) << i % 64;

			if (given[i / 64] & bit)
				fault_at(reader, &here, "is given twice");
			given[i / 64] |= bit;
			goes_on = read_member(reader, field, (char *)value + field->offset, &here);
			likely = i + 1;
		}
		if (!goes_on || !go_on(reader, '}', &is_end))
			return false;
	}
	fault_missing(reader, shape, given, place);
	return true;
}

static bool read_member(struct reader *reader, const struct leat_field *field, void *member, const struct place *place)
{
	static const char *const wanted[] = {
		[LEAT_KIND_INT] = "must be an integer",
		[LEAT_KIND_BOOL] = "must be true or false",
		[LEAT_KIND_FLOAT] = "must be a number",
		[LEAT_KIND_TEXT] = "must be a string",
		[LEAT_KIND_LIST] = "must be an array",
		[LEAT_KIND_OBJECT] = "must be an object",
	};
	char first = next_byte(reader);
	bool is_number = first == '-' || (first >= '0' && first <= '9');

	if (first == 'n')
		return read_null(reader, field, place);
	switch ((enum leat_kind)field->kind) {
	case LEAT_KIND_INT:
	case LEAT_KIND_FLOAT:
		if (is_number)
			return read_number(reader, field, member, place);
		break;
	case LEAT_KIND_BOOL:
		if (first == 't' || first == 'f')
			return read_bool(reader, member);
		break;
	case LEAT_KIND_TEXT:
		if (first == '"')
			return read_text(reader, field, member, place);
		break;
	case LEAT_KIND_LIST:
		if (first == '[')
			return read_list(reader, field, member, place);
		break;
	case LEAT_KIND_OBJECT:
		if (first == '{')
			return read_object(reader, field->shape, member, place);
	}
	fault_at(reader, place, wanted[field->kind]);
	return skip_value(reader);
}

static bool read_null(struct reader *reader, const struct leat_field *field, const struct place *place)
{
	if (!expect_word(reader, LEAT_TEXT_OF("null")))
		return false;
	if (!field->optional)
		fault_at(reader, place, "must not be null");
	return true;
}

static bool read_bool(struct reader *reader, void *member)
{
	*(bool *)member = *reader->at == 't';
	return expect_word(reader, *reader->at == 't' ? LEAT_TEXT_OF("true") : LEAT_TEXT_OF("false"));
}

static bool read_text(struct reader *reader, const struct leat_field *field, void *member, const struct place *place)
{
	char fault[FIELD_FAULT_MAX];
	struct raw_text raw;

	if (!scan_text(reader, &raw))
		return false;
	if (raw.has_escapes)
		raw.text = unescape(reader->arena, raw.text);
	if (raw.has_nul)
		fault_at(reader, place, "must not hold U+0000");
	else if (!field_store_text(field, member, raw.text, fault))
		fault_at(reader, place, fault);
	return true;
}

/* A token of scan_number; infinite when it is beyond the range of a double. */
static double double_of(struct arena *arena, leat_text token)
{
	char few[64];

	if (token.len >= sizeof(few))
		return strtod(arena_copy(arena, token.ptr, token.len), NULL);
	memcpy(few, token.ptr, token.len);
	few[token.len] = '\0';
	return strtod(few, NULL);
}

static bool read_number(struct reader *reader, const struct leat_field *field, void *member, const struct place *place)
{
	char fault[FIELD_FAULT_MAX];
	leat_text token;
	bool is_integer;
	double value;

	if (!scan_number(reader, &token, &is_integer))
		return false;
	if (field->kind == LEAT_KIND_INT) {
		if (!is_integer)
			fault_at(reader, place, "must be an integer");
		else if (!field_store_int(field, member, token, fault))
			fault_at(reader, place, fault);
		return true;
	}
	value = double_of(reader->arena, token);
	if (!isfinite(value))
		fault_at(reader, place, "is beyond the range of a double");
	else if (!field_store_float(field, member, value, fault))
		fault_at(reader, place, fault);
	return true;
}

/* Room for one more item. Once there is a fault nobody will use the list, so that a hostile one costs no memory: all further
 * items share a place. */
static void *add_item(struct reader *reader, const struct leat_field *field, struct leat_list *list, size_t *room)
{
	size_t size = field->shape->size;
	bool is_useless = reader->problem->faults || field_list_is_full(field, list->count);

	if (*room == 0 || (list->count >= *room && !is_useless)) {
		size_t more = *room ? *room * 2 : FIRST_LIST_ROOM;

		if (*room == 0 || !arena_extend(reader->arena, list->items, *room * size, more * size)) {
			void *items = arena_alloc(reader->arena, more * size);

			if (*room)
				memcpy(items, list->items, *room * size);
			list->items = items;
		}
		*room = more;
	}
	return memset((char *)list->items + (is_useless ? 0 : list->count) * size, 0, size);
}

static bool read_list(struct reader *reader, const struct leat_field *field, void *member, const struct place *place)
{
	char fault[FIELD_FAULT_MAX];
	struct leat_list list = { NULL, 0 };
	size_t room = 0;
	bool is_end;

	if (!enter(reader, ']', &is_end))
		return false;
	for (; !is_end; list.count++) {
		struct place here = { .above = place, .index = list.count };
		bool goes_on;

		if (next_byte(reader) == '{') {
			goes_on = read_object(reader, field->shape, add_item(reader, field, &list, &room), &here);
		} else {
			fault_at(reader, &here, "must be an object");
			goes_on = skip_value(reader);
		}
		if (!goes_on || !go_on(reader, ']', &is_end))
			return false;
	}
	if (!field_store_list(field, member, list, fault))
		fault_at(reader, place, fault);
	return true;
}

/* Values without a shape ------------------------------------------------------------------------------------------ */

static bool skip_items(struct reader *reader)
{
	char open = *reader->at;
	char close = open == '{' ? '}' : ']';
	struct raw_text raw;
	bool is_end;

	if (!enter(reader, close, &is_end))
		return false;
	while (!is_end) {
		if (open == '{') {
			if (next_byte(reader) != '"')
				return expect(reader, '"', "expected a key in quotes");
			if (!scan_text(reader, &raw) || !expect(reader, ':', "expected ':'"))
				return false;
		}
		if (!skip_value(reader) || !go_on(reader, close, &is_end))
			return false;
	}
	return true;
}

/* Reads over any value and checks its syntax. */
static bool skip_value(struct reader *reader)
{
	struct raw_text raw;
	leat_text token;
	bool is_integer;

	switch (next_byte(reader)) {
	case '{':
	case '[':
		return skip_items(reader);
	case '"':
		return scan_text(reader, &raw);
	case 't':
		return expect_word(reader, LEAT_TEXT_OF("true"));
	case 'f':
		return expect_word(reader, LEAT_TEXT_OF("false"));
	case 'n':
		return expect_word(reader, LEAT_TEXT_OF("null"));
	default:
		return scan_number(reader, &token, &is_integer);
	}
}

/* Texts ---------------------------------------------------------------------------------------------------------- */

/* The value of four hexadecimal digits; -1 when they are none. */
static int32_t code_unit(const char *at, const char *end)
{
	int32_t value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		char lower = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			value = value << 4 | (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			value = value << 4 | (lower - 'a' + 10);
		else
			return -1;
	}
	return value;
}

static bool is_high_surrogate(int32_t unit)
{
	return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(int32_t unit)
{
	return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* At a backslash: goes behind the escape. */
static bool scan_escape(struct reader *reader, struct raw_text *raw)
{
	const char *at = reader->at;
	const char *end = reader->end;
	int32_t unit;

	raw->has_escapes = true;
	if (end - at < 2 || !at[1] || !strchr("\"\\/bfnrtu", at[1]))
		return syntax(reader, "no such escape");
	reader->at += 2;
	if (at[1] != 'u')
		return true;
	unit = code_unit(at + 2, end);
	reader->at = at;
	if (unit < 0)
		return syntax(reader, "'\\u' wants four hexadecimal digits");
	if (unit == 0)
		raw->has_nul = true;
	if (is_low_surrogate(unit))
		return syntax(reader, "half a surrogate pair");
	if (is_high_surrogate(unit)) {
		if (end - at < 12 || at[6] != '\\' || at[7] != 'u' || !is_low_surrogate(code_unit(at + 8, end)))
			return syntax(reader, "half a surrogate pair");
		reader->at += 6;
	}
	reader->at += 6;
	return true;
}

/* At a quote: goes behind the closing one. */
static bool scan_text(struct reader *reader, struct raw_text *ret_raw)
{
	const char *start = ++reader->at;

	*ret_raw = (struct raw_text){ .has_escapes = false };
	for (;;) {
		size_t sequence;

		reader->at += json_scan_plain(reader->at, (size_t)(reader->end - reader->at));
		if (reader->at == reader->end)
			return syntax(reader, "the document ends inside a string");
		if (*reader->at == '"')
			break;
		if (*reader->at == '\\') {
			if (!scan_escape(reader, ret_raw))
				return false;
			continue;
		}
		if ((unsigned char)*reader->at < ' ')
			return syntax(reader, "a control character in a string must be escaped");
		sequence = utf8_sequence(reader->at, (size_t)(reader->end - reader->at));
		if (!sequence)
			return syntax(reader, "not UTF-8");
		reader->at += sequence;
	}
	ret_raw->text = (leat_text){ start, (size_t)(reader->at++ - start) };
	return true;
}

/* Writes what the escape behind a backslash stands for; goes behind the escape. */
static char *write_unescaped(char *out, const char **at)
{
	static const char plain[] = { ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f',
				      ['n'] = '\n', ['r'] = '\r', ['t'] = '\t' };
	char letter = *(*at)++;
	uint32_t code_point;

	if (letter != 'u') {
		*out = plain[(unsigned char)letter];
		return out + 1;
	}
	code_point = (uint32_t)code_unit(*at, *at + 4);
	*at += 4;
	if (is_high_surrogate((int32_t)code_point)) {
		code_point = 0x10000 + ((code_point - 0xD800) << 10) + ((uint32_t)code_unit(*at + 2, *at + 6) - 0xDC00);
		*at += 6;
	}
	return out + utf8_write(out, code_point);
}

/* A text that scan_text has checked. No escape is longer than what it is written as. */
static leat_text unescape(struct arena *arena, leat_text raw)
{
	const char *at = raw.ptr;
	const char *end = raw.ptr + raw.len;
	char *start = arena_alloc(arena, raw.len);
	char *out = start;
	const char *slash;

	while ((slash = memchr(at, '\\', (size_t)(end - at)))) {
		memcpy(out, at, (size_t)(slash - at));
		out += slash - at;
		at = slash + 1;
		out = write_unescaped(out, &at);
	}
	memcpy(out, at, (size_t)(end - at));
	return (leat_text){ start, (size_t)(out - start) + (size_t)(end - at) };
}

/* Numbers -------------------------------------------------------------------------------------------------------- */

static bool skip_digits(struct reader *reader)
{
	const char *start = reader->at;

	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
		reader->at++;
	return reader->at > start;
}

static bool skip_byte(struct reader *reader, char wanted)
{
	if (reader->at == reader->end || *reader->at != wanted)
		return false;
	reader->at++;
	return true;
}

static bool scan_number(struct reader *reader, leat_text *ret_token, bool *ret_is_integer)
{
	const char *start = reader->at;
	bool is_negative = skip_byte(reader, '-');
	bool starts_with_zero = reader->at < reader->end && *reader->at == '0';
	const char *first = reader->at;

	if (!skip_digits(reader))
		return syntax(reader, reader->at == reader->end ? "the document ends too early"
					: is_negative           ? "expected a digit"
								: "expected a value");
	if (starts_with_zero && reader->at - first > 1) {
		reader->at = first;
		return syntax(reader, "a number has a leading zero");
	}
	*ret_is_integer = true;
	if (skip_byte(reader, '.')) {
		*ret_is_integer = false;
		if (!skip_digits(reader))
			return syntax(reader, "expected a digit");
	}
	if (skip_byte(reader, 'e') || skip_byte(reader, 'E')) {
		*ret_is_integer = false;
		if (!skip_byte(reader, '-'))
			skip_byte(reader, '+');
		if (!skip_digits(reader))
			return syntax(reader, "expected a digit");
	}
	*ret_token = (leat_text){ start, (size_t)(reader->at - start) };
	return true;
}

/* Faults of shape ------------------------------------------------------------------------------------------------- */

/* A reference token of RFC 6901, escaped for a URI's fragment. */
static void write_token(struct buffer *out, leat_text key)
{
	for (size_t i = 0; i < key.len; i++) {
		char c = key.ptr[i];
		bool is_letter_or_digit = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');

		if (c == '~')
			buffer_text(out, LEAT_TEXT_OF("~0"));
		else if (c == '/')
			buffer_text(out, LEAT_TEXT_OF("~1"));
		else if (is_letter_or_digit || (c && strchr("-._!$&'()*+,;=:@?", c)))
			buffer_byte(out, c);
		else
			buffer_format(out, "%%%02X", (unsigned char)c);
	}
}

static void write_pointer(struct buffer *out, const struct place *place)
{
	if (!place) {
		buffer_byte(out, '#');
		return;
	}
	write_pointer(out, place->above);
	buffer_byte(out, '/');
	if (place->key.ptr)
		write_token(out, place->key);
	else
		buffer_int(out, (int64_t)place->index);
}

static void fault_at(struct reader *reader, const struct place *place, const char *text)
{
	struct buffer pointer;

	if (reader->problem->fault_count > PROBLEM_FAULTS_MAX)
		return;
	buffer_init(&pointer, reader->arena, 64);
	write_pointer(&pointer, place);
	problem_fault(reader->problem, reader->arena, buffer_as_text(&pointer), "%s", text);
}
