/* header.c - see header.h. Pure; between request.c, which takes headers from handlers, and response.c, which sends them. */
#include "http/header.h"

#include "http/parameter.h"

bool header_is_value(leat_text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '\r' || text.ptr[i] == '\n' || text.ptr[i] == '\0')
			return false;
	return true;
}

/* A second one of these would have the front server take another part of what follows for the reply. */
static bool frames(leat_text name)
{
	static const char *const names[] = { "Status", "Content-Length", "Transfer-Encoding" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (parameter_equals(name, names[i]))
			return true;
	return false;
}

const char *header_write(struct buffer *out, leat_text name, leat_text value)
{
	if (!parameter_is_token(name))
		return "the name is no token";
	if (frames(name))
		return "it is leat that sends this one";
	if (!header_is_value(value))
		return "the value holds CR, LF or NUL";
	buffer_text(out, name);
	buffer_text(out, LEAT_TEXT_OF(": "));
	buffer_text(out, value);
	buffer_text(out, LEAT_TEXT_OF("\r\n"));
	return NULL;
}
