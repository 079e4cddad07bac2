/* set_cookie.c - see set_cookie.h. Pure; used by reply.c. */
#include "http/set_cookie.h"

#include <string.h>
#include <strings.h>

#include "http/header.h"
#include "http/parameter.h"

enum {
	PAIR_MOST = 4096,      /* bytes of name and value; browsers drop more (RFC 6265bis 5.7) */
	ATTRIBUTE_MOST = 1024, /* likewise, of a path or a domain */
};

/* cookie-octet */
static bool is_value(leat_text value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		if (c <= ' ' || c >= 127 || strchr("\",;\\", c))
			return false;
	}
	return true;
}

/* av-octet, absolute */
static bool is_path(const char *path)
{
	for (const char *at = path; *at; at++)
		if ((unsigned char)*at < ' ' || (unsigned char)*at >= 127 || *at == ';')
			return false;
	return path[0] == '/' && strlen(path) <= ATTRIBUTE_MOST;
}

static bool is_domain(const char *domain)
{
	size_t len = strspn(domain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

	return len > 0 && len <= ATTRIBUTE_MOST && domain[len] == '\0';
}

/* Browsers compare prefixes in any case. */
static bool has_prefix(const char *name, const char *prefix)
{
	return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

static const char *broken_promise(const struct leat_cookie *cookie)
{
	bool is_host = has_prefix(cookie->name, "__Host-");
	bool is_http = has_prefix(cookie->name, "__Http-") || has_prefix(cookie->name, "__Host-Http-");

	if ((is_host || is_http || has_prefix(cookie->name, "__Secure-")) && cookie->over_http)
		return "its name's prefix promises Secure";
	if (is_host && (cookie->domain || (cookie->path && strcmp(cookie->path, "/") != 0)))
		return "its name's prefix promises Path=/ and no Domain";
	if (is_http && cookie->for_scripts)
		return "its name's prefix promises HttpOnly";
	return NULL;
}

static const char *fault_of(const struct leat_cookie *cookie)
{
	if (!cookie->name || !parameter_is_token(leat_text_from(cookie->name)))
		return "its name is no token";
	if (!is_value(cookie->value))
		return "its value holds a blank, a quote, a comma, a semicolon, a backslash or what is not ASCII";
	if (strlen(cookie->name) + cookie->value.len > PAIR_MOST)
		return "its name and value have more than 4096 bytes";
	if (cookie->path && !is_path(cookie->path))
		return "its path is none";
	if (cookie->domain && !is_domain(cookie->domain))
		return "its domain is none";
	if (cookie->same_site > LEAT_SAME_SITE_NONE)
		return "its SameSite is none of the three";
	if (cookie->same_site == LEAT_SAME_SITE_NONE && cookie->over_http)
		return "SameSite=None wants Secure";
	return broken_promise(cookie);
}

const char *set_cookie_write(struct buffer *out, const struct leat_cookie *cookie)
{
	static const char *const same_site[] = { "Lax", "Strict", "None" };
	const char *fault = fault_of(cookie);

	if (fault)
		return fault;
	buffer_text(out, leat_text_from(cookie->name));
	buffer_byte(out, '=');
	buffer_text(out, cookie->value);
	buffer_format(out, "; Path=%s", cookie->path ? cookie->path : "/");
	if (cookie->domain)
		buffer_format(out, "; Domain=%s", cookie->domain);
	if (cookie->max_age_s != 0) {
		buffer_text(out, LEAT_TEXT_OF("; Max-Age="));
		buffer_int(out, cookie->max_age_s > 0 ? cookie->max_age_s : 0);
	}
	if (!cookie->over_http)
		buffer_text(out, LEAT_TEXT_OF("; Secure"));
	if (!cookie->for_scripts)
		buffer_text(out, LEAT_TEXT_OF("; HttpOnly"));
	buffer_format(out, "; SameSite=%s", same_site[cookie->same_site]);
	return NULL;
}
