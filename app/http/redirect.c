/* redirect.c - see redirect.h. Pure; used by reply.c. */
#include "http/redirect.h"

#include <strings.h>

/* Printable ASCII without blanks. Browsers drop tabs and line ends inside of URLs and take a backslash for a slash: neither may be there. */
static bool is_url(leat_text url)
{
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.ptr[i] <= ' ' || (unsigned char)url.ptr[i] >= 127 || url.ptr[i] == '\\')
			return false;
	return url.len > 0;
}

bool redirect_stays(leat_text url)
{
	if (!is_url(url))
		return false;
	return url.ptr[0] == '?' || (url.ptr[0] == '/' && !(url.len > 1 && url.ptr[1] == '/'));
}

static bool has_scheme(leat_text url, leat_text scheme)
{
	return url.len > scheme.len && strncasecmp(url.ptr, scheme.ptr, scheme.len) == 0 && url.ptr[scheme.len] != '/';
}

bool redirect_may_leave(leat_text url)
{
	if (redirect_stays(url))
		return true;
	return is_url(url) && (has_scheme(url, LEAT_TEXT_OF("https://")) || has_scheme(url, LEAT_TEXT_OF("http://")));
}
