/* target.c - see target.h. Called by fetch.c. */
#include "fetch/target.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

/* A part, copied; NULL when there is none. */
static char *part_of(CURLU *url, CURLUPart part, struct arena *arena)
{
	char *text = NULL, *copy;

	if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK || !text)
		return NULL;
	copy = arena_copy(arena, text, strlen(text));
	curl_free(text);
	return copy;
}

static void strip_brackets(char *host)
{
	size_t len = strlen(host);

	if (host[0] != '[')
		return;
	memmove(host, host + 1, len - 2);
	host[len - 2] = '\0';
}

static const char *take_apart(struct target *target, CURLU *url, struct arena *arena)
{
	char *scheme = part_of(url, CURLUPART_SCHEME, arena), *host = part_of(url, CURLUPART_HOST, arena);
	char *port = part_of(url, CURLUPART_PORT, arena);

	if (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		return "the URL is not of http or https";
	if (!host || !*host || !port)
		return "the URL has no host";
	if (part_of(url, CURLUPART_ZONEID, arena))
		return "the URL's address has a zone";
	for (char *at = host; *at; at++) {
		if ((unsigned char)*at >= 0x80)
			return "the URL's host is not in ASCII; write it as xn--";
		*at = (char)tolower((unsigned char)*at);
	}
	strip_brackets(host);
	target->host = host;
	target->port = (unsigned)strtoul(port, NULL, 10);
	target->is_tls = scheme[4] == 's';
	if (target->port == 0)
		return "the URL's port is 0";
	return NULL;
}

/* 'url' may be relative to what 'parts' hold. */
static const char *read_into(struct target *target, CURLU *parts, struct arena *arena, leat_text url)
{
	const char *copy = arena_copy(arena, url.ptr, url.len), *fault;
	char *text = NULL;

	if (strlen(copy) != url.len || curl_url_set(parts, CURLUPART_URL, copy, CURLU_DISALLOW_USER) != CURLUE_OK ||
	    curl_url_get(parts, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return "the URL is none, or holds a user's name";
	fault = take_apart(target, parts, arena);
	target->url = arena_copy(arena, text, strlen(text));
	curl_free(text);
	return fault;
}

const char *target_read(struct target *target, struct arena *arena, leat_text url)
{
	CURLU *parts = curl_url();
	const char *fault;

	if (!parts)
		check_out_of_memory(sizeof(struct target), "a URL");
	fault = read_into(target, parts, arena, url);
	curl_url_cleanup(parts);
	return fault;
}

const char *target_follow(struct target *ret_target, const struct target *target, struct arena *arena,
			  leat_text location)
{
	CURLU *parts = curl_url();
	const char *fault;

	if (!parts)
		check_out_of_memory(sizeof(struct target), "a URL");
	LEAT_CHECK(curl_url_set(parts, CURLUPART_URL, target->url, 0) == CURLUE_OK);
	fault = read_into(ret_target, parts, arena, location);
	curl_url_cleanup(parts);
	return fault;
}

bool target_is_same_origin(const struct target *a, const struct target *b)
{
	return a->is_tls == b->is_tls && a->port == b->port && strcmp(a->host, b->host) == 0;
}
