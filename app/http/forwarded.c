/* forwarded.c - see forwarded.h. Pure; called by client.c. */
#include "http/forwarded.h"

#include "http/parameter.h"

static leat_text take_last(enum forwarded_form form, leat_text *rest);
static bool read_node(leat_text text, struct address *ret_address);
static enum forwarded_node read_element(leat_text element, struct forwarded_hop *hop);

bool forwarded_last(enum forwarded_form form, leat_text *rest, struct forwarded_hop *ret_hop)
{
	leat_text element;

	if (!rest->ptr)
		return false;
	element = take_last(form, rest);
	*ret_hop = (struct forwarded_hop){ .node = FORWARDED_MALFORMED };
	if (form == FORWARDED_RFC7239)
		ret_hop->node = read_element(element, ret_hop);
	else if (read_node(element, &ret_hop->address))
		ret_hop->node = FORWARDED_ADDRESS;
	return true;
}

/* Elements ----------------------------------------------------------------------------------------------------------- */

/* Behind an odd number of backslashes a quote is a character of the string. */
static bool is_escaped(const char *begin, const char *quote)
{
	const char *at = quote;

	while (at > begin && at[-1] == '\\')
		at--;
	return (quote - at) % 2 == 1;
}

/* The last comma outside of quoted strings; NULL: there is none. */
static const char *last_comma(leat_text list, bool has_quotes)
{
	bool is_quoted = false;

	for (const char *at = list.ptr + list.len; at > list.ptr;) {
		at--;
		if (*at == '"' && has_quotes && !is_escaped(list.ptr, at))
			is_quoted = !is_quoted;
		else if (*at == ',' && !is_quoted)
			return at;
	}
	return NULL;
}

static leat_text take_last(enum forwarded_form form, leat_text *rest)
{
	const char *comma = last_comma(*rest, form == FORWARDED_RFC7239);
	leat_text element = *rest;

	if (comma) {
		element = (leat_text){ comma + 1, (size_t)(rest->ptr + rest->len - comma - 1) };
		rest->len = (size_t)(comma - rest->ptr);
	} else {
		*rest = (leat_text){ NULL, 0 };
	}
	return parameter_trim(element);
}

/* Nodes -------------------------------------------------------------------------------------------------------------- */

/* What stands behind the colon: digits, or a name that hides the port (RFC 7239 6). */
static bool is_port(leat_text text)
{
	bool is_name = text.len > 1 && text.ptr[0] == '_';

	if (text.len == 0 || (!is_name && text.len > 5))
		return false;
	for (size_t i = is_name; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_digit = c >= '0' && c <= '9';
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_digit && !(is_name && (is_letter || c == '.' || c == '_' || c == '-')))
			return false;
	}
	return true;
}

/* An address, or "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80". */
static bool read_node(leat_text text, struct address *ret_address)
{
	const char *end = text.len ? memchr(text.ptr, text.ptr[0] == '[' ? ']' : ':', text.len) : NULL;
	leat_text behind;

	if (address_read(text, ret_address))
		return true;
	if (!end)
		return false;
	if (text.ptr[0] == '[') {
		text.ptr++;
		text.len--;
		if (!memchr(text.ptr, ':', (size_t)(end - text.ptr)))
			return false;
	}
	behind = (leat_text){ end, (size_t)(text.ptr + text.len - end) };
	text.len = (size_t)(end - text.ptr);
	if (*end == ']' && behind.len == 1)
		return address_read(text, ret_address);
	if (*end == ']')
		behind = (leat_text){ behind.ptr + 1, behind.len - 1 };
	return behind.ptr[0] == ':' && is_port((leat_text){ behind.ptr + 1, behind.len - 1 }) &&
	       address_read(text, ret_address);
}

/* "unknown" and "_gazonk", with or without a port (RFC 7239 6.2, 6.3). */
static bool is_hidden(leat_text text)
{
	leat_text rest = text;
	leat_text name = parameter_head(&rest, ':');

	if (rest.ptr && !is_port(rest))
		return false;
	return parameter_equals(name, "unknown") || (name.len > 1 && name.ptr[0] == '_' && is_port(name));
}

/* RFC 7239 ----------------------------------------------------------------------------------------------------------- */

/* Takes "name=value" off the element, the value without its quotes. Nothing that is of use to us holds an escape. */
static bool take_pair(leat_text *rest, leat_text *ret_name, leat_text *ret_value)
{
	const char *end = rest->ptr + rest->len;
	const char *equals = memchr(rest->ptr, '=', rest->len);
	const char *at;

	if (!equals)
		return false;
	at = equals + 1;
	*ret_name = (leat_text){ rest->ptr, (size_t)(equals - rest->ptr) };
	if (at < end && *at == '"') {
		for (at++; at < end && *at != '"'; at++)
			if (*at == '\\' || (unsigned char)*at < ' ')
				return false;
		if (at == end)
			return false;
		*ret_value = (leat_text){ equals + 2, (size_t)(at - equals - 2) };
		at++;
	} else {
		while (at < end && *at != ';')
			at++;
		*ret_value = (leat_text){ equals + 1, (size_t)(at - equals - 1) };
		if (!parameter_is_token(*ret_value))
			return false;
	}
	if (at < end && *at != ';')
		return false;
	*rest = (leat_text){ at, (size_t)(end - at) };
	return parameter_is_token(*ret_name);
}

/* The next pair of the element; between two ';' there may be none. */
static bool has_pair(leat_text *element)
{
	while (element->len > 0 && *element->ptr == ';')
		*element = (leat_text){ element->ptr + 1, element->len - 1 };
	return element->len > 0;
}

/* "for=192.0.2.1;proto=https", in any order, each parameter once at most. */
static enum forwarded_node read_element(leat_text element, struct forwarded_hop *hop)
{
	leat_text node = { NULL, 0 }, proto = { NULL, 0 }, name, value;

	while (has_pair(&element)) {
		leat_text *kept;

		if (!take_pair(&element, &name, &value))
			return FORWARDED_MALFORMED;
		kept = parameter_equals(name, "for") ? &node : parameter_equals(name, "proto") ? &proto : NULL;
		if (kept && kept->ptr)
			return FORWARDED_MALFORMED;
		if (kept)
			*kept = value;
	}
	if (node.ptr && !is_hidden(node) && !read_node(node, &hop->address))
		return FORWARDED_MALFORMED;
	hop->proto = proto;
	return node.ptr && !is_hidden(node) ? FORWARDED_ADDRESS : FORWARDED_HIDDEN;
}
