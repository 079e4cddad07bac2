/* openapi_reply.c - what an operation reads and answers; see openapi_internal.h. */
#include <leat/problem.h>
#include <string.h>

#include "http/openapi_internal.h"
#include "http/problem.h"

/* Shapes ----------------------------------------------------------------------------------------------------------- */

static void put_content(struct openapi *api, const struct leat_shape *const *shapes, unsigned count)
{
	struct json_put *put = &api->put;

	json_put_key(put, "content");
	json_put_open(put, '{');
	json_put_key(put, "application/json");
	json_put_open(put, '{');
	json_put_key(put, "schema");
	openapi_put_shapes(api, shapes, count);
	json_put_close(put, '}');
	json_put_close(put, '}');
}

static unsigned count_bodies(const struct openapi_operation *operation)
{
	unsigned count = 0;

	for (unsigned i = 0; i < operation->count; i++)
		count += operation->entries[i]->route->body != NULL;
	return count;
}

void openapi_put_body(struct openapi *api, const struct openapi_operation *operation)
{
	const struct leat_shape **shapes = arena_alloc(api->arena, operation->count * sizeof(*shapes));
	unsigned count = count_bodies(operation);

	if (count == 0)
		return;
	for (unsigned i = 0; i < operation->count; i++)
		shapes[i] = operation->entries[i]->route->body;
	json_put_key(&api->put, "requestBody");
	json_put_open(&api->put, '{');
	json_put_key(&api->put, "required");
	json_put_word(&api->put, count == operation->count ? "true" : "false");
	put_content(api, shapes, operation->count);
	json_put_close(&api->put, '}');
}

/* Successes -------------------------------------------------------------------------------------------------------- */

/* 0: not told. */
static unsigned status_of(const struct leat_route *route)
{
	if (route->status)
		return route->status;
	return route->reply ? 200 : 0;
}

static bool had_status(const struct openapi_operation *operation, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (status_of(operation->entries[i]->route) == status_of(operation->entries[count]->route))
			return true;
	return false;
}

/* From 'first' on, all of its status. */
static void put_success(struct openapi *api, const struct openapi_operation *operation, unsigned first)
{
	const struct leat_shape **shapes = arena_zalloc(api->arena, operation->count * sizeof(*shapes));
	const struct leat_route *route = operation->entries[first]->route;
	unsigned status = status_of(route), count = 0;

	for (unsigned i = first; i < operation->count; i++)
		if (operation->entries[i]->route->reply && status_of(operation->entries[i]->route) == status)
			shapes[count++] = operation->entries[i]->route->reply;
	json_put_key_text(&api->put, status ? arena_format(api->arena, "%u", status) : LEAT_TEXT_OF("2XX"));
	json_put_open(&api->put, '{');
	json_put_member(&api->put, "description", status < 300 ? "Success" : "Elsewhere");
	if (count > 0 && route->verb.method != LEAT_METHOD_HEAD)
		put_content(api, shapes, count);
	json_put_close(&api->put, '}');
}

/* Failures --------------------------------------------------------------------------------------------------------- */

static bool has_own_form(const struct leat_middleware *list)
{
	for (; list && list->name; list++)
		if (list->after == leat_problems_after_)
			return true;
	return false;
}

/* Whether a route of the operation tells failures in a form of its own, which nobody can know. */
static bool is_of_own_form(const struct openapi *api, const struct openapi_operation *operation)
{
	for (unsigned i = 0; i < operation->count; i++)
		for (const struct leat_middleware *const *list = operation->entries[i]->middleware; *list; list++)
			if (has_own_form(*list))
				return true;
	return has_own_form(api->service->middleware);
}

/* LEAT_OK stands for all that have no reply of their own here. */
static leat_text key_of(struct arena *arena, enum leat_result result)
{
	return result == LEAT_OK ? LEAT_TEXT_OF("default") : arena_format(arena, "%d", leat_result_status(result));
}

static const char *words_of(enum leat_result result)
{
	return result == LEAT_OK ? "Any other failure" : problem_title(result);
}

static const char *component_of(enum leat_result result)
{
	return result == LEAT_OK ? "FAILURE" : leat_result_name(result);
}

static void put_failure(struct openapi *api, enum leat_result result, bool is_of_own_form)
{
	struct json_put *put = &api->put;

	json_put_key_text(put, key_of(api->arena, result));
	json_put_open(put, '{');
	if (is_of_own_form) {
		json_put_member(put, "description", words_of(result));
	} else {
		api->has_reply[result] = true;
		json_put_key(put, "$ref");
		json_put_text(put, arena_format(api->arena, "#/components/responses/%s", component_of(result)));
	}
	json_put_close(put, '}');
}

static void put_failures(struct openapi *api, const struct openapi_operation *operation)
{
	bool has_body = count_bodies(operation) > 0;
	const bool may_be[LEAT_RESULT_COUNT] = {
		[LEAT_BAD_REQUEST] = has_body,
		[LEAT_UNAUTHORIZED] = openapi_is_guarded(api, operation),
		[LEAT_FORBIDDEN] = openapi_has_scopes(api, operation),
		[LEAT_NOT_FOUND] = operation->pattern->param_count > 0,
		[LEAT_TOO_LARGE] = has_body,
		[LEAT_UNSUPPORTED_TYPE] = has_body,
		[LEAT_INVALID] = has_body,
		[LEAT_UNAVAILABLE] = true,
		[LEAT_TIMED_OUT] = true,
	};
	bool is_own = is_of_own_form(api, operation);

	for (enum leat_result result = LEAT_OK + 1; result < LEAT_RESULT_COUNT; result++)
		if (may_be[result])
			put_failure(api, result, is_own);
	put_failure(api, LEAT_OK, is_own);
}

void openapi_put_replies(struct openapi *api, const struct openapi_operation *operation)
{
	json_put_key(&api->put, "responses");
	json_put_open(&api->put, '{');
	for (unsigned i = 0; i < operation->count; i++)
		if (!had_status(operation, i))
			put_success(api, operation, i);
	put_failures(api, operation);
	json_put_close(&api->put, '}');
}

void openapi_put_reply_components(struct openapi *api)
{
	struct json_put *put = &api->put;

	json_put_key(put, "responses");
	json_put_open(put, '{');
	for (enum leat_result result = LEAT_OK; result < LEAT_RESULT_COUNT; result++) {
		if (!api->has_reply[result])
			continue;
		json_put_key(put, component_of(result));
		json_put_open(put, '{');
		json_put_member(put, "description", words_of(result));
		json_put_key(put, "content");
		json_put_word(
			put, "{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}");
		json_put_close(put, '}');
	}
	json_put_close(put, '}');
}
