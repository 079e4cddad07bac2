/* method.c - see method.h. Asked by http/request for REQUEST_METHOD, by http/router for Allow and its sentences. */
#include "http/method.h"

static const leat_text names[LEAT_METHOD_COUNT] = {
	[LEAT_METHOD_NONE] = { "NONE", 4 },     [LEAT_METHOD_GET] = { "GET", 3 },
	[LEAT_METHOD_HEAD] = { "HEAD", 4 },     [LEAT_METHOD_POST] = { "POST", 4 },
	[LEAT_METHOD_PUT] = { "PUT", 3 },       [LEAT_METHOD_PATCH] = { "PATCH", 5 },
	[LEAT_METHOD_DELETE] = { "DELETE", 6 }, [LEAT_METHOD_OPTIONS] = { "OPTIONS", 7 },
};

enum leat_method method_from_text(leat_text name)
{
	for (enum leat_method method = LEAT_METHOD_GET; method < LEAT_METHOD_COUNT; method++)
		if (leat_text_equal(name, names[method]))
			return method;
	return LEAT_METHOD_NONE;
}

const char *method_name(enum leat_method method)
{
	return names[(unsigned)method < LEAT_METHOD_COUNT ? method : LEAT_METHOD_NONE].ptr;
}
