/* t_forwarded.c - addresses, networks, and elements of X-Forwarded-For and Forwarded. */
#include "http/forwarded.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/harness.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Addresses ------------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *text, *written; /* NULL: it is none */
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "::FFFF:C000:0201", "192.0.2.1" },
	{ "2001:DB8:0:0::0001", "2001:db8::1" },
	{ "::1", "::1" },
	{ "", NULL },
	{ "192.0.2", NULL },
	{ "192.0.2.01", NULL },
	{ "192.0.2.256", NULL },
	{ "0x7f.1", NULL },
	{ " 192.0.2.1", NULL },
	{ "192.0.2.1:80", NULL },
	{ "[::1]", NULL },
	{ "fe80::1%eth0", NULL },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111", NULL },
};

START_TEST(reads_addresses)
{
	char text[ADDRESS_TEXT_SIZE];
	struct address address;
	bool is_one = address_read(leat_text_from(addresses[_i].text), &address);

	ck_assert_int_eq(is_one, addresses[_i].written != NULL);
	if (!is_one)
		return;
	ck_assert_uint_eq(address_write(text, &address), strlen(text));
	ck_assert_str_eq(text, addresses[_i].written);
}
END_TEST

START_TEST(nul_belongs_to_no_address)
{
	struct address address;

	ck_assert(!address_read((leat_text){ "192.0.2.1\0", 10 }, &address));
}
END_TEST

static const struct {
	const char *network, *within, *without;
} networks[] = {
	{ "10.0.0.0/8", "10.255.255.255", "11.0.0.0" },        { "192.0.2.7", "192.0.2.7", "192.0.2.6" },
	{ "192.0.2.128/25", "192.0.2.200", "192.0.2.100" },    { "128.0.0.0/1", "255.255.255.255", "127.255.255.255" },
	{ "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::" }, { "::1", "::1", "::2" },
	{ "10.0.0.0/8", "::ffff:10.1.1.1", "::10.1.1.1" },     { "::/1", "::2", "10.0.0.1" },
	{ "::ffff:10.0.0.0/104", "10.2.3.4", "11.2.3.4" },
};

START_TEST(networks_have_addresses)
{
	struct address_network network;
	struct address within, without;

	ck_assert_ptr_null(address_read_network(leat_text_from(networks[_i].network), &network));
	ck_assert(address_read(leat_text_from(networks[_i].within), &within));
	ck_assert(address_read(leat_text_from(networks[_i].without), &without));
	ck_assert(address_is_within(&network, &within));
	ck_assert(!address_is_within(&network, &without));
}
END_TEST

static const struct {
	const char *text, *fault;
} bad_networks[] = {
	{ "", "no address" },
	{ "localhost", "no address" },
	{ "10.0.0.0/33", "number of bits" },
	{ "10.0.0.0/", "number of bits" },
	{ "10.0.0.0/-1", "number of bits" },
	{ "10.0.0.0/8 ", "number of bits" },
	{ "2001:db8::/129", "number of bits" },
	{ "0.0.0.0/0", "everybody" },
	{ "::/0", "everybody" },
	{ "::ffff:0:0/96", "everybody" },
	{ "10.1.0.0/8", "behind its prefix" },
	{ "2001:db8::1/64", "behind its prefix" },
};

START_TEST(other_networks_are_refused)
{
	struct address_network network;
	const char *fault = address_read_network(leat_text_from(bad_networks[_i].text), &network);

	ck_assert_ptr_nonnull(fault);
	ck_assert_ptr_nonnull(strstr(fault, bad_networks[_i].fault));
}
END_TEST

/* Elements ------------------------------------------------------------------------------------------------------------- */

/* "address proto" for each, from the right; "-" for one that is hidden, "!" for one that is malformed. */
static const char *hops_of(enum forwarded_form form, const char *header)
{
	static char text[512];
	leat_text rest = leat_text_from(header);
	struct forwarded_hop hop;
	size_t len = 0;

	text[0] = '\0';
	while (forwarded_last(form, &rest, &hop)) {
		char address[ADDRESS_TEXT_SIZE] = "!";

		if (hop.node == FORWARDED_HIDDEN)
			strcpy(address, "-");
		if (hop.node == FORWARDED_ADDRESS)
			address_write(address, &hop.address);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s%.*s", len ? " " : "", address,
					hop.proto.ptr ? "/" : "", LEAT_TEXT_PRINTF(hop.proto));
	}
	return text;
}

struct reading {
	const char *header, *hops;
};

static const struct reading x_fors[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "192.0.2.1, 192.0.2.2", "192.0.2.2 192.0.2.1" },
	{ "192.0.2.1,192.0.2.2\t,\t 192.0.2.3 ", "192.0.2.3 192.0.2.2 192.0.2.1" },
	{ "192.0.2.1:4711", "192.0.2.1" },
	{ "2001:db8::1", "2001:db8::1" },
	{ "[2001:db8::1]", "2001:db8::1" },
	{ "[2001:db8::1]:443", "2001:db8::1" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "", "!" },
	{ ",", "! !" },
	{ "unknown", "!" },
	{ "evil, 192.0.2.2", "192.0.2.2 !" },
	{ "\"192.0.2.1, 192.0.2.2", "192.0.2.2 !" }, /* quotes mean nothing here */
	{ "192.0.2.1:", "!" },
	{ "192.0.2.1:port", "!" },
	{ "192.0.2.1:123456", "!" },
	{ "[192.0.2.1]", "!" },
	{ "[2001:db8::1", "!" },
	{ "2001:db8::1]", "!" },
	{ "[2001:db8::1]443", "!" },
	{ "[2001:db8::1]:", "!" },
	{ "[]", "!" },
	{ "[", "!" },
	{ ":", "!" },
	{ "192.0.2.1 192.0.2.2", "!" },
	{ "192.0.2.1;192.0.2.2", "!" },
};

static const struct reading forwardeds[] = {
	{ "for=192.0.2.1", "192.0.2.1" },
	{ "For=192.0.2.1;Proto=https;by=203.0.113.43", "192.0.2.1/https" },
	{ "for=192.0.2.43, for=\"[2001:db8:cafe::17]\";proto=http", "2001:db8:cafe::17/http 192.0.2.43" },
	{ "for=\"192.0.2.1:4711\"", "192.0.2.1" },
	{ "for=\"[2001:db8::1]:4711\"", "2001:db8::1" },
	{ "for=\"[2001:db8::1]:_port\"", "2001:db8::1" },
	{ "for=unknown", "-" },
	{ "for=_gazonk;proto=https", "-/https" },
	{ "for=\"_gazonk:80\"", "-" },
	{ "proto=https", "-/https" },
	{ "host=\"a, b\";for=192.0.2.1", "192.0.2.1" },
	{ "for=192.0.2.1;", "192.0.2.1" },
	{ "", "-" },
	{ "secret=\"a;b\\\"", "!" },
	{ "for=192.0.2.1;for=192.0.2.2", "!" },
	{ "for=192.0.2.1;proto=http;proto=https", "!" },
	{ "for = 192.0.2.1", "!" },
	{ "for=192.0.2.1; proto=http", "!" },
	{ "for=[2001:db8::1]", "!" }, /* it must be quoted */
	{ "for=\"2001:db8::1\"", "2001:db8::1" },
	{ "for=192.0.2.1:80", "!" },
	{ "for=", "!" },
	{ "for", "!" },
	{ "for=\"\"", "!" },
	{ "for=\"_\"", "!" },
	{ "for=\"192.0.2.1\"x", "!" },
	{ "for=\"192\\.0.2.1\"", "!" },
	/* What a client has sent, and what the proxy has added behind it. */
	{ "for=\", for=192.0.2.9", "192.0.2.9 !" },
	{ "for=\"a\\\", for=192.0.2.9", "192.0.2.9 !" },
	{ "x=\"y\\\\\", for=192.0.2.9", "192.0.2.9 !" },
	{ "\"\"\", for=192.0.2.9", "192.0.2.9 !" },
	{ "for=\"a, for=192.0.2.8, for=192.0.2.9", "192.0.2.9 192.0.2.8 !" },
	{ "for=192.0.2.7, x=\"a, for=192.0.2.8\", for=192.0.2.9", "192.0.2.9 - 192.0.2.7" },
};

START_TEST(reads_x_forwarded_for)
{
	ck_assert_str_eq(hops_of(FORWARDED_X_FOR, x_fors[_i].header), x_fors[_i].hops);
}
END_TEST

START_TEST(reads_forwarded)
{
	ck_assert_str_eq(hops_of(FORWARDED_RFC7239, forwardeds[_i].header), forwardeds[_i].hops);
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("forwarded");
	TCase *tcase = HARNESS_CASE(s, "addresses", nul_belongs_to_no_address);

	tcase_add_loop_test(tcase, reads_addresses, 0, COUNT(addresses));
	tcase_add_loop_test(tcase, networks_have_addresses, 0, COUNT(networks));
	tcase_add_loop_test(tcase, other_networks_are_refused, 0, COUNT(bad_networks));
	tcase = tcase_create("elements");
	suite_add_tcase(s, tcase);
	tcase_add_loop_test(tcase, reads_x_forwarded_for, 0, COUNT(x_fors));
	tcase_add_loop_test(tcase, reads_forwarded, 0, COUNT(forwardeds));
	return s;
}
