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

#include "base/word.h"
#include "http/field.h"
#include "http/json_lex.h"

enum {
	KEY_IN_POINTER_MAX = 64, /* an unknown key that is longer is not repeated to the client */
	FIRST_LIST_ROOM = 8,
};

struct reader {
	struct json_lex lex;
	struct arena *arena;
	struct problem *problem;
	bool is_open; /* unknown keys are passed over */
};

/* Where a value stands: a member or an item of what 'above' names; NULL is the document. */
struct place {
	const struct place *above;
	leat_text key; /* {NULL, 0}: an item */
	size_t index;
};

/* On functions with a buffer for a sentence: inlined, they would make every level of nesting cost a buffer of stack. */
#define OWN_FRAME __attribute__((noinline))

static bool read_document(struct reader *reader, const struct leat_shape *shape, void *value);
static bool read_member(struct reader *reader, const struct leat_field *field, void *value, const struct place *place);
static bool read_null(struct reader *reader, const struct leat_field *field, const struct place *place);
static bool read_bool(struct reader *reader, void *member);
static bool read_string(struct reader *reader, const struct leat_field *field, void *member,
			const struct place *place) OWN_FRAME;
static bool read_json(struct reader *reader, const struct leat_field *field, void *member,
		      const struct place *place) OWN_FRAME;
static bool read_number(struct reader *reader, const struct leat_field *field, void *member,
			const struct place *place) OWN_FRAME;
static bool read_object(struct reader *reader, const struct leat_shape *shape, void *value, const struct place *place);
static bool read_list(struct reader *reader, const struct leat_field *field, void *member, const struct place *place);
static bool store_list(struct reader *reader, const struct leat_field *field, void *member, struct leat_list list,
		       const struct place *place) OWN_FRAME;
static void fault_at(struct reader *reader, const struct place *place, const char *text);

static enum leat_result read_from(struct reader *reader, leat_text document, const struct leat_shape *shape,
				  void *value)
{
	struct problem *problem = reader->problem;

	json_lex_init(&reader->lex, document);
	*problem = (struct problem){ .result = LEAT_OK };
	memset(value, 0, shape->size);
	if (!read_document(reader, shape, value))
		*problem = (struct problem){
			.result = LEAT_BAD_REQUEST,
			.detail = json_lex_explain(&reader->lex, reader->arena),
		};
	else if (problem->faults)
		problem->result = LEAT_INVALID;
	return problem->result;
}

enum leat_result json_read(struct arena *arena, leat_text document, const struct leat_shape *shape, void *value,
			   struct problem *problem)
{
	struct reader reader = { .arena = arena, .problem = problem };

	return read_from(&reader, document, shape, value);
}

enum leat_result json_read_open(struct arena *arena, leat_text document, const struct leat_shape *shape, void *value,
				struct problem *problem)
{
	struct reader reader = { .arena = arena, .problem = problem, .is_open = true };

	return read_from(&reader, document, shape, value);
}

static bool read_document(struct reader *reader, const struct leat_shape *shape, void *value)
{
	bool is_json;

	if (json_lex_peek(&reader->lex) == '{') {
		is_json = read_object(reader, shape, value, NULL);
	} else {
		fault_at(reader, NULL, "must be an object");
		is_json = json_lex_skip(&reader->lex);
	}
	return is_json && json_lex_end(&reader->lex);
}

/* Values ----------------------------------------------------------------------------------------------------------- */

/* 'value' is the struct. */
static bool read_member(struct reader *reader, const struct leat_field *field, void *value, const struct place *place)
{
	static const char *const wanted[] = {
		[LEAT_KIND_INT] = "must be an integer", [LEAT_KIND_BOOL] = "must be true or false",
		[LEAT_KIND_FLOAT] = "must be a number", [LEAT_KIND_TEXT] = "must be a string",
		[LEAT_KIND_LIST] = "must be an array",  [LEAT_KIND_OBJECT] = "must be an object",
		[LEAT_KIND_BYTES] = "must be a string", [LEAT_KIND_TIME] = "must be a string",
		[LEAT_KIND_UUID] = "must be a string",  [LEAT_KIND_INTS] = "must be an array",
		[LEAT_KIND_TEXTS] = "must be an array",
	};
	void *member = (char *)value + field->offset;
	char first = json_lex_peek(&reader->lex);
	bool is_number = first == '-' || (first >= '0' && first <= '9');

	if (first == 'n')
		return read_null(reader, field, place);
	leat_field_set_there(field, value);
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
	case LEAT_KIND_BYTES:
	case LEAT_KIND_TIME:
	case LEAT_KIND_UUID:
		if (first == '"')
			return read_string(reader, field, member, place);
		break;
	case LEAT_KIND_LIST:
	case LEAT_KIND_INTS:
	case LEAT_KIND_TEXTS:
		if (first == '[')
			return read_list(reader, field, member, place);
		break;
	case LEAT_KIND_OBJECT:
		if (first == '{')
			return read_object(reader, field->shape, member, place);
		break;
	case LEAT_KIND_JSON:
		return read_json(reader, field, member, place);
	}
	fault_at(reader, place, wanted[field->kind]);
	return json_lex_skip(&reader->lex);
}

static bool read_null(struct reader *reader, const struct leat_field *field, const struct place *place)
{
	if (!json_lex_word(&reader->lex, LEAT_TEXT_OF("null")))
		return false;
	if (!field->optional)
		fault_at(reader, place, "must not be null");
	return true;
}

static bool read_bool(struct reader *reader, void *member)
{
	bool value = *reader->lex.at == 't';

	*(bool *)member = value;
	return json_lex_word(&reader->lex, value ? LEAT_TEXT_OF("true") : LEAT_TEXT_OF("false"));
}

static bool store_string(struct reader *reader, const struct leat_field *field, void *member, leat_text text,
			 char *fault)
{
	switch ((enum leat_kind)field->kind) {
	case LEAT_KIND_BYTES:
		return field_store_bytes(field, member, text, reader->arena, fault);
	case LEAT_KIND_TIME:
		return field_store_time(member, text, fault);
	case LEAT_KIND_UUID:
		return field_store_uuid(member, text, fault);
	default:
		return field_store_text(field, member, text, fault);
	}
}

static bool read_string(struct reader *reader, const struct leat_field *field, void *member, const struct place *place)
{
	char fault[FIELD_FAULT_MAX];
	struct json_string string;

	if (!json_lex_string(&reader->lex, "", &string))
		return false;
	if (string.has_nul)
		fault_at(reader, place, "must not hold U+0000");
	else if (!store_string(reader, field, member, json_lex_unescape(&string, reader->arena), fault))
		fault_at(reader, place, fault);
	return true;
}

static bool read_json(struct reader *reader, const struct leat_field *field, void *member, const struct place *place)
{
	char fault[FIELD_FAULT_MAX];
	const char *start = reader->lex.at;
	leat_text text;

	reader->lex.has_skipped_nul = false;
	if (!json_lex_skip(&reader->lex))
		return false;
	text = (leat_text){ start, (size_t)(reader->lex.at - start) };
	if (reader->lex.has_skipped_nul)
		fault_at(reader, place, "must not hold U+0000");
	else if (!field_store_json(field, member, text, fault))
		fault_at(reader, place, fault);
	return true;
}

/* A token of json_lex_number; infinite when it is beyond the range of a double. */
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

	if (!json_lex_number(&reader->lex, &token, &is_integer))
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

/* Objects ---------------------------------------------------------------------------------------------------------- */

/* Whether the document goes on with this key, spelled plainly. Members mostly come in the order of the shape. */
static bool is_key_here(const struct json_lex *lex, const struct leat_field *field)
{
	size_t len = field->name_len;

	return (size_t)(lex->end - lex->at) > len + 1 && lex->at[0] == '"' && lex->at[len + 1] == '"' &&
	       word_same(lex->at + 1, field->name, len);
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
	struct json_lex *lex = &reader->lex;
	struct json_string key;

	*ret_field = NULL;
	json_lex_peek(lex);
	if (likely < shape->field_count && is_key_here(lex, &shape->fields[likely])) {
		*ret_field = &shape->fields[likely];
		*ret_key = (leat_text){ (*ret_field)->name, (*ret_field)->name_len };
		lex->at += (*ret_field)->name_len + 2;
	} else {
		if (!json_lex_string(lex, "expected a key in quotes", &key))
			return false;
		*ret_key = json_lex_unescape(&key, reader->arena);
		*ret_field = find_field(shape, *ret_key);
	}
	return json_lex_colon(lex);
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
	uint64_t *given = shape->field_count <= 64 ? &few
						   : arena_zalloc(reader->arena, shape->field_count / 64 * 8 + 8);
	unsigned likely = 0;
	bool is_end;

	if (!json_lex_enter(&reader->lex, '}', &is_end))
		return false;
	while (!is_end) {
		struct place here = { .above = place };
		const struct leat_field *field;
		bool goes_on;

		if (!read_key(reader, shape, likely, &here.key, &field))
			return false;
		if (!field) {
			if (!reader->is_open)
				fault_unknown(reader, &here);
			goes_on = json_lex_skip(&reader->lex);
		} else {
			unsigned i = (unsigned)(field - shape->fields);
			uint64_t bit = UINT64_C(1) << i % 64;

			if (given[i / 64] & bit)
				fault_at(reader, &here, "is given twice");
			given[i / 64] |= bit;
			goes_on = read_member(reader, field, value, &here);
			likely = i + 1;
		}
		if (!goes_on || !json_lex_go_on(&reader->lex, '}', &is_end))
			return false;
	}
	fault_missing(reader, shape, given, place);
	return true;
}

/* Lists ------------------------------------------------------------------------------------------------------------ */

/* An item of an array is read like a member. */
static const struct leat_field int_item = { .kind = LEAT_KIND_INT, .size = sizeof(int64_t), .is_signed = true };
static const struct leat_field text_item = { .kind = LEAT_KIND_TEXT, .size = sizeof(leat_text) };

static size_t item_size(const struct leat_field *field)
{
	if (field->kind == LEAT_KIND_LIST)
		return field->shape->size;
	return field->kind == LEAT_KIND_INTS ? int_item.size : text_item.size;
}

/* Room for one more item. Once there is a fault nobody will use the list, so that a hostile one costs no memory: all
 * further items share a place. */
static void *add_item(struct reader *reader, const struct leat_field *field, struct leat_list *list, size_t *room)
{
	size_t size = item_size(field);
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

static bool read_item(struct reader *reader, const struct leat_field *field, void *item, const struct place *place)
{
	if (field->kind != LEAT_KIND_LIST)
		return read_member(reader, field->kind == LEAT_KIND_INTS ? &int_item : &text_item, item, place);
	if (json_lex_peek(&reader->lex) == '{')
		return read_object(reader, field->shape, item, place);
	fault_at(reader, place, "must be an object");
	return json_lex_skip(&reader->lex);
}

static bool read_list(struct reader *reader, const struct leat_field *field, void *member, const struct place *place)
{
	struct leat_list list = { NULL, 0 };
	size_t room = 0;
	bool is_end;

	if (!json_lex_enter(&reader->lex, ']', &is_end))
		return false;
	for (; !is_end; list.count++) {
		struct place here = { .above = place, .index = list.count };

		if (!read_item(reader, field, add_item(reader, field, &list, &room), &here) ||
		    !json_lex_go_on(&reader->lex, ']', &is_end))
			return false;
	}
	if (list.count == 0)
		list.items = arena_alloc(reader->arena, 0); /* empty, not absent */
	return store_list(reader, field, member, list, place);
}

static bool store_list(struct reader *reader, const struct leat_field *field, void *member, struct leat_list list,
		       const struct place *place)
{
	char fault[FIELD_FAULT_MAX];

	if (!field_store_list(field, member, list, fault))
		fault_at(reader, place, fault);
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
