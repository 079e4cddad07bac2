/* router.c - see router.h: the matching. Asked by http/request for every request; router_build.c makes what it looks
 * into.
 *
 * A path comes to a node of the tree once at most, whatever is tried: the way to a node says which segment it is in.
 *
 * A path with escapes is decoded as a whole before it is matched, with URI_ESCAPED_SLASH for the slashes that are data:
 * no literal holds that byte, and it separates nothing. */
#include "http/router.h"

#include "base/number.h"
#include "base/word.h"
#include "http/router_tree.h"
#include "http/uri.h"

struct walk {
	const struct router_node *nodes;
	const char *end; /* of the path */
	struct router_param *params;
};

struct segment {
	const char *at;
	const char *end;
	uint64_t head; /* its first eight bytes, zeros behind its end */
};

static bool is_plain(leat_text path);
static const struct router_leaf *find(const struct router *router, enum leat_method method, leat_text path,
				      struct router_param *params);
static enum router_verdict refuse(const struct router *router, enum leat_method method, leat_text path,
				  struct router_match *match);
static void restore_slashes(struct router_match *match);

static uint32_t walk_before(const struct walk *walk, uint32_t number, const char *at, unsigned depth);
static struct segment segment_at(const struct walk *walk, const char *at);
static uint32_t find_child(const struct router_node *node, struct segment segment);
static void capture(const struct walk *walk, unsigned depth, const char *at, const char *end);
static bool capture_int(const struct walk *walk, unsigned depth, struct segment segment);

enum router_verdict router_match(const struct router *router, enum leat_method method, leat_text path,
				 struct arena *arena, struct router_match *ret_match)
{
	leat_text decoded = path;
	const struct router_leaf *leaf;

	if (!is_plain(path) && !uri_decode(path, URI_PATH, arena, &decoded))
		return ROUTER_BAD_PATH;
	leaf = find(router, method, decoded, ret_match->params);
	if (!leaf)
		return refuse(router, method, decoded, ret_match);
	ret_match->route = leaf->route;
	ret_match->index = leaf->index;
	ret_match->allow = NULL;
	ret_match->param_count = leaf->name_count;
	for (unsigned i = 0; i < leaf->name_count; i++)
		ret_match->params[i].name = leaf->names[i];
	if (decoded.ptr != path.ptr)
		restore_slashes(ret_match);
	return ROUTER_FOUND;
}

static uint64_t special_marks(uint64_t word)
{
	return word_marks_high(word) | word_marks_equal(word, '%') | word_marks_below(word, 1);
}

/* Whether nothing has to be decoded or checked: ASCII without '%' and NUL. */
static bool is_plain(leat_text path)
{
	uint64_t marks = 0;
	size_t i = 0;

	if (path.len < WORD_SIZE) {
		while (i < path.len)
			marks |= special_marks(WORD_OF(path.ptr[i++]));
		return marks == 0;
	}
	for (; i + WORD_SIZE < path.len; i += WORD_SIZE)
		marks |= special_marks(word_load(path.ptr + i));
	marks |= special_marks(word_load(path.ptr + path.len - WORD_SIZE));
	return marks == 0;
}

static const struct router_leaf *find(const struct router *router, enum leat_method method, leat_text path,
				      struct router_param *params)
{
	struct walk walk = { router->nodes, path.ptr + path.len, params };
	uint32_t number = 0;

	if (router->roots[method] && path.len > 0 && path.ptr[0] == '/')
		number = walk_before(&walk, router->roots[method], path.ptr + 1, 0);
	return number ? &router->leaves[number] : NULL;
}

/* No route of the method matches: do others? */
static enum router_verdict refuse(const struct router *router, enum leat_method method, leat_text path,
				  struct router_match *match)
{
	unsigned methods = 0;

	for (enum leat_method other = LEAT_GET; other < LEAT_METHOD_COUNT; other++)
		if (find(router, other, path, match->params))
			methods |= 1u << other;
	if (!methods)
		return ROUTER_NOT_FOUND;
	match->route = NULL;
	match->param_count = 0;
	match->allow = router->allow[methods | 1u << LEAT_OPTIONS];
	return method == LEAT_OPTIONS ? ROUTER_FOUND : ROUTER_METHOD_NOT_ALLOWED;
}

/* The values are in the arena, where uri_decode has put the path. */
static void restore_slashes(struct router_match *match)
{
	for (unsigned i = 0; i < match->param_count; i++) {
		char *value = (char *)match->params[i].value.ptr;

		for (size_t k = 0; k < match->params[i].value.len; k++)
			if (value[k] == URI_ESCAPED_SLASH)
				value[k] = '/';
	}
}

/* Walking the tree ------------------------------------------------------------------------------------------------- */

/* The leaf that the path leads to from a node behind the segment; 0 when there is none. */
static uint32_t walk_behind(const struct walk *walk, uint32_t number, struct segment segment, unsigned depth)
{
	if (segment.end == walk->end)
		return walk->nodes[number].leaf;
	return walk_before(walk, number, segment.end + 1, depth);
}

/* The same from a node in front of the segment at 'at'. 'depth' parameters are captured already. */
static uint32_t walk_before(const struct walk *walk, uint32_t number, const char *at, unsigned depth)
{
	const struct router_node *node = &walk->nodes[number];
	struct segment segment = segment_at(walk, at);
	uint32_t child = find_child(node, segment);
	uint32_t leaf;

	if (child && (leaf = walk_behind(walk, child, segment, depth)))
		return leaf;
	if (node->after_int && capture_int(walk, depth, segment) &&
	    (leaf = walk_behind(walk, node->after_int, segment, depth + 1)))
		return leaf;
	if (node->after_any && segment.end > at) {
		capture(walk, depth, at, segment.end);
		if ((leaf = walk_behind(walk, node->after_any, segment, depth + 1)))
			return leaf;
	}
	if (node->tail)
		capture(walk, depth, at, walk->end);
	return node->tail;
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
	walk->params[depth].value = (leat_text){ at, (size_t)(end - at) };
	walk->params[depth].is_int = false;
}

static bool capture_int(const struct walk *walk, unsigned depth, struct segment segment)
{
	struct router_param *param = &walk->params[depth];

	capture(walk, depth, segment.at, segment.end);
	param->is_int = number_read_int(param->value, &param->number);
	return param->is_int;
}
