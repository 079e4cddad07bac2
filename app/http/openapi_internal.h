/* openapi_internal.h - what the files openapi*.c share.
 *
 * Use:
 *     openapi_put_body(api, operation);
 *
 * Each puts members into the operation's object that is open. What it refers to is noted, and written at the end: openapi_put_schemas and
 * the like.
 *
 * Ownership:      everything lies in the arena of the document.
 * Thread-safety:  one thread at a time per document.
 * Errors:         none.
 */
#ifndef APP_HTTP_OPENAPI_INTERNAL_H
#define APP_HTTP_OPENAPI_INTERNAL_H

#include <leat/service.h>

#include "base/arena.h"
#include "http/json_put.h"
#include "http/routes.h"

/* A shape that something refers to, under a name that no other has. */
struct openapi_shape {
	struct openapi_shape *next;
	const struct leat_shape *shape;
	leat_text name;
};

struct openapi_scheme {
	struct openapi_scheme *next;
	struct leat_demand demand;
	leat_text name;
};

struct openapi {
	struct json_put put;
	struct arena *arena;
	const struct leat_service *service;
	const struct routes *routes;
	struct openapi_shape *shapes, **last_shape;
	struct openapi_scheme *schemes, **last_scheme;
	bool has_reply[LEAT_RESULT_COUNT];
};

/* Routes of one method and one path of the document; nearly always one. */
struct openapi_operation {
	const struct routes_entry *const *entries;
	unsigned count;
	const struct pattern *pattern; /* which the path of the document has its names from */
};

/* Letters, digits and . _ - stay; all else becomes '_'. */
leat_text openapi_name(struct arena *arena, leat_text text);

/* The pattern as a template, "/users/{id}"; without names it is the same for all that OpenAPI cannot tell apart. */
leat_text openapi_path(struct arena *arena, const struct pattern *pattern, bool has_names);
void openapi_put_parameters(struct openapi *api, const struct openapi_operation *operation);

void openapi_put_body(struct openapi *api, const struct openapi_operation *operation);
void openapi_put_replies(struct openapi *api, const struct openapi_operation *operation);
void openapi_put_reply_components(struct openapi *api);

/* One of several shapes; each may be NULL, and may come again. */
void openapi_put_shapes(struct openapi *api, const struct leat_shape *const *shapes, unsigned count);
void openapi_put_schemas(struct openapi *api);

void openapi_put_security(struct openapi *api, const struct openapi_operation *operation);
void openapi_put_schemes(struct openapi *api);
bool openapi_is_guarded(const struct openapi *api, const struct openapi_operation *operation);
bool openapi_has_scopes(const struct openapi *api, const struct openapi_operation *operation);

#endif
