/* bench_router.c - how long the router takes: every route of a file asked for once, its parameters filled in.
 *
 *     bench_router [FILE]        default: tests/data/routes/github.tsv
 *
 * A line of the file is "METHOD<tab>pattern", with :name for a parameter. Prints the median over many passes, and how
 * often memory was allocated meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/method.h"
#include "http/router.h"

enum { ROUTES_MAX = 1024, PASSES = 20001 };

struct question {
	enum leat_method method;
	leat_text path;
};

static struct leat_route routes[ROUTES_MAX + 1];
static struct question questions[ROUTES_MAX];
static unsigned count;
static unsigned long allocations;

/* glibc's own allocator under the names that this program counts. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t items, size_t size)
{
	allocations++;
	return __libc_calloc(items, size);
}

void *realloc(void *memory, size_t size)
{
	allocations++;
	return __libc_realloc(memory, size);
}

static enum leat_result answer(struct leat_request *req)
{
	(void)req;
	return LEAT_OK;
}

/* "/users/:id" is the pattern "/users/{id}" and the path "/users/id17". */
static void add_route(const char *method, const char *from)
{
	char pattern[512];
	char path[512];
	char *to_pattern = pattern;
	char *to_path = path;

	while (*from) {
		size_t name = *from == ':' ? strcspn(from + 1, "/") : 0;

		if (name) {
			to_pattern += sprintf(to_pattern, "{%.*s}", (int)name, from + 1);
			to_path += sprintf(to_path, "%.*s%u", (int)name, from + 1, count);
			from += name + 1;
		} else {
			*to_pattern++ = *to_path++ = *from++;
		}
	}
	*to_pattern = *to_path = '\0';
	questions[count] = (struct question){ method_from_text(leat_text_from(method)), leat_text_from(strdup(path)) };
	routes[count] = (struct leat_route){ .verb = { .method = questions[count].method },
					     .pattern = strdup(pattern),
					     .handler = answer };
	count++;
}

static bool read_file(const char *name)
{
	FILE *file = fopen(name, "r");
	char method[16];
	char pattern[200];

	if (!file)
		return false;
	while (count < ROUTES_MAX && fscanf(file, "%15s %199s", method, pattern) == 2)
		add_route(method, pattern);
	fclose(file);
	return count > 0;
}

static int64_t pass_ns(const struct router *router, struct arena *arena)
{
	struct router_match match = { 0 };
	int64_t start = clock_now_ns();

	for (unsigned i = 0; i < count; i++) {
		if (router_match(router, questions[i].method, questions[i].path, arena, &match) != ROUTER_FOUND ||
		    match.index != i || match.route->handler(NULL) != LEAT_OK) {
			fprintf(stderr, "%s goes to %s\n", questions[i].path.ptr,
				match.route ? match.pattern : "no route");
			exit(1);
		}
	}
	return clock_now_ns() - start;
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
	static int64_t passes[PASSES];
	const char *name = argc > 1 ? argv[1] : "tests/data/routes/github.tsv";
	const struct leat_route *const tables[] = { routes, NULL };
	char error[512];
	struct arena arena;
	struct router *router;
	unsigned long before;

	if (!read_file(name)) {
		fprintf(stderr, "bench_router: no routes in %s\n", name);
		return 1;
	}
	router = router_new(tables, error, sizeof(error));
	if (!router) {
		fprintf(stderr, "bench_router: %s\n", error);
		return 1;
	}
	arena_init(&arena, arena_pool_new(0));
	pass_ns(router, &arena);
	before = allocations;
	for (int i = 0; i < PASSES; i++)
		passes[i] = pass_ns(router, &arena);
	before = allocations - before;
	qsort(passes, PASSES, sizeof(passes[0]), compare);
	printf("%s: %u routes, %.1f ns a route (fastest pass %.1f), %lu allocations in %d passes\n", name, count,
	       (double)passes[PASSES / 2] / count, (double)passes[0] / count, before, PASSES);
	router_free(router);
	return 0;
}
