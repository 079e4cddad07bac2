/* guard.h - which addresses may be called: public ones, and those that setting fetch_allow names.
 *
 * Use:
 *     char fault[GUARD_FAULT_SIZE];
 *     if (!guard_setup("private, 127.0.0.1", fault)) ...          -- once, before there are threads
 *     if (!guard_allows(&address, false)) ...  guard_class_name(guard_classify(&address))
 *
 * A URL may name, or a name may lead to, what only this machine can reach: its own ports, its network, the cloud's metadata with its keys. So
 * the address is looked at, when the connection is made. What carries an IPv4 address within (mapped, NAT64, 6to4) is of that one's class.
 *
 * Ownership:      nothing to own.
 * Thread-safety:  guard_setup: before other threads exist. The rest: any thread.
 * Errors:         guard_setup says which word it does not understand.
 */
#ifndef APP_FETCH_GUARD_H
#define APP_FETCH_GUARD_H

#include <leat/result.h>
#include <stdbool.h>

#include "http/address.h"

enum { GUARD_FAULT_SIZE = 160, GUARD_NETWORKS_MAX = 128 };

enum guard_class {
	GUARD_PUBLIC,
	GUARD_LOOPBACK,
	GUARD_PRIVATE,
	GUARD_LINK_LOCAL,
	GUARD_METADATA,
	GUARD_MULTICAST,
	GUARD_RESERVED,
	GUARD_CLASS_COUNT
};

bool guard_setup(const char *allow, char fault[GUARD_FAULT_SIZE]) LEAT_MUST_USE;

enum guard_class guard_classify(const struct address *address);
const char *guard_class_name(enum guard_class class);

/* 'public_only': whatever fetch_allow says. */
bool guard_allows(const struct address *address, bool public_only);

#endif
