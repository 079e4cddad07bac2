/* router_build.c - see router.h: making a router, once, at start.
 *
 * Patterns are read and sorted; then each method's tree grows of twigs, whose children are lists; then nodes are made
 * of the twigs, whose children are hash tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/word.h"
#include "http/method.h"
#include "http/router.h"
#include "http/router_tree.h"

/* A route while the router is made. Its leaf's number is its place among the entries and 1. */
struct entry {
	const struct leat_route *route;
	unsigned index;
	struct pattern pattern;
};

/* A node while its children are not yet known. Both have the same number. */
struct twig {
	struct router_node node;
	leat_text literal; /* in front of it */
	uint32_t first_child;
	uint32_t next; /* child of the same twig */
	uint32_t child_count;
};

struct builder {
	struct entry *entries;
	unsigned entry_count;
	struct twig *twigs;
	uint32_t twig_count;
	uint32_t roots[LEAT_METHOD_COUNT];
	char *error;
	size_t error_size;
};

static bool read_tables(struct builder *builder, const struct leat_route *const *tables);
static bool grow_trees(struct builder *builder);
static uint32_t add_twig(struct builder *builder, leat_text literal);
static struct router *make_router(const struct builder *builder);

static void *allocate(size_t count, size_t size);
static void *grow(void *array, size_t count, size_t size);

struct router *router_new(const struct leat_route *const *tables, char *error, size_t error_size)
{
	struct builder builder = { .error = error, .error_size = error_size };
	struct router *router = NULL;

	if (read_tables(&builder, tables) && grow_trees(&builder))
		router = make_router(&builder);
	free(builder.entries);
	free(builder.twigs);
	return router;
}

void router_free(struct router *router)
{
	if (!router)
		return;
	free(router->nodes);
	free(router->children);
	free(router->leaves);
	free(router->names);
	free(router);
}

void router_each(const struct router *router, router_visit_fn visit, void *arg)
{
	for (unsigned number = 1; number <= router->leaf_count; number++)
		visit(arg, router->leaves[number].route, router->leaves[number].index);
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		check_out_of_memory(count * size, "the router");
	return memory;
}

/* An array of 'count' elements with room for one more: it doubles whenever 'count' is a power of two. */
static void *grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? 2 * count : 1) * size);
	if (!array)
		check_out_of_memory(2 * count * size, "the router");
	return array;
}

/* Reading ---------------------------------------------------------------------------------------------------------- */

static bool reject(struct builder *builder, const struct leat_route *route, const char *reason)
{
	snprintf(builder->error, builder->error_size, "route %s %s: %s", method_name(route->method),
		 route->pattern ? route->pattern : "without a pattern", reason);
	return false;
}

static bool read_route(struct builder *builder, const struct leat_route *route)
{
	char reason[256];
	struct entry *entry;

	if (!route->pattern || !route->handler || (unsigned)route->method >= LEAT_METHOD_COUNT)
		return reject(builder, route, "it needs a pattern, a method and a handler");
	builder->entries = grow(builder->entries, builder->entry_count, sizeof(*entry));
	entry = &builder->entries[builder->entry_count];
	entry->route = route;
	entry->index = builder->entry_count++;
	return pattern_parse(route->pattern, &entry->pattern, reason, sizeof(reason)) || reject(builder, route, reason);
}

static int compare_entries(const void *a, const void *b)
{
	const struct leat_route *left = ((const struct entry *)a)->route;
	const struct leat_route *right = ((const struct entry *)b)->route;
	int order = strcmp(left->pattern, right->pattern);

	return order ? order : (int)left->method - (int)right->method;
}

static bool read_tables(struct builder *builder, const struct leat_route *const *tables)
{
	for (; *tables; tables++)
		for (const struct leat_route *route = *tables; route->method != LEAT_METHOD_NONE; route++)
			if (!read_route(builder, route))
				return false;
	if (builder->entry_count)
		qsort(builder->entries, builder->entry_count, sizeof(*builder->entries), compare_entries);
	return true;
}

/* Growing ---------------------------------------------------------------------------------------------------------- */

static uint32_t add_twig(struct builder *builder, leat_text literal)
{
	builder->twigs = grow(builder->twigs, builder->twig_count, sizeof(*builder->twigs));
	builder->twigs[builder->twig_count] = (struct twig){ .literal = literal };
	return builder->twig_count++;
}

/* The twig behind a literal. */
static uint32_t grow_literal(struct builder *builder, uint32_t number, leat_text literal)
{
	uint32_t child = builder->twigs[number].first_child;

	while (child && !leat_text_equal(builder->twigs[child].literal, literal))
		child = builder->twigs[child].next;
	if (child)
		return child;
	child = add_twig(builder, literal);
	builder->twigs[child].next = builder->twigs[number].first_child;
	builder->twigs[number].first_child = child;
	builder->twigs[number].child_count++;
	return child;
}

/* The twig behind {name:int} or {name}. */
static uint32_t grow_parameter(struct builder *builder, uint32_t number, enum pattern_kind kind)
{
	const struct router_node *node = &builder->twigs[number].node;
	uint32_t behind = kind == PATTERN_INT ? node->after_int : node->after_any;

	if (behind)
		return behind;
	behind = add_twig(builder, LEAT_TEXT_OF(""));
	if (kind == PATTERN_INT)
		builder->twigs[number].node.after_int = behind;
	else
		builder->twigs[number].node.after_any = behind;
	return behind;
}

/* Grows what the pattern needs, and returns where the number of its leaf belongs. */
static uint32_t *grow_pattern(struct builder *builder, enum leat_method method, const struct pattern *pattern)
{
	uint32_t number = builder->roots[method];

	if (!number)
		number = builder->roots[method] = add_twig(builder, LEAT_TEXT_OF(""));
	for (unsigned i = 0; i < pattern->segment_count; i++) {
		const struct pattern_segment *segment = &pattern->segments[i];

		if (segment->kind == PATTERN_TAIL)
			return &builder->twigs[number].node.tail;
		if (segment->kind == PATTERN_LITERAL)
			number = grow_literal(builder, number, segment->text);
		else
			number = grow_parameter(builder, number, segment->kind);
	}
	return &builder->twigs[number].node.leaf;
}

static bool grow_tree(struct builder *builder, enum leat_method method)
{
	for (unsigned i = 0; i < builder->entry_count; i++) {
		const struct entry *entry = &builder->entries[i];
		uint32_t *leaf;

		if (entry->route->method != method)
			continue;
		leaf = grow_pattern(builder, method, &entry->pattern);
		if (*leaf) {
			snprintf(builder->error, builder->error_size, "routes %s %s and %s %s match the same paths",
				 method_name(method), builder->entries[*leaf - 1].route->pattern, method_name(method),
				 entry->route->pattern);
			return false;
		}
		*leaf = i + 1;
	}
	return true;
}

/* GET's routes answer HEAD as well, where HEAD has none for the same paths. */
static void grow_head_from_get(struct builder *builder)
{
	for (unsigned i = 0; i < builder->entry_count; i++) {
		uint32_t *leaf;

		if (builder->entries[i].route->method != LEAT_GET)
			continue;
		leaf = grow_pattern(builder, LEAT_HEAD, &builder->entries[i].pattern);
		if (!*leaf)
			*leaf = i + 1;
	}
}

static bool grow_trees(struct builder *builder)
{
	add_twig(builder, LEAT_TEXT_OF("")); /* number 0 is none */
	for (enum leat_method method = LEAT_GET; method < LEAT_METHOD_COUNT; method++)
		if (!grow_tree(builder, method))
			return false;
	grow_head_from_get(builder);
	return true;
}

/* Making ----------------------------------------------------------------------------------------------------------- */

static void make_leaves(struct router *router, const struct builder *builder)
{
	size_t name_count = 0;
	leat_text *name;

	for (unsigned i = 0; i < builder->entry_count; i++)
		name_count += builder->entries[i].pattern.param_count;
	router->leaf_count = builder->entry_count;
	router->leaves = allocate(builder->entry_count + 1, sizeof(*router->leaves));
	router->names = name = allocate(name_count + 1, sizeof(*router->names));
	for (unsigned i = 0; i < builder->entry_count; i++) {
		const struct entry *entry = &builder->entries[i];

		router->leaves[i + 1] = (struct router_leaf){
			.route = entry->route,
			.names = name,
			.name_count = entry->pattern.param_count,
			.index = entry->index,
		};
		for (unsigned k = 0; k < entry->pattern.segment_count; k++)
			if (entry->pattern.segments[k].kind != PATTERN_LITERAL)
				*name++ = entry->pattern.segments[k].text;
	}
}

/* The logarithm of the places in a table for so many children: two at least, so that there is always a free one. */
static unsigned places_log2(uint32_t child_count)
{
	unsigned log2 = 1;

	while (child_count * 2 > 1u << log2)
		log2++;
	return log2;
}

static void fill_table(struct router_child *table, uint32_t hash_shift, const struct builder *builder, uint32_t number)
{
	size_t last_place = ((size_t)1 << (64 - hash_shift)) - 1;

	for (uint32_t i = builder->twigs[number].first_child; i; i = builder->twigs[i].next) {
		leat_text literal = builder->twigs[i].literal;
		uint64_t head = literal.len < WORD_SIZE ? word_load_part(literal.ptr, literal.len)
							: word_load(literal.ptr);
		size_t place = router_hash(head, literal.len, hash_shift);

		while (table[place].node)
			place = (place + 1) & last_place;
		table[place] = (struct router_child){ head, literal.ptr, (uint32_t)literal.len, i };
	}
}

static void make_nodes(struct router *router, const struct builder *builder)
{
	struct router_child *table;
	size_t places = 0;

	for (uint32_t i = 0; i < builder->twig_count; i++)
		places += (size_t)1 << places_log2(builder->twigs[i].child_count);
	router->nodes = allocate(builder->twig_count, sizeof(*router->nodes));
	router->children = table = allocate(places, sizeof(*table));
	for (uint32_t i = 0; i < builder->twig_count; i++) {
		unsigned log2 = places_log2(builder->twigs[i].child_count);

		router->nodes[i] = builder->twigs[i].node;
		router->nodes[i].children = table;
		router->nodes[i].hash_shift = 64 - log2;
		fill_table(table, 64 - log2, builder, i);
		table += (size_t)1 << log2;
	}
}

/* The values of Allow for every set of methods. */
static void make_allow(struct router *router)
{
	static const enum leat_method sorted[] = { LEAT_DELETE, LEAT_GET,  LEAT_HEAD, LEAT_OPTIONS,
						   LEAT_PATCH,  LEAT_POST, LEAT_PUT };

	for (unsigned set = 0; set < ROUTER_METHOD_SETS; set++) {
		char *at = router->allow[set];

		for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++)
			if (set >> sorted[i] & 1)
				at += sprintf(at, "%s%s", at > router->allow[set] ? ", " : "", method_name(sorted[i]));
	}
}

static struct router *make_router(const struct builder *builder)
{
	struct router *router = allocate(1, sizeof(*router));

	memcpy(router->roots, builder->roots, sizeof(router->roots));
	make_leaves(router, builder);
	make_nodes(router, builder);
	make_allow(router);
	return router;
}
