/* t_settings_sources.c - settings: from a file, from the environment, and who wins. */
#include "tests/unit/settings_stand.h"

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

Suite *suite(void)
{
	Suite *s = suite_create("settings_sources");

	SETTINGS_CASE(s, "file", a_file_sets_what_it_names, an_empty_file_sets_nothing, the_longest_text_can_be_read,
		      faults_are_told_with_their_line, a_setting_stands_once_in_a_file, sections_are_refused,
		      a_nul_byte_is_refused, a_line_too_long_is_refused, the_first_fault_is_told,
		      a_file_that_is_not_there_is_an_error, a_folder_is_no_file,
		      hostile_files_are_refused_without_harm);
	SETTINGS_CASE(s, "environment", the_environment_sets, a_bad_variable_is_refused_by_its_name,
		      an_unknown_variable_is_refused, a_variable_in_small_letters_is_refused,
		      variables_of_scripts_are_let_be, a_variable_that_only_begins_like_a_scripts_is_refused,
		      later_sources_win);
	return s;
}
