/* address.c - see address.h. Pure; called by client.c, forwarded.c, rate.c and app/fetch. */
#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/number.h"

enum { V4_BITS = 96 }; /* in front of an IPv4 address */

static const uint8_t v4_prefix[V4_BITS / 8] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };

bool address_is_v4(const struct address *address)
{
	return memcmp(address->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

struct address address_of_v4(const void *four)
{
	struct address address;

	memcpy(address.bytes, v4_prefix, sizeof(v4_prefix));
	memcpy(address.bytes + sizeof(v4_prefix), four, 4);
	return address;
}

bool address_of_socket(const struct sockaddr *socket, struct address *ret_address)
{
	if (socket->sa_family == AF_INET)
		*ret_address = address_of_v4(&((const struct sockaddr_in *)socket)->sin_addr);
	else if (socket->sa_family == AF_INET6)
		memcpy(ret_address->bytes, &((const struct sockaddr_in6 *)socket)->sin6_addr, 16);
	else
		return false;
	return true;
}

bool address_read(leat_text text, struct address *ret_address)
{
	char copy[ADDRESS_TEXT_SIZE];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, ret_address->bytes) == 1)
		return true;
	memcpy(ret_address->bytes, v4_prefix, sizeof(v4_prefix));
	return inet_pton(AF_INET, copy, ret_address->bytes + sizeof(v4_prefix)) == 1;
}

size_t address_write(char text[ADDRESS_TEXT_SIZE], const struct address *address)
{
	if (address_is_v4(address))
		inet_ntop(AF_INET, address->bytes + sizeof(v4_prefix), text, ADDRESS_TEXT_SIZE);
	else
		inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_SIZE);
	return strlen(text);
}

/* The bits of byte 'i' that belong to a prefix of so many bits. */
static uint8_t mask_of(unsigned bits, unsigned i)
{
	if (bits >= 8 * (i + 1))
		return 0xFF;
	return bits <= 8 * i ? 0 : (uint8_t)(0xFF << (8 * (i + 1) - bits));
}

static bool has_bits_behind(const struct address_network *network)
{
	for (unsigned i = 0; i < sizeof(network->first.bytes); i++)
		if (network->first.bytes[i] & ~mask_of(network->bits, i))
			return true;
	return false;
}

const char *address_read_network(leat_text text, struct address_network *ret_network)
{
	const char *slash = memchr(text.ptr, '/', text.len);
	leat_text address = { text.ptr, slash ? (size_t)(slash - text.ptr) : text.len };
	bool is_in_v6 = memchr(address.ptr, ':', address.len) != NULL;
	int64_t bits = is_in_v6 ? 128 : 32;

	if (!address_read(address, &ret_network->first))
		return "is no address and no network";
	if (slash && (!number_read_int((leat_text){ slash + 1, text.len - address.len - 1 }, &bits) || bits < 0 ||
		      bits > (is_in_v6 ? 128 : 32)))
		return "has a bad number of bits";
	ret_network->bits = (unsigned)bits + (is_in_v6 ? 0 : V4_BITS);
	if (bits == 0 || (address_is_v4(&ret_network->first) && ret_network->bits == V4_BITS))
		return "is everybody, so anybody could say who he is";
	if (has_bits_behind(ret_network))
		return "has bits behind its prefix";
	return NULL;
}

bool address_is_within(const struct address_network *network, const struct address *address)
{
	if (address_is_v4(&network->first) != address_is_v4(address))
		return false;
	for (unsigned i = 0; i < sizeof(address->bytes); i++)
		if ((network->first.bytes[i] ^ address->bytes[i]) & mask_of(network->bits, i))
			return false;
	return true;
}
