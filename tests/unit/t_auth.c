/* t_auth.c - what authentication is made of, but for tokens: files of credentials, their changes, passwords, options, refusals. */
#include <leat.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/auth.h"
#include "http/credentials.h"
#include "http/keyfile.h"
#include "http/middleware.h"
#include "http/password.h"
#include "http/request.h"
#include "http/routes.h"
#include "tests/unit/harness.h"

#define DIGEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" /* of "test" */

static struct arena_pool *pool;
static struct arena arena;
static char folder[] = "/tmp/t_auth-XXXXXX";

static void set_up(void)
{
	pool = arena_pool_new(0);
	arena_init(&arena, pool);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	auth_setup(folder, 4096, 64);
}

static void tear_down(void)
{
	char path[64];

	keyfile_close();
	snprintf(path, sizeof(path), "%s/file", folder);
	unlink(path);
	rmdir(folder);
	arena_reset(&arena);
	arena_pool_free(pool);
}

/* By a rename: another file each time. */
static void write_file(const char *text)
{
	char path[64], new_path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/file", folder);
	snprintf(new_path, sizeof(new_path), "%s/new", folder);
	file = fopen(new_path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(rename(new_path, path), 0);
}

/* Credentials ------------------------------------------------------------------------------------------------------ */

static const char *no_x(const struct credential *item)
{
	return strchr(item->secret.ptr, 'x') ? "has an x" : NULL;
}

START_TEST(lines_are_read)
{
	char error[128];
	struct credentials *read = credentials_read(LEAT_TEXT_OF("# none\n\na:b\r\nlong name:secret:more: and more\n:"),
						    no_x, error, sizeof(error));

	ck_assert_ptr_null(read);
	ck_assert_str_eq(error, "line 5 is not NAME:SECRET");
	read = credentials_read(LEAT_TEXT_OF("# none\n\na:b\r\nlong name:secret:more: and more"), no_x, error,
				sizeof(error));
	ck_assert_uint_eq(read->count, 2);
	ck_assert_str_eq(read->items[0].name.ptr, "a");
	ck_assert_str_eq(read->items[0].secret.ptr, "b");
	ck_assert_ptr_null(read->items[0].more.ptr);
	ck_assert_str_eq(read->items[1].name.ptr, "long name");
	ck_assert_str_eq(read->items[1].more.ptr, "more: and more");
	credentials_free(read);
}
END_TEST

static const struct {
	const char *text, *error;
} bad_lines[] = {
	{ "", "has no line that means anything" },
	{ "#a:b\n", "has no line that means anything" },
	{ "a\n", "line 1 is not NAME:SECRET" },
	{ "a:b\na:\n", "line 2 is not NAME:SECRET" },
	{ "a:b\n:b\n", "line 2 is not NAME:SECRET" },
	{ "a:\tb\n", "line 1 has a control character" },
	{ "\na:b\rc\n", "line 2 has a control character" },
	{ "a:x\n", "line 1 has an x" },
};

START_TEST(other_lines_are_refused)
{
	char error[128] = "";

	ck_assert_ptr_null(credentials_read(leat_text_from(bad_lines[_i].text), no_x, error, sizeof(error)));
	ck_assert_str_eq(error, bad_lines[_i].error);
}
END_TEST

/* Files ------------------------------------------------------------------------------------------------------------ */

static atomic_uint alive; /* contents */

static void *copy_text(leat_text document, char *error, size_t size)
{
	if (leat_text_equal(document, LEAT_TEXT_OF("bad"))) {
		snprintf(error, size, "is bad");
		return NULL;
	}
	alive++;
	return strndup(document.ptr, document.len);
}

static void free_text(void *text)
{
	alive--;
	free(text);
}

static const struct keyfile_kind texts = { copy_text, free_text };

static void check_content(const char *wanted)
{
	struct keyfile_content *held = keyfile_hold("file", &texts);

	ck_assert_str_eq(keyfile_value(held), wanted);
	keyfile_release(held);
}

START_TEST(a_changed_file_is_read_again)
{
	write_file("one");
	ck_assert_ptr_null(keyfile_open("file", &texts));
	ck_assert_ptr_null(keyfile_open("file", &texts));
	ck_assert_uint_eq(alive, 1);
	check_content("one");
	keyfile_refresh();
	check_content("one");
	write_file("two");
	keyfile_refresh();
	check_content("two");
	ck_assert_uint_eq(alive, 1);
}
END_TEST

START_TEST(what_is_held_outlives_a_change)
{
	struct keyfile_content *held;

	write_file("one");
	ck_assert_ptr_null(keyfile_open("file", &texts));
	held = keyfile_hold("file", &texts);
	write_file("two");
	keyfile_refresh();
	ck_assert_str_eq(keyfile_value(held), "one");
	check_content("two");
	ck_assert_uint_eq(alive, 2);
	keyfile_release(held);
	ck_assert_uint_eq(alive, 1);
}
END_TEST

static void *hold_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2000; i++) {
		struct keyfile_content *held = keyfile_hold("file", &texts);

		if (strncmp(keyfile_value(held), "number ", 7) != 0)
			abort();
		keyfile_release(held);
	}
	return NULL;
}

START_TEST(threads_hold_what_changes)
{
	pthread_t threads[4];
	char text[32];

	write_file("number -1");
	ck_assert_ptr_null(keyfile_open("file", &texts));
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hold_often, NULL), 0);
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "number %d", i);
		write_file(text);
		keyfile_refresh();
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	check_content("number 19");
	ck_assert_uint_eq(alive, 1);
}
END_TEST

START_TEST(a_bad_change_leaves_what_was)
{
	char path[64];

	write_file("one");
	ck_assert_ptr_null(keyfile_open("file", &texts));
	write_file("bad");
	keyfile_refresh();
	check_content("one");
	snprintf(path, sizeof(path), "%s/file", folder);
	unlink(path);
	keyfile_refresh();
	keyfile_refresh();
	check_content("one");
	write_file("three");
	keyfile_refresh();
	check_content("three");
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
	char large[4098], wanted[256];

	snprintf(wanted, sizeof(wanted), "file (in %s) cannot be opened: No such file or directory", folder);
	ck_assert_str_eq(keyfile_open("file", &texts), wanted);
	write_file("bad");
	snprintf(wanted, sizeof(wanted), "file (in %s) is bad", folder);
	ck_assert_str_eq(keyfile_open("file", &texts), wanted);
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	write_file(large);
	snprintf(wanted, sizeof(wanted), "file (in %s) has more than 4096 bytes (setting auth_file_max)", folder);
	ck_assert_str_eq(keyfile_open("file", &texts), wanted);
	ck_assert(strstr(keyfile_open("/", &texts), "cannot be read: Is a directory"));
}
END_TEST

/* Passwords -------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *password, *hash;
	bool is_right;
} passwords[] = {
	{ "secret", "$2b$04$CjNzKsXMqEvYh2Vb4Iq6ROclhVBBWfX9SpvaI/oXRtpcU0eSPqjWa", true },
	{ "Secret", "$2b$04$CjNzKsXMqEvYh2Vb4Iq6ROclhVBBWfX9SpvaI/oXRtpcU0eSPqjWa", false },
	{ "secret", "$2b$04$CjNzKsXMqEvYh2Vb4Iq6ROclhVBBWfX9SpvaI/oXRtpcU0eSPqjW", false },
	{ "secret", "$2b$04$CjNzKsXMqEvYh2Vb4Iq6RO", false },
	{ "p\xC3\xA4ssword:1", "$y$j75$F5Jx5fExrKuPp53xLKQ..1$hxx1pJzFxzmgKi2eDv58LwjT/Q7fQrqjlJgXZJePSQ4", true },
	{ "Hello world!",
	  "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
	  true },
	{ "", "$2b$04$CjNzKsXMqEvYh2Vb4Iq6ROclhVBBWfX9SpvaI/oXRtpcU0eSPqjWa", false },
	{ "secret", "$2b$99$CjNzKsXMqEvYh2Vb4Iq6ROclhVBBWfX9SpvaI/oXRtpcU0eSPqjWa", false },
	{ "*0", "$y$", false },
	{ "x", password_nobody, false },
};

START_TEST(a_password_fits_its_hash)
{
	struct password_work work;

	ck_assert(password_prepare(&work, leat_text_from(passwords[_i].password), leat_text_from(passwords[_i].hash)));
	password_run(&work);
	ck_assert_int_eq(work.is_right, passwords[_i].is_right);
	ck_assert_str_eq(work.password, "");
}
END_TEST

START_TEST(weak_hashes_and_long_passwords_are_refused)
{
	static const char *const weak[] = {
		"", "secret", "*", "ab0123456789.", "$1$salt$qJH7.N4xYta3aEG/dfqo/0", "$apr1$x$y", "{SHA}x", "$5$x$y"
	};
	char password[600];
	struct password_work work;

	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		ck_assert_msg(!password_is_hash(leat_text_from(weak[i])), "%s", weak[i]);
	memset(password, 'x', sizeof(password));
	ck_assert(!password_prepare(&work, (leat_text){ password, PASSWORD_MAX + 1 }, leat_text_from(password_nobody)));
	ck_assert(password_prepare(&work, (leat_text){ password, PASSWORD_MAX }, leat_text_from(password_nobody)));
	ck_assert(!password_prepare(&work, LEAT_TEXT_OF("a\0b"), leat_text_from(password_nobody)));
}
END_TEST

/* Options ---------------------------------------------------------------------------------------------------------- */

static enum leat_result handler(struct leat_request *req)
{
	(void)req;
	return LEAT_OK;
}

START_TEST(wrong_options_are_named_once)
{
	static const struct leat_jwt no_keys = { .issuer = "joe" };
	static const struct leat_jwt late = { .keys = "file", .leeway_s = 301 };
	static const struct leat_basic no_realm = { .file = "file" };
	static const struct leat_basic odd_realm = { .realm = "a\nb", .file = "file" };
	static const struct leat_api_key nothing = { .header = "X-Key" };
	static const struct leat_api_key odd_header = { .header = "X Key", .file = "file" };
	static const struct leat_middleware service[] = { LEAT_JWT(&no_keys), LEAT_JWT(&late), LEAT_BASIC(&no_realm),
							  LEAT_MIDDLEWARE_END };
	static const struct leat_middleware shared[] = {
		LEAT_BASIC(&odd_realm), LEAT_API_KEY(&nothing), LEAT_API_KEY(&odd_header),
		LEAT_SCOPE("a \"b\""),  LEAT_ROLE(""),          LEAT_MIDDLEWARE_END
	};
	static const struct leat_route table[] = { { LEAT_GET, "/a", handler, .middleware = shared },
						   { LEAT_GET, "/b", handler, .middleware = shared },
						   LEAT_ROUTES_END };
	static const struct leat_route *const tables[] = { table, NULL };
	char text[4096];
	struct routes_faults faults = { .text = text, .size = sizeof(text) };
	struct routes routes;

	ck_assert(routes_read(&routes, tables, &faults));
	ck_assert(!middleware_check(service, &routes, &faults));
	ck_assert_str_eq(text, "middleware jwt: it names no file of keys\n"
			       "middleware jwt: leeway_s is 300 at most\n"
			       "middleware basic: it has no realm (RFC 7617 section 2)\n"
			       "middleware basic: a realm has printable ASCII alone\n"
			       "middleware api key: it wants a file or a lookup function, one of the two\n"
			       "middleware api key: its header is no name of letters, digits and '-'\n"
			       "middleware scope: a scope has printable ASCII but for \" and \\\n"
			       "middleware role: it names no role");
	routes_free(&routes);
}
END_TEST

/* A request -------------------------------------------------------------------------------------------------------- */

static enum leat_result ask(const struct leat_middleware *list, const char *param, struct leat_request **ret_req)
{
	static const struct request_environment environment = { .default_deadline_ns = 1 };
	const char *const params[] = { param, NULL };
	const char *const *kept = (const char *const *)arena_copy(&arena, params, sizeof(params));
	struct middleware_walk way = { 0 };
	enum leat_result result;

	*ret_req = request_new(&arena, kept, &environment, 0);
	result = middleware_enter(&way, *ret_req, list);
	middleware_leave(&way, *ret_req);
	return result;
}

START_TEST(an_api_key_is_compared_by_its_digest)
{
	static const struct leat_api_key policy = { .file = "file" };
	static const struct leat_middleware list[] = { LEAT_API_KEY(&policy), LEAT_MIDDLEWARE_END };
	struct leat_request *req;

	write_file("other:" DIGEST "\n");
	ck_assert_ptr_null(leat_api_key_check_(&policy));
	ck_assert_int_eq(ask(list, "HTTP_X_API_KEY=test", &req), LEAT_OK);
	ck_assert(leat_text_equal(leat_caller_get(req)->subject, LEAT_TEXT_OF("other")));
	ck_assert_int_eq(ask(list, "HTTP_X_API_KEY=Test", &req), LEAT_UNAUTHORIZED);
	ck_assert_ptr_null(leat_caller_get(req));
	ck_assert_int_eq(ask(list, "HTTP_X_API_KEY=" DIGEST, &req), LEAT_UNAUTHORIZED);
	ck_assert_int_eq(ask(list, "HTTP_X_API_KEY=" DIGEST "x", &req), LEAT_UNAUTHORIZED);
	ck_assert(strstr(req->problem.detail.ptr, "more than 64 bytes (setting auth_token_max)"));
}
END_TEST

START_TEST(an_api_key_file_has_digests_alone)
{
	static const struct leat_api_key policy = { .file = "file" };

	write_file("a:test\n");
	ck_assert(strstr(leat_api_key_check_(&policy), "line 1 has no SHA-256 digest"));
	write_file("a:9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n");
	ck_assert(strstr(leat_api_key_check_(&policy), "line 1 has no SHA-256 digest"));
}
END_TEST

START_TEST(a_user_is_in_the_file_once)
{
	static const struct leat_basic policy = { .realm = "r", .file = "file" };

	write_file("a:$y$j9T$x$y\nb:$y$j9T$x$y\na:$y$j9T$x$y\n");
	ck_assert(strstr(leat_basic_check_(&policy), "has the user a twice"));
	write_file("a:$y$j9T$x$y:more\n");
	ck_assert(strstr(leat_basic_check_(&policy), "line 1 has more than USER:HASH"));
	write_file("a:$1$x$y\n");
	ck_assert(strstr(leat_basic_check_(&policy), "line 1 has no hash of yescrypt, bcrypt or SHA-512"));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("auth");
	TCase *files = HARNESS_CASE(s, "files", a_changed_file_is_read_again, what_is_held_outlives_a_change,
				    threads_hold_what_changes, a_bad_change_leaves_what_was,
				    a_file_that_cannot_be_read_is_named);
	TCase *options = HARNESS_CASE(s, "options", wrong_options_are_named_once, an_api_key_is_compared_by_its_digest,
				      an_api_key_file_has_digests_alone, a_user_is_in_the_file_once);
	TCase *tables = HARNESS_CASE(s, "tables", lines_are_read, weak_hashes_and_long_passwords_are_refused);

	tcase_add_loop_test(tables, other_lines_are_refused, 0, sizeof(bad_lines) / sizeof(bad_lines[0]));
	tcase_add_loop_test(tables, a_password_fits_its_hash, 0, sizeof(passwords) / sizeof(passwords[0]));
	tcase_add_checked_fixture(files, set_up, tear_down);
	tcase_add_checked_fixture(options, set_up, tear_down);
	return s;
}
