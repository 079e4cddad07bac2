/* t_settings.c - settings: their values, their names, and what does not go together. */
#include "tests/unit/settings_stand.h"

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

START_TEST(signs_of_life_come_before_the_end)
{
	assert_set("events_keep_alive", "30s");
	ck_assert(!settings_check(&settings, &error));
	assert_complains("events_keep_alive is not shorter than stream_idle");
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

Suite *suite(void)
{
	Suite *s = suite_create("settings");

	SETTINGS_CASE(s, "values", defaults_are_the_tables, durations_have_units,
		      a_duration_without_unit_is_refused_with_examples, malformed_durations_are_refused,
		      sizes_have_units, bounds_are_part_of_the_range, modes_are_octal, flags_are_on_or_off,
		      choices_are_words, texts_have_a_length, texts_have_no_control_characters,
		      a_refused_value_leaves_the_old_one, a_refused_secret_is_not_shown);
	SETTINGS_CASE(s, "names", an_unknown_name_is_refused_with_the_nearest_one,
		      a_name_like_no_other_gets_no_suggestion, a_very_long_name_is_refused,
		      a_known_name_is_its_own_nearest);
	SETTINGS_CASE(s, "checks", defaults_pass_the_check, pauses_must_grow, signs_of_life_come_before_the_end,
		      listeners_share_no_address, an_address_that_begins_like_another_is_another);
	return s;
}
