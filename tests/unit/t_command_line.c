/* t_command_line.c - the words after the program's name. */
#include "tests/unit/harness.h"

#include <string.h>

#include "command_line.h"

static struct command_line line;
static struct settings settings;
static struct settings_error error;

static void set_up(void)
{
	settings_init(&settings);
}

static void tear_down(void)
{
	command_line_fini(&line);
	settings_fini(&settings);
}

/* The words end with NULL. */
static bool parse(const char *const *words)
{
	int argc = 0;

	while (words[argc])
		argc++;
	command_line_fini(&line);
	return command_line_parse(&line, argc, words, &error);
}

#define WORDS(...) ((const char *const[]){ "leat", __VA_ARGS__, NULL })

static void assert_parses(const char *const *words)
{
	ck_assert_msg(parse(words), "%s", error.text);
}

static void assert_refused(const char *const *words, const char *sentence)
{
	ck_assert_msg(!parse(words), "was accepted");
	ck_assert_str_eq(error.text, sentence);
}

START_TEST(no_words_are_no_command)
{
	assert_parses((const char *const[]){ "leat", NULL });
	ck_assert_ptr_null(line.words[0]);
}
END_TEST

START_TEST(no_name_is_no_harm)
{
	assert_parses((const char *const[]){ NULL });
	ck_assert_ptr_null(line.words[0]);
}
END_TEST

START_TEST(words_are_command_and_argument)
{
	assert_parses(WORDS("migrate", "status"));
	ck_assert_str_eq(line.words[0], "migrate");
	ck_assert_str_eq(line.words[1], "status");
}
END_TEST

START_TEST(options_stand_anywhere)
{
	assert_parses(WORDS("--workers", "4", "migrate", "-c", "a.ini", "up", "--help"));
	ck_assert_str_eq(line.words[1], "up");
	ck_assert_str_eq(line.file, "a.ini");
	ck_assert(line.wants_help);
}
END_TEST

START_TEST(a_value_follows_or_is_joined)
{
	assert_parses(WORDS("--config=a=b.ini", "--request-deadline=3s", "--workers", "4"));
	ck_assert(command_line_settings(&line, &settings, &error));
	ck_assert_str_eq(line.file, "a=b.ini");
	ck_assert_int_eq(settings.request_deadline, 3000);
	ck_assert_int_eq(settings.workers, 4);
}
END_TEST

START_TEST(a_value_may_look_like_an_option)
{
	assert_parses(WORDS("--access-log", "-"));
	ck_assert(command_line_settings(&line, &settings, &error));
	ck_assert_str_eq(settings.access_log, "-");
}
END_TEST

START_TEST(set_takes_name_and_value)
{
	assert_parses(WORDS("--set", "listen=unix:/a=b"));
	ck_assert(command_line_settings(&line, &settings, &error));
	ck_assert_str_eq(settings.listen, "unix:/a=b");
}
END_TEST

START_TEST(the_last_option_wins)
{
	assert_parses(WORDS("--workers", "4", "--set", "workers=5"));
	ck_assert(command_line_settings(&line, &settings, &error));
	ck_assert_int_eq(settings.workers, 5);
}
END_TEST

START_TEST(words_after_two_dashes_are_no_options)
{
	assert_parses(WORDS("--", "--help"));
	ck_assert_str_eq(line.words[0], "--help");
}
END_TEST

START_TEST(a_bad_value_names_its_option)
{
	assert_parses(WORDS("--workers=many"));
	ck_assert(!command_line_settings(&line, &settings, &error));
	ck_assert_str_eq(error.text, "--workers: workers = 'many': expected a whole number, 0 to 256 threads");
}
END_TEST

START_TEST(unknown_options_are_refused)
{
	assert_refused(WORDS("--wrokers=4"), "there is no option --wrokers; the nearest setting is 'workers'");
	assert_refused(WORDS("--colour"), "there is no option --colour; --help lists them");
	assert_refused(WORDS("-x"), "there is no option -x; --help lists them");
}
END_TEST

START_TEST(options_are_not_abbreviated)
{
	assert_refused(WORDS("--he"), "there is no option --he; --help lists them");
	assert_refused(WORDS("--worker=4"), "there is no option --worker; the nearest setting is 'workers'");
}
END_TEST

START_TEST(missing_values_are_refused)
{
	assert_refused(WORDS("--workers"), "--workers needs a value");
	assert_refused(WORDS("-c"), "--config needs a value: --config FILE");
	assert_refused(WORDS("--set", "workers"), "--set workers: expected --set NAME=VALUE");
}
END_TEST

START_TEST(values_that_nobody_takes_are_refused)
{
	assert_refused(WORDS("--help=yes"), "--help takes no value");
}
END_TEST

START_TEST(a_third_word_is_refused)
{
	assert_refused(WORDS("a", "b", "c"), "'c' is one word too many; --help shows the commands");
}
END_TEST

START_TEST(two_files_are_refused)
{
	assert_refused(WORDS("-c", "a", "--config=b"), "--config is given twice; there is one settings file");
}
END_TEST

START_TEST(a_very_long_option_is_refused)
{
	static char option[100000] = "--";

	memset(option + 2, 'w', sizeof(option) - 3);
	ck_assert(!parse(WORDS(option)));
}
END_TEST

/* HARNESS_CASE with the settings ready. */
#define CASE(suite, name, ...) HARNESS_CASE_WITH(suite, name, set_up, tear_down, __VA_ARGS__)

Suite *suite(void)
{
	Suite *s = suite_create("command_line");

	CASE(s, "words", no_words_are_no_command, no_name_is_no_harm, words_are_command_and_argument,
	     options_stand_anywhere, words_after_two_dashes_are_no_options);
	CASE(s, "values", a_value_follows_or_is_joined, a_value_may_look_like_an_option, set_takes_name_and_value,
	     the_last_option_wins, a_bad_value_names_its_option);
	CASE(s, "refusals", unknown_options_are_refused, options_are_not_abbreviated, missing_values_are_refused,
	     values_that_nobody_takes_are_refused, a_third_word_is_refused, two_files_are_refused,
	     a_very_long_option_is_refused);
	return s;
}
