/* settings_kind.c - see settings_kind.h. */
#include "base/settings_kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

/* Largest first; the end has no name. */
struct unit {
	const char *name;
	int64_t factor;
};
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };
static const struct unit times[] = { { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 } };
static const struct unit sizes[] = { { "g", 1 << 30 }, { "m", 1 << 20 }, { "k", 1 << 10 }, { "", 1 }, { NULL, 0 } };

static const struct kind {
	const char *placeholder;
	const char *noun;
	const struct unit *units; /* NULL: no decimal number */
} kinds[] = {
	[SETTING_TEXT] = { "TEXT", "a text without control characters, ", NULL },
	[SETTING_SECRET] = { "TEXT", "a text without control characters, ", NULL },
	[SETTING_NUMBER] = { "NUMBER", "a whole number, ", no_units },
	[SETTING_DURATION] = { "TIME", "a whole number with its unit (250ms, 2s, 5m, 1h), ", times },
	[SETTING_SIZE] = { "SIZE", "a size (4096, 64k, 1m, 1g), ", sizes },
	[SETTING_MODE] = { "MODE", "octal permissions, ", NULL },
	[SETTING_FLAG] = { "on|off", "", NULL },
	[SETTING_CHOICE] = { "WORD", "", NULL },
};

bool settings_kind_is_text(const struct setting *setting)
{
	return setting->kind == SETTING_TEXT || setting->kind == SETTING_SECRET;
}

const char *settings_kind_noun(const struct setting *setting)
{
	return kinds[setting->kind].noun;
}

const char *settings_kind_placeholder(const struct setting *setting)
{
	return kinds[setting->kind].placeholder;
}

bool settings_kind_accepts_text(const struct setting *setting, const char *value)
{
	int64_t len = (int64_t)strlen(value);

	for (const char *at = value; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	return len >= setting->least && len <= setting->most;
}

static bool parse_with_unit(const struct unit *units, const char *value, int64_t *ret_value)
{
	size_t digits = strspn(value, "0123456789");
	const char *unit = value + digits;
	int64_t number;

	if (!number_read_int((leat_text){ value, digits }, &number))
		return false;
	*ret_value = 0;
	if (number == 0 && *unit == '\0')
		return true; /* zero is zero in any unit */
	for (; units->name; units++)
		if (strcmp(unit, units->name) == 0)
			return !__builtin_mul_overflow(number, units->factor, ret_value);
	return false;
}

static bool parse_octal(const char *value, int64_t *ret_value)
{
	size_t len = strlen(value);

	if (len == 0 || len > 5 || strspn(value, "01234567") != len)
		return false;
	*ret_value = 0;
	for (; *value; value++)
		*ret_value = *ret_value * 8 + (*value - '0');
	return true;
}

static const char *words_of(const struct setting *setting)
{
	return setting->kind == SETTING_FLAG ? "off|on" : setting->unit;
}

/* The place of the word in the list "a|b|c". */
static bool parse_word(const char *words, const char *value, int64_t *ret_value)
{
	size_t len = strlen(value);

	for (int64_t i = 0;; i++) {
		size_t word_len = strcspn(words, "|");

		if (word_len == len && memcmp(words, value, len) == 0) {
			*ret_value = i;
			return true;
		}
		if (words[word_len] == '\0')
			return false;
		words += word_len + 1;
	}
}

bool settings_kind_parse(const struct setting *setting, const char *value, int64_t *ret_value)
{
	const struct unit *units = kinds[setting->kind].units;
	int64_t parsed;
	bool is_well_formed;

	if (units)
		is_well_formed = parse_with_unit(units, value, &parsed);
	else if (setting->kind == SETTING_MODE)
		is_well_formed = parse_octal(value, &parsed);
	else
		is_well_formed = parse_word(words_of(setting), value, &parsed);
	if (!is_well_formed || parsed < setting->least || parsed > setting->most)
		return false;
	*ret_value = parsed;
	return true;
}

static void format_with_unit(const struct unit *units, int64_t value, char *out)
{
	while (units[1].name && value % units->factor != 0)
		units++;
	snprintf(out, SETTINGS_KIND_VALUE_SIZE, "%" PRId64 "%s", value / units->factor, value ? units->name : "");
}

static void format_word(const char *words, int64_t at, char *out)
{
	for (; at > 0; at--)
		words += strcspn(words, "|") + 1;
	snprintf(out, SETTINGS_KIND_VALUE_SIZE, "%.*s", (int)strcspn(words, "|"), words);
}

void settings_kind_format(const struct setting *setting, int64_t value, char out[SETTINGS_KIND_VALUE_SIZE])
{
	const struct unit *units = kinds[setting->kind].units;

	if (units)
		format_with_unit(units, value, out);
	else if (setting->kind == SETTING_MODE)
		snprintf(out, SETTINGS_KIND_VALUE_SIZE, "%04" PRIo64, (uint64_t)value);
	else
		format_word(words_of(setting), value, out);
}

/* "a|b|c" -> "a, b or c" */
static void range_of_words(const char *words, char *out)
{
	size_t len = 0;

	for (;;) {
		size_t word_len = strcspn(words, "|");
		bool is_last = words[word_len] == '\0';
		const char *then = is_last ? "" : strchr(words + word_len + 1, '|') ? ", " : " or ";

		len += (size_t)snprintf(out + len, SETTINGS_KIND_RANGE_SIZE - len, "%.*s%s", (int)word_len, words,
					then);
		if (is_last)
			return;
		words += word_len + 1;
	}
}

void settings_kind_range(const struct setting *setting, char out[SETTINGS_KIND_RANGE_SIZE])
{
	char least[SETTINGS_KIND_VALUE_SIZE];
	char most[SETTINGS_KIND_VALUE_SIZE];

	if (setting->kind == SETTING_FLAG || setting->kind == SETTING_CHOICE) {
		range_of_words(words_of(setting), out);
	} else if (settings_kind_is_text(setting)) {
		snprintf(out, SETTINGS_KIND_RANGE_SIZE, "%" PRId64 " to %" PRId64 " characters", setting->least,
			 setting->most);
	} else {
		bool has_unit = setting->kind == SETTING_NUMBER && setting->unit[0];

		settings_kind_format(setting, setting->least, least);
		settings_kind_format(setting, setting->most, most);
		snprintf(out, SETTINGS_KIND_RANGE_SIZE, "%s to %s%s%s", least, most, has_unit ? " " : "",
			 has_unit ? setting->unit : "");
	}
}
