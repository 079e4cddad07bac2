/* origin.c - see origin.h. Pure. */
#include "http/origin.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

static bool next_word(const char **list, leat_text *ret_word)
{
	*list += strspn(*list, " ");
	*ret_word = (leat_text){ *list, strcspn(*list, " ") };
	*list += ret_word->len;
	return ret_word->len > 0;
}

bool origin_list_has_all(const char *list)
{
	leat_text word;

	return next_word(&list, &word) && leat_text_equal(word, LEAT_TEXT_OF("*"));
}

/* Asking --------------------------------------------------------------------------------------------------------------- */

static bool is_label_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* "a", "a.b": labels of small letters, none of them empty. */
static bool is_name(leat_text text)
{
	bool is_in_label = false;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '.' && !is_label_byte(text.ptr[i]))
			return false;
		if (text.ptr[i] == '.' && !is_in_label)
			return false;
		is_in_label = text.ptr[i] != '.';
	}
	return is_in_label;
}

/* What stands for the '*' is names alone, so it cannot hold another host's end, a port or a path. */
static bool fits(leat_text word, leat_text origin)
{
	const char *star = memchr(word.ptr, '*', word.len);
	size_t before, behind;

	if (!star)
		return leat_text_equal(word, origin);
	before = (size_t)(star - word.ptr);
	behind = word.len - before - 1;
	if (origin.len <= before + behind || memcmp(origin.ptr, word.ptr, before) != 0 ||
	    memcmp(origin.ptr + origin.len - behind, star + 1, behind) != 0)
		return false;
	return is_name((leat_text){ origin.ptr + before, origin.len - before - behind });
}

bool origin_list_has(const char *list, leat_text origin)
{
	leat_text word;

	while (next_word(&list, &word))
		if (word.len > 1 && fits(word, origin))
			return true;
	return false;
}

/* The start ------------------------------------------------------------------------------------------------------------ */

/* RFC 3986 3.1, in small letters. */
static bool is_scheme(leat_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_letter = c >= 'a' && c <= 'z';

		if (!is_letter && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
			return false;
	}
	return text.len > 0;
}

static const char *port_fault(leat_text scheme, leat_text port)
{
	int64_t number;

	if (!number_read_int(port, &number) || number < 1 || number > 65535 || port.ptr[0] == '0')
		return "has a bad port";
	if ((leat_text_equal(scheme, LEAT_TEXT_OF("http")) && number == 80) ||
	    (leat_text_equal(scheme, LEAT_TEXT_OF("https")) && number == 443))
		return "names the scheme's own port, which browsers leave out";
	return NULL;
}

/* Its form only: whether it is an address, nobody asks but those who wrote it. */
static bool is_in_brackets(leat_text host)
{
	if (host.len < 4 || host.ptr[0] != '[' || host.ptr[host.len - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < host.len; i++)
		if (!strchr("0123456789abcdef:", host.ptr[i]) || host.ptr[i] == '\0')
			return false;
	return true;
}

static const char *host_fault(leat_text host)
{
	bool has_star = leat_text_starts(host, LEAT_TEXT_OF("*."));

	if (has_star)
		host = (leat_text){ host.ptr + 2, host.len - 2 };
	if (is_in_brackets(host) && !has_star)
		return NULL;
	if (!is_name(host))
		return "is no origin: scheme://host, in small letters, without a path";
	if (has_star && !memchr(host.ptr, '.', host.len))
		return "has a '*' for all of a top-level domain";
	return NULL;
}

static const char *word_fault(leat_text word)
{
	const char *mark = memmem(word.ptr, word.len, "://", 3);
	leat_text scheme, host, port = { NULL, 0 };
	const char *colon, *bracket, *fault = NULL;

	if (leat_text_equal(word, LEAT_TEXT_OF("null")))
		return "is an origin that any page can have";
	if (!mark)
		return "is no origin: scheme://host, in small letters, without a path";
	scheme = (leat_text){ word.ptr, (size_t)(mark - word.ptr) };
	host = (leat_text){ mark + 3, word.len - scheme.len - 3 };
	bracket = memrchr(host.ptr, ']', host.len);
	colon = memrchr(host.ptr, ':', host.len);
	if (colon && (!bracket || colon > bracket)) {
		port = (leat_text){ colon + 1, (size_t)(host.ptr + host.len - colon - 1) };
		host.len = (size_t)(colon - host.ptr);
		fault = port_fault(scheme, port);
	}
	if (!is_scheme(scheme))
		return "has a bad scheme";
	return fault ? fault : host_fault(host);
}

const char *origin_list_fault(const char *list)
{
	static _Thread_local char fault[256];
	leat_text word;
	unsigned count = 0;
	bool has_all = list && origin_list_has_all(list);

	while (list && next_word(&list, &word)) {
		const char *wrong = leat_text_equal(word, LEAT_TEXT_OF("*")) ? NULL : word_fault(word);

		if (++count > 1 && (has_all || word.len == 1))
			wrong = "stands beside \"*\", or is it: then it stands alone";
		if (!wrong)
			continue;
		snprintf(fault, sizeof(fault), "origin '%.*s' %s", (int)(word.len < 100 ? word.len : 100), word.ptr,
			 wrong);
		return fault;
	}
	return count ? NULL : "it names no origin";
}
