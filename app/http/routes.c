/* routes.c - see routes.h. Called by http/router_build at start. */
#include "http/routes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "http/method.h"
#include "http/middleware.h"

/* A mount and the mounts it is in; NULL stands for none. */
struct scope {
	const struct scope *outer;
	const struct leat_route *mount;
	unsigned depth;
};

struct reader {
	struct routes *routes;
	struct routes_faults *faults;
	unsigned room; /* for entries */
};

static void read_table(struct reader *reader, const struct leat_route *table, const struct scope *scope);
static void sort_names(struct reader *reader);

static int compare_entries(const void *a, const void *b)
{
	const struct routes_entry *left = a, *right = b;
	int order = strcmp(left->pattern->text, right->pattern->text);

	if (!order)
		order = (int)left->route->verb.method - (int)right->route->verb.method;
	return order ? order : (int)left->index - (int)right->index;
}

bool routes_read(struct routes *routes, const struct leat_route *const *tables, struct routes_faults *faults)
{
	struct reader reader = { .routes = routes, .faults = faults };

	memset(routes, 0, sizeof(*routes));
	routes->pool = arena_pool_new(0);
	arena_init(&routes->arena, routes->pool);
	if (faults->size)
		faults->text[0] = '\0';
	for (; *tables; tables++)
		read_table(&reader, *tables, NULL);
	if (routes->count)
		qsort(routes->entries, routes->count, sizeof(*routes->entries), compare_entries);
	sort_names(&reader);
	return faults->len == 0;
}

void routes_free(struct routes *routes)
{
	for (unsigned i = 0; i < routes->count; i++)
		pattern_free(routes->entries[i].pattern);
	free(routes->entries);
	arena_reset(&routes->arena);
	arena_pool_free(routes->pool);
}

/* Faults ----------------------------------------------------------------------------------------------------------- */

const char *routes_describe(char words[ROUTES_WORDS_SIZE], const struct leat_route *route, const char *pattern)
{
	bool is_mount = route->mounted && route->verb.method == LEAT_METHOD_NONE;
	int len = snprintf(words, ROUTES_WORDS_SIZE, "%s %.255s", is_mount ? "mount" : method_name(route->verb.method),
			   pattern ? pattern : "without a pattern");

	if (route->verb.file)
		snprintf(words + len, (size_t)(ROUTES_WORDS_SIZE - len), " (%s:%d)", route->verb.file,
			 route->verb.line);
	return words;
}

/* The first line is told in any case; room is kept to tell how many are left out. */
void routes_fault(struct routes_faults *faults, const char *format, ...)
{
	enum { ROOM_FOR_COUNT = 32 };
	char line[2 * ROUTES_WORDS_SIZE + 256];
	char *at = faults->text + faults->len;
	size_t room = faults->size - faults->len;
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (faults->len == 0)
		snprintf(at, room, "%s", line);
	else if (!faults->untold && strlen(line) + 1 + ROOM_FOR_COUNT <= room)
		snprintf(at, room, "\n%s", line);
	else
		snprintf(at, room, "\nand %u more", ++faults->untold);
	if (!faults->untold)
		faults->len += strlen(at);
}

static void reject(struct reader *reader, const struct leat_route *route, const char *pattern, const char *reason)
{
	char words[ROUTES_WORDS_SIZE];

	routes_fault(reader->faults, "%s%s: %s", route->mounted ? "" : "route ", routes_describe(words, route, pattern),
		     reason);
}

/* Rows ------------------------------------------------------------------------------------------------------------- */

static const char *join_prefix(struct arena *arena, const struct scope *scope, const char *pattern)
{
	for (; scope; scope = scope->outer)
		pattern = arena_format(arena, "%s%s", scope->mount->pattern, pattern).ptr;
	return pattern;
}

static const char *join_name(struct arena *arena, const struct scope *scope, const char *name)
{
	for (; scope && name; scope = scope->outer)
		if (scope->mount->name)
			name = arena_format(arena, "%s.%s", scope->mount->name, name).ptr;
	return name;
}

static const struct leat_middleware *const *join_middleware(struct arena *arena, const struct scope *scope,
							    const struct leat_route *route)
{
	const struct leat_middleware **lists = arena_zalloc(arena, (ROUTES_MOUNTS_MAX + 2) * sizeof(*lists));
	const struct leat_middleware **at = lists + ROUTES_MOUNTS_MAX + 1;

	if (route->middleware)
		*--at = route->middleware;
	for (; scope; scope = scope->outer)
		if (scope->mount->middleware)
			*--at = scope->mount->middleware;
	return at;
}

static unsigned count_middleware(const struct scope *scope, const struct leat_route *route)
{
	unsigned count = middleware_count(route->middleware);

	for (; scope; scope = scope->outer)
		count += middleware_count(scope->mount->middleware);
	return count;
}

static void add_entry(struct reader *reader, const struct leat_route *route, const struct scope *scope,
		      struct pattern *pattern)
{
	struct routes *routes = reader->routes;

	if (routes->count == reader->room) {
		reader->room = reader->room ? 2 * reader->room : 64;
		routes->entries = realloc(routes->entries, reader->room * sizeof(*routes->entries));
		if (!routes->entries)
			check_out_of_memory(reader->room * sizeof(*routes->entries), "the routes");
	}
	routes->entries[routes->count] = (struct routes_entry){
		.route = route,
		.pattern = pattern,
		.name = join_name(&routes->arena, scope, route->name),
		.index = routes->count,
		.middleware = join_middleware(&routes->arena, scope, route),
	};
	routes->count++;
}

static void read_route(struct reader *reader, const struct leat_route *route, const struct scope *scope)
{
	char reason[320];
	const char *text = route->pattern ? join_prefix(&reader->routes->arena, scope, route->pattern) : NULL;
	struct pattern *pattern;

	if (!text || !route->handler || (unsigned)route->verb.method >= LEAT_METHOD_COUNT ||
	    route->verb.method == LEAT_METHOD_NONE) {
		reject(reader, route, text, "it needs a pattern, a method and a handler");
		return;
	}
	if (scope && route->pattern[0] && route->pattern[0] != '/') {
		reject(reader, route, route->pattern,
		       "a pattern begins with '/', or is empty in a table that is mounted");
		return;
	}
	if (route->name && (!*route->name || strlen(route->name) > ROUTES_NAME_MAX)) {
		reject(reader, route, text, "a name has 1 to 127 bytes");
		return;
	}
	if (route->status && (route->status < 200 || route->status > 399)) {
		reject(reader, route, text, "the status of a success is from 200 to 399");
		return;
	}
	if (count_middleware(scope, route) > LEAT_MIDDLEWARE_MAX) {
		reject(reader, route, text, "with those of its mounts it has more than 32 middlewares");
		return;
	}
	pattern = pattern_new(text, reason, sizeof(reason));
	if (pattern)
		add_entry(reader, route, scope, pattern);
	else
		reject(reader, route, text, reason);
}

/* Members that would do nothing are refused. */
static const char *fault_of_mount(const struct leat_route *mount, const struct scope *scope)
{
	size_t len = mount->pattern ? strlen(mount->pattern) : 0;

	if (len < 2 || mount->pattern[0] != '/' || mount->pattern[len - 1] == '/')
		return "a prefix begins with '/' and does not end with one";
	if (mount->handler || mount->summary || mount->body || mount->reply || mount->status || mount->deadline_ms ||
	    mount->body_limit)
		return "a mount has a prefix, a table, a name and middleware; all else belongs to the routes of the "
		       "table";
	if (mount->name && !*mount->name)
		return "a name is not empty";
	if (scope && scope->depth == ROUTES_MOUNTS_MAX)
		return "mounts are 8 deep at most; does a table mount itself?";
	return NULL;
}

static void read_mount(struct reader *reader, const struct leat_route *mount, const struct scope *scope)
{
	const struct scope inner = { scope, mount, scope ? scope->depth + 1 : 1 };
	const char *fault = fault_of_mount(mount, scope);

	if (fault)
		reject(reader, mount, mount->pattern, fault);
	else
		read_table(reader, mount->mounted, &inner);
}

static bool is_end(const struct leat_route *row)
{
	return row->verb.method == LEAT_METHOD_NONE && !row->pattern && !row->mounted;
}

static void read_table(struct reader *reader, const struct leat_route *table, const struct scope *scope)
{
	for (const struct leat_route *row = table; !is_end(row); row++)
		if (row->mounted)
			read_mount(reader, row, scope);
		else
			read_route(reader, row, scope);
}

/* Names ------------------------------------------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct routes_entry *const *)a)->name, (*(struct routes_entry *const *)b)->name);
}

static void sort_names(struct reader *reader)
{
	struct routes *routes = reader->routes;
	struct routes_entry **named = arena_alloc(&routes->arena, (routes->count + 1) * sizeof(struct routes_entry *));
	char left[ROUTES_WORDS_SIZE], right[ROUTES_WORDS_SIZE];

	for (unsigned i = 0; i < routes->count; i++)
		if (routes->entries[i].name)
			named[routes->named_count++] = &routes->entries[i];
	qsort(named, routes->named_count, sizeof(struct routes_entry *), compare_names);
	for (unsigned i = 1; i < routes->named_count; i++)
		if (strcmp(named[i - 1]->name, named[i]->name) == 0)
			routes_fault(reader->faults, "routes %s and %s have the same name, '%s'",
				     routes_describe(left, named[i - 1]->route, named[i - 1]->pattern->text),
				     routes_describe(right, named[i]->route, named[i]->pattern->text), named[i]->name);
	routes->named = named;
}

const struct routes_entry *routes_named(const struct routes *routes, const char *name)
{
	const struct routes_entry wanted = { .name = name };
	const struct routes_entry *const key = &wanted;
	struct routes_entry *const *found = bsearch(&key, routes->named, routes->named_count,
						    sizeof(struct routes_entry *), compare_names);

	return found ? *found : NULL;
}
