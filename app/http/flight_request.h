/* flight_request.h - the request of shared work, which is nobody's: what handlers and leat's functions need to run for it.
 *
 * Use (in the 'run' of a flight):
 *     struct arena arena;
 *     struct leat_request *req = flight_request_begin(flight, &arena, params);
 *     ...
 *     flight_request_end(&arena);           -- what was lent to it is given back
 *
 * The flight's context is the request_environment of the worker.
 *
 * Ownership:      the caller's, until flight_request_end.
 * Thread-safety:  only the flight's task.
 * Errors:         none.
 */
#ifndef APP_HTTP_FLIGHT_REQUEST_H
#define APP_HTTP_FLIGHT_REQUEST_H

#include "http/request.h"
#include "task/flight.h"

/* 'params' as request_new has them; they must live until the end. It has no deadline and no body, and streams are refused. */
struct leat_request *flight_request_begin(struct flight *flight, struct arena *arena, const char *const *params);
void flight_request_end(struct arena *arena);

/* What this request asks for: the rest of it. */
struct flight_ask flight_request_ask(const struct leat_request *req, struct flight_key key);

#endif
