/* t_settings_shown.c - settings: how they are printed, with the secrets masked, and the help. */
#include "tests/unit/settings_stand.h"

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

Suite *suite(void)
{
	Suite *s = suite_create("settings_shown");

	SETTINGS_CASE(s, "showing", values_are_printed_with_their_origin, what_is_printed_can_be_read,
		      passwords_are_masked, the_file_of_defaults_sets_nothing,
		      the_file_of_defaults_can_be_used_as_a_whole, help_fits_eighty_columns,
		      help_names_option_and_variable);
	return s;
}
