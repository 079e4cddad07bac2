/* settings.h - what can be set, from one table.
 *
 * Use:
 *     struct settings settings;
 *     struct settings_error error;
 *     settings_init(&settings);                                   -- defaults
 *     if (!settings_read_file(&settings, path, &error)) ...       -- then the file
 *     if (!settings_read_environment(&settings, &error)) ...      -- then LEAT_*
 *     if (!settings_set(&settings, "workers", "4", "--set", &error)) ...
 *     if (!settings_check(&settings, &error)) ...
 *     settings_print(&settings, stdout);                          -- leat config; secrets masked
 *
 * Later sources win: default, file, environment, command line.
 *
 * The file is INI without sections: "name = value" a line; a comment begins with # or ;, at the start of a line or
 * after a space. Lists of names, ranges and units are settings_print_help's and settings_print_defaults's.
 *
 * Ownership:      texts are owned by the settings; settings_fini frees them.
 * Thread-safety:  written by the main thread before any other exists; then read only, by any thread.
 * Errors:         false with a complete sentence in error->text: where (file and line, variable or option), what, and
 *                 what would do, with the nearest known name for an unknown one. What came before the error is set.
 */
#ifndef APP_BASE_SETTINGS_H
#define APP_BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/settings_table.h"

#define SETTINGS_C_TEXT     const char *
#define SETTINGS_C_SECRET   const char *
#define SETTINGS_C_NUMBER   int64_t
#define SETTINGS_C_DURATION int64_t
#define SETTINGS_C_SIZE     int64_t
#define SETTINGS_C_MODE     int64_t
#define SETTINGS_C_FLAG     int64_t
#define SETTINGS_C_CHOICE   int64_t

#define SETTINGS_MEMBER(type, name, fallback, least, most, unit, help) SETTINGS_C_##type name;
#define SETTINGS_ONE(type, name, fallback, least, most, unit, help)    +1

enum { SETTINGS_COUNT = 0 SETTINGS_TABLE(SETTINGS_ONE) };

struct settings {
	SETTINGS_TABLE(SETTINGS_MEMBER)
	char *origins[SETTINGS_COUNT]; /* where each value came from, in the table's order; NULL: the default */
};
#undef SETTINGS_MEMBER
#undef SETTINGS_ONE

struct settings_error {
	char text[1024];
};

void settings_init(struct settings *settings);
void settings_fini(struct settings *settings);

/* A file that cannot be opened or read is an error, one that does not exist too. */
bool settings_read_file(struct settings *settings, const char *path, struct settings_error *error)
	__attribute__((warn_unused_result));

/* Takes every LEAT_<NAME>; other names that begin with LEAT_ are errors, but for those of our scripts. */
bool settings_read_environment(struct settings *settings, struct settings_error *error)
	__attribute__((warn_unused_result));

/* 'where' is named in the error and kept as the origin: "--set", "/etc/leat.ini:12". */
bool settings_set(struct settings *settings, const char *name, const char *value, const char *where,
		  struct settings_error *error) __attribute__((warn_unused_result));

/* The known name nearest to 'name', which is 'name' itself when that is known; NULL when none is near. */
const char *settings_nearest(const char *name);

/* Checks what concerns more than one setting; after the last source. */
bool settings_check(const struct settings *settings, struct settings_error *error) __attribute__((warn_unused_result));

/* Every setting with its value and where that came from, in the form of the INI file. Secrets are masked: of a
 * PostgreSQL URL user, host and database stay readable, of anything else nothing does. */
void settings_print(const struct settings *settings, FILE *out);

/* A file with every setting at its default, commented out, with its help. */
void settings_print_defaults(FILE *out);

/* The part of --help about settings: option, environment variable, meaning, range, default; 80 columns. */
void settings_print_help(FILE *out);

#endif
