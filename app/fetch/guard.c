/* guard.c - see guard.h. Asked by transfer.c for each connection. */
#include "fetch/guard.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "http/parameter.h"

static const char *const class_names[GUARD_CLASS_COUNT] = {
	"public", "loopback", "private", "link-local", "metadata", "multicast", "reserved",
};

/* IANA's registries of special-purpose addresses, and where clouds keep their metadata. The first that fits counts. */
static const struct {
	enum guard_class class;
	const char *network;
} special[] = {
	{ GUARD_METADATA, "169.254.169.254" },                                      /* AWS, Azure, Google and others */
	{ GUARD_METADATA, "169.254.170.2" },                                        /* AWS ECS */
	{ GUARD_METADATA, "169.254.170.23" },                                       /* AWS EKS */
	{ GUARD_METADATA, "100.100.100.200" },                                      /* Alibaba */
	{ GUARD_METADATA, "168.63.129.16" },                                        /* Azure */
	{ GUARD_METADATA, "192.0.0.192" },                                          /* Oracle */
	{ GUARD_METADATA, "fd00:ec2::254" },                                        /* AWS */
	{ GUARD_METADATA, "fd00:ec2::23" },     { GUARD_METADATA, "fd20:ce::254" }, /* Google */
	{ GUARD_LOOPBACK, "127.0.0.0/8" },      { GUARD_LOOPBACK, "::1" },
	{ GUARD_PRIVATE, "10.0.0.0/8" },        { GUARD_PRIVATE, "172.16.0.0/12" },
	{ GUARD_PRIVATE, "192.168.0.0/16" },    { GUARD_PRIVATE, "100.64.0.0/10" },
	{ GUARD_PRIVATE, "fc00::/7" },          { GUARD_PRIVATE, "fec0::/10" },
	{ GUARD_LINK_LOCAL, "169.254.0.0/16" }, { GUARD_LINK_LOCAL, "fe80::/10" },
	{ GUARD_MULTICAST, "224.0.0.0/4" },     { GUARD_MULTICAST, "ff00::/8" },
	{ GUARD_RESERVED, "0.0.0.0/8" },        { GUARD_RESERVED, "192.0.0.0/24" },
	{ GUARD_RESERVED, "192.0.2.0/24" },     { GUARD_RESERVED, "192.88.99.0/24" },
	{ GUARD_RESERVED, "198.18.0.0/15" },    { GUARD_RESERVED, "198.51.100.0/24" },
	{ GUARD_RESERVED, "203.0.113.0/24" },   { GUARD_RESERVED, "240.0.0.0/4" },
	{ GUARD_RESERVED, "2001::/23" },        { GUARD_RESERVED, "2001:db8::/32" },
	{ GUARD_RESERVED, "3fff::/20" },        { GUARD_PUBLIC, "0.0.0.0/1" }, /* the rest of IPv4 */
	{ GUARD_PUBLIC, "128.0.0.0/1" },        { GUARD_PUBLIC, "2000::/3" },
};
enum { SPECIAL_COUNT = sizeof(special) / sizeof(special[0]) };

static struct {
	struct address_network special[SPECIAL_COUNT];
	struct address_network nat64, six_to_four;
	bool classes[GUARD_CLASS_COUNT];
	unsigned network_count;
	struct address_network networks[GUARD_NETWORKS_MAX];
} guard;

const char *guard_class_name(enum guard_class class)
{
	return class_names[class];
}

/* Of our own, so it is right. */
static void read_known(const char *text, struct address_network *ret_network)
{
	const char *wrong = address_read_network(leat_text_from(text), ret_network);

	LEAT_CHECK(!wrong);
}

static const char *allow_one(leat_text entry)
{
	const char *wrong;

	for (unsigned class = GUARD_PUBLIC + 1; class < GUARD_CLASS_COUNT; class ++)
		if (leat_text_equal(entry, leat_text_from(class_names[class]))) {
			guard.classes[class] = true;
			return NULL;
		}
	if (guard.network_count == GUARD_NETWORKS_MAX)
		return "is one too many: 128 networks are the most";
	wrong = address_read_network(entry, &guard.networks[guard.network_count]);
	if (!wrong)
		guard.network_count++;
	return wrong;
}

bool guard_setup(const char *allow, char fault[GUARD_FAULT_SIZE])
{
	leat_text rest = leat_text_from(allow);

	memset(&guard, 0, sizeof(guard));
	guard.classes[GUARD_PUBLIC] = true;
	for (unsigned i = 0; i < SPECIAL_COUNT; i++)
		read_known(special[i].network, &guard.special[i]);
	read_known("64:ff9b::/96", &guard.nat64);
	read_known("2002::/16", &guard.six_to_four);
	while (rest.len > 0) {
		leat_text entry = parameter_head(&rest, ',');
		const char *wrong = allow_one(entry);

		if (!wrong)
			continue;
		snprintf(fault, GUARD_FAULT_SIZE,
			 "fetch_allow: '%.*s' %s; words are loopback, private, link-local, metadata, multicast, "
			 "reserved",
			 (int)(entry.len < 40 ? entry.len : 40), entry.ptr, wrong);
		return false;
	}
	return true;
}

/* The IPv4 address within one of IPv6, or the address itself. */
static struct address reached(const struct address *address)
{
	if (address_is_within(&guard.nat64, address))
		return address_of_v4(address->bytes + 12);
	if (address_is_within(&guard.six_to_four, address))
		return address_of_v4(address->bytes + 2);
	return *address;
}

static enum guard_class class_of(const struct address *target)
{
	for (unsigned i = 0; i < SPECIAL_COUNT; i++)
		if (address_is_within(&guard.special[i], target))
			return special[i].class;
	return GUARD_RESERVED;
}

enum guard_class guard_classify(const struct address *address)
{
	struct address target = reached(address);

	return class_of(&target);
}

bool guard_allows(const struct address *address, bool public_only)
{
	struct address target = reached(address);
	enum guard_class class = class_of(&target);

	if (class == GUARD_PUBLIC || public_only)
		return class == GUARD_PUBLIC;
	if (guard.classes[class])
		return true;
	for (unsigned i = 0; i < guard.network_count; i++)
		if (address_is_within(&guard.networks[i], &target))
			return true;
	return false;
}
