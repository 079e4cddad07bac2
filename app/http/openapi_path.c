/* openapi_path.c - patterns as OpenAPI's path templates, and their parameters; see openapi_internal.h. */
#include <string.h>

#include "http/openapi_internal.h"
#include "http/url.h"

leat_text openapi_path(struct arena *arena, const struct pattern *pattern, bool has_names)
{
	struct buffer path;

	buffer_init(&path, arena, 128);
	for (unsigned i = 0; i < pattern->segment_count; i++) {
		const struct pattern_segment *segment = &pattern->segments[i];

		buffer_byte(&path, '/');
		for (unsigned k = 0; k < segment->part_count; k++) {
			const struct pattern_part *part = &segment->parts[k];

			if (part->kind == PATTERN_LITERAL)
				url_put_segment(&path, part->text);
			else
				buffer_format(&path, "{%.*s}", has_names ? (int)part->text.len : 0, part->text.ptr);
		}
	}
	return buffer_as_text(&path);
}

/* Expressions ------------------------------------------------------------------------------------------------------ */

static const char *skip_digits(const char *at)
{
	return at + strspn(at, "0123456789");
}

/* Behind a repetition, "{2,5}", "*", "+?"; 'at' itself where there is none. NULL: one that only PCRE2 has. */
static const char *skip_repetition(const char *at)
{
	if (*at == '{') {
		const char *digits = skip_digits(at + 1);

		if (digits == at + 1)
			return NULL;
		if (*digits == ',')
			digits = skip_digits(digits + 1);
		if (*digits != '}')
			return NULL;
		at = digits + 1;
	} else if (*at && strchr("*+?", *at)) {
		at++;
	} else {
		return at;
	}
	if (*at == '?')
		at++;
	return *at && strchr("*+?{", *at) ? NULL : at;
}

/* Behind the escape at '\\'; NULL: one that means something else in JavaScript, or nothing. */
static const char *skip_escape(const char *at, bool in_class)
{
	static const char plain[] = "dDwW^$\\.*+?()[]{}|/";

	return at[1] && (strchr(plain, at[1]) || (in_class && at[1] == '-')) ? at + 2 : NULL;
}

/* Behind the class at '['. An empty one, one that begins with ']', and names such as [:alpha:] are read otherwise. */
static const char *skip_class(const char *at)
{
	at += at[1] == '^' ? 2 : 1;
	if (*at == ']')
		return NULL;
	while (at && *at != ']') {
		if (!*at || *at == '[')
			return NULL;
		at = *at == '\\' ? skip_escape(at, true) : at + 1;
	}
	return at ? at + 1 : NULL;
}

/* Whether an expression of PCRE2 means the same in JavaScript (ECMA-262, with the flag u), which JSON Schema wants. What is in doubt does not. */
static bool is_portable(const char *at)
{
	while (at && *at) {
		if (*at == '(' && at[1] == '?') {
			at = at[2] == ':' ? at + 3 : NULL;
			continue;
		}
		if (*at == '(' && at[1] == '*')
			return false;
		if (strchr("*+?{}]", *at))
			return false;
		if (strchr("(|^$", *at)) {
			at++;
			continue;
		}
		if (*at == '\\')
			at = skip_escape(at, false);
		else if (*at == '[')
			at = skip_class(at);
		else
			at++;
		if (at)
			at = skip_repetition(at);
	}
	return at != NULL;
}

/* Parameters ------------------------------------------------------------------------------------------------------- */

static void put_expression(struct openapi *api, const struct pattern_part *part)
{
	struct json_put *put = &api->put;

	json_put_member(put, "type", "string");
	if (is_portable(arena_copy(api->arena, part->expression.ptr, part->expression.len))) {
		json_put_key(put, "pattern");
		json_put_text(put, arena_format(api->arena, "^(?:%.*s)$", LEAT_TEXT_PRINTF(part->expression)));
		return;
	}
	json_put_key(put, "description");
	json_put_text(put, arena_format(api->arena, "It fits the regular expression (PCRE2) `%.*s`.",
					LEAT_TEXT_PRINTF(part->expression)));
}

static void put_kind(struct openapi *api, const struct pattern_part *part)
{
	struct json_put *put = &api->put;

	json_put_open(put, '{');
	switch (part->kind) {
	case PATTERN_UINT:
	case PATTERN_INT:
		json_put_member(put, "type", "integer");
		json_put_member(put, "format", "int64");
		if (part->kind == PATTERN_UINT) {
			json_put_key(put, "minimum");
			json_put_int(put, 0);
		}
		break;
	case PATTERN_UUID:
	case PATTERN_DATE:
		json_put_member(put, "type", "string");
		json_put_member(put, "format", pattern_type_name(part->kind));
		break;
	case PATTERN_REGEX:
		put_expression(api, part);
		break;
	case PATTERN_TAIL:
		json_put_member(put, "type", "string");
		break;
	default:
		json_put_member(put, "type", "string");
		json_put_key(put, "minLength");
		json_put_int(put, 1);
	}
	json_put_close(put, '}');
}

static const struct pattern_part *parameter(const struct pattern *pattern, unsigned index)
{
	const struct pattern_part *part = pattern->parts;

	for (;; part++)
		if (part->kind != PATTERN_LITERAL && index-- == 0)
			return part;
}

/* Expressions are told apart by their texts, the other kinds by themselves. */
static bool had_kind(const struct openapi_operation *operation, unsigned count, unsigned index)
{
	const struct pattern_part *part = parameter(operation->entries[count]->pattern, index);

	for (unsigned i = 0; i < count; i++) {
		const struct pattern_part *other = parameter(operation->entries[i]->pattern, index);

		if (other->kind == part->kind && leat_text_equal(other->expression, part->expression))
			return true;
	}
	return false;
}

static void put_schema(struct openapi *api, const struct openapi_operation *operation, unsigned index)
{
	struct json_put *put = &api->put;

	json_put_key(put, "schema");
	if (operation->count == 1) {
		put_kind(api, parameter(operation->entries[0]->pattern, index));
		return;
	}
	json_put_open(put, '{');
	json_put_key(put, "anyOf");
	json_put_open(put, '[');
	for (unsigned i = 0; i < operation->count; i++)
		if (!had_kind(operation, i, index))
			put_kind(api, parameter(operation->entries[i]->pattern, index));
	json_put_close(put, ']');
	json_put_close(put, '}');
}

static bool is_tail(const struct openapi_operation *operation, unsigned index)
{
	for (unsigned i = 0; i < operation->count; i++)
		if (parameter(operation->entries[i]->pattern, index)->kind == PATTERN_TAIL)
			return true;
	return false;
}

static void put_parameter(struct openapi *api, const struct openapi_operation *operation, unsigned index)
{
	struct json_put *put = &api->put;

	json_put_open(put, '{');
	json_put_key(put, "name");
	json_put_text(put, operation->pattern->params[index].name);
	json_put_member(put, "in", "path");
	json_put_key(put, "required");
	json_put_word(put, "true");
	if (is_tail(operation, index)) {
		json_put_member(put, "description", "The rest of the path: it may hold '/', and it may be empty.");
		json_put_key(put, "x-leat-tail");
		json_put_word(put, "true");
	}
	put_schema(api, operation, index);
	json_put_close(put, '}');
}

void openapi_put_parameters(struct openapi *api, const struct openapi_operation *operation)
{
	if (operation->pattern->param_count == 0)
		return;
	json_put_key(&api->put, "parameters");
	json_put_open(&api->put, '[');
	for (unsigned i = 0; i < operation->pattern->param_count; i++)
		put_parameter(api, operation, i);
	json_put_close(&api->put, ']');
}
