/* params.c - see params.h. Pure. */
#include "http/params.h"

#include <stddef.h>
#include <string.h>

#include "base/buffer.h"
#include "http/parameter.h"

/* As CGI writes a header's name (RFC 3875 4.1.18). */
static char in_name(char c)
{
	return c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

const char *params_write(const char *header, leat_text value, struct arena *arena)
{
	leat_text param = arena_format(arena, "HTTP_%s=%.*s", header, LEAT_TEXT_PRINTF(value));

	for (char *at = (char *)param.ptr; *at != '='; at++) /* just made */
		*at = in_name(*at);
	return param.ptr;
}

const char *params_match(const char *param, const char *header)
{
	if (strncmp(param, "HTTP_", 5) != 0)
		return NULL;
	for (param += 5; *header; header++, param++)
		if (*param != in_name(*header))
			return NULL;
	return *param == '=' ? param + 1 : NULL;
}

leat_text params_list(const char *const *params, const char *header, struct arena *arena)
{
	struct buffer joined = { 0 };
	leat_text list = { NULL, 0 };

	for (; *params; params++) {
		const char *value = params_match(*params, header);
		leat_text line;

		if (!value)
			continue;
		line = parameter_trim(leat_text_from(value));
		if (!list.ptr) {
			list = line;
			continue;
		}
		if (!joined.data) {
			buffer_init(&joined, arena, list.len + line.len + 2);
			buffer_text(&joined, list);
		}
		buffer_text(&joined, LEAT_TEXT_OF(", "));
		buffer_text(&joined, line);
		list = buffer_as_text(&joined);
	}
	return list;
}
