/* cookie.c - see cookie.h. Called by http/pairs. */
#include "http/cookie.h"

#include "http/parameter.h"

/* cookie-octet. */
static bool is_octet(char c)
{
	return c > ' ' && c < 127 && c != '"' && c != ',' && c != ';' && c != '\\';
}

static bool is_value(leat_text value)
{
	size_t at = 0, end = value.len;

	if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
		at = 1;
		end--;
	}
	while (at < end && is_octet(value.ptr[at]))
		at++;
	return at == end;
}

/* What comes before the next semicolon, without the blanks around it. Quotes do not protect one: its grammar has none inside values. */
static leat_text take_pair(leat_text *rest)
{
	const char *mark = memchr(rest->ptr, ';', rest->len);
	size_t len = mark ? (size_t)(mark - rest->ptr) : rest->len;
	leat_text pair = parameter_trim((leat_text){ rest->ptr, len });

	len += mark != NULL;
	*rest = (leat_text){ rest->ptr + len, rest->len - len };
	return pair;
}

bool cookie_next(leat_text *rest, leat_text *ret_name, leat_text *ret_value)
{
	while (rest->len > 0) {
		leat_text pair = take_pair(rest);
		const char *mark = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
		leat_text name, value;

		if (!mark)
			continue;
		name = (leat_text){ pair.ptr, (size_t)(mark - pair.ptr) };
		value = (leat_text){ mark + 1, pair.len - name.len - 1 };
		if (!parameter_is_token(name) || !is_value(value))
			continue;
		*ret_name = name;
		*ret_value = value;
		return true;
	}
	return false;
}
