/* t_fetch_guard.c - which addresses may be called. */
#include <string.h>

#include "fetch/guard.h"
#include "tests/unit/harness.h"

static char fault[GUARD_FAULT_SIZE];

static struct address address_of(const char *text)
{
	struct address address;

	ck_assert(address_read(leat_text_from(text), &address));
	return address;
}

static const char *class_of(const char *text)
{
	struct address address = address_of(text);

	return guard_class_name(guard_classify(&address));
}

static bool allows(const char *text)
{
	struct address address = address_of(text);

	return guard_allows(&address, false);
}

START_TEST(addresses_have_classes)
{
	static const char *const expected[][2] = {
		{ "8.8.8.8", "public" },
		{ "223.255.255.255", "public" },
		{ "2606:4700::1111", "public" },
		{ "127.0.0.1", "loopback" },
		{ "127.255.255.254", "loopback" },
		{ "::1", "loopback" },
		{ "::ffff:127.0.0.1", "loopback" },
		{ "64:ff9b::7f00:1", "loopback" },
		{ "2002:7f00:1::", "loopback" },
		{ "10.1.2.3", "private" },
		{ "172.16.0.1", "private" },
		{ "172.31.255.255", "private" },
		{ "172.32.0.0", "public" },
		{ "192.168.1.1", "private" },
		{ "100.64.0.1", "private" },
		{ "fd12::1", "private" },
		{ "::ffff:10.0.0.1", "private" },
		{ "64:ff9b::a00:1", "private" },
		{ "169.254.1.1", "link-local" },
		{ "fe80::1", "link-local" },
		{ "169.254.169.254", "metadata" },
		{ "fd00:ec2::254", "metadata" },
		{ "64:ff9b::a9fe:a9fe", "metadata" },
		{ "224.0.0.1", "multicast" },
		{ "ff02::1", "multicast" },
		{ "0.0.0.0", "reserved" },
		{ "255.255.255.255", "reserved" },
		{ "192.0.2.1", "reserved" },
		{ "::", "reserved" },
		{ "::7f00:1", "reserved" },
		{ "2001:db8::1", "reserved" },
		{ "64:ff9b:1::1", "reserved" },
	};

	ck_assert(guard_setup("", fault));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		ck_assert_msg(strcmp(class_of(expected[i][0]), expected[i][1]) == 0, "%s is %s", expected[i][0],
			      class_of(expected[i][0]));
}
END_TEST

START_TEST(only_public_ones_are_allowed)
{
	ck_assert(guard_setup("", fault));
	ck_assert(allows("8.8.8.8"));
	ck_assert(!allows("127.0.0.1"));
	ck_assert(!allows("10.0.0.1"));
	ck_assert(!allows("169.254.169.254"));
}
END_TEST

START_TEST(classes_and_networks_can_be_allowed)
{
	ck_assert(guard_setup("loopback, link-local, 10.1.0.0/16", fault));
	ck_assert(allows("::1"));
	ck_assert(allows("10.1.2.3"));
	ck_assert(allows("::ffff:10.1.2.3"));
	ck_assert(allows("64:ff9b::a01:203"));
	ck_assert(!allows("10.2.0.1"));
	ck_assert(allows("169.254.0.1"));
	ck_assert(!allows("169.254.169.254"));
}
END_TEST

START_TEST(public_only_outweighs_what_is_allowed)
{
	struct address loopback = address_of("127.0.0.1"), public = address_of("8.8.8.8");

	ck_assert(guard_setup("loopback, 127.0.0.0/8", fault));
	ck_assert(!guard_allows(&loopback, true));
	ck_assert(guard_allows(&public, true));
}
END_TEST

START_TEST(a_word_it_does_not_know_is_told)
{
	ck_assert(!guard_setup("private, lan", fault));
	ck_assert_ptr_nonnull(strstr(fault, "fetch_allow: 'lan'"));
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("fetch_guard");

	HARNESS_CASE(s, "addresses", addresses_have_classes, only_public_ones_are_allowed,
		     classes_and_networks_can_be_allowed, public_only_outweighs_what_is_allowed,
		     a_word_it_does_not_know_is_told);
	return s;
}
