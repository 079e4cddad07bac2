/* field.c - see field.h. Called by http/json_read. */
#include "http/field.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/calendar.h"
#include "base/number.h"
#include "base/utf8.h"
#include "base/uuid.h"

/* An integer of either sign, as large as 64 bits can be. */
struct integer {
	bool is_negative;
	bool is_beyond; /* more than 64 bits; the magnitude says nothing */
	uint64_t magnitude;
};

static bool read_integer(leat_text digits, struct integer *ret_integer);
static bool is_int_in_type(const struct leat_field *field, struct integer integer);
static bool is_int_in_limits(const struct leat_field *field, struct integer integer);
static void store_int(const struct leat_field *field, void *member, struct integer integer);
static void say_type(const struct leat_field *field, char fault[FIELD_FAULT_MAX]);

static bool is_limited(const struct leat_field *field);
static bool has_most(const struct leat_field *field);
static bool is_count_in_limits(const struct leat_field *field, size_t count);
static void say_limits(const struct leat_field *field, const char *verb, const char *unit, char fault[FIELD_FAULT_MAX]);

static bool is_email(leat_text text);

bool field_store_int(const struct leat_field *field, void *member, leat_text digits, char fault[FIELD_FAULT_MAX])
{
	struct integer integer;

	if (!read_integer(digits, &integer)) {
		snprintf(fault, FIELD_FAULT_MAX, "must be an integer");
		return false;
	}
	if (is_int_in_type(field, integer) && is_int_in_limits(field, integer)) {
		store_int(field, member, integer);
		return true;
	}
	if (is_limited(field))
		say_limits(field, "be", "", fault);
	else
		say_type(field, fault);
	return false;
}

bool field_store_float(const struct leat_field *field, void *member, double value, char fault[FIELD_FAULT_MAX])
{
	bool fits = value >= (double)field->min && (!has_most(field) || value <= (double)field->max);

	if (is_limited(field) && !fits) {
		say_limits(field, "be", "", fault);
		return false;
	}
	memcpy(member, &value, sizeof(value));
	return true;
}

bool field_store_text(const struct leat_field *field, void *member, leat_text text, char fault[FIELD_FAULT_MAX])
{
	if (is_limited(field) && !is_count_in_limits(field, utf8_count(text))) {
		say_limits(field, "have", " characters", fault);
		return false;
	}
	if (field->format == LEAT_FORMAT_EMAIL && !is_email(text)) {
		snprintf(fault, FIELD_FAULT_MAX, "must be an e-mail address");
		return false;
	}
	memcpy(member, &text, sizeof(text));
	return true;
}

bool field_store_bytes(const struct leat_field *field, void *member, leat_text text, struct arena *arena,
		       char fault[FIELD_FAULT_MAX])
{
	uint8_t *room = arena_alloc(arena, base64_room(text.len));
	leat_bytes bytes = { .ptr = room };

	if (!base64_read(room, text, &bytes.len)) {
		snprintf(fault, FIELD_FAULT_MAX, "must be base64");
		return false;
	}
	if (is_limited(field) && !is_count_in_limits(field, bytes.len)) {
		say_limits(field, "have", " bytes", fault);
		return false;
	}
	memcpy(member, &bytes, sizeof(bytes));
	return true;
}

bool field_store_time(void *member, leat_text text, char fault[FIELD_FAULT_MAX])
{
	leat_time time;

	if (!calendar_read(text, &time.us)) {
		snprintf(fault, FIELD_FAULT_MAX, "must be a date and time like 2026-01-31T09:30:00Z");
		return false;
	}
	memcpy(member, &time, sizeof(time));
	return true;
}

bool field_store_uuid(void *member, leat_text text, char fault[FIELD_FAULT_MAX])
{
	leat_uuid uuid;

	if (!uuid_read(text, &uuid)) {
		snprintf(fault, FIELD_FAULT_MAX, "must be a UUID");
		return false;
	}
	memcpy(member, &uuid, sizeof(uuid));
	return true;
}

bool field_store_json(const struct leat_field *field, void *member, leat_text value, char fault[FIELD_FAULT_MAX])
{
	leat_json json = { value };

	if (is_limited(field) && !is_count_in_limits(field, value.len)) {
		say_limits(field, "have", " bytes", fault);
		return false;
	}
	memcpy(member, &json, sizeof(json));
	return true;
}

bool field_store_list(const struct leat_field *field, void *member, struct leat_list list, char fault[FIELD_FAULT_MAX])
{
	if (is_limited(field) && !is_count_in_limits(field, list.count)) {
		say_limits(field, "have", " items", fault);
		return false;
	}
	memcpy(member, &list, sizeof(list));
	return true;
}

/* Integers ------------------------------------------------------------------------------------------------------- */

static bool read_integer(leat_text digits, struct integer *ret_integer)
{
	struct integer integer = { .is_negative = digits.len > 0 && digits.ptr[0] == '-' };

	if (integer.is_negative)
		digits = (leat_text){ digits.ptr + 1, digits.len - 1 };
	if (!number_read_uint(digits, &integer.magnitude)) {
		if (digits.len == 0 || (digits.len > 1 && digits.ptr[0] == '0'))
			return false;
		for (size_t i = 0; i < digits.len; i++)
			if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
				return false;
		integer.is_beyond = true;
	}
	*ret_integer = integer;
	return true;
}

static uint64_t greatest_of_type(const struct leat_field *field)
{
	return UINT64_MAX >> (64 - 8 * field->size + field->is_signed);
}

static bool is_int_in_type(const struct leat_field *field, struct integer integer)
{
	uint64_t most = greatest_of_type(field);

	if (integer.is_negative)
		most = field->is_signed ? most + 1 : 0;
	return !integer.is_beyond && integer.magnitude <= most;
}

static bool is_int_in_limits(const struct leat_field *field, struct integer integer)
{
	int64_t value = (int64_t)(integer.is_negative ? 0 - integer.magnitude : integer.magnitude);

	if (!is_limited(field))
		return true;
	if (!integer.is_negative && integer.magnitude > INT64_MAX)
		return !has_most(field);
	return value >= field->min && (!has_most(field) || value <= field->max);
}

static void store_int(const struct leat_field *field, void *member, struct integer integer)
{
	uint64_t wide = integer.is_negative ? 0 - integer.magnitude : integer.magnitude;
	uint32_t word = (uint32_t)wide;
	uint16_t half = (uint16_t)wide;
	uint8_t byte = (uint8_t)wide;

	switch (field->size) {
	case sizeof(wide):
		memcpy(member, &wide, sizeof(wide));
		break;
	case sizeof(word):
		memcpy(member, &word, sizeof(word));
		break;
	case sizeof(half):
		memcpy(member, &half, sizeof(half));
		break;
	default:
		memcpy(member, &byte, sizeof(byte));
	}
}

static void say_type(const struct leat_field *field, char fault[FIELD_FAULT_MAX])
{
	uint64_t most = greatest_of_type(field);

	if (field->is_signed)
		snprintf(fault, FIELD_FAULT_MAX, "must be from -%" PRIu64 " to %" PRIu64, most + 1, most);
	else
		snprintf(fault, FIELD_FAULT_MAX, "must be from 0 to %" PRIu64, most);
}

/* Limits --------------------------------------------------------------------------------------------------------- */

static bool is_limited(const struct leat_field *field)
{
	return field->min != 0 || field->max != 0;
}

static bool has_most(const struct leat_field *field)
{
	return field->max >= field->min;
}

static bool is_count_in_limits(const struct leat_field *field, size_t count)
{
	int64_t value = count < INT64_MAX ? (int64_t)count : INT64_MAX;

	return value >= field->min && (!has_most(field) || value <= field->max);
}

static void say_limits(const struct leat_field *field, const char *verb, const char *unit, char fault[FIELD_FAULT_MAX])
{
	if (has_most(field))
		snprintf(fault, FIELD_FAULT_MAX, "must %s from %" PRId64 " to %" PRId64 "%s", verb, field->min,
			 field->max, unit);
	else
		snprintf(fault, FIELD_FAULT_MAX, "must %s at least %" PRId64 "%s", verb, field->min, unit);
}

/* Formats -------------------------------------------------------------------------------------------------------- */

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* One label of a host name: letters, digits and inner hyphens, 63 at most. */
static bool is_label(leat_text label)
{
	if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!is_letter_or_digit(label.ptr[i]) && label.ptr[i] != '-')
			return false;
	return true;
}

/* https://html.spec.whatwg.org/#valid-e-mail-address */
static bool is_email(leat_text text)
{
	const char *end = text.ptr + text.len;
	const char *at = text.ptr;

	while (at < end && *at && (is_letter_or_digit(*at) || strchr(".!#$%&'*+/=?^_`{|}~-", *at)))
		at++;
	if (at == text.ptr || at == end || *at != '@')
		return false;
	for (;;) {
		const char *label = at + 1;
		const char *dot = memchr(label, '.', (size_t)(end - label));

		at = dot ? dot : end;
		if (!is_label((leat_text){ label, (size_t)(at - label) }))
			return false;
		if (!dot)
			return true;
	}
}
