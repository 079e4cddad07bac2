/* settings.c - see settings.h. The sources and the checks; how values are written is settings_kind.c, how they are
 * shown settings_print.c. The only user of libinih. */
#include "base/settings.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/settings_kind.h"

extern char **environ;

#define SETTINGS_ROW(type, member, default_value, least_value, most_value, unit_text, help_text) \
	{ \
		.name = #member, \
		.kind = SETTING_##type, \
		.offset = offsetof(struct settings, member), \
		.fallback = default_value, \
		.least = least_value, \
		.most = most_value, \
		.unit = unit_text, \
		.help = help_text, \
	},
const struct setting settings_list[SETTINGS_COUNT] = { SETTINGS_TABLE(SETTINGS_ROW) };
#undef SETTINGS_ROW

/* Names that begin with LEAT_ and are no settings: they speak to the command line and to scripts. */
static const char *const foreign_variables[] = { "LEAT_CONFIG=", "LEAT_DEMO_", "LEAT_TEST_", "LEAT_BUILD" };

/* No name in the table is longer. */
enum { NAME_SIZE = 64 };

static bool fail(struct settings_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const struct setting *find(const char *name);
static bool fail_unknown(const char *name, const char *where, struct settings_error *error);
static bool store(struct settings *settings, const struct setting *setting, const char *value);

void settings_init(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	for (unsigned i = 0; i < SETTINGS_COUNT; i++)
		LEAT_CHECK(store(settings, &settings_list[i], settings_list[i].fallback));
}

static const char **text_of(struct settings *settings, const struct setting *setting)
{
	return (const char **)((char *)settings + setting->offset);
}

void settings_fini(struct settings *settings)
{
	for (unsigned i = 0; i < SETTINGS_COUNT; i++) {
		if (settings_kind_is_text(&settings_list[i]))
			free((char *)*text_of(settings, &settings_list[i]));
		free(settings->origins[i]);
	}
	memset(settings, 0, sizeof(*settings));
}

/* The file -------------------------------------------------------------------------------------------------------- */

struct reading {
	struct settings *settings;
	struct settings_error *error;
	FILE *file;
	const char *path;
	unsigned line;
	unsigned lines[SETTINGS_COUNT]; /* where each setting stands in this file; 0: not yet */
	bool has_failed;                /* error is set */
};

/* One line for libinih, which counts lines but does not tell them. What would confuse it ends the reading here. */
static char *read_line(char *out, int size, void *stream)
{
	struct reading *reading = stream;
	char *line = NULL;
	size_t line_size = 0;
	ssize_t len = reading->has_failed ? -1 : getline(&line, &line_size, reading->file);
	const char *fault = NULL;

	if (len >= 0) {
		reading->line++;
		if (memchr(line, '\0', (size_t)len))
			fault = "a NUL byte cannot stand in a settings file";
		else if (len >= size)
			fault = "the line is too long; a value has at most 4000 characters";
		else if (line[strspn(line, " \t")] == '[')
			fault = "a settings file has no [sections]; remove this line";
		else
			memcpy(out, line, (size_t)len + 1);
	}
	free(line);
	if (fault)
		reading->has_failed = !fail(reading->error, "%s:%u: %s", reading->path, reading->line, fault);
	return len < 0 || fault ? NULL : out;
}

/* Called by libinih for each line; 0 ends the reading. */
static int take_line(void *user, const char *section, const char *name, const char *value)
{
	struct reading *reading = user;
	const struct setting *setting = find(name);
	char where[512];
	unsigned *line;

	(void)section;
	snprintf(where, sizeof(where), "%s:%u", reading->path, reading->line);
	if (!value)
		reading->has_failed = !fail(reading->error, "%s: '%.60s' is no setting; write name = value", where,
					    name);
	else if (!setting)
		reading->has_failed = !fail_unknown(name, where, reading->error);
	if (reading->has_failed)
		return 0;
	line = &reading->lines[setting - settings_list];
	if (*line)
		reading->has_failed = !fail(reading->error, "%s: %s is set twice, first in line %u; remove one", where,
					    name, *line);
	else
		reading->has_failed = !settings_set(reading->settings, name, value, where, reading->error);
	*line = reading->line;
	return !reading->has_failed;
}

static void configure_libinih(void)
{
	static char inline_comments[] = ";#";

	ini_use_stack = false;
	ini_max_line = ini_initial_alloc = 8192;
	ini_stop_on_first_error = true;
	ini_allow_multiline = false;
	ini_allow_no_value = true;
	ini_inline_comment_prefixes = inline_comments;
}

bool settings_read_file(struct settings *settings, const char *path, struct settings_error *error)
{
	struct reading reading = { .settings = settings, .error = error, .path = path };
	int result;

	reading.file = fopen(path, "re");
	if (!reading.file)
		return fail(error, "%s: cannot open the settings file: %s", path, strerror(errno));
	configure_libinih();
	result = ini_parse_stream(read_line, &reading, take_line, &reading);
	if (!reading.has_failed && ferror(reading.file))
		reading.has_failed = !fail(error, "%s: cannot read the settings file: %s", path, strerror(errno));
	fclose(reading.file);
	if (!reading.has_failed && result != 0)
		return fail(error, "%s:%d: not understood; write name = value", path, result);
	return !reading.has_failed;
}

/* The environment ------------------------------------------------------------------------------------------------- */

static bool is_foreign(const char *variable)
{
	for (size_t i = 0; i < sizeof(foreign_variables) / sizeof(foreign_variables[0]); i++)
		if (strncmp(variable, foreign_variables[i], strlen(foreign_variables[i])) == 0)
			return true;
	return false;
}

/* "LEAT_WORKERS=4" -> "workers"; small letters become capitals, which no setting has. */
static void name_of_variable(const char *variable, char name[NAME_SIZE])
{
	const char *at = variable + strlen("LEAT_");
	size_t len = 0;

	for (; *at && *at != '=' && len < NAME_SIZE - 1; at++)
		name[len++] = (char)(isupper((unsigned char)*at) ? tolower((unsigned char)*at)
								 : toupper((unsigned char)*at));
	name[len] = '\0';
}

bool settings_read_environment(struct settings *settings, struct settings_error *error)
{
	for (char **variable = environ; *variable; variable++) {
		const char *equals = strchr(*variable, '=');
		char name[NAME_SIZE];
		char where[256];

		if (strncmp(*variable, "LEAT_", strlen("LEAT_")) != 0 || !equals || is_foreign(*variable))
			continue;
		name_of_variable(*variable, name);
		snprintf(where, sizeof(where), "%.*s", (int)(equals - *variable), *variable);
		if (!settings_set(settings, name, equals + 1, where, error))
			return false;
	}
	return true;
}

/* One setting ----------------------------------------------------------------------------------------------------- */

static char *copy(const char *text)
{
	char *copied = strdup(text);

	if (!copied)
		check_out_of_memory(strlen(text) + 1, "settings");
	return copied;
}

static bool store(struct settings *settings, const struct setting *setting, const char *value)
{
	if (settings_kind_is_text(setting)) {
		const char **text = text_of(settings, setting);

		if (!settings_kind_accepts_text(setting, value))
			return false;
		free((char *)*text);
		*text = copy(value);
		return true;
	}
	return settings_kind_parse(setting, value, (int64_t *)((char *)settings + setting->offset));
}

static bool fail_value(const struct setting *setting, const char *value, const char *where,
		       struct settings_error *error)
{
	bool is_long = strlen(value) > 60;
	char range[SETTINGS_KIND_RANGE_SIZE];

	settings_kind_range(setting, range);
	if (setting->kind == SETTING_SECRET)
		value = "****";
	return fail(error, "%s: %s = '%.60s'%s: expected %s%s", where, setting->name, value, is_long ? ".." : "",
		    settings_kind_noun(setting), range);
}

bool settings_set(struct settings *settings, const char *name, const char *value, const char *where,
		  struct settings_error *error)
{
	const struct setting *setting = find(name);
	char **origin;

	if (!setting)
		return fail_unknown(name, where, error);
	if (!store(settings, setting, value))
		return fail_value(setting, value, where, error);
	origin = &settings->origins[setting - settings_list];
	free(*origin);
	*origin = copy(where);
	return true;
}

static bool fail(struct settings_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return false;
}

/* Names ----------------------------------------------------------------------------------------------------------- */

static const struct setting *find(const char *name)
{
	for (unsigned i = 0; i < SETTINGS_COUNT; i++)
		if (strcmp(settings_list[i].name, name) == 0)
			return &settings_list[i];
	return NULL;
}

static unsigned least_of(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/* Letters to insert, remove or replace to make b of a (Levenshtein). Both are shorter than NAME_SIZE. */
static unsigned edits_between(const char *a, const char *b)
{
	unsigned row[NAME_SIZE]; /* of the prefix of a so far: to each prefix of b */
	unsigned b_len = (unsigned)strlen(b);

	for (unsigned j = 0; j <= b_len; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			unsigned above = row[j];

			row[j] = least_of(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_len];
}

/* More than one edit and one in four letters: another word was meant. */
const char *settings_nearest(const char *name)
{
	size_t len = strlen(name);
	unsigned least = 2 + (unsigned)len / 4;
	const char *nearest = NULL;

	if (len >= NAME_SIZE)
		return NULL;
	for (unsigned i = 0; i < SETTINGS_COUNT; i++) {
		unsigned edits = edits_between(name, settings_list[i].name);

		if (edits < least) {
			least = edits;
			nearest = settings_list[i].name;
		}
	}
	return nearest;
}

static bool fail_unknown(const char *name, const char *where, struct settings_error *error)
{
	const char *nearest = settings_nearest(name);

	if (nearest)
		return fail(error, "%s: there is no setting '%.60s'; did you mean '%s'?", where, name, nearest);
	return fail(error, "%s: there is no setting '%.60s'; --help lists them", where, name);
}

/* Checks of several settings -------------------------------------------------------------------------------------- */

/* Whether an address of the comma-separated list 'addresses' stands in 'others' too. */
static bool share_address(const char *addresses, const char *others)
{
	while (*addresses) {
		size_t len = strcspn(addresses, ",");

		for (const char *at = others; len && *at; at += strcspn(at, ","), at += *at == ',')
			if (strcspn(at, ",") == len && memcmp(at, addresses, len) == 0)
				return true;
		addresses += len + (addresses[len] == ',');
	}
	return false;
}

bool settings_check(const struct settings *settings, struct settings_error *error)
{
	if (settings->db_retry_least > settings->db_retry_most)
		return fail(error,
			    "db_retry_least is longer than db_retry_most; the pauses between attempts to connect grow "
			    "from the one to the other");
	if (settings->database_read_url[0] && !settings->database_url[0])
		return fail(error,
			    "database_read_url is set, but not database_url; what a standby cannot answer goes there");
	if (settings->events_keep_alive >= settings->stream_idle)
		return fail(error, "events_keep_alive is not shorter than stream_idle; a stream of events would be cut "
				   "before its sign of life");
	if (share_address(settings->listen, settings->admin_listen))
		return fail(error,
			    "listen and admin_listen name the same address; give the admin listener one of its own");
	return true;
}
