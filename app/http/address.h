/* address.h - addresses of IPv4 and IPv6, and networks of them.
 *
 * Use:
 *     struct address_network office;
 *     const char *fault = address_read_network(LEAT_TEXT_OF("10.0.0.0/8"), &office);
 *     struct address address;
 *     if (!fault && address_read(text, &address) && address_is_within(&office, &address)) ...
 *
 * An IPv4 address within IPv6 (::ffff:192.0.2.1) is that IPv4 address, so each address is one address, however it is written.
 *
 * Ownership:      nothing to own; a fault is static.
 * Thread-safety:  any thread.
 * Errors:         address_read: false for what is no address; neither a port nor a zone belongs to one. address_read_network says what is wrong.
 */
#ifndef APP_HTTP_ADDRESS_H
#define APP_HTTP_ADDRESS_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>
#include <stdint.h>

enum { ADDRESS_TEXT_SIZE = 46 };

/* In the order of the network; IPv4 as ::ffff:a.b.c.d. */
struct address {
	uint8_t bytes[16];
};

struct address_network {
	struct address first;
	unsigned bits; /* of 128 */
};

bool address_is_v4(const struct address *address);

/* Of the four bytes of an IPv4 address. */
struct address address_of_v4(const void *four);

/* False: it is of neither family. */
struct sockaddr;
bool address_of_socket(const struct sockaddr *socket, struct address *ret_address) LEAT_MUST_USE;

bool address_read(leat_text text, struct address *ret_address) LEAT_MUST_USE;

/* "192.0.2.1", "2001:db8::1" (RFC 5952); returns the length. */
size_t address_write(char text[ADDRESS_TEXT_SIZE], const struct address *address);

/* "10.0.0.0/8", "2001:db8::/32", or an address alone. NULL: it is one. The network of all addresses is none. */
const char *address_read_network(leat_text text, struct address_network *ret_network) LEAT_MUST_USE;

/* ::/1 has no IPv4 addresses. */
bool address_is_within(const struct address_network *network, const struct address *address);

#endif
