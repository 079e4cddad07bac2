/* command_line.h - the words after the program's name, taken apart; nothing is done yet.
 *
 * Use:
 *     struct command_line line;
 *     struct settings_error error;
 *     if (!command_line_parse(&line, argc, argv, &error)) ...
 *     line.words[0]                                        -- "migrate"; NULL when no command was given
 *     command_line_settings(&line, &settings, &error);     -- --set and --<setting> in their order
 *     command_line_fini(&line);
 *
 * Options may stand before, between and after the words. --option VALUE and --option=VALUE are the same; what follows
 * -- is no option. Options are not abbreviated: a script must not change its meaning when a setting is added.
 *
 * Ownership:      points into argv, which outlives it. command_line_fini also after a failure.
 * Thread-safety:  one thread at a time per object.
 * Errors:         false with a complete sentence in error->text.
 */
#ifndef APP_COMMAND_LINE_H
#define APP_COMMAND_LINE_H

#include <stdbool.h>

#include "base/settings.h"

enum { COMMAND_LINE_WORDS_MAX = 2 };

struct command_line {
	const char *words[COMMAND_LINE_WORDS_MAX]; /* the command and its argument; NULL: not given */
	const char *file;                          /* --config; NULL: not given */
	bool wants_help;
	bool wants_version;
	bool wants_defaults;
	bool wants_json;
	struct command_line_setting *settings;
	unsigned setting_count;
};

bool command_line_parse(struct command_line *line, int argc, const char *const *argv, struct settings_error *error)
	__attribute__((warn_unused_result));
void command_line_fini(struct command_line *line);

/* Sets what the options set. */
bool command_line_settings(const struct command_line *line, struct settings *settings, struct settings_error *error)
	__attribute__((warn_unused_result));

/* The part of --help about options that are no settings. */
void command_line_print_help(FILE *out);

#endif
