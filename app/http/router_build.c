/* router_build.c - see router.h: making a router, once, at start.
 *
 * http/routes lists the routes; then each method's tree grows of twigs, whose children are lists; then nodes are made
 * of the twigs, whose children are hash tables. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/word.h"
#include "http/method.h"
#include "http/router.h"
#include "http/router_tree.h"

/* A choice while its place is not yet known. */
struct shoot {
	const struct pattern_segment *segment;
	uint32_t twig; /* behind it */
	uint32_t next; /* of the same twig, the one that is tried next */
};

/* A node while its children are not yet known. Both have the same number. */
struct twig {
	struct router_node node;
	leat_text literal; /* in front of it */
	uint32_t first_child;
	uint32_t next; /* child of the same twig */
	uint32_t child_count;
	uint32_t first_shoot;
};

struct builder {
	const struct routes *routes;
	struct twig *twigs;
	uint32_t twig_count;
	struct shoot *shoots;
	uint32_t shoot_count;
	uint32_t roots[LEAT_METHOD_COUNT];
	struct routes_faults *faults;
};

static void grow_trees(struct builder *builder);
static uint32_t add_twig(struct builder *builder, leat_text literal);
static void make_leaves(struct router *router);
static void make_nodes(struct router *router, const struct builder *builder);
static void make_choices(struct router *router, const struct builder *builder);
static void make_allow(struct router *router);

static void *allocate(size_t count, size_t size);
static void *grow(void *array, size_t count, size_t size);

static void build(struct router *router, struct routes_faults *faults)
{
	struct builder builder = { .routes = &router->routes, .faults = faults };

	grow_trees(&builder);
	memcpy(router->roots, builder.roots, sizeof(router->roots));
	make_leaves(router);
	make_nodes(router, &builder);
	make_choices(router, &builder);
	make_allow(router);
	free(builder.twigs);
	free(builder.shoots);
}

struct router *router_new(const struct leat_route *const *tables, char *error, size_t error_size)
{
	struct routes_faults faults = { .text = error, .size = error_size };
	struct router *router = allocate(1, sizeof(*router));
	bool is_read = routes_read(&router->routes, tables, &faults);

	router->steps = ROUTER_STEPS;
	build(router, &faults);
	if (is_read && faults.len == 0)
		return router;
	router_free(router);
	return NULL;
}

void router_free(struct router *router)
{
	if (!router)
		return;
	routes_free(&router->routes);
	free(router->nodes);
	free(router->children);
	free(router->choices);
	free(router->leaves);
	free(router);
}

void router_limit_steps(struct router *router, uint32_t steps)
{
	router->steps = steps;
}

const struct routes *router_routes(const struct router *router)
{
	return &router->routes;
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

/* The twig behind {name}. */
static uint32_t grow_any(struct builder *builder, uint32_t number)
{
	uint32_t behind = builder->twigs[number].node.after_any;

	if (!behind) {
		behind = add_twig(builder, LEAT_TEXT_OF(""));
		builder->twigs[number].node.after_any = behind;
	}
	return behind;
}

/* The twig behind a segment that has to be looked at closely. Shoots are kept in the order in which they are tried. */
static uint32_t grow_choice(struct builder *builder, uint32_t number, const struct pattern_segment *segment)
{
	uint32_t before = 0, at = builder->twigs[number].first_shoot, shoot = builder->shoot_count, twig;
	int order = 1;

	while (at && (order = pattern_compare_segments(segment, builder->shoots[at].segment)) > 0) {
		before = at;
		at = builder->shoots[at].next;
	}
	if (at && order == 0)
		return builder->shoots[at].twig;
	twig = add_twig(builder, LEAT_TEXT_OF(""));
	builder->shoots = grow(builder->shoots, shoot, sizeof(*builder->shoots));
	builder->shoots[shoot] = (struct shoot){ segment, twig, at };
	builder->shoot_count++;
	if (before)
		builder->shoots[before].next = shoot;
	else
		builder->twigs[number].first_shoot = shoot;
	return twig;
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
			number = grow_literal(builder, number, segment->parts[0].text);
		else if (segment->kind == PATTERN_ANY)
			number = grow_any(builder, number);
		else
			number = grow_choice(builder, number, segment);
	}
	return &builder->twigs[number].node.leaf;
}

static void report_conflict(struct builder *builder, const struct routes_entry *left, const struct routes_entry *right)
{
	char left_words[ROUTES_WORDS_SIZE], right_words[ROUTES_WORDS_SIZE];

	routes_fault(builder->faults, "routes %s and %s match the same paths",
		     routes_describe(left_words, left->route, left->pattern->text),
		     routes_describe(right_words, right->route, right->pattern->text));
}

static void grow_tree(struct builder *builder, enum leat_method method)
{
	for (unsigned i = 0; i < builder->routes->count; i++) {
		const struct routes_entry *entry = &builder->routes->entries[i];
		uint32_t *leaf;

		if (entry->route->verb.method != method)
			continue;
		leaf = grow_pattern(builder, method, entry->pattern);
		if (*leaf)
			report_conflict(builder, &builder->routes->entries[*leaf - 1], entry);
		else
			*leaf = i + 1;
	}
}

/* GET's routes answer HEAD as well, where HEAD has none for the same paths. */
static void grow_head_from_get(struct builder *builder)
{
	for (unsigned i = 0; i < builder->routes->count; i++) {
		uint32_t *leaf;

		if (builder->routes->entries[i].route->verb.method != LEAT_METHOD_GET)
			continue;
		leaf = grow_pattern(builder, LEAT_METHOD_HEAD, builder->routes->entries[i].pattern);
		if (!*leaf)
			*leaf = i + 1;
	}
}

static void grow_trees(struct builder *builder)
{
	add_twig(builder, LEAT_TEXT_OF("")); /* number 0 is none */
	builder->shoots = grow(NULL, 0, sizeof(*builder->shoots));
	builder->shoot_count = 1; /* nor is shoot 0 */
	for (enum leat_method method = LEAT_METHOD_GET; method < LEAT_METHOD_COUNT; method++)
		grow_tree(builder, method);
	grow_head_from_get(builder);
}

/* Making ----------------------------------------------------------------------------------------------------------- */

static void make_leaves(struct router *router)
{
	router->leaves = allocate(router->routes.count + 1, sizeof(*router->leaves));
	for (unsigned i = 0; i < router->routes.count; i++) {
		const struct routes_entry *entry = &router->routes.entries[i];

		router->leaves[i + 1] = (struct router_leaf){
			.route = entry->route,
			.pattern = entry->pattern->text,
			.middleware = entry->middleware,
			.params = entry->pattern->params,
			.param_count = entry->pattern->param_count,
			.index = entry->index,
		};
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
		if (builder->twigs[i].child_count)
			places += (size_t)1 << places_log2(builder->twigs[i].child_count);
	router->nodes = allocate(builder->twig_count, sizeof(*router->nodes));
	router->children = table = allocate(places + 1, sizeof(*table));
	for (uint32_t i = 0; i < builder->twig_count; i++) {
		const struct twig *twig = &builder->twigs[i];
		struct router_node *node = &router->nodes[i];
		unsigned log2 = places_log2(twig->child_count);

		*node = twig->node;
		node->has_others = twig->first_shoot || node->after_any || node->tail;
		if (!twig->child_count)
			continue;
		node->children = table;
		node->hash_shift = (uint8_t)(64 - log2);
		fill_table(table, 64 - log2, builder, i);
		table += (size_t)1 << log2;
	}
}

static uint32_t count_params(const struct pattern_segment *segment)
{
	uint32_t count = 0;

	for (unsigned i = 0; i < segment->part_count; i++)
		count += segment->parts[i].kind != PATTERN_LITERAL;
	return count;
}

/* Each node's choices in a row, with an end behind them; 0 is the end that nodes without choices have. */
static void make_choices(struct router *router, const struct builder *builder)
{
	uint32_t count = 1;

	router->choices = allocate(1 + builder->shoot_count + builder->twig_count, sizeof(*router->choices));
	for (uint32_t i = 0; i < builder->twig_count; i++) {
		uint32_t shoot = builder->twigs[i].first_shoot;

		if (!shoot)
			continue;
		router->nodes[i].choices = count;
		for (; shoot; shoot = builder->shoots[shoot].next) {
			const struct pattern_segment *segment = builder->shoots[shoot].segment;

			router->choices[count++] = (struct router_choice){ segment, builder->shoots[shoot].twig,
									   count_params(segment) };
		}
		count++;
	}
}

/* The values of Allow for every set of methods. */
static void make_allow(struct router *router)
{
	static const enum leat_method sorted[] = { LEAT_METHOD_DELETE,  LEAT_METHOD_GET,   LEAT_METHOD_HEAD,
						   LEAT_METHOD_OPTIONS, LEAT_METHOD_PATCH, LEAT_METHOD_POST,
						   LEAT_METHOD_PUT };

	for (unsigned set = 0; set < ROUTER_METHOD_SETS; set++) {
		char *at = router->allow[set];

		for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++)
			if (set >> sorted[i] & 1)
				at = stpcpy(stpcpy(at, at > router->allow[set] ? ", " : ""), method_name(sorted[i]));
	}
}
