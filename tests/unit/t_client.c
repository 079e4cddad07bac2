/* t_client.c - who the client is, for all kinds of proxies before the front server. */
#include "http/client.h"

#include <leat/client.h>
#include <string.h>

#include "http/request.h"
#include "tests/unit/arena_stand.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

#define PEER  "REMOTE_ADDR="
#define X_FOR "HTTP_X_FORWARDED_FOR="
#define PROTO "HTTP_X_FORWARDED_PROTO="
#define FOR   "HTTP_FORWARDED="
#define CDN   "198.51.100.0/24, 2001:db8:c::/48"

static const struct {
	const char *trusted;
	enum forwarded_form form;
	const char *params[6]; /* NULL behind the last */
	const char *client;    /* the address; "+tls" behind it for HTTPS */
} cases[] = {
	/* nobody is trusted */
	{ "", FORWARDED_X_FOR, { PEER "192.0.2.1", X_FOR "6.6.6.6", PROTO "https" }, "192.0.2.1" },
	{ "", FORWARDED_X_FOR, { PEER "192.0.2.1", "HTTPS=on" }, "192.0.2.1+tls" },
	{ "", FORWARDED_X_FOR, { PEER "192.0.2.1", "HTTPS=off" }, "192.0.2.1" },
	{ "", FORWARDED_X_FOR, { PEER "unix:", X_FOR "6.6.6.6" }, "unix:" },
	{ "", FORWARDED_X_FOR, { "HTTPS=on" }, "+tls" },
	/* the peer is none of the trusted ones */
	{ CDN, FORWARDED_X_FOR, { PEER "192.0.2.1", X_FOR "6.6.6.6", PROTO "https" }, "192.0.2.1" },
	{ CDN, FORWARDED_X_FOR, { PEER "unix:", X_FOR "6.6.6.6" }, "unix:" },
	{ CDN, FORWARDED_X_FOR, { PEER "", X_FOR "6.6.6.6" }, "" },
	{ CDN, FORWARDED_X_FOR, { X_FOR "6.6.6.6" }, "" },
	/* one proxy */
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "192.0.2.1" }, "192.0.2.1" },
	{ CDN, FORWARDED_X_FOR, { PEER "::ffff:198.51.100.7", X_FOR "192.0.2.1" }, "192.0.2.1" },
	{ CDN, FORWARDED_X_FOR, { PEER "2001:db8:c::1", X_FOR "2001:DB8:0::9" }, "2001:db8::9" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "6.6.6.6, 192.0.2.1" }, "192.0.2.1" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7" }, "198.51.100.7" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", FOR "for=6.6.6.6" }, "198.51.100.7" },
	/* several: the first from the right that is not trusted */
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "6.6.6.6, 192.0.2.1, 198.51.100.8" }, "192.0.2.1" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "198.51.100.9, 198.51.100.8" }, "198.51.100.9" },
	/* several lines: which of them the proxy has written, nobody can tell */
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "6.6.6.6", X_FOR "192.0.2.1" }, "198.51.100.7" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "192.0.2.1", X_FOR "198.51.100.8" }, "198.51.100.7" },
	/* malformed: the last that is known */
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "evil" }, "198.51.100.7" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "192.0.2.1, evil, 198.51.100.8" }, "198.51.100.8" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "" }, "198.51.100.7" },
	/* the limit, 4 here */
	{ CDN,
	  FORWARDED_X_FOR,
	  { PEER "198.51.100.7", X_FOR "192.0.2.1, 198.51.100.3, 198.51.100.2, 198.51.100.1" },
	  "192.0.2.1" },
	{ CDN,
	  FORWARDED_X_FOR,
	  { PEER "198.51.100.7", X_FOR "192.0.2.1, 198.51.100.4, 198.51.100.3, 198.51.100.2, 198.51.100.1" },
	  "198.51.100.4" },
	/* Unix sockets, by nginx and by lighttpd */
	{ "unix:", FORWARDED_X_FOR, { PEER "unix:", X_FOR "6.6.6.6, 192.0.2.1" }, "192.0.2.1" },
	{ "unix:, " CDN, FORWARDED_X_FOR, { PEER "/run/web.sock", X_FOR "192.0.2.1, 198.51.100.8" }, "192.0.2.1" },
	{ "unix:", FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "192.0.2.1" }, "198.51.100.7" },
	/* the scheme */
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", X_FOR "192.0.2.1", PROTO "https" }, "192.0.2.1+tls" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", PROTO "HTTPS" }, "198.51.100.7+tls" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", PROTO "http", "HTTPS=on" }, "198.51.100.7" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", PROTO "https, http" }, "198.51.100.7" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", PROTO "https", PROTO "http" }, "198.51.100.7" },
	{ CDN, FORWARDED_X_FOR, { PEER "198.51.100.7", PROTO "wss", "HTTPS=on" }, "198.51.100.7+tls" },
	/* RFC 7239 */
	{ CDN, FORWARDED_RFC7239, { PEER "198.51.100.7", FOR "for=192.0.2.1;proto=https" }, "192.0.2.1+tls" },
	{ CDN, FORWARDED_RFC7239, { PEER "198.51.100.7", FOR "for=6.6.6.6;proto=https, for=192.0.2.1" }, "192.0.2.1" },
	{ CDN,
	  FORWARDED_RFC7239,
	  { PEER "198.51.100.7", FOR "for=192.0.2.1;proto=https, for=198.51.100.8;proto=http" },
	  "192.0.2.1+tls" },
	{ CDN, FORWARDED_RFC7239, { PEER "198.51.100.7", FOR "for=unknown;proto=https" }, "198.51.100.7+tls" },
	{ CDN, FORWARDED_RFC7239, { PEER "198.51.100.7", FOR "for=192.0.2.1, for=_hidden" }, "198.51.100.7" },
	{ CDN, FORWARDED_RFC7239, { PEER "198.51.100.7", X_FOR "6.6.6.6", PROTO "https" }, "198.51.100.7" },
	{ CDN, FORWARDED_RFC7239, { PEER "198.51.100.7", FOR "for=\", for=192.0.2.1" }, "192.0.2.1" },
};

static void setup(const char *trusted, enum forwarded_form form)
{
	char fault[CLIENT_FAULT_SIZE];

	ck_assert_msg(client_setup(trusted, form, 4, fault), "%s", fault);
}

START_TEST(knows_the_client)
{
	static const struct request_environment environment = { .default_deadline_ns = 1 };
	struct leat_request *req = request_new(&arena, cases[_i].params, &environment, 0);
	leat_text client;

	setup(cases[_i].trusted, cases[_i].form);
	client = leat_client_address(req);
	ck_assert_str_eq(
		arena_format(&arena, "%.*s%s", LEAT_TEXT_PRINTF(client), leat_client_is_https(req) ? "+tls" : "").ptr,
		cases[_i].client);
	ck_assert(leat_text_equal(leat_client_address(req), client));
}
END_TEST

START_TEST(a_bad_setting_is_named)
{
	char fault[CLIENT_FAULT_SIZE];

	ck_assert(!client_setup("10.0.0.0/8, 10.0.0/8", FORWARDED_X_FOR, 4, fault));
	ck_assert_str_eq(fault, "trusted_proxies: '10.0.0/8' is no address and no network");
	ck_assert(!client_setup("10.0.0.0/8,,::1", FORWARDED_X_FOR, 4, fault));
	ck_assert(!client_setup("*", FORWARDED_X_FOR, 4, fault));
	ck_assert(!client_setup("0.0.0.0/0", FORWARDED_X_FOR, 4, fault));
	ck_assert_ptr_nonnull(strstr(fault, "everybody"));
}
END_TEST

START_TEST(a_long_setting_is_refused)
{
	char fault[CLIENT_FAULT_SIZE];
	char text[4 * (CLIENT_NETWORKS_MAX + 1)] = "::1";

	for (unsigned i = 1; i < CLIENT_NETWORKS_MAX; i++)
		strcat(text, ",::1");
	ck_assert(client_setup(text, FORWARDED_X_FOR, 4, fault));
	strcat(text, ",::1");
	ck_assert(!client_setup(text, FORWARDED_X_FOR, 4, fault));
	ck_assert_ptr_nonnull(strstr(fault, "512"));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("client");
	TCase *tcase = HARNESS_CASE(s, "client", a_bad_setting_is_named, a_long_setting_is_refused);

	tcase_add_checked_fixture(tcase, set_up_arena, tear_down_arena);
	tcase_add_loop_test(tcase, knows_the_client, 0, COUNT(cases));
	return s;
}
