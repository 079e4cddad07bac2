/* routes.h - all routes of a service in one list: tables read, mounts resolved, patterns and names checked.
 *
 * Use:
 *     struct routes routes;
 *     struct routes_faults faults = { .text = error, .size = sizeof(error) };
 *     if (!routes_read(&routes, tables, &faults)) ...
 *     routes.entries[0].pattern->text      -- "/v1/users/{id:int}"
 *     routes_free(&routes);
 *
 * Ownership:      routes_free frees what was read, after a failure too. Tables are static.
 * Thread-safety:  any thread, once read.
 * Errors:         false with a line for each fault, as many as the room takes, then one that counts the rest.
 */
#ifndef APP_HTTP_ROUTES_H
#define APP_HTTP_ROUTES_H

#include <leat/route.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "http/pattern.h"

enum {
	ROUTES_MOUNTS_MAX = 8, /* of mounts in mounts */
	ROUTES_NAME_MAX = 127,
};

struct routes_entry {
	const struct leat_route *route;
	struct pattern *pattern;                         /* with the prefixes of its mounts */
	const char *name;                                /* with the names of its mounts; NULL: none */
	unsigned index;                                  /* in the order of the tables, from 0 */
	const struct leat_middleware *const *middleware; /* lists, those of its outermost mount first; ends with NULL */
};

struct routes_faults {
	char *text;
	size_t size;
	size_t len;
	unsigned untold;
};

struct routes {
	struct routes_entry *entries; /* sorted by pattern, then method */
	unsigned count;
	struct routes_entry *const *named; /* sorted by name */
	unsigned named_count;
	struct arena_pool *pool;
	struct arena arena; /* names and lists */
};

/* 'tables' ends with NULL, each of them with LEAT_ROUTES_END. */
bool routes_read(struct routes *routes, const struct leat_route *const *tables, struct routes_faults *faults)
	__attribute__((warn_unused_result));
void routes_free(struct routes *routes);

/* NULL: there is none of that name. */
const struct routes_entry *routes_named(const struct routes *routes, const char *name);

/* Adds a line. */
void routes_fault(struct routes_faults *faults, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "GET /users/{id:int} (handlers/users.c:12)", cut to the room. */
enum { ROUTES_WORDS_SIZE = 640 };
const char *routes_describe(char words[ROUTES_WORDS_SIZE], const struct leat_route *route, const char *pattern);

#endif
