/* json_write.c - see json_write.h. Called by http/response and http/problem.
 *
 * Room is asked for once a member, for its key and a number, or for the quotes and bytes of a text; escapes are rare
 * and ask again. Copying by words writes past the end of what it copies, so these reservations have WORD_SIZE bytes to
 * spare. */
#include "http/json_write.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/calendar.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "http/field.h"
#include "http/json_scan.h"

enum {
	KEY_EXTRA = 4,   /* brace or comma, two quotes, colon */
	DOUBLE_MAX = 24, /* -2.2250738585072014e-308 */
};

static char *write_key(char *at, char before, const struct leat_field *field);
static char *write_int(char *at, const struct leat_field *field, const void *member);
static void write_member(struct buffer *out, const struct leat_field *field, const void *member);
static void write_escaped(struct buffer *out, const char *at, size_t len);

void json_write_shape(struct buffer *out, const struct leat_shape *shape, const void *value)
{
	char before = '{';

	for (unsigned i = 0; i < shape->field_count; i++) {
		const struct leat_field *field = &shape->fields[i];
		const void *member = (const char *)value + field->offset;
		char *start = buffer_reserve(out, KEY_EXTRA + field->name_len + NUMBER_INT_MAX + WORD_SIZE);
		char *at = write_key(start, before, field);
		bool is_there = leat_field_is_there(field, value);

		if (!is_there)
			at = word_copy(at, "null", 4);
		else if (field->kind == LEAT_KIND_INT)
			at = write_int(at, field, member);
		buffer_commit(out, (size_t)(at - start));
		if (is_there && field->kind != LEAT_KIND_INT)
			write_member(out, field, member);
		before = ',';
	}
	buffer_byte(out, '}');
}

void json_write_text(struct buffer *out, leat_text text)
{
	char *start;
	size_t plain;

	if (!text.ptr) {
		buffer_text(out, LEAT_TEXT_OF("null"));
		return;
	}
	start = buffer_reserve(out, text.len + 2 + WORD_SIZE);
	*start = '"';
	plain = json_scan_copy(start + 1, text.ptr, text.len);
	buffer_commit(out, 1 + plain);
	if (plain < text.len)
		write_escaped(out, text.ptr + plain, text.len - plain);
	buffer_byte(out, '"');
}

/* Integers below 1e15 are their own %.15g; zero is left to printf for the sake of -0. */
void json_write_double(struct buffer *out, double value)
{
	char *start = buffer_reserve(out, DOUBLE_MAX + 1);
	int len = 0;

	if (!isfinite(value)) {
		buffer_text(out, LEAT_TEXT_OF("null"));
		return;
	}
	if (fabs(value) < 1e15 && value != 0 && (double)(int64_t)value == value) {
		buffer_int(out, (int64_t)value);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		len = snprintf(start, DOUBLE_MAX + 1, "%.*g", digits, value);
		if (strtod(start, NULL) == value)
			break;
	}
	buffer_commit(out, (size_t)len);
}

/* Members -------------------------------------------------------------------------------------------------------- */

/* Names are C identifiers: nothing in them wants an escape. */
static char *write_key(char *at, char before, const struct leat_field *field)
{
	*at++ = before;
	*at++ = '"';
	at = word_copy(at, field->name, field->name_len);
	*at++ = '"';
	*at++ = ':';
	return at;
}

static char *write_int(char *at, const struct leat_field *field, const void *member)
{
	int64_t value = field_load_int(field, member);

	return at + (field->is_signed ? number_write_int(at, value) : number_write_uint(at, (uint64_t)value));
}

/* Other arrays without items are empty. */
static bool is_absent_array(const struct leat_field *field, const void *items)
{
	return field->optional && !items;
}

/* Whether an object is what json_read makes of an absent one. Bytes between members do not count. */
static bool is_all_zero(const struct leat_shape *shape, const void *value)
{
	static const char zeros[sizeof(leat_text)];

	for (unsigned i = 0; i < shape->field_count; i++) {
		const struct leat_field *field = &shape->fields[i];
		const char *member = (const char *)value + field->offset;

		if (field->has && leat_field_is_there(field, value))
			return false;
		if (field->kind == LEAT_KIND_OBJECT ? !is_all_zero(field->shape, member)
						    : memcmp(member, zeros, field->size) != 0)
			return false;
	}
	return true;
}

static void write_list(struct buffer *out, const struct leat_shape *shape, const struct leat_list *list)
{
	const char *item = list->items;

	buffer_byte(out, '[');
	for (size_t i = 0; i < list->count; i++, item += shape->size) {
		if (i > 0)
			buffer_byte(out, ',');
		json_write_shape(out, shape, item);
	}
	buffer_byte(out, ']');
}

static void write_null(struct buffer *out)
{
	buffer_text(out, LEAT_TEXT_OF("null"));
}

static void write_bytes(struct buffer *out, const leat_bytes *bytes)
{
	size_t size = base64_size(bytes->len);
	char *start = buffer_reserve(out, size + 2);

	if (!bytes->ptr) {
		write_null(out);
		return;
	}
	*start = '"';
	base64_write(start + 1, bytes->ptr, bytes->len);
	start[1 + size] = '"';
	buffer_commit(out, size + 2);
}

static void write_time(struct buffer *out, leat_time time)
{
	char *start = buffer_reserve(out, CALENDAR_TEXT_MAX + 2);
	size_t len;

	if (!calendar_holds(time.us)) {
		write_null(out);
		return;
	}
	*start = '"';
	len = calendar_write(start + 1, time.us);
	start[1 + len] = '"';
	buffer_commit(out, len + 2);
}

static void write_uuid(struct buffer *out, const leat_uuid *uuid)
{
	char *start = buffer_reserve(out, UUID_TEXT_SIZE + 2);

	*start = '"';
	uuid_write(start + 1, uuid);
	start[1 + UUID_TEXT_SIZE] = '"';
	buffer_commit(out, UUID_TEXT_SIZE + 2);
}

static void write_json(struct buffer *out, const leat_json *json)
{
	if (json->text.len > 0)
		buffer_text(out, json->text);
	else
		write_null(out);
}

static void write_ints(struct buffer *out, const leat_ints *ints)
{
	buffer_byte(out, '[');
	for (size_t i = 0; i < ints->count; i++) {
		if (i > 0)
			buffer_byte(out, ',');
		buffer_int(out, ints->items[i]);
	}
	buffer_byte(out, ']');
}

static void write_texts(struct buffer *out, const leat_texts *texts)
{
	buffer_byte(out, '[');
	for (size_t i = 0; i < texts->count; i++) {
		if (i > 0)
			buffer_byte(out, ',');
		json_write_text(out, texts->items[i]);
	}
	buffer_byte(out, ']');
}

static void write_member(struct buffer *out, const struct leat_field *field, const void *member)
{
	switch ((enum leat_kind)field->kind) {
	case LEAT_KIND_INT:
		return; /* written with its key */
	case LEAT_KIND_BOOL:
		buffer_text(out, *(const bool *)member ? LEAT_TEXT_OF("true") : LEAT_TEXT_OF("false"));
		return;
	case LEAT_KIND_FLOAT:
		json_write_double(out, *(const double *)member);
		return;
	case LEAT_KIND_TEXT:
		json_write_text(out, *(const leat_text *)member);
		return;
	case LEAT_KIND_LIST:
		write_list(out, field->shape, member);
		return;
	case LEAT_KIND_OBJECT:
		if (field->optional && !field->has && is_all_zero(field->shape, member))
			write_null(out);
		else
			json_write_shape(out, field->shape, member);
		return;
	case LEAT_KIND_BYTES:
		write_bytes(out, member);
		return;
	case LEAT_KIND_TIME:
		write_time(out, *(const leat_time *)member);
		return;
	case LEAT_KIND_UUID:
		write_uuid(out, member);
		return;
	case LEAT_KIND_JSON:
		write_json(out, member);
		return;
	case LEAT_KIND_INTS:
		if (is_absent_array(field, ((const leat_ints *)member)->items))
			write_null(out);
		else
			write_ints(out, member);
		return;
	case LEAT_KIND_TEXTS:
		if (is_absent_array(field, ((const leat_texts *)member)->items))
			write_null(out);
		else
			write_texts(out, member);
	}
}

/* Texts ---------------------------------------------------------------------------------------------------------- */

static void write_control(struct buffer *out, unsigned char byte)
{
	static const char letters[] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'
	};
	char letter = letters[byte];

	if (letter)
		buffer_bytes(out, (const char[]){ '\\', letter }, 2);
	else
		buffer_format(out, "\\u%04x", byte);
}

/* Writes what is not ASCII, up to the next ASCII byte, and returns how many bytes that took of the text. */
static size_t write_unicode(struct buffer *out, const char *at, size_t len)
{
	size_t i = 0;

	while (i < len && (unsigned char)at[i] >= 0x80) {
		size_t sequence = utf8_sequence(at + i, len - i);

		if (sequence)
			buffer_bytes(out, at + i, sequence);
		else
			buffer_text(out, LEAT_TEXT_OF("\xEF\xBF\xBD")); /* U+FFFD */
		i += sequence ? sequence : 1;
	}
	return i;
}

/* The rest of a text from its first byte that is not plain. */
static void write_escaped(struct buffer *out, const char *at, size_t len)
{
	const char *end = at + len;

	while (at < end) {
		size_t plain;

		if ((unsigned char)*at >= 0x80)
			at += write_unicode(out, at, (size_t)(end - at));
		else
			write_control(out, (unsigned char)*at++);
		plain = json_scan_plain(at, (size_t)(end - at));
		buffer_bytes(out, at, plain);
		at += plain;
	}
}
