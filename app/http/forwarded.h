/* forwarded.h - who asked whom: X-Forwarded-For and Forwarded (RFC 7239), from the right to the left.
 *
 * Use:
 *     leat_text rest = header;
 *     struct forwarded_hop hop;
 *     while (forwarded_last(FORWARDED_X_FOR, &rest, &hop)) ...     -- the nearest hop first
 *
 * Each proxy adds an element at the right; what is left of one that somebody untrusted could have written is worth nothing. So elements
 * are taken off the end one by one, and nothing to the left of the last one, unbalanced quotes for example, changes what it says.
 *
 * Ownership:      views of the header.
 * Thread-safety:  any thread.
 * Errors:         FORWARDED_MALFORMED for an element that is none; those to its left can still be taken.
 */
#ifndef APP_HTTP_FORWARDED_H
#define APP_HTTP_FORWARDED_H

#include "http/address.h"

/* In the order of the setting forwarded_header's words. */
enum forwarded_form {
	FORWARDED_X_FOR, /* addresses, divided by commas; a port may follow, IPv6 then in brackets */
	FORWARDED_RFC7239,
};

enum forwarded_node {
	FORWARDED_MALFORMED,
	FORWARDED_HIDDEN, /* RFC 7239: no 'for', "unknown", or a name like "_gazonk" */
	FORWARDED_ADDRESS,
};

struct forwarded_hop {
	enum forwarded_node node;
	struct address address; /* of FORWARDED_ADDRESS */
	leat_text proto;        /* what it says of the scheme; {NULL, 0}: nothing */
};

/* Takes the last element off 'rest', which is {NULL, 0} after the first one; false: there is none left. */
bool forwarded_last(enum forwarded_form form, leat_text *rest, struct forwarded_hop *ret_hop) LEAT_MUST_USE;

#endif
