/* regex.c - see regex.h. Used by http/pattern for {name:expression}. */
#include "base/regex.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { HEAP_KIB = 256 };

/* \C would cut a character in two. */
static const uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_UTF |
				PCRE2_NEVER_BACKSLASH_C;

/* What a thread matches with; PCRE2 keeps its memory in there from match to match. */
struct tools {
	pcre2_match_data *data;
	pcre2_match_context *context;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* only to free a thread's tools at its end */
static _Thread_local struct tools *tools_of_thread;

struct regex *regex_new(leat_text expression, char *error, size_t error_size)
{
	int number;
	PCRE2_SIZE at;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)expression.ptr, expression.len, options, &number, &at, NULL);
	PCRE2_UCHAR words[128];

	if (!code) {
		pcre2_get_error_message(number, words, sizeof(words));
		snprintf(error, error_size, "%s, at byte %zu", (const char *)words, (size_t)at);
	}
	return (struct regex *)code;
}

void regex_free(struct regex *regex)
{
	pcre2_code_free((pcre2_code *)regex);
}

/* Matching --------------------------------------------------------------------------------------------------------- */

static void free_tools(void *of_thread)
{
	struct tools *tools = of_thread;

	pcre2_match_context_free(tools->context);
	pcre2_match_data_free(tools->data);
	free(tools);
}

static void make_key(void)
{
	LEAT_CHECK(pthread_key_create(&key, free_tools) == 0);
}

static struct tools *make_tools(void)
{
	struct tools *tools = calloc(1, sizeof(*tools));

	if (tools) {
		tools->data = pcre2_match_data_create(1, NULL);
		tools->context = pcre2_match_context_create(NULL);
	}
	if (!tools || !tools->data || !tools->context)
		check_out_of_memory(sizeof(*tools), "a regular expression");
	pcre2_set_heap_limit(tools->context, HEAP_KIB);
	pthread_once(&once, make_key);
	pthread_setspecific(key, tools);
	return tools;
}

enum regex_verdict regex_match(const struct regex *regex, leat_text text, uint32_t steps)
{
	struct tools *tools = tools_of_thread;
	int result;

	if (!tools)
		tools = tools_of_thread = make_tools();
	pcre2_set_match_limit(tools->context, steps);
	result = pcre2_match((const pcre2_code *)regex, (PCRE2_SPTR)text.ptr, text.len, 0, PCRE2_NO_UTF_CHECK,
			     tools->data, tools->context);
	if (result >= 0)
		return REGEX_FITS;
	return result == PCRE2_ERROR_NOMATCH ? REGEX_FITS_NOT : REGEX_LIMIT;
}
