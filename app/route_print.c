/* route_print.c - see route_print.h. Called by service.c. */
#include "route_print.h"

#include <leat/middleware.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "http/json_write.h"
#include "http/method.h"
#include "http/routes.h"

/* "handlers/users.c:117"; "" when it is not told. */
static const char *place_of(const struct leat_route *route, struct arena *arena)
{
	return route->verb.file ? arena_format(arena, "%s:%d", route->verb.file, route->verb.line).ptr : "";
}

/* For people ------------------------------------------------------------------------------------------------------- */

struct widths {
	int pattern, name, place;
};

static void widen(int *width, const char *text)
{
	if (text && (int)strlen(text) > *width)
		*width = (int)strlen(text);
}

/* " [audit, auth]"; "" when there is none. */
static const char *middleware_of(const struct routes_entry *entry, struct arena *arena)
{
	const char *text = "";

	for (const struct leat_middleware *const *list = entry->middleware; *list; list++)
		for (const struct leat_middleware *at = *list; at->name; at++)
			text = arena_format(arena, "%s%s%s", text, *text ? ", " : " [", at->name).ptr;
	return *text ? arena_format(arena, "%s]", text).ptr : "";
}

static void print_line(const struct routes_entry *entry, const struct widths *widths, struct arena *arena, FILE *out)
{
	const struct leat_route *route = entry->route;
	char line[2048];
	int len = snprintf(line, sizeof(line), "%-7s  %-*s  %-*s%s%-*s  %s%s", method_name(route->verb.method),
			   widths->pattern, entry->pattern->text, widths->name, entry->name ? entry->name : "",
			   widths->name ? "  " : "", widths->place, place_of(route, arena),
			   route->summary ? route->summary : "", middleware_of(entry, arena));

	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;
	while (len > 0 && line[len - 1] == ' ')
		len--;
	fprintf(out, "%.*s\n", len, line);
}

static void print_lines(const struct routes *routes, struct arena *arena, FILE *out)
{
	struct widths widths = { 0 };

	for (unsigned i = 0; i < routes->count; i++) {
		widen(&widths.pattern, routes->entries[i].pattern->text);
		widen(&widths.name, routes->entries[i].name);
		widen(&widths.place, place_of(routes->entries[i].route, arena));
	}
	for (unsigned i = 0; i < routes->count; i++)
		print_line(&routes->entries[i], &widths, arena, out);
}

/* For programs ----------------------------------------------------------------------------------------------------- */

static void put_member(struct buffer *json, const char *name, const char *value)
{
	buffer_format(json, ",\"%s\":", name);
	if (value)
		json_write_text(json, leat_text_from(value));
	else
		buffer_text(json, LEAT_TEXT_OF("null"));
}

static void put_middleware(struct buffer *json, const struct leat_middleware *const *list)
{
	bool is_first = true;

	buffer_text(json, LEAT_TEXT_OF(",\"middleware\":["));
	for (; *list; list++) {
		for (const struct leat_middleware *at = *list; at->name; at++, is_first = false) {
			buffer_text(json, is_first ? LEAT_TEXT_OF("") : LEAT_TEXT_OF(","));
			json_write_text(json, leat_text_from(at->name));
		}
	}
	buffer_byte(json, ']');
}

static void put_route(struct buffer *json, const struct routes_entry *entry)
{
	const struct leat_route *route = entry->route;
	buffer_format(json, "{\"method\":\"%s\"", method_name(route->verb.method));
	put_member(json, "pattern", entry->pattern->text);
	put_member(json, "name", entry->name);
	put_member(json, "file", route->verb.file);
	if (route->verb.file)
		buffer_format(json, ",\"line\":%d", route->verb.line);
	else
		put_member(json, "line", NULL);
	put_member(json, "summary", route->summary);
	put_middleware(json, entry->middleware);
	buffer_byte(json, '}');
}

static void print_json(const struct routes *routes, struct arena *arena, FILE *out)
{
	struct buffer json;

	buffer_init(&json, arena, 4096);
	for (unsigned i = 0; i < routes->count; i++) {
		buffer_text(&json, i ? LEAT_TEXT_OF(",\n ") : LEAT_TEXT_OF("["));
		put_route(&json, &routes->entries[i]);
	}
	buffer_text(&json, routes->count ? LEAT_TEXT_OF("]\n") : LEAT_TEXT_OF("[]\n"));
	fwrite(json.data, 1, json.len, out);
}

void route_print(const struct routes *routes, bool as_json, FILE *out)
{
	struct arena_pool *pool = arena_pool_new(0);
	struct arena arena;

	arena_init(&arena, pool);
	if (as_json)
		print_json(routes, &arena, out);
	else
		print_lines(routes, &arena, out);
	arena_reset(&arena);
	arena_pool_free(pool);
}
