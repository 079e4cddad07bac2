/* settings_kind.h - the kinds of settings: how a value is written, read and bounded. For settings*.c only.
 *
 * Use:
 *     const struct setting *setting = &settings_list[i];
 *     if (!settings_kind_parse(setting, "250ms", &ms)) ...
 *     settings_kind_format(setting, ms, text);
 *
 * Ownership:      nothing to own; texts are written where the caller says, always with their NUL.
 * Thread-safety:  any thread.
 * Errors:         reading is false for what is malformed or out of range.
 */
#ifndef APP_BASE_SETTINGS_KIND_H
#define APP_BASE_SETTINGS_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"

enum setting_kind {
	SETTING_TEXT,
	SETTING_SECRET,
	SETTING_NUMBER,
	SETTING_DURATION,
	SETTING_SIZE,
	SETTING_MODE,
	SETTING_FLAG,
	SETTING_CHOICE,
};

/* A row of the table. */
struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset; /* of its member in struct settings */
	const char *fallback;
	int64_t least;
	int64_t most;
	const char *unit;
	const char *help;
};

extern const struct setting settings_list[SETTINGS_COUNT];

enum { SETTINGS_KIND_VALUE_SIZE = 32, SETTINGS_KIND_RANGE_SIZE = 128 };

/* Texts and secrets are kept as they are, all else as an integer. */
bool settings_kind_is_text(const struct setting *setting);

/* Whether a text is within its bounds and free of control characters, which no line of a file could hold. */
bool settings_kind_accepts_text(const struct setting *setting, const char *value) __attribute__((warn_unused_result));

/* Of integers: the value within its range. */
bool settings_kind_parse(const struct setting *setting, const char *value, int64_t *ret_value)
	__attribute__((warn_unused_result));

/* Of integers: what settings_kind_parse reads as 'value', in the largest unit that is exact. */
void settings_kind_format(const struct setting *setting, int64_t value, char out[SETTINGS_KIND_VALUE_SIZE]);

/* "0 to 256 threads", "1ms to 1h", "off or on", "0 to 4000 characters" */
void settings_kind_range(const struct setting *setting, char out[SETTINGS_KIND_RANGE_SIZE]);

/* "a whole number, "; empty where the range says it all. */
const char *settings_kind_noun(const struct setting *setting);

/* What stands for the value in --help: "NUMBER". */
const char *settings_kind_placeholder(const struct setting *setting);

#endif
