/* fuzz_router.c - random tables and paths, against a slow and obvious way to the same answer. See README.md for how it is built
 * and run. The input is read as choices: a table of routes out of small parts, then paths out of small pieces. Checked:
 *   - a table is refused exactly when two routes of a method have the same segments but for names;
 *   - of the routes that match, each looked at alone, the one wins whose first segment that differs is tried first;
 *   - its values are those of the one split whose last parameter is the shortest, then the one before it;
 *   - HEAD, OPTIONS, 404 and 405 follow from the same for each method;
 *   - the reverse order of registration changes nothing;
 *   - the URL of the route that won, with the values found, leads back to it and them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "http/method.h"
#include "http/router.h"
#include "http/routes.h"
#include "http/url.h"

enum { ROUTES = 12, SEGMENTS = 3, PARTS = 5, PATHS = 8, TOKENS = 24, TEXT = 96 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the order in which they are tried. */
enum kind { LITERAL, UINT, INT, MIXED, REGEX, ANY, TAIL };

struct part {
	enum kind kind;
	const char *text; /* the literal */
	unsigned regex;
};

struct segment {
	enum kind kind;
	unsigned part_count;
	struct part parts[PARTS];
};

struct route {
	enum leat_method method;
	unsigned segment_count;
	struct segment segments[SEGMENTS];
	char pattern[256];
	char name[8];
};

/* A path: as it is sent, and its decoded segments. */
struct path {
	char raw[TEXT * 3];
	unsigned segment_count;
	char segments[TOKENS + 1][TEXT];
};

struct answer {
	const struct route *route; /* NULL: none */
	unsigned value_count;
	char values[SEGMENTS * PARTS][TEXT];
};

/* Choices ---------------------------------------------------------------------------------------------------------- */

struct choices {
	const uint8_t *at;
	const uint8_t *end;
};

static unsigned choose(struct choices *choices, unsigned count)
{
	return choices->at < choices->end ? *choices->at++ % count : 0;
}

/* Regular expressions by hand --------------------------------------------------------------------------------------- */

static bool all_of(const char *text, const char *set)
{
	return *text && strspn(text, set) == strlen(text);
}

static bool fits_letters(const char *text)
{
	return all_of(text, "abcdefghijklmnopqrstuvwxyz");
}

static bool fits_no_slash(const char *text)
{
	return *text && !strchr(text, '/');
}

static bool fits_a_then_b(const char *text)
{
	size_t a = strspn(text, "a");

	return strcmp(text + a, "b") == 0;
}

static bool fits_dotted(const char *text)
{
	return all_of(text, "ab.-");
}

static bool fits_two_digits(const char *text)
{
	return strlen(text) == 2 && strspn(text, "0123456789") == 2;
}

static const struct regex_by_hand {
	const char *expression;
	bool (*fits)(const char *text);
} regexes[] = {
	{ "[a-z]+", fits_letters },         { "[^/]+", fits_no_slash },    { "a*b", fits_a_then_b },
	{ "(?:[ab]|\\.|-)+", fits_dotted }, { "\\d{2}", fits_two_digits },
};
enum { REGEXES = sizeof(regexes) / sizeof(regexes[0]) };

/* Making a table ----------------------------------------------------------------------------------------------------- */

static const char *const whole_literals[] = { "a", "b", "ab", "a.b", "1", "", "abcdefgh", "abcdefghi", "\xC3\xA9" };
static const char *const inner_literals[] = { ".", "-", "--", "a", "1", ".b" };

static struct part choose_parameter(struct choices *choices)
{
	static const enum kind kinds[] = { ANY, ANY, INT, UINT, REGEX };
	struct part part = { .kind = kinds[choose(choices, 5)] };

	part.regex = part.kind == REGEX ? choose(choices, REGEXES) : 0;
	return part;
}

static void choose_mixed(struct choices *choices, struct segment *segment)
{
	unsigned count = 2 + choose(choices, PARTS - 1);
	bool is_literal = choose(choices, 2);

	segment->kind = MIXED;
	for (unsigned i = 0; i < count; i++, is_literal = !is_literal) {
		if (is_literal)
			segment->parts[i] = (struct part){ LITERAL, inner_literals[choose(choices, 6)], 0 };
		else
			segment->parts[i] = choose_parameter(choices);
	}
	segment->part_count = count;
}

static void choose_segment(struct choices *choices, struct segment *segment, bool is_last)
{
	unsigned what = choose(choices, is_last ? 5 : 4);

	*segment = (struct segment){ .part_count = 1 };
	if (what == 4) {
		segment->parts[0].kind = TAIL;
	} else if (what == 3) {
		choose_mixed(choices, segment);
		return;
	} else if (what == 2) {
		segment->parts[0] = choose_parameter(choices);
	} else {
		segment->parts[0] = (struct part){ LITERAL, whole_literals[choose(choices, 9)], 0 };
	}
	segment->kind = segment->parts[0].kind;
}

static void write_pattern(struct route *route)
{
	char *at = route->pattern;
	unsigned name = 0;

	for (unsigned i = 0; i < route->segment_count; i++) {
		at += sprintf(at, "/");
		for (unsigned k = 0; k < route->segments[i].part_count; k++) {
			const struct part *part = &route->segments[i].parts[k];

			if (part->kind == LITERAL)
				at += sprintf(at, "%s", part->text);
			else
				at += sprintf(at, "{p%u%s%s}", name++,
					      part->kind == INT     ? ":int"
					      : part->kind == UINT  ? ":uint"
					      : part->kind == TAIL  ? "..."
					      : part->kind == REGEX ? ":"
								    : "",
					      part->kind == REGEX ? regexes[part->regex].expression : "");
		}
	}
}

static void choose_route(struct choices *choices, struct route *route, unsigned number)
{
	static const enum leat_method methods[] = { LEAT_METHOD_GET, LEAT_METHOD_GET, LEAT_METHOD_HEAD,
						    LEAT_METHOD_POST };

	route->method = methods[choose(choices, 4)];
	route->segment_count = 1 + choose(choices, SEGMENTS);
	for (unsigned i = 0; i < route->segment_count; i++)
		choose_segment(choices, &route->segments[i], i + 1 == route->segment_count);
	write_pattern(route);
	sprintf(route->name, "r%u", number);
}

/* Making a path ------------------------------------------------------------------------------------------------------ */

static void choose_path(struct choices *choices, struct path *path)
{
	static const struct token {
		const char *raw, *decoded;
	} tokens[] = { { "/", NULL },
		       { "a", "a" },
		       { "b", "b" },
		       { ".", "." },
		       { "-", "-" },
		       { "1", "1" },
		       { "0", "0" },
		       { "%2F", "/" },
		       { "%61", "a" },
		       { "%2e", "." },
		       { "\xC3\xA9", "\xC3\xA9" },
		       { "%C3%a9", "\xC3\xA9" },
		       { "abcdefgh", "abcdefgh" },
		       { "i", "i" } };
	unsigned count = choose(choices, TOKENS);

	memset(path, 0, sizeof(*path));
	path->raw[0] = '/';
	path->segment_count = 1;
	for (unsigned i = 0; i < count; i++) {
		const struct token *token = &tokens[choose(choices, 14)];
		char *segment = path->segments[path->segment_count - 1];

		if (token->decoded && strlen(segment) + 9 > TEXT)
			continue;
		strcat(path->raw, token->raw);
		if (token->decoded)
			strcat(segment, token->decoded);
		else
			path->segment_count++;
	}
}

/* The obvious way ------------------------------------------------------------------------------------------------------ */

static bool fits_integer(const char *text, bool may_be_negative)
{
	char again[32];

	errno = 0;
	snprintf(again, sizeof(again), "%lld", strtoll(text, NULL, 10));
	return errno == 0 && strcmp(again, text) == 0 && (may_be_negative || *text != '-');
}

static bool part_fits(const struct part *part, const char *text)
{
	switch (part->kind) {
	case LITERAL:
		return strcmp(part->text, text) == 0;
	case INT:
	case UINT:
		return fits_integer(text, part->kind == INT);
	case REGEX:
		return regexes[part->regex].fits(text);
	default:
		return *text != '\0';
	}
}

/* Tries all lengths of the last part, shortest first; values are noted from the right. */
static bool parts_fit(const struct part *parts, unsigned count, const char *text, size_t len, char values[][TEXT])
{
	if (count == 0)
		return len == 0;
	for (size_t last = 0; last <= len; last++) {
		char value[TEXT] = { 0 };

		memcpy(value, text + len - last, last);
		if (!part_fits(&parts[count - 1], value) || !parts_fit(parts, count - 1, text, len - last, values))
			continue;
		if (parts[count - 1].kind != LITERAL) {
			unsigned at = 0;

			for (unsigned i = 0; i + 1 < count; i++)
				at += parts[i].kind != LITERAL;
			strcpy(values[at], value);
		}
		return true;
	}
	return false;
}

static unsigned count_values(const struct segment *segment)
{
	unsigned count = 0;

	for (unsigned i = 0; i < segment->part_count; i++)
		count += segment->parts[i].kind != LITERAL;
	return count;
}

static void join_rest(const struct path *path, unsigned from, char *value)
{
	*value = '\0';
	for (unsigned i = from; i < path->segment_count; i++) {
		strcat(value, i > from ? "/" : "");
		strcat(value, path->segments[i]);
	}
}

static bool route_matches(const struct route *route, const struct path *path, struct answer *answer)
{
	*answer = (struct answer){ .route = route };
	for (unsigned i = 0; i < route->segment_count; i++) {
		const struct segment *segment = &route->segments[i];

		if (i >= path->segment_count)
			return false;
		if (segment->kind == TAIL) {
			join_rest(path, i, answer->values[answer->value_count++]);
			return true;
		}
		if (!parts_fit(segment->parts, segment->part_count, path->segments[i], strlen(path->segments[i]),
			       &answer->values[answer->value_count]))
			return false;
		answer->value_count += count_values(segment);
	}
	return route->segment_count == path->segment_count;
}

static int compare_parts(const struct part *left, const struct part *right)
{
	if (left->kind != right->kind)
		return (int)left->kind - (int)right->kind;
	if (left->kind == LITERAL)
		return strcmp(left->text, right->text);
	return left->kind == REGEX ? strcmp(regexes[left->regex].expression, regexes[right->regex].expression) : 0;
}

/* Less than 0 when the left one is tried before the right one. Literals of one place never fit the same text. */
static int compare_segments(const struct segment *left, const struct segment *right)
{
	size_t left_text = 0, right_text = 0;

	if (left->kind != right->kind)
		return (int)left->kind - (int)right->kind;
	for (unsigned i = 0; i < left->part_count; i++)
		left_text += left->parts[i].kind == LITERAL ? strlen(left->parts[i].text) : 0;
	for (unsigned i = 0; i < right->part_count; i++)
		right_text += right->parts[i].kind == LITERAL ? strlen(right->parts[i].text) : 0;
	if (left_text != right_text)
		return left_text > right_text ? -1 : 1;
	for (unsigned i = 0; i < left->part_count && i < right->part_count; i++) {
		int order = compare_parts(&left->parts[i], &right->parts[i]);

		if (order)
			return order;
	}
	return (int)right->part_count - (int)left->part_count;
}

static int compare_routes(const struct route *left, const struct route *right)
{
	for (unsigned i = 0; i < left->segment_count && i < right->segment_count; i++) {
		int order = compare_segments(&left->segments[i], &right->segments[i]);

		if (order)
			return order;
	}
	return (int)left->segment_count - (int)right->segment_count;
}

static struct answer best_answer(const struct route *routes, unsigned count, enum leat_method method,
				 const struct path *path)
{
	struct answer best = { .route = NULL }, answer;

	for (unsigned i = 0; i < count; i++) {
		const struct route *route = &routes[i];
		bool can_answer = route->method == method ||
				  (method == LEAT_METHOD_HEAD && route->method == LEAT_METHOD_GET);
		int order;

		if (!can_answer || !route_matches(route, path, &answer))
			continue;
		order = best.route ? compare_routes(route, best.route) : -1;
		if (order < 0 || (order == 0 && route->method == method))
			best = answer;
	}
	return best;
}

static bool has_conflict(const struct route *routes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = 0; k < i; k++)
			if (routes[i].method == routes[k].method && compare_routes(&routes[i], &routes[k]) == 0)
				return true;
	return false;
}

/* Comparing ------------------------------------------------------------------------------------------------------------ */

static enum leat_result handler(struct leat_request *req)
{
	(void)req;
	return LEAT_OK;
}

static struct router *make_router(const struct route *routes, unsigned count, bool reversed, struct leat_route *table)
{
	char error[8192];
	const struct leat_route *const tables[] = { table, NULL };

	memset(table, 0, (count + 1) * sizeof(*table));
	for (unsigned i = 0; i < count; i++) {
		const struct route *route = &routes[reversed ? count - 1 - i : i];

		table[i] = (struct leat_route){ .verb = { .method = route->method },
						.pattern = route->pattern,
						.handler = handler,
						.name = route->name };
	}
	return router_new(tables, error, sizeof(error));
}

static void check_url(const struct router *router, const struct answer *expected, enum leat_method method,
		      const struct path *path, struct arena *arena)
{
	struct leat_arg args[SEGMENTS * PARTS];
	char fault[URL_FAULT_SIZE];
	struct router_match match;
	leat_text url;

	for (unsigned i = 0; i < expected->value_count; i++)
		args[i] = leat_arg_string(expected->values[i]);
	if (!url_write(router, expected->route->name, args, expected->value_count, arena, &url, fault)) {
		bool is_tail = expected->route->segments[0].kind == TAIL;
		bool is_refused = path->raw[1] == '/' || (is_tail && expected->values[0][0] == '/');

		for (unsigned i = 0; i < path->segment_count; i++)
			is_refused |= strcmp(path->segments[i], ".") == 0 || strcmp(path->segments[i], "..") == 0;
		for (unsigned i = 0; i < expected->value_count; i++)
			is_refused |= strstr(expected->values[i], "./") || strstr(expected->values[i], "/.");
		LEAT_CHECK(is_refused);
		return;
	}
	/* The slashes of a tail part segments again, whether they were escaped or not. */
	if (strstr(path->raw, "%2F") && strstr(expected->route->pattern, "..."))
		return;
	LEAT_CHECK(router_match(router, method, url, arena, &match) == ROUTER_FOUND);
	LEAT_CHECK(strcmp(match.route->name, expected->route->name) == 0);
	for (unsigned i = 0; i < expected->value_count; i++)
		LEAT_CHECK(leat_text_equal(match.values[i], leat_text_from(expected->values[i])));
}

static const char *expected_allow(const struct route *routes, unsigned count, const struct path *path)
{
	static char allow[64];

	allow[0] = '\0';
	for (unsigned i = 0; i < 4; i++) {
		static const enum leat_method sorted[] = { LEAT_METHOD_GET, LEAT_METHOD_HEAD, LEAT_METHOD_OPTIONS,
							   LEAT_METHOD_POST };

		if (sorted[i] == LEAT_METHOD_OPTIONS
			    ? allow[0] || best_answer(routes, count, LEAT_METHOD_POST, path).route
			    : best_answer(routes, count, sorted[i], path).route != NULL) {
			strcat(allow, allow[0] ? ", " : "");
			strcat(allow, method_name(sorted[i]));
		}
	}
	return allow;
}

static void check_path(const struct router *router, const struct route *routes, unsigned count, enum leat_method method,
		       const struct path *path, struct arena *arena)
{
	struct answer expected = best_answer(routes, count, method, path);
	struct router_match match;
	enum router_verdict verdict = router_match(router, method, leat_text_from(path->raw), arena, &match);

	if (!expected.route) {
		const char *allow = expected_allow(routes, count, path);

		LEAT_CHECK(verdict == (!*allow                         ? ROUTER_NOT_FOUND
				       : method == LEAT_METHOD_OPTIONS ? ROUTER_FOUND
								       : ROUTER_METHOD_NOT_ALLOWED));
		LEAT_CHECK(!*allow || strcmp(match.allow, allow) == 0);
		return;
	}
	LEAT_CHECK(verdict == ROUTER_FOUND && match.route);
	LEAT_CHECK(strcmp(match.route->name, expected.route->name) == 0);
	LEAT_CHECK(match.param_count == expected.value_count);
	for (unsigned i = 0; i < match.param_count; i++)
		LEAT_CHECK(leat_text_equal(match.values[i], leat_text_from(expected.values[i])));
	check_url(router, &expected, method, path, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum leat_method methods[] = { LEAT_METHOD_GET, LEAT_METHOD_HEAD, LEAT_METHOD_POST,
						    LEAT_METHOD_OPTIONS, LEAT_METHOD_NONE };
	static struct route routes[ROUTES];
	static struct path path;
	struct leat_route table[ROUTES + 1], reversed[ROUTES + 1];
	struct choices choices = { data, data + size };
	unsigned count = 1 + choose(&choices, ROUTES);
	struct router *router, *other;

	for (unsigned i = 0; i < count; i++)
		choose_route(&choices, &routes[i], i);
	router = make_router(routes, count, false, table);
	other = make_router(routes, count, true, reversed);
	LEAT_CHECK(!router == has_conflict(routes, count) && !router == !other);
	for (unsigned i = 0; router && i < PATHS && choices.at < choices.end; i++) {
		struct arena_pool *pool = arena_pool_new(0);
		enum leat_method method = methods[choose(&choices, 5)];
		struct arena arena;

		arena_init(&arena, pool);
		choose_path(&choices, &path);
		check_path(router, routes, count, method, &path, &arena);
		check_path(other, routes, count, method, &path, &arena);
		arena_reset(&arena);
		arena_pool_free(pool);
	}
	router_free(router);
	router_free(other);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif
