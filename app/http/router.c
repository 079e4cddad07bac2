/* router.c - see router.h: the matching. Asked by http/request for every request; router_build.c makes what it looks
 * into.
 *
 * A path comes to a node of the tree once at most, whatever is tried: the way to a node says which segment it is in. What can
 * cost more than the path is long are regular expressions and parameters inside segments; they are counted in steps.
 *
 * A path with escapes is decoded as a whole before it is matched, with URI_ESCAPED_SLASH for the slashes that are data:
 * no literal holds that byte, and it separates nothing. */
#include "http/router.h"

#include <string.h>

#include "base/word.h"
#include "http/router_tree.h"
#include "http/segment.h"
#include "http/uri.h"

struct walk {
	const struct router_node *nodes;
	const struct router_choice *choices;
	const char *end; /* of the path */
	leat_text *values;
	uint32_t steps; /* left */
	bool is_over_limit;
};

struct segment {
	const char *at;
	const char *end;
	uint64_t head; /* its first eight bytes, zeros behind its end */
};

static bool is_plain(leat_text path);
static const struct router_leaf *find(const struct router *router, enum leat_method method, leat_text path,
				      leat_text *values, bool *ret_is_over_limit);
static void fill(struct router_match *match, const struct router_leaf *leaf);
static enum router_verdict refuse(const struct router *router, enum leat_method method, leat_text path,
				  struct router_match *match);
static void restore_slashes(struct router_match *match);

static uint32_t walk_before(struct walk *walk, uint32_t number, const char *at, unsigned depth);
static struct segment segment_at(const struct walk *walk, const char *at);
static uint32_t find_child(const struct router_node *node, struct segment segment);
static void capture(const struct walk *walk, unsigned depth, const char *at, const char *end);

enum router_verdict router_match(const struct router *router, enum leat_method method, leat_text path,
				 struct arena *arena, struct router_match *ret_match)
{
	leat_text decoded = path;
	const struct router_leaf *leaf;
	bool is_over_limit = false;

	if (!is_plain(path) && !uri_decode(path, URI_PATH, arena, &decoded))
		return ROUTER_BAD_PATH;
	leaf = find(router, method, decoded, ret_match->values, &is_over_limit);
	if (is_over_limit)
		return ROUTER_LIMIT;
	if (!leaf)
		return refuse(router, method, decoded, ret_match);
	fill(ret_match, leaf);
	if (decoded.ptr != path.ptr)
		restore_slashes(ret_match);
	return ROUTER_FOUND;
}

static void fill(struct router_match *match, const struct router_leaf *leaf)
{
	match->route = leaf->route;
	match->pattern = leaf->pattern;
	match->middleware = leaf->middleware;
	match->index = leaf->index;
	match->allow = NULL;
	match->params = leaf->params;
	match->param_count = leaf->param_count;
}

/* Sixteen bytes at once, where the compiler knows how; NUL and what is not ASCII are less than 1. */
typedef signed char bytes16 __attribute__((vector_size(16)));

static bytes16 special_bytes(const char *at)
{
	bytes16 bytes;

	memcpy(&bytes, at, sizeof(bytes));
	return (bytes16)((bytes < 1) | (bytes == '%'));
}

static uint64_t special_marks(uint64_t word)
{
	return word_marks_high(word) | word_marks_equal(word, '%') | word_marks_below(word, 1);
}

static bool is_plain_long(leat_text path)
{
	const char *last = path.ptr + path.len - sizeof(bytes16);
	bytes16 special = special_bytes(last);
	uint64_t halves[2];

	for (const char *at = path.ptr; at < last; at += sizeof(bytes16))
		special |= special_bytes(at);
	memcpy(halves, &special, sizeof(halves));
	return (halves[0] | halves[1]) == 0;
}

/* Whether nothing has to be decoded or checked: ASCII without '%' and NUL. */
static bool is_plain(leat_text path)
{
	if (path.len >= sizeof(bytes16))
		return is_plain_long(path);
	if (path.len >= WORD_SIZE)
		return (special_marks(word_load(path.ptr)) |
			special_marks(word_load(path.ptr + path.len - WORD_SIZE))) == 0;
	for (size_t i = 0; i < path.len; i++)
		if (special_marks(WORD_OF(path.ptr[i])))
			return false;
	return true;
}

static const struct router_leaf *find(const struct router *router, enum leat_method method, leat_text path,
				      leat_text *values, bool *ret_is_over_limit)
{
	struct walk walk = { router->nodes, router->choices, path.ptr + path.len, values, router->steps, false };
	uint32_t number = 0;

	if (router->roots[method] && path.len > 0 && path.ptr[0] == '/')
		number = walk_before(&walk, router->roots[method], path.ptr + 1, 0);
	*ret_is_over_limit |= walk.is_over_limit;
	return number ? &router->leaves[number] : NULL;
}

/* No route of the method matches: do others? */
static enum router_verdict refuse(const struct router *router, enum leat_method method, leat_text path,
				  struct router_match *match)
{
	unsigned methods = 0;
	bool is_over_limit = false;

	for (enum leat_method other = LEAT_METHOD_GET; other < LEAT_METHOD_COUNT; other++)
		if (find(router, other, path, match->values, &is_over_limit))
			methods |= 1u << other;
	if (is_over_limit)
		return ROUTER_LIMIT;
	if (!methods)
		return ROUTER_NOT_FOUND;
	match->route = NULL;
	match->param_count = 0;
	match->allow = router->allow[methods | 1u << LEAT_METHOD_OPTIONS];
	return method == LEAT_METHOD_OPTIONS ? ROUTER_FOUND : ROUTER_METHOD_NOT_ALLOWED;
}

/* The values are in the arena, where uri_decode has put the path. */
static void restore_slashes(struct router_match *match)
{
	for (unsigned i = 0; i < match->param_count; i++) {
		char *value = (char *)match->values[i].ptr;

		for (size_t k = 0; k < match->values[i].len; k++)
			if (value[k] == URI_ESCAPED_SLASH)
				value[k] = '/';
	}
}

/* Walking the tree ------------------------------------------------------------------------------------------------- */

/* The leaf that the path leads to from a node behind the segment; 0 when there is none. */
static uint32_t walk_behind(struct walk *walk, uint32_t number, struct segment segment, unsigned depth)
{
	if (segment.end == walk->end)
		return walk->nodes[number].leaf;
	return walk_before(walk, number, segment.end + 1, depth);
}

/* The same by way of the choices that fit the segment. */
static uint32_t walk_choices(struct walk *walk, const struct router_choice *choice, struct segment segment,
			     unsigned depth)
{
	leat_text text = { segment.at, (size_t)(segment.end - segment.at) };
	uint32_t leaf = 0;

	for (; choice->segment && !leaf && !walk->is_over_limit; choice++) {
		enum segment_verdict verdict = SEGMENT_FITS_NOT;

		if (text.len > 0)
			verdict = segment_match(choice->segment, text, &walk->steps, &walk->values[depth]);
		walk->is_over_limit |= verdict == SEGMENT_LIMIT;
		if (verdict == SEGMENT_FITS)
			leaf = walk_behind(walk, choice->node, segment, depth + choice->param_count);
	}
	return leaf;
}

static uint32_t walk_tail(const struct walk *walk, const struct router_node *node, const char *at, unsigned depth)
{
	if (node->tail)
		capture(walk, depth, at, walk->end);
	return node->tail;
}

/* The same from a node in front of the segment at 'at'. 'depth' parameters are captured already. Where nothing is left to
 * come back for it goes on without a call. */
static uint32_t walk_before(struct walk *walk, uint32_t number, const char *at, unsigned depth)
{
	for (;;) {
		const struct router_node *node = &walk->nodes[number];
		struct segment segment = segment_at(walk, at);
		uint32_t leaf;

		number = node->hash_shift ? find_child(node, segment) : 0;
		if (!number || node->has_others) {
			if (number && (leaf = walk_behind(walk, number, segment, depth)))
				return leaf;
			if (node->choices && (leaf = walk_choices(walk, &walk->choices[node->choices], segment, depth)))
				return leaf;
			if (!node->after_any || segment.end == at)
				return walk_tail(walk, node, at, depth);
			capture(walk, depth, at, segment.end);
			if (node->tail) {
				leaf = walk_behind(walk, node->after_any, segment, depth + 1);
				return leaf ? leaf : walk_tail(walk, node, at, depth);
			}
			number = node->after_any;
			depth++;
		}
		if (segment.end == walk->end)
			return walk->nodes[number].leaf;
		at = segment.end + 1;
	}
}

static uint64_t load(const char *at, const char *end)
{
	return end - at >= WORD_SIZE ? word_load(at) : word_load_part(at, (size_t)(end - at));
}

/* The segment that begins at 'at'. */
static struct segment segment_at(const struct walk *walk, const char *at)
{
	struct segment segment = { .at = at, .end = walk->end, .head = load(at, walk->end) };
	uint64_t slashes = word_marks_equal(segment.head, '/');

	if (slashes)
		segment.head &= (UINT64_C(1) << 8 * word_first(slashes)) - 1;
	while (!slashes && walk->end - at > WORD_SIZE) {
		at += WORD_SIZE;
		slashes = word_marks_equal(load(at, walk->end), '/');
	}
	if (slashes)
		segment.end = at + word_first(slashes);
	return segment;
}

/* The node behind the literal that the segment is; 0 when there is none. */
static uint32_t find_child(const struct router_node *node, struct segment segment)
{
	size_t len = (size_t)(segment.end - segment.at);
	size_t last_place = ((size_t)1 << (64 - node->hash_shift)) - 1;
	size_t place = router_hash(segment.head, len, node->hash_shift);

	for (;; place = (place + 1) & last_place) {
		const struct router_child *child = &node->children[place];

		if (child->node == 0)
			return 0;
		if (child->head == segment.head && child->len == len &&
		    (len <= WORD_SIZE || word_same(segment.at + WORD_SIZE, child->text + WORD_SIZE, len - WORD_SIZE)))
			return child->node;
	}
}

static void capture(const struct walk *walk, unsigned depth, const char *at, const char *end)
{
	walk->values[depth] = (leat_text){ at, (size_t)(end - at) };
}
