/* params.c - see params.h. Pure. */
#include "http/params.h"

#include <stddef.h>
#include <string.h>

#include "base/buffer.h"
#include "http/parameter.h"

const char *params_match(const char *param, const char *header)
{
	if (strncmp(param, "HTTP_", 5) != 0)
		return NULL;
	for (param += 5; *header; header++, param++) {
		char c = *header == '-' ? '_' : *header;

		if (*param != (c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c))
			return NULL;
	}
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
