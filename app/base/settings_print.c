/* settings_print.c - see settings.h. Called by the command line: config, config --defaults, --help. */
#include <ctype.h>
#include <string.h>

#include "base/settings.h"
#include "base/settings_kind.h"

enum { COLUMNS = 80, NAME_COLUMNS = 20, VALUE_COLUMNS = 28, OPTION_COLUMNS = 40, SECRET_SIZE = 4096 };

/* Of a PostgreSQL URL a password may stand between the first ':' and the last '@', or behind the '?' (password=): that
 * is hidden, and with it everything to the end where the two could be mixed up. Other texts are hidden as a whole. */
static void mask(const char *text, char *out, size_t size)
{
	size_t scheme = strncmp(text, "postgresql://", 13) == 0 ? 13 : strncmp(text, "postgres://", 11) == 0 ? 11 : 0;
	const char *hidden = text + scheme + strcspn(text + scheme, ":?");
	const char *host = strrchr(hidden, '@');

	if (!scheme)
		snprintf(out, size, "%s", *text ? "****" : "");
	else if (!*hidden)
		snprintf(out, size, "%s", text);
	else if (*hidden == '?' || !host || memchr(hidden, '?', (size_t)(host - hidden)))
		snprintf(out, size, "%.*s****", (int)(hidden - text) + 1, text);
	else
		snprintf(out, size, "%.*s****%.*s%s", (int)(hidden - text) + 1, text, (int)strcspn(host, "?"), host,
			 strchr(host, '?') ? "?****" : "");
}

/* The value as text; 'scratch' holds it where it is not one. */
static const char *shown_value(const struct settings *settings, const struct setting *setting,
			       char scratch[SECRET_SIZE])
{
	const void *member = (const char *)settings + setting->offset;

	if (setting->kind == SETTING_TEXT)
		return *(const char *const *)member;
	if (setting->kind == SETTING_SECRET)
		mask(*(const char *const *)member, scratch, SECRET_SIZE);
	else
		settings_kind_format(setting, *(const int64_t *)member, scratch);
	return scratch;
}

void settings_print(const struct settings *settings, FILE *out)
{
	char scratch[SECRET_SIZE];

	for (unsigned i = 0; i < SETTINGS_COUNT; i++)
		fprintf(out, "%-*s = %-*s # %s\n", NAME_COLUMNS, settings_list[i].name, VALUE_COLUMNS,
			shown_value(settings, &settings_list[i], scratch),
			settings->origins[i] ? settings->origins[i] : "default");
}

/* Words filled into lines that begin with 'indent'. */
static void print_filled(FILE *out, const char *indent, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column && column + 1 + word > COLUMNS) {
			fputc('\n', out);
			column = 0;
		}
		fprintf(out, "%s%.*s", column ? " " : indent, (int)word, text);
		column += (column ? 1 : strlen(indent)) + word;
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void settings_print_defaults(FILE *out)
{
	char range[SETTINGS_KIND_RANGE_SIZE];

	fputs("# The settings of leat. A line \"name = value\" sets one; a comment begins with #\n"
	      "# or ; at the start of a line or after a space. Every setting stands here with\n"
	      "# its default. The environment (LEAT_WORKERS for workers) and the command line\n"
	      "# (--workers) win over this file. `leat config` shows what is in force.\n",
	      out);
	for (unsigned i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *setting = &settings_list[i];

		fputc('\n', out);
		print_filled(out, "# ", setting->help);
		if (!settings_kind_is_text(setting)) {
			settings_kind_range(setting, range);
			fprintf(out, "# %s\n", range);
		}
		fprintf(out, "#%s =%s%s\n", setting->name, *setting->fallback ? " " : "", setting->fallback);
	}
}

/* listen_mode -> listen-mode or LISTEN_MODE */
static void print_name(FILE *out, const char *name, char underscore, int (*change)(int letter))
{
	for (; *name; name++)
		fputc(*name == '_' ? underscore : change((unsigned char)*name), out);
}

void settings_print_help(FILE *out)
{
	char text[1024];
	char range[SETTINGS_KIND_RANGE_SIZE];

	for (unsigned i = 0; i < SETTINGS_COUNT; i++) {
		const struct setting *setting = &settings_list[i];
		const char *placeholder = settings_kind_placeholder(setting);
		int width = OPTION_COLUMNS - (int)(strlen("  --") + strlen(setting->name) + 1);

		fputs("  --", out);
		print_name(out, setting->name, '-', tolower);
		fprintf(out, " %-*s LEAT_", width, placeholder);
		print_name(out, setting->name, '_', toupper);
		fputc('\n', out);
		settings_kind_range(setting, range);
		snprintf(text, sizeof(text), "%s (%s%sdefault %s)", setting->help,
			 settings_kind_is_text(setting) ? "" : range, settings_kind_is_text(setting) ? "" : "; ",
			 *setting->fallback ? setting->fallback : "empty");
		print_filled(out, "      ", text);
	}
}
