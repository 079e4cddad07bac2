/* settings_stand.h - fresh settings and an empty file of them for each test; what is read, refused, complained of and shown.
 *
 * Use:
 *     START_TEST(a_sentence)
 *     {
 *         assert_read("workers = 4\n");
 *         assert_not_set("workers", "many", "expected a whole number");
 *         ck_assert_int_eq(settings.workers, 4);
 *     }
 *     END_TEST
 *
 *     SETTINGS_CASE(s, "name", a_sentence);
 *
 * Ownership:      settings and file go with the test.
 * Thread-safety:  the main thread.
 * Errors:         an assertion that fails shows what the settings said.
 */
#ifndef TESTS_UNIT_SETTINGS_STAND_H
#define TESTS_UNIT_SETTINGS_STAND_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/settings.h"
#include "tests/unit/harness.h"

static struct settings settings;
static struct settings_error error;
static char path[] = "/tmp/t_settings.XXXXXX";

static inline void set_up(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	settings_init(&settings);
}

static inline void tear_down(void)
{
	settings_fini(&settings);
	unlink(path);
}

static inline bool read_text(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	fclose(file);
	return settings_read_file(&settings, path, &error);
}

static inline void assert_read(const char *text)
{
	ck_assert_msg(read_text(text, strlen(text)), "%s", error.text);
}

static inline void assert_complains(const char *sentence)
{
	ck_assert_msg(strstr(error.text, sentence) != NULL, "'%s' is not in '%s'", sentence, error.text);
}

/* The file is refused with "<path>:" and the sentence. */
static inline void assert_refused_bytes(const char *text, size_t len, const char *sentence)
{
	ck_assert_msg(!read_text(text, len), "was accepted");
	ck_assert_mem_eq(error.text, path, strlen(path));
	assert_complains(sentence);
}

static inline void assert_refused(const char *text, const char *sentence)
{
	assert_refused_bytes(text, strlen(text), sentence);
}

static inline void assert_set(const char *name, const char *value)
{
	ck_assert_msg(settings_set(&settings, name, value, "--set", &error), "%s", error.text);
}

static inline void assert_not_set(const char *name, const char *value, const char *sentence)
{
	ck_assert_msg(!settings_set(&settings, name, value, "--set", &error), "%s = %s was accepted", name, value);
	assert_complains(sentence);
}

/* What a printing function writes. */
static inline const char *printed(void (*print)(FILE *out))
{
	static char text[65536];
	FILE *out = fmemopen(text, sizeof(text), "w");

	print(out);
	fclose(out);
	return text;
}

static inline void print_in_force(FILE *out)
{
	settings_print(&settings, out);
}

static inline void assert_prints(const char *part)
{
	const char *text = printed(print_in_force);

	ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in:\n%s", part, text);
}

#define SETTINGS_CASE(suite, name, ...) HARNESS_CASE_WITH(suite, name, set_up, tear_down, __VA_ARGS__)

#endif
