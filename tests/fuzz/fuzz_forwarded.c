/* fuzz_forwarded.c - what holds for X-Forwarded-For, Forwarded and Origin whatever a client sends. Checked:
 *   - an address, written and read again, is the same, and is within the network of itself alone;
 *   - what a client puts in front changes nothing of the well-formed elements at the end;
 *   - an origin that fits a list is scheme, host and port of one of its words, with nothing but a name for the '*';
 *   - a list without a fault has each of its words that is no pattern. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "http/forwarded.h"
#include "http/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const hostile[] = { "\"", "\\", "\\\"", "x=\"", "for=\"a\\", "6.6.6.6", ",", "[", ";" };

static void check_address(const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];
	leat_text written = { text, address_write(text, address) };
	struct address again;
	struct address_network network;

	LEAT_CHECK(address_read(written, &again) && memcmp(&again, address, sizeof(again)) == 0);
	LEAT_CHECK(address_read_network(written, &network) == NULL && address_is_within(&network, address));
}

static bool is_same(const struct forwarded_hop *a, const struct forwarded_hop *b)
{
	return a->node == b->node && leat_text_equal(a->proto, b->proto) &&
	       (a->node != FORWARDED_ADDRESS || memcmp(&a->address, &b->address, sizeof(a->address)) == 0);
}

static void check_header(enum forwarded_form form, leat_text header, const char *front)
{
	size_t front_len = strlen(front);
	char *longer = malloc(front_len + 1 + header.len);
	leat_text rest = header, longer_rest = { longer, front_len + 1 + header.len };
	struct forwarded_hop hop, same;

	LEAT_CHECK(longer != NULL);
	memcpy(longer, front, front_len);
	longer[front_len] = ',';
	memcpy(longer + front_len + 1, header.ptr, header.len);
	while (forwarded_last(form, &rest, &hop) && hop.node != FORWARDED_MALFORMED) {
		LEAT_CHECK(!rest.ptr || (rest.ptr == header.ptr && rest.len < header.len));
		LEAT_CHECK(forwarded_last(form, &longer_rest, &same) && is_same(&hop, &same));
		if (hop.node == FORWARDED_ADDRESS)
			check_address(&hop.address);
	}
	while (forwarded_last(form, &longer_rest, &same))
		LEAT_CHECK(longer_rest.len < front_len + 1 + header.len);
	free(longer);
}

static void check_origin(leat_text origin)
{
	static const char list[] = "https://a.example.org https://*.example.com:8443";

	if (!origin_list_has(list, origin) || leat_text_equal(origin, LEAT_TEXT_OF("https://a.example.org")))
		return;
	LEAT_CHECK(leat_text_starts(origin, LEAT_TEXT_OF("https://")));
	LEAT_CHECK(origin.len > 25 && memcmp(origin.ptr + origin.len - 17, ".example.com:8443", 17) == 0);
	for (size_t i = 8; i < origin.len - 17; i++)
		LEAT_CHECK(origin.ptr[i] != '\0' && strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", origin.ptr[i]));
}

static void check_list(const char *list)
{
	if (origin_list_fault(list) || origin_list_has_all(list))
		return;
	for (const char *at = list + strspn(list, " "); *at; at += strspn(at, " ")) {
		leat_text word = { at, strcspn(at, " ") };

		at += word.len;
		LEAT_CHECK(memchr(word.ptr, '*', word.len) || origin_list_has(list, word));
		LEAT_CHECK(!leat_text_equal(word, LEAT_TEXT_OF("null")));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	leat_text text = { (const char *)data, size };
	char *string = strndup((const char *)data, size);
	struct address_network network;

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		check_header(FORWARDED_X_FOR, text, hostile[i]);
		check_header(FORWARDED_RFC7239, text, hostile[i]);
	}
	if (!address_read_network(text, &network))
		LEAT_CHECK(address_is_within(&network, &network.first));
	check_origin(text);
	check_list(string);
	free(string);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif
