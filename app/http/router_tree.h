/* router_tree.h - what the router's two files share: how it is kept. router_build.c makes it, router.c asks it.
 *
 * Use:
 *     const struct router_node *root = &router->nodes[router->roots[LEAT_METHOD_GET]];
 *
 * One tree a method, a level for each segment; HEAD's tree holds GET's routes as well. The literals that may follow a
 * node are in a hash table of its own, found by their first eight bytes and their length; beside them stand the choices
 * that have to look closer (types, text and parameters, regular expressions), a node behind {name}, and the leaf of
 * {name...}.
 *
 * Ownership:      all of it is the router's; literals, names and segments are views into the patterns of 'routes'.
 * Thread-safety:  any thread, once made; it is never changed.
 * Errors:         none.
 */
#ifndef APP_HTTP_ROUTER_TREE_H
#define APP_HTTP_ROUTER_TREE_H

#include <leat/route.h>
#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/pattern.h"
#include "http/routes.h"

/* A literal that may follow a node. */
struct router_child {
	uint64_t head; /* its first eight bytes, as word_load gives them */
	const char *text;
	uint32_t len;
	uint32_t node; /* the node behind it; 0: this place of the table is free */
};

/* A segment that may follow a node, when it fits. */
struct router_choice {
	const struct pattern_segment *segment; /* NULL: the end of a node's choices */
	uint32_t node;                         /* the node behind it */
	uint32_t param_count;
};

/* Numbers of nodes and leaves begin with 1; 0 is none. */
struct router_node {
	const struct router_child *children; /* hash table with linear probing, half full at most */
	uint8_t hash_shift;                  /* 64 - log2 of its places; 0: no literal follows */
	bool has_others;                     /* than literals */
	uint32_t leaf;                       /* the path may end here, */
	uint32_t tail;                       /* go on as it likes, */
	uint32_t choices;                    /* or come to another node: where its choices begin; 0: has none */
	uint32_t after_any;                  /* behind a {name} */
};

/* A route. */
struct router_leaf {
	const struct leat_route *route;
	const char *pattern;
	const struct leat_middleware *const *middleware;
	const struct pattern_param *params;
	unsigned param_count;
	unsigned index;
};

enum {
	ROUTER_METHOD_SETS = 1 << LEAT_METHOD_COUNT, /* a set has the bit 1 << method for each of its methods */
	ROUTER_ALLOW_SIZE = sizeof("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
};

struct router {
	struct routes routes; /* sorted by pattern, then method */
	struct router_node *nodes;
	struct router_child *children;
	struct router_choice *choices;
	struct router_leaf *leaves; /* in the order of 'routes', from 1 */
	uint32_t steps;             /* that matching a path may take */
	uint32_t roots[LEAT_METHOD_COUNT];
	char allow[ROUTER_METHOD_SETS][ROUTER_ALLOW_SIZE];
};

/* Where a table's search for a literal begins. */
static inline size_t router_hash(uint64_t head, size_t len, uint32_t hash_shift)
{
	return (size_t)((head + len) * UINT64_C(0x9E3779B97F4A7C15) >> hash_shift);
}

#endif
