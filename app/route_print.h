/* route_print.h - the table of routes for people and for programs: `leat routes`.
 *
 * Use:
 *     route_print(router_routes(router), false, stdout);
 *
 * A line a route: method, pattern, name, file and line, summary, [middleware]. As JSON: an array of objects with the members method, pattern,
 * name, file, line, summary and middleware, a list of names; what a route does not have is null. The service's own middleware is not repeated.
 *
 * Ownership:      nothing is kept.
 * Thread-safety:  one thread at a time per file.
 * Errors:         none; whoever owns the file asks it whether all was written.
 */
#ifndef APP_ROUTE_PRINT_H
#define APP_ROUTE_PRINT_H

#include <stdbool.h>
#include <stdio.h>

struct routes;

void route_print(const struct routes *routes, bool as_json, FILE *out);

#endif
