/* openapi_security.c - what middleware demands of requests, as OpenAPI's security schemes; see openapi_internal.h. */
#include <string.h>

#include "http/openapi_internal.h"

enum { DEMANDS_MAX = 2 * LEAT_MIDDLEWARE_MAX };

/* A route's, in the order of its middleware. */
struct demands {
	struct {
		const char *name; /* of the middleware */
		struct leat_demand demand;
	} items[DEMANDS_MAX];
	unsigned count;
	bool has_scheme;
	bool has_scopes;
};

static bool has_scheme(const struct leat_demand *demand)
{
	return demand->scheme || demand->header || demand->cookie;
}

static void add_list(struct demands *demands, const struct leat_middleware *list)
{
	for (; list && list->name && demands->count < DEMANDS_MAX; list++) {
		struct leat_demand demand = { 0 };

		if (!list->demand)
			continue;
		demand = list->demand(list->options);
		demands->items[demands->count].name = list->name;
		demands->items[demands->count++].demand = demand;
		demands->has_scheme = demands->has_scheme || has_scheme(&demand);
		demands->has_scopes = demands->has_scopes || demand.scopes;
	}
}

static void find_demands(const struct openapi *api, const struct routes_entry *entry, struct demands *demands)
{
	demands->count = 0;
	demands->has_scheme = demands->has_scopes = false;
	add_list(demands, api->service->middleware);
	for (const struct leat_middleware *const *list = entry->middleware; *list; list++)
		add_list(demands, *list);
}

bool openapi_is_guarded(const struct openapi *api, const struct openapi_operation *operation)
{
	struct demands demands;

	for (unsigned i = 0; i < operation->count; i++) {
		find_demands(api, operation->entries[i], &demands);
		if (demands.has_scheme)
			return true;
	}
	return false;
}

bool openapi_has_scopes(const struct openapi *api, const struct openapi_operation *operation)
{
	struct demands demands;

	for (unsigned i = 0; i < operation->count; i++) {
		find_demands(api, operation->entries[i], &demands);
		if (demands.has_scopes)
			return true;
	}
	return false;
}

/* Schemes ---------------------------------------------------------------------------------------------------------- */

static bool is_same_word(const char *left, const char *right)
{
	return left == right || (left && right && strcmp(left, right) == 0);
}

static bool is_same(const struct leat_demand *left, const struct leat_demand *right)
{
	return is_same_word(left->scheme, right->scheme) && is_same_word(left->header, right->header) &&
	       is_same_word(left->cookie, right->cookie);
}

static bool is_taken(const struct openapi *api, leat_text name)
{
	for (const struct openapi_scheme *at = api->schemes; at; at = at->next)
		if (leat_text_equal(at->name, name))
			return true;
	return false;
}

/* Two policies that look the same from outside are one scheme. */
static leat_text name_of(struct openapi *api, const char *middleware, const struct leat_demand *demand)
{
	leat_text name = openapi_name(api->arena, leat_text_from(middleware)), wanted = name;
	struct openapi_scheme *added;

	for (const struct openapi_scheme *at = api->schemes; at; at = at->next)
		if (is_same(&at->demand, demand))
			return at->name;
	for (unsigned number = 2; is_taken(api, name); number++)
		name = arena_format(api->arena, "%.*s_%u", LEAT_TEXT_PRINTF(wanted), number);
	added = arena_alloc(api->arena, sizeof(*added));
	*added = (struct openapi_scheme){ NULL, *demand, name };
	*api->last_scheme = added;
	api->last_scheme = &added->next;
	return name;
}

void openapi_put_schemes(struct openapi *api)
{
	struct json_put *put = &api->put;

	json_put_key(put, "securitySchemes");
	json_put_open(put, '{');
	for (const struct openapi_scheme *at = api->schemes; at; at = at->next) {
		json_put_key_text(put, at->name);
		json_put_open(put, '{');
		json_put_member(put, "type", at->demand.scheme ? "http" : "apiKey");
		if (at->demand.scheme) {
			json_put_member(put, "scheme", at->demand.scheme);
		} else {
			json_put_member(put, "in", at->demand.header ? "header" : "cookie");
			json_put_member(put, "name", at->demand.header ? at->demand.header : at->demand.cookie);
		}
		json_put_close(put, '}');
	}
	json_put_close(put, '}');
}

/* Operations ------------------------------------------------------------------------------------------------------- */

static void put_words(struct json_put *put, const char *words)
{
	for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
		size_t len = strcspn(words, " ");

		json_put_text(put, (leat_text){ words, len });
		words += len;
	}
}

/* Scopes are of the scheme before them, which sets the caller. A scheme that comes twice counts once. */
static void put_demands(struct openapi *api, const struct demands *demands)
{
	struct json_put *put = &api->put;
	unsigned i = 0;

	json_put_open(put, '{');
	while (i < demands->count) {
		const struct leat_demand *demand = &demands->items[i].demand;
		bool is_new = has_scheme(demand);

		for (unsigned k = 0; k < i; k++)
			is_new = is_new && !is_same(&demands->items[k].demand, demand);
		if (is_new) {
			json_put_key_text(put, name_of(api, demands->items[i].name, demand));
			json_put_open(put, '[');
		}
		if (is_new && demand->scopes)
			put_words(put, demand->scopes);
		for (i++; i < demands->count && !has_scheme(&demands->items[i].demand); i++)
			if (is_new && demands->items[i].demand.scopes)
				put_words(put, demands->items[i].demand.scopes);
		if (is_new)
			json_put_close(put, ']');
	}
	json_put_close(put, '}');
}

/* Of routes that are one operation, any may be meant. */
void openapi_put_security(struct openapi *api, const struct openapi_operation *operation)
{
	struct demands demands;

	if (!openapi_is_guarded(api, operation))
		return;
	json_put_key(&api->put, "security");
	json_put_open(&api->put, '[');
	for (unsigned i = 0; i < operation->count; i++) {
		find_demands(api, operation->entries[i], &demands);
		put_demands(api, &demands);
	}
	json_put_close(&api->put, ']');
}
