/* shareable.c - see shareable.h. Pure; called by coalesce_route.c. */
#include "http/shareable.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/number.h"
#include "http/parameter.h"

/* Cache-Control (RFC 9111 5.2.2), as far as it matters here. */
struct directives {
	bool is_private;
	bool is_unkept;                /* no-store, no-cache */
	int64_t max_age_s, s_maxage_s; /* -1: not told */
};

static int64_t read_seconds(leat_text text)
{
	int64_t seconds;

	if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
		text = (leat_text){ text.ptr + 1, text.len - 2 };
	if (!number_read_int(text, &seconds) || seconds < 0)
		return 0;
	return seconds < INT32_MAX ? seconds : INT32_MAX;
}

static void read_one(struct directives *directives, leat_text directive)
{
	leat_text rest = directive, name = parameter_head(&rest, '=');

	if (parameter_equals(name, "private"))
		directives->is_private = true;
	else if (parameter_equals(name, "no-store") || parameter_equals(name, "no-cache"))
		directives->is_unkept = true;
	else if (parameter_equals(name, "max-age"))
		directives->max_age_s = read_seconds(parameter_trim(rest));
	else if (parameter_equals(name, "s-maxage"))
		directives->s_maxage_s = read_seconds(parameter_trim(rest));
}

static struct directives read_directives(const struct response *response)
{
	struct directives directives = { .max_age_s = -1, .s_maxage_s = -1 };
	const char *at = NULL;
	leat_text line;

	while ((line = response_next_header(response, LEAT_TEXT_OF("Cache-Control"), &at)).ptr)
		while (line.ptr)
			read_one(&directives, parameter_head(&line, ','));
	return directives;
}

static bool is_among(leat_text name, const char *const *names)
{
	for (; names && *names; names++)
		if (parameter_equals(name, *names))
			return true;
	return false;
}

static bool varies_otherwise(const struct response *response, const char *const *vary)
{
	const char *at = NULL;
	leat_text line;

	while ((line = response_next_header(response, LEAT_TEXT_OF("Vary"), &at)).ptr)
		while (line.ptr) {
			leat_text name = parameter_head(&line, ',');

			if (name.len > 0 && !is_among(name, vary))
				return true;
		}
	return false;
}

/* RFC 9110 15.1: what may be kept without being told, of what a GET can have that is whole. */
static bool is_kept_status(int status)
{
	static const int kept[] = { 200, 203, 204, 300, 301, 308, 404, 410 };

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (status == kept[i])
			return true;
	return false;
}

struct shareable shareable_judge(const struct response *response, const char *const *vary)
{
	struct directives directives = read_directives(response);
	int64_t most_s = directives.s_maxage_s >= 0 ? directives.s_maxage_s : directives.max_age_s;
	struct shareable verdict = { .may_be_kept = !directives.is_unkept && is_kept_status(response_status(response)),
				     .fresh_most_ns = most_s >= 0 ? most_s * CLOCK_S : INT64_MAX };

	if (response_has_header(response, "Set-Cookie"))
		verdict.fault = "it sets a cookie";
	else if (directives.is_private)
		verdict.fault = "it says Cache-Control: private";
	else if (varies_otherwise(response, vary))
		verdict.fault = "it varies by a header that is not shared by (.vary)";
	return verdict;
}
