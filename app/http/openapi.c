/* openapi.c - see openapi.h. Called by service.c for the command `openapi`, and by openapi_serve.c at the start. */
#include "http/openapi.h"

#include <ctype.h>
#include <leat/openapi.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "http/method.h"
#include "http/openapi_internal.h"

/* A route on its way into the document. */
struct place {
	const struct routes_entry *entry;
	leat_text path; /* without names */
	bool is_written;
};

struct id {
	struct id *next;
	leat_text text;
};

struct document {
	struct openapi api;
	struct place *places;
	unsigned place_count;
	const struct routes_entry **group; /* room for all */
	struct id *ids;
};

static void put_info(struct document *document);
static void put_tags(struct document *document);
static void put_paths(struct document *document);
static void put_components(struct document *document);

static void find_places(struct document *document)
{
	const struct routes *routes = document->api.routes;
	struct arena *arena = document->api.arena;

	document->places = arena_zalloc(arena, routes->count * sizeof(*document->places));
	document->group = arena_zalloc(arena, routes->count * sizeof(*document->group));
	for (unsigned i = 0; i < routes->count; i++) {
		const struct routes_entry *entry = &routes->entries[i];

		if (entry->route->handler == leat_openapi_ || entry->route->handler == leat_docs_)
			continue;
		document->places[document->place_count++] = (struct place){
			.entry = entry, .path = openapi_path(arena, entry->pattern, false)
		};
	}
}

void openapi_write(struct buffer *out, const struct leat_service *service, const struct routes *routes,
		   bool is_indented)
{
	struct document document = { .api = { .put = { .out = out, .is_indented = is_indented },
					      .arena = out->arena,
					      .service = service,
					      .routes = routes } };

	document.api.last_shape = &document.api.shapes;
	document.api.last_scheme = &document.api.schemes;
	find_places(&document);
	json_put_open(&document.api.put, '{');
	put_info(&document);
	put_tags(&document);
	put_paths(&document);
	put_components(&document);
	json_put_close(&document.api.put, '}');
}

leat_text openapi_name(struct arena *arena, leat_text text)
{
	char *name = arena_copy(arena, text.ptr, text.len);

	for (size_t i = 0; i < text.len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			name[i] = '_';
	return (leat_text){ name, text.len };
}

/* The frame -------------------------------------------------------------------------------------------------------- */

/* Paths are those of the host that the document comes from. Nothing is demanded but by what an operation says itself. */
static void put_info(struct document *document)
{
	struct json_put *put = &document->api.put;

	json_put_member(put, "openapi", "3.1.0");
	json_put_key(put, "info");
	json_put_open(put, '{');
	json_put_member(put, "title", document->api.service->name);
	json_put_member(put, "version", document->api.service->version);
	json_put_close(put, '}');
	json_put_key(put, "servers");
	json_put_open(put, '[');
	json_put_open(put, '{');
	json_put_member(put, "url", "/");
	json_put_close(put, '}');
	json_put_close(put, ']');
	json_put_key(put, "security");
	json_put_open(put, '[');
	json_put_close(put, ']');
}

/* "users" of "handlers/users.c"; {NULL, 0}: not told. */
static leat_text tag_of(const struct routes_entry *entry)
{
	const char *file = entry->route->verb.file;
	const char *slash = file ? strrchr(file, '/') : NULL;
	const char *name = slash ? slash + 1 : file;
	const char *dot = name ? strrchr(name, '.') : NULL;

	if (!name)
		return (leat_text){ NULL, 0 };
	return dot ? (leat_text){ name, (size_t)(dot - name) } : leat_text_from(name);
}

static bool had_tag(const struct document *document, unsigned count, leat_text tag)
{
	for (unsigned i = 0; i < count; i++)
		if (leat_text_equal(tag_of(document->places[i].entry), tag))
			return true;
	return false;
}

static void put_tags(struct document *document)
{
	struct json_put *put = &document->api.put;

	json_put_key(put, "tags");
	json_put_open(put, '[');
	for (unsigned i = 0; i < document->place_count; i++) {
		leat_text tag = tag_of(document->places[i].entry);

		if (!tag.ptr || had_tag(document, i, tag))
			continue;
		json_put_open(put, '{');
		json_put_key(put, "name");
		json_put_text(put, tag);
		json_put_close(put, '}');
	}
	json_put_close(put, ']');
}

static void put_components(struct document *document)
{
	struct json_put *put = &document->api.put;

	json_put_key(put, "components");
	json_put_open(put, '{');
	openapi_put_reply_components(&document->api);
	openapi_put_schemas(&document->api);
	openapi_put_schemes(&document->api);
	json_put_close(put, '}');
}

/* Operations ------------------------------------------------------------------------------------------------------- */

static leat_text lower_case(struct arena *arena, const char *word)
{
	char *copy = arena_copy(arena, word, strlen(word));

	for (char *at = copy; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return leat_text_from(copy);
}

static bool is_taken(const struct document *document, leat_text id)
{
	for (const struct id *at = document->ids; at; at = at->next)
		if (leat_text_equal(at->text, id))
			return true;
	return false;
}

/* "get_users_id" of GET /users/{id:int}. */
static leat_text make_id(struct arena *arena, const struct routes_entry *entry)
{
	const struct pattern *pattern = entry->pattern;
	leat_text id = lower_case(arena, method_name(entry->route->verb.method));

	for (unsigned i = 0; i < pattern->part_count; i++)
		if (pattern->parts[i].text.len > 0)
			id = arena_format(arena, "%.*s_%.*s", LEAT_TEXT_PRINTF(id),
					  LEAT_TEXT_PRINTF(pattern->parts[i].text));
	return openapi_name(arena, id);
}

static leat_text id_of(struct document *document, const struct routes_entry *entry)
{
	struct arena *arena = document->api.arena;
	leat_text wanted = entry->name ? openapi_name(arena, leat_text_from(entry->name)) : make_id(arena, entry);
	leat_text id = wanted;
	struct id *kept = arena_alloc(arena, sizeof(*kept));

	for (unsigned number = 2;
	     is_taken(document, id) || (!entry->name && routes_named(document->api.routes, id.ptr)); number++)
		id = arena_format(arena, "%.*s_%u", LEAT_TEXT_PRINTF(wanted), number);
	*kept = (struct id){ document->ids, id };
	document->ids = kept;
	return id;
}

static leat_text summary_of(struct arena *arena, const struct routes_entry *entry)
{
	if (entry->route->summary && *entry->route->summary)
		return leat_text_from(entry->route->summary);
	return arena_format(arena, "%s %s", method_name(entry->route->verb.method), entry->pattern->text);
}

/* Of routes that are one operation: which they are. */
static void put_alternatives(struct openapi *api, const struct openapi_operation *operation)
{
	struct buffer words;

	if (operation->count < 2)
		return;
	buffer_init(&words, api->arena, 256);
	buffer_text(&words, LEAT_TEXT_OF("One of these, by what the parameters are:"));
	for (unsigned i = 0; i < operation->count; i++) {
		const struct routes_entry *entry = operation->entries[i];

		buffer_format(&words, "\n- `%s`", entry->pattern->text);
		if (entry->route->summary)
			buffer_format(&words, ": %s", entry->route->summary);
	}
	json_put_key(&api->put, "description");
	json_put_text(&api->put, buffer_as_text(&words));
}

static void put_operation(struct document *document, const struct openapi_operation *operation)
{
	struct openapi *api = &document->api;
	const struct routes_entry *first = operation->entries[0];
	leat_text tag = tag_of(first);

	json_put_key_text(&api->put, lower_case(api->arena, method_name(first->route->verb.method)));
	json_put_open(&api->put, '{');
	json_put_key(&api->put, "operationId");
	json_put_text(&api->put, id_of(document, first));
	json_put_key(&api->put, "summary");
	json_put_text(&api->put, summary_of(api->arena, first));
	put_alternatives(api, operation);
	if (tag.ptr) {
		json_put_key(&api->put, "tags");
		json_put_open(&api->put, '[');
		json_put_text(&api->put, tag);
		json_put_close(&api->put, ']');
	}
	openapi_put_security(api, operation);
	openapi_put_parameters(api, operation);
	openapi_put_body(api, operation);
	openapi_put_replies(api, operation);
	json_put_close(&api->put, '}');
}

/* Paths ------------------------------------------------------------------------------------------------------------ */

/* From 'first' on, the routes of its path and of that method. */
static unsigned collect(struct document *document, unsigned first, enum leat_method method)
{
	unsigned count = 0;

	for (unsigned i = first; i < document->place_count; i++) {
		struct place *place = &document->places[i];

		if (place->entry->route->verb.method != method ||
		    !leat_text_equal(place->path, document->places[first].path))
			continue;
		document->group[count++] = place->entry;
		place->is_written = true;
	}
	return count;
}

static void put_path(struct document *document, unsigned first)
{
	struct openapi *api = &document->api;
	const struct pattern *pattern = document->places[first].entry->pattern;

	json_put_key_text(&api->put, openapi_path(api->arena, pattern, true));
	json_put_open(&api->put, '{');
	for (enum leat_method method = LEAT_METHOD_GET; method < LEAT_METHOD_COUNT; method++) {
		struct openapi_operation operation = { .entries = document->group, .pattern = pattern };

		operation.count = collect(document, first, method);
		if (operation.count > 0)
			put_operation(document, &operation);
	}
	json_put_close(&api->put, '}');
}

static void put_paths(struct document *document)
{
	json_put_key(&document->api.put, "paths");
	json_put_open(&document->api.put, '{');
	for (unsigned i = 0; i < document->place_count; i++)
		if (!document->places[i].is_written)
			put_path(document, i);
	json_put_close(&document->api.put, '}');
}
