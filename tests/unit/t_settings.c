/* t_settings.c - settings: their sources, values, complaints and how they are shown. */
#include "tests/unit/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/settings.h"

static struct settings settings;
static struct settings_error error;
static char path[] = "/tmp/t_settings.XXXXXX";

static void set_up(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	settings_init(&settings);
}

static void tear_down(void)
{
	settings_fini(&settings);
	unlink(path);
}

static bool read_text(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	fclose(file);
	return settings_read_file(&settings, path, &error);
}

static void assert_read(const char *text)
{
	ck_assert_msg(read_text(text, strlen(text)), "%s", error.text);
}

static void assert_complains(const char *sentence)
{
	ck_assert_msg(strstr(error.text, sentence) != NULL, "'%s' is not in '%s'", sentence, error.text);
}

/* The file is refused with "<path>:" and the sentence. */
static void assert_refused_bytes(const char *text, size_t len, const char *sentence)
{
	ck_assert_msg(!read_text(text, len), "was accepted");
	ck_assert_mem_eq(error.text, path, strlen(path));
	assert_complains(sentence);
}

static void assert_refused(const char *text, const char *sentence)
{
	assert_refused_bytes(text, strlen(text), sentence);
}

static void assert_set(const char *name, const char *value)
{
	ck_assert_msg(settings_set(&settings, name, value, "--set", &error), "%s", error.text);
}

static void assert_not_set(const char *name, const char *value, const char *sentence)
{
	ck_assert_msg(!settings_set(&settings, name, value, "--set", &error), "%s = %s was accepted", name, value);
	assert_complains(sentence);
}

/* What a printing function writes. */
static const char *printed(void (*print)(FILE *out))
{
	static char text[65536];
	FILE *out = fmemopen(text, sizeof(text), "w");

	print(out);
	fclose(out);
	return text;
}

static void print_in_force(FILE *out)
{
	settings_print(&settings, out);
}

static void assert_prints(const char *part)
{
	const char *text = printed(print_in_force);

	ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in:\n%s", part, text);
}

/* Values ---------------------------------------------------------------------------------------------------------- */

START_TEST(defaults_are_the_tables)
{
	ck_assert_str_eq(settings.listen, "unix:/run/leat/leat.sock");
	ck_assert_int_eq(settings.listen_mode, 0660);
	ck_assert_int_eq(settings.stack_size, 65536);
	ck_assert_int_eq(settings.request_deadline, 10000);
	ck_assert_int_eq(settings.log_level, LOG_LEVEL_INFO);
	ck_assert_int_eq(settings.log_json, 0);
}
END_TEST

START_TEST(durations_have_units)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = { { "250ms", 250 }, { "2s", 2000 }, { "5m", 300000 }, { "1h", 3600000 }, { "0", 0 }, { "0s", 0 } };

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_set("grace", cases[i].text);
		ck_assert_int_eq(settings.grace, cases[i].ms);
	}
}
END_TEST

START_TEST(a_duration_without_unit_is_refused_with_examples)
{
	assert_not_set("request_deadline", "10",
		       "request_deadline = '10': expected a whole number with its unit (250ms, 2s, 5m, 1h)");
}
END_TEST

START_TEST(malformed_durations_are_refused)
{
	static const char *const texts[] = { "",
					     "s",
					     "1.5s",
					     "-1s",
					     "+1s",
					     "1 s",
					     "1S",
					     "1d",
					     "01s",
					     "1ss",
					     "1s ",
					     "99999999999999999999s",
					     "9223372036854775807h" };

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_not_set("grace", texts[i], "grace = '");
}
END_TEST

START_TEST(sizes_have_units)
{
	assert_set("stack_size", "16384");
	ck_assert_int_eq(settings.stack_size, 16384);
	assert_set("stack_size", "64k");
	ck_assert_int_eq(settings.stack_size, 65536);
	assert_set("stack_size", "1m");
	ck_assert_int_eq(settings.stack_size, 1048576);
	assert_set("arena_keep", "4g");
	ck_assert_int_eq(settings.arena_keep, INT64_C(4294967296));
}
END_TEST

START_TEST(bounds_are_part_of_the_range)
{
	assert_set("workers", "0");
	assert_set("workers", "256");
	assert_not_set("workers", "257", "workers = '257': expected a whole number, 0 to 256 threads");
	assert_not_set("workers", "-1", "0 to 256 threads");
}
END_TEST

START_TEST(modes_are_octal)
{
	assert_set("listen_mode", "0600");
	ck_assert_int_eq(settings.listen_mode, 0600);
	assert_set("listen_mode", "777");
	ck_assert_int_eq(settings.listen_mode, 0777);
	assert_not_set("listen_mode", "0888", "octal permissions, 0000 to 0777");
	assert_not_set("listen_mode", "1777", "octal permissions, 0000 to 0777");
	assert_not_set("listen_mode", "", "octal");
}
END_TEST

START_TEST(flags_are_on_or_off)
{
	assert_set("log_json", "on");
	ck_assert_int_eq(settings.log_json, 1);
	assert_set("log_json", "off");
	ck_assert_int_eq(settings.log_json, 0);
	assert_not_set("log_json", "yes", "log_json = 'yes': expected off or on");
}
END_TEST

START_TEST(choices_are_words)
{
	assert_set("log_level", "error");
	ck_assert_int_eq(settings.log_level, LOG_LEVEL_ERROR);
	assert_set("log_level", "debug");
	ck_assert_int_eq(settings.log_level, LOG_LEVEL_DEBUG);
	assert_not_set("log_level", "warning", "expected error, warn, info or debug");
	assert_not_set("log_level", "", "expected error");
	assert_not_set("log_level", "error|warn", "expected error");
}
END_TEST

START_TEST(texts_have_a_length)
{
	char text[4002];

	memset(text, 'x', sizeof(text) - 1);
	text[4001] = '\0';
	assert_not_set("listen", text, "1 to 4000 characters");
	text[4000] = '\0';
	assert_set("listen", text);
	assert_not_set("listen", "", "1 to 4000 characters");
	assert_set("access_log", "");
}
END_TEST

START_TEST(texts_have_no_control_characters)
{
	assert_not_set("listen", "unix:/a\nb", "without control characters");
}
END_TEST

START_TEST(a_refused_value_leaves_the_old_one)
{
	assert_set("listen", "unix:/a");
	assert_set("workers", "3");
	assert_not_set("listen", "", "listen");
	assert_not_set("workers", "999", "workers");
	ck_assert_str_eq(settings.listen, "unix:/a");
	ck_assert_int_eq(settings.workers, 3);
}
END_TEST

START_TEST(a_refused_secret_is_not_shown)
{
	assert_not_set("database_url", "postgresql://hunter2\x7f", "database_url = '****'");
	ck_assert_ptr_null(strstr(error.text, "hunter2"));
}
END_TEST

/* Names ----------------------------------------------------------------------------------------------------------- */

START_TEST(an_unknown_name_is_refused_with_the_nearest_one)
{
	assert_not_set("wrokers", "3", "--set: there is no setting 'wrokers'; did you mean 'workers'?");
	assert_not_set("db_retry_max", "3s", "did you mean 'db_retry_most'?");
}
END_TEST

START_TEST(a_name_like_no_other_gets_no_suggestion)
{
	assert_not_set("colour", "red", "there is no setting 'colour'; --help lists them");
	assert_not_set("", "red", "there is no setting ''");
}
END_TEST

START_TEST(a_very_long_name_is_refused)
{
	char name[100000];

	memset(name, 'w', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_not_set(name, "1", "there is no setting 'www");
}
END_TEST

START_TEST(a_known_name_is_its_own_nearest)
{
	ck_assert_str_eq(settings_nearest("grace"), "grace");
}
END_TEST

/* The file -------------------------------------------------------------------------------------------------------- */

START_TEST(a_file_sets_what_it_names)
{
	assert_read("\xef\xbb\xbf# comment\n\n; comment\nworkers = 4\n  grace=2s   # two\n\tlisten = "
		    "unix:/a,[::1]:9000 ; both\r\n"
		    "database_url = postgresql://u:p;#@h/db");
	ck_assert_int_eq(settings.workers, 4);
	ck_assert_int_eq(settings.grace, 2000);
	ck_assert_str_eq(settings.listen, "unix:/a,[::1]:9000");
	ck_assert_str_eq(settings.database_url, "postgresql://u:p;#@h/db");
}
END_TEST

START_TEST(an_empty_file_sets_nothing)
{
	assert_read("");
	ck_assert_int_eq(settings.workers, 0);
}
END_TEST

START_TEST(the_longest_text_can_be_read)
{
	char text[5000];
	int len = snprintf(text, sizeof(text), "listen = %04000d\nworkers = 4\n", 0);

	ck_assert_int_lt(len, (int)sizeof(text));
	assert_read(text);
	ck_assert_uint_eq(strlen(settings.listen), 4000);
	ck_assert_int_eq(settings.workers, 4);
}
END_TEST

START_TEST(faults_are_told_with_their_line)
{
	assert_refused("workers = 1\n\nwrokers = 1\n", ":3: there is no setting 'wrokers'; did you mean 'workers'?");
	assert_refused("# one\n# two\ngrace = 5\n", ":3: grace = '5': expected");
	assert_refused("workers\n", ":1: 'workers' is no setting; write name = value");
	assert_refused("= 5\n", ":1: there is no setting ''");
}
END_TEST

START_TEST(a_setting_stands_once_in_a_file)
{
	assert_refused("workers = 1\ngrace = 1s\nworkers = 1\n", ":3: workers is set twice, first in line 1");
}
END_TEST

START_TEST(sections_are_refused)
{
	assert_refused("workers = 1\n [server]\n", ":2: a settings file has no [sections]");
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	assert_refused_bytes("grace = 1s\nworkers = 1\0000\n", 25, ":2: a NUL byte");
}
END_TEST

START_TEST(a_line_too_long_is_refused)
{
	static char text[20000];

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "a=", 2);
	assert_refused(text, ":1: the line is too long");
}
END_TEST

START_TEST(the_first_fault_is_told)
{
	assert_refused("grace = x\nworkers = x\n[x]\n", ":1: grace");
}
END_TEST

START_TEST(a_file_that_is_not_there_is_an_error)
{
	ck_assert(!settings_read_file(&settings, "/nowhere/leat.ini", &error));
	assert_complains("/nowhere/leat.ini: cannot open the settings file: No such file or directory");
}
END_TEST

START_TEST(a_folder_is_no_file)
{
	ck_assert(!settings_read_file(&settings, "/", &error));
	assert_complains("/: cannot read the settings file: Is a directory");
}
END_TEST

START_TEST(hostile_files_are_refused_without_harm)
{
	srand(1);
	for (int round = 0; round < 300; round++) {
		static const char bytes[] = "workers=1\n[];#: \t\r\0\xff\"\\grace2s";
		char text[200];

		for (unsigned i = 0; i < sizeof(text); i++)
			text[i] = bytes[(unsigned)rand() % sizeof(bytes)];
		if (!read_text(text, sizeof(text)))
			assert_complains(path);
	}
}
END_TEST

/* The environment, and who wins ----------------------------------------------------------------------------------- */

START_TEST(the_environment_sets)
{
	setenv("LEAT_REQUEST_DEADLINE", "3s", 1);
	ck_assert(settings_read_environment(&settings, &error));
	ck_assert_int_eq(settings.request_deadline, 3000);
}
END_TEST

START_TEST(a_bad_variable_is_refused_by_its_name)
{
	setenv("LEAT_WORKERS", "many", 1);
	ck_assert(!settings_read_environment(&settings, &error));
	assert_complains("LEAT_WORKERS: workers = 'many': expected");
}
END_TEST

START_TEST(an_unknown_variable_is_refused)
{
	setenv("LEAT_WORKER", "1", 1);
	ck_assert(!settings_read_environment(&settings, &error));
	assert_complains("LEAT_WORKER: there is no setting 'worker'; did you mean 'workers'?");
}
END_TEST

START_TEST(a_variable_in_small_letters_is_refused)
{
	setenv("LEAT_workers", "1", 1);
	ck_assert(!settings_read_environment(&settings, &error));
}
END_TEST

START_TEST(variables_of_scripts_are_let_be)
{
	setenv("LEAT_CONFIG", "x", 1);
	setenv("LEAT_DEMO_PORT", "x", 1);
	setenv("LEAT_TEST_ANYTHING", "x", 1);
	setenv("LEAT_BUILD", "x", 1);
	setenv("LEATHER", "x", 1);
	ck_assert_msg(settings_read_environment(&settings, &error), "%s", error.text);
}
END_TEST

START_TEST(a_variable_that_only_begins_like_a_scripts_is_refused)
{
	setenv("LEAT_CONFIGURE", "x", 1);
	ck_assert(!settings_read_environment(&settings, &error));
}
END_TEST

START_TEST(later_sources_win)
{
	setenv("LEAT_PROCESSES", "3", 1);
	setenv("LEAT_GRACE", "3s", 1);
	assert_read("workers = 2\nprocesses = 2\ngrace = 2s\n");
	ck_assert(settings_read_environment(&settings, &error));
	assert_set("grace", "4s");
	ck_assert_int_eq(settings.workers, 2);
	ck_assert_int_eq(settings.processes, 3);
	ck_assert_int_eq(settings.grace, 4000);
}
END_TEST

/* Checks ---------------------------------------------------------------------------------------------------------- */

START_TEST(defaults_pass_the_check)
{
	ck_assert(settings_check(&settings, &error));
}
END_TEST

START_TEST(pauses_must_grow)
{
	assert_set("db_retry_least", "20s");
	ck_assert(!settings_check(&settings, &error));
	assert_complains("db_retry_least is longer than db_retry_most");
}
END_TEST

START_TEST(listeners_share_no_address)
{
	assert_set("listen", "127.0.0.1:9000,unix:/a");
	assert_set("admin_listen", "unix:/a");
	ck_assert(!settings_check(&settings, &error));
	assert_complains("listen and admin_listen name the same address");
}
END_TEST

START_TEST(an_address_that_begins_like_another_is_another)
{
	assert_set("listen", "unix:/a,unix:/ab");
	assert_set("admin_listen", "unix:/abc");
	ck_assert(settings_check(&settings, &error));
	assert_set("admin_listen", "");
	ck_assert(settings_check(&settings, &error));
}
END_TEST

/* Showing --------------------------------------------------------------------------------------------------------- */

START_TEST(values_are_printed_with_their_origin)
{
	assert_read("workers = 2\n");
	assert_set("grace", "90s");
	assert_prints("grace                = 90s                          # --set\n");
	assert_prints("stack_size           = 64k                          # default\n");
	ck_assert_ptr_nonnull(strstr(strstr(printed(print_in_force), "workers "), "settings."));
	ck_assert_ptr_nonnull(strstr(printed(print_in_force), ":1\n"));
}
END_TEST

START_TEST(what_is_printed_can_be_read)
{
	char text[65536];

	assert_set("grace", "1500ms");
	assert_set("arena_keep", "3000");
	assert_set("listen_mode", "0007");
	assert_set("log_json", "on");
	assert_set("log_level", "warn");
	strcpy(text, printed(print_in_force));
	settings_fini(&settings);
	settings_init(&settings);
	assert_read(text);
	ck_assert_int_eq(settings.grace, 1500);
	ck_assert_int_eq(settings.arena_keep, 3000);
	ck_assert_int_eq(settings.listen_mode, 7);
	ck_assert_int_eq(settings.log_json, 1);
	ck_assert_int_eq(settings.log_level, LOG_LEVEL_WARN);
}
END_TEST

START_TEST(passwords_are_masked)
{
	static const struct {
		const char *url;
		const char *shown;
	} cases[] = {
		{ "postgresql://me:hunter2@localhost:5432/db", "= postgresql://me:****@localhost:5432/db " },
		{ "postgres://me:hunter2@localhost/db", "= postgres://me:****@localhost/db " },
		{ "postgresql://me:hunter2@h@unter2@localhost/db", "= postgresql://me:****@localhost/db " },
		{ "postgresql://me:hunter2/hunter2@localhost/db", "= postgresql://me:****@localhost/db " },
		{ "postgresql://me@localhost/db", "= postgresql://me@localhost/db " },
		{ "postgresql:///db?host=/run/postgresql", "= postgresql:///db?**** " },
		{ "postgresql:///db?password=hunter2", "= postgresql:///db?**** " },
		{ "postgresql:///db?password=x@hunter2", "= postgresql:///db?**** " },
		{ "postgresql://h:5432/db?password=x@hunter2", "= postgresql://h:**** " },
		{ "postgresql://me:x?hunter2@localhost/db", "= postgresql://me:**** " },
		{ "postgresql://me:x@localhost/db?sslpassword=hunter2", "= postgresql://me:****@localhost/db?**** " },
		{ "postgresql://me:hunter2", "= postgresql://me:**** " },
		{ "host=localhost password=hunter2", "= **** " },
		{ "hunter2", "= **** " },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_set("database_url", cases[i].url);
		assert_prints(cases[i].shown);
		ck_assert_ptr_null(strstr(printed(print_in_force), "unter2"));
	}
}
END_TEST

START_TEST(the_file_of_defaults_sets_nothing)
{
	assert_read(printed(settings_print_defaults));
	for (unsigned i = 0; i < SETTINGS_COUNT; i++)
		ck_assert_ptr_null(settings.origins[i]);
}
END_TEST

START_TEST(the_file_of_defaults_can_be_used_as_a_whole)
{
	char text[65536];
	char *out = text;

	for (const char *at = printed(settings_print_defaults); *at; at++)
		if (!(at[0] == '#' && at[1] != ' '))
			*out++ = *at;
	*out = '\0';
	assert_read(text);
	for (unsigned i = 0; i < SETTINGS_COUNT; i++)
		ck_assert_ptr_nonnull(settings.origins[i]);
}
END_TEST

START_TEST(help_fits_eighty_columns)
{
	const char *line = printed(settings_print_help);

	for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		ck_assert_int_le(end - line, 80);
}
END_TEST

START_TEST(help_names_option_and_variable)
{
	const char *text = printed(settings_print_help);

	ck_assert_ptr_nonnull(strstr(text, "  --db-connect-timeout TIME "));
	ck_assert_ptr_nonnull(strstr(text, " LEAT_DB_CONNECT_TIMEOUT\n"));
}
END_TEST

/* HARNESS_CASE with the settings ready. */
#define CASE(suite, name, ...) tcase_add_checked_fixture(HARNESS_CASE(suite, name, __VA_ARGS__), set_up, tear_down)

Suite *suite(void)
{
	Suite *s = suite_create("settings");

	CASE(s, "values", defaults_are_the_tables, durations_have_units,
	     a_duration_without_unit_is_refused_with_examples, malformed_durations_are_refused, sizes_have_units,
	     bounds_are_part_of_the_range, modes_are_octal, flags_are_on_or_off, choices_are_words, texts_have_a_length,
	     texts_have_no_control_characters, a_refused_value_leaves_the_old_one, a_refused_secret_is_not_shown);
	CASE(s, "names", an_unknown_name_is_refused_with_the_nearest_one, a_name_like_no_other_gets_no_suggestion,
	     a_very_long_name_is_refused, a_known_name_is_its_own_nearest);
	CASE(s, "file", a_file_sets_what_it_names, an_empty_file_sets_nothing, the_longest_text_can_be_read,
	     faults_are_told_with_their_line, a_setting_stands_once_in_a_file, sections_are_refused,
	     a_nul_byte_is_refused, a_line_too_long_is_refused, the_first_fault_is_told,
	     a_file_that_is_not_there_is_an_error, a_folder_is_no_file, hostile_files_are_refused_without_harm);
	CASE(s, "environment", the_environment_sets, a_bad_variable_is_refused_by_its_name,
	     an_unknown_variable_is_refused, a_variable_in_small_letters_is_refused, variables_of_scripts_are_let_be,
	     a_variable_that_only_begins_like_a_scripts_is_refused, later_sources_win);
	CASE(s, "checks", defaults_pass_the_check, pauses_must_grow, listeners_share_no_address,
	     an_address_that_begins_like_another_is_another);
	CASE(s, "showing", values_are_printed_with_their_origin, what_is_printed_can_be_read, passwords_are_masked,
	     the_file_of_defaults_sets_nothing, the_file_of_defaults_can_be_used_as_a_whole, help_fits_eighty_columns,
	     help_names_option_and_variable);
	return s;
}
