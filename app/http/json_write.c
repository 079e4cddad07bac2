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

#include "base/number.h"
#include "base/utf8.h"
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

		if (field->kind == LEAT_KIND_INT)
			at = write_int(at, field, member);
		buffer_commit(out, (size_t)(at - start));
		if (field->kind != LEAT_KIND_INT)
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

/* Whether an object is what json_read makes of an absent one. Bytes between members do not count. */
static bool is_all_zero(const struct leat_shape *shape, const void *value)
{
	static const char zeros[sizeof(leat_text)];

	for (unsigned i = 0; i < shape->field_count; i++) {
		const struct leat_field *field = &shape->fields[i];
		const char *member = (const char *)value + field->offset;

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
		if (field->optional && is_all_zero(field->shape, member))
			buffer_text(out, LEAT_TEXT_OF("null"));
		else
			json_write_shape(out, field->shape, member);
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
