/* command_line.c - see command_line.h. Called by service.c. */
#include "command_line.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { NAME_SIZE = 64 };

struct command_line_setting {
	char name[NAME_SIZE];
	char where[NAME_SIZE]; /* the option as it was written, without its value */
	const char *value;
};

static bool fail(struct settings_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct settings_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return false;
}

/* Options --------------------------------------------------------------------------------------------------------- */

/* A name too long to be known is cut and stays unknown. */
static void add_setting(struct command_line *line, const char *name, size_t name_len, const char *where,
			const char *value)
{
	struct command_line_setting *setting = &line->settings[line->setting_count++];

	snprintf(setting->name, sizeof(setting->name), "%.*s", (int)name_len, name);
	snprintf(setting->where, sizeof(setting->where), "%s", where);
	setting->value = value;
}

static bool take_help(struct command_line *line, const char *value, struct settings_error *error)
{
	(void)value, (void)error;
	line->wants_help = true;
	return true;
}

static bool take_version(struct command_line *line, const char *value, struct settings_error *error)
{
	(void)value, (void)error;
	line->wants_version = true;
	return true;
}

static bool take_defaults(struct command_line *line, const char *value, struct settings_error *error)
{
	(void)value, (void)error;
	line->wants_defaults = true;
	return true;
}

static bool take_json(struct command_line *line, const char *value, struct settings_error *error)
{
	(void)value, (void)error;
	line->wants_json = true;
	return true;
}

static bool take_config(struct command_line *line, const char *value, struct settings_error *error)
{
	if (line->file)
		return fail(error, "--config is given twice; there is one settings file");
	line->file = value;
	return true;
}

static bool take_set(struct command_line *line, const char *value, struct settings_error *error)
{
	const char *equals = strchr(value, '=');

	if (!equals)
		return fail(error, "--set %.60s: expected --set NAME=VALUE", value);
	add_setting(line, value, (size_t)(equals - value), "--set", equals + 1);
	return true;
}

static const struct option {
	const char *name;
	const char *letter;      /* "-h"; NULL: has none */
	const char *placeholder; /* of its value; NULL: takes none */
	bool (*take)(struct command_line *line, const char *value, struct settings_error *error);
	const char *help;
} options[] = {
	{ "--config", "-c", "FILE", take_config, "The settings file." },
	{ "--set", NULL, "NAME=VALUE", take_set, "Sets what NAME names below; so does --NAME VALUE." },
	{ "--defaults", NULL, NULL, take_defaults, "With config: print a settings file of the defaults." },
	{ "--json", NULL, NULL, take_json, "With routes: as JSON." },
	{ "--help", "-h", NULL, take_help, "Print this." },
	{ "--version", NULL, NULL, take_version, "Print name and version." },
};
enum { OPTION_COUNT = sizeof(options) / sizeof(options[0]) };

void command_line_print_help(FILE *out)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		const struct option *option = &options[i];
		char left[64];

		snprintf(left, sizeof(left), "%s%s%s %s", option->letter ? option->letter : "",
			 option->letter ? ", " : "", option->name, option->placeholder ? option->placeholder : "");
		fprintf(out, "  %-22s%s\n", left, option->help);
	}
}

/* Parsing --------------------------------------------------------------------------------------------------------- */

struct words {
	const char *const *at; /* the next one; ends with NULL */
};

static bool is_named(const struct option *option, const char *word, size_t len)
{
	return (strlen(option->name) == len && memcmp(option->name, word, len) == 0) ||
	       (option->letter && strcmp(option->letter, word) == 0);
}

/* What follows '=', or the next word. */
static const char *value_of(const char *word, struct words *words)
{
	const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;

	if (equals)
		return equals + 1;
	return *words->at ? *words->at++ : NULL;
}

static bool parse_setting(struct command_line *line, const char *word, size_t len, struct words *words,
			  struct settings_error *error)
{
	char option[NAME_SIZE];
	char name[NAME_SIZE];
	const char *nearest;
	const char *value;

	snprintf(option, sizeof(option), "%.*s", (int)len, word);
	snprintf(name, sizeof(name), "%s", word[1] == '-' && len > 2 ? option + 2 : option);
	for (char *at = name; *at; at++)
		if (*at == '-')
			*at = '_';
	nearest = settings_nearest(name);
	if (!nearest)
		return fail(error, "there is no option %s; --help lists them", option);
	if (strcmp(nearest, name) != 0)
		return fail(error, "there is no option %s; the nearest setting is '%s'", option, nearest);
	value = value_of(word, words);
	if (!value)
		return fail(error, "%s needs a value", option);
	add_setting(line, name, strlen(name), option, value);
	return true;
}

static bool parse_option(struct command_line *line, const char *word, struct words *words, struct settings_error *error)
{
	size_t len = word[1] == '-' ? strcspn(word, "=") : strlen(word);

	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		const struct option *option = &options[i];
		const char *value = NULL;

		if (!is_named(option, word, len))
			continue;
		if (!option->placeholder && word[len] == '=')
			return fail(error, "%s takes no value", option->name);
		if (option->placeholder && !(value = value_of(word, words)))
			return fail(error, "%s needs a value: %s %s", option->name, option->name, option->placeholder);
		return option->take(line, value, error);
	}
	return parse_setting(line, word, len, words, error);
}

bool command_line_parse(struct command_line *line, int argc, const char *const *argv, struct settings_error *error)
{
	struct words words = { argv + (argc > 0) };
	unsigned word_count = 0;
	bool has_options = true;

	*line = (struct command_line){ .settings = calloc((size_t)argc + 1, sizeof(*line->settings)) };
	if (!line->settings)
		check_out_of_memory((size_t)argc * sizeof(*line->settings), "the command line");
	while (*words.at) {
		const char *word = *words.at++;

		if (has_options && strcmp(word, "--") == 0)
			has_options = false;
		else if (has_options && word[0] == '-' && word[1]) {
			if (!parse_option(line, word, &words, error))
				return false;
		} else if (word_count == COMMAND_LINE_WORDS_MAX)
			return fail(error, "'%.60s' is one word too many; --help shows the commands", word);
		else
			line->words[word_count++] = word;
	}
	return true;
}

void command_line_fini(struct command_line *line)
{
	free(line->settings);
	line->settings = NULL;
}

bool command_line_settings(const struct command_line *line, struct settings *settings, struct settings_error *error)
{
	for (unsigned i = 0; i < line->setting_count; i++) {
		const struct command_line_setting *setting = &line->settings[i];

		if (!settings_set(settings, setting->name, setting->value, setting->where, error))
			return false;
	}
	return true;
}
