/* argument.c - see argument.h. Called by db.c for every statement: one piece of memory for all values. The forms are
 * those of PostgreSQL's input functions: manual, chapter 8. */
#include "back/argument.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/number.h"
#include "base/uuid.h"

enum {
	FLOAT_SIZE = 32, /* "%.17g": sign, 17 digits, point, e-308, NUL */
};

static const char *fault_of(const struct leat_arg *arg);
static size_t room_of(const struct leat_arg *arg);
static char *write_value(char *out, const struct leat_arg *arg);

const char *arguments_write(struct arguments *arguments, struct arena *arena, const struct leat_arg *args,
			    unsigned count)
{
	const char **values = arena_alloc(arena, count * sizeof(*values));
	size_t room = 0;
	char *at;

	for (unsigned i = 0; i < count; i++) {
		const char *fault = fault_of(&args[i]);

		if (fault)
			return fault;
		room += room_of(&args[i]) + 1;
	}
	at = arena_alloc(arena, room);
	for (unsigned i = 0; i < count; i++) {
		values[i] = args[i].kind == LEAT_ARG_NULL ? NULL : at;
		at = write_value(at, &args[i]);
		*at++ = '\0';
	}
	*arguments = (struct arguments){ .values = values, .count = count };
	return NULL;
}

/* Checks ----------------------------------------------------------------------------------------------------------- */

static bool has_nul(leat_text text)
{
	return text.ptr && memchr(text.ptr, '\0', text.len);
}

static bool has_nul_inside(const leat_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		if (has_nul(texts->items[i]))
			return true;
	return false;
}

static const char *fault_of(const struct leat_arg *arg)
{
	if ((arg->kind == LEAT_ARG_TEXT && has_nul(arg->text)) ||
	    (arg->kind == LEAT_ARG_TEXTS && has_nul_inside(&arg->texts)))
		return "a NUL in a text";
	if (arg->kind == LEAT_ARG_TIME && !calendar_holds(arg->time.us))
		return "a time beyond the years 1 to 9999";
	return NULL;
}

/* Room ------------------------------------------------------------------------------------------------------------- */

/* Quotes, a comma, and each byte escaped; or NULL. */
static size_t room_of_texts(const leat_texts *texts)
{
	size_t room = 2;

	for (size_t i = 0; i < texts->count; i++)
		room += 2 * texts->items[i].len + sizeof("NULL,") - 1;
	return room;
}

/* Bytes that the value takes at most, without its NUL. */
static size_t room_of(const struct leat_arg *arg)
{
	switch (arg->kind) {
	case LEAT_ARG_INT:
		return NUMBER_INT_MAX;
	case LEAT_ARG_BOOL:
		return 1;
	case LEAT_ARG_FLOAT:
		return FLOAT_SIZE;
	case LEAT_ARG_TEXT:
		return arg->text.len;
	case LEAT_ARG_BYTES:
		return 2 + 2 * arg->bytes.len;
	case LEAT_ARG_TIME:
		return CALENDAR_TEXT_MAX;
	case LEAT_ARG_UUID:
		return UUID_TEXT_SIZE;
	case LEAT_ARG_INTS:
		return 2 + arg->ints.count * (NUMBER_INT_MAX + 1);
	case LEAT_ARG_TEXTS:
		return room_of_texts(&arg->texts);
	case LEAT_ARG_NULL:
		break;
	}
	return 0;
}

/* Values: each returns the end of what it wrote -------------------------------------------------------------------- */

/* The shortest form that reads back as the same number. */
static char *write_float(char *out, double value)
{
	for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++) {
		snprintf(out, FLOAT_SIZE, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			break;
	}
	return out + strlen(out);
}

static char *write_text(char *out, leat_text text)
{
	memcpy(out, text.ptr, text.len);
	return out + text.len;
}

/* "\x00ff" */
static char *write_bytes(char *out, const leat_bytes *bytes)
{
	static const char hex[] = "0123456789abcdef";

	*out++ = '\\';
	*out++ = 'x';
	for (size_t i = 0; i < bytes->len; i++) {
		*out++ = hex[bytes->ptr[i] >> 4];
		*out++ = hex[bytes->ptr[i] & 15];
	}
	return out;
}

/* "{1,2}" */
static char *write_ints(char *out, const leat_ints *ints)
{
	*out++ = '{';
	for (size_t i = 0; i < ints->count; i++) {
		if (i > 0)
			*out++ = ',';
		out += number_write_int(out, ints->items[i]);
	}
	*out++ = '}';
	return out;
}

static char *write_quoted(char *out, leat_text text)
{
	*out++ = '"';
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			*out++ = '\\';
		*out++ = text.ptr[i];
	}
	*out++ = '"';
	return out;
}

/* "{\"a\",\"b\"}": in quotes every text stands for itself, NULL and the empty one too. */
static char *write_texts(char *out, const leat_texts *texts)
{
	*out++ = '{';
	for (size_t i = 0; i < texts->count; i++) {
		if (i > 0)
			*out++ = ',';
		out = texts->items[i].ptr ? write_quoted(out, texts->items[i]) : write_text(out, LEAT_TEXT_OF("NULL"));
	}
	*out++ = '}';
	return out;
}

static char *write_value(char *out, const struct leat_arg *arg)
{
	switch (arg->kind) {
	case LEAT_ARG_INT:
		return out + number_write_int(out, arg->i);
	case LEAT_ARG_BOOL:
		*out = arg->i ? 't' : 'f';
		return out + 1;
	case LEAT_ARG_FLOAT:
		return write_float(out, arg->f);
	case LEAT_ARG_TEXT:
		return write_text(out, arg->text);
	case LEAT_ARG_BYTES:
		return write_bytes(out, &arg->bytes);
	case LEAT_ARG_TIME:
		return out + calendar_write(out, arg->time.us);
	case LEAT_ARG_UUID:
		return out + uuid_write(out, &arg->uuid);
	case LEAT_ARG_INTS:
		return write_ints(out, &arg->ints);
	case LEAT_ARG_TEXTS:
		return write_texts(out, &arg->texts);
	case LEAT_ARG_NULL:
		break;
	}
	return out;
}
