/* leat.h - everything a service author includes.
 *
 * Use:
 *     #include <leat.h>
 *
 * The parts, each a contract of its own, in the order a handler meets them:
 *     leat/text.h      text as pointer and length
 *     leat/value.h     bytes, times, UUIDs, JSON documents, arrays
 *     leat/result.h    what a call can answer, and the HTTP status each answer becomes
 *     leat/shape.h     one table that parses, validates, answers and reads database rows
 *     leat/request.h   input, reply, time and memory of one request
 *     leat/input.h     queries and cookies with several values, the body as a stream
 *     leat/form.h      what HTML forms send, files too
 *     leat/accept.h    content negotiation
 *     leat/reply.h     cookies, redirects, files
 *     leat/version.h   which version the client has: ETag, Last-Modified, conditions
 *     leat/cache.h     how long replies may be kept: Cache-Control, Vary
 *     leat/stream.h    replies that leave piece by piece
 *     leat/event.h     Server-Sent Events, and topics that many follow
 *     leat/problem.h   failures in a form of the service's own
 *     leat/db.h        statements on PostgreSQL
 *     leat/rows.h      results row by row, and by column
 *     leat/client.h    the client's address, behind proxies too
 *     leat/coalesce.h  one work for all who ask for the same at once
 *     leat/cors.h      which pages of other origins may ask
 *     leat/security.h  headers that tell browsers what not to do
 *     leat/limit.h     time and body size of a group of routes
 *     leat/rate.h      how often somebody may ask
 *     leat/breaker.h   circuit breakers
 *     leat/semaphore.h so much at once, and the rest in line
 *     leat/after.h     work after the reply
 *     leat/auth.h      who asks: tokens, API keys, passwords
 *     leat/route.h     methods, patterns and handlers
 *     leat/url.h       the path to a named route
 *     leat/openapi.h   the service describes itself: OpenAPI, a page
 *     leat/service.h   the program: leat_main
 */
#ifndef LEAT_H
#define LEAT_H

#include <leat/accept.h>
#include <leat/after.h>
#include <leat/auth.h>
#include <leat/breaker.h>
#include <leat/cache.h>
#include <leat/client.h>
#include <leat/coalesce.h>
#include <leat/cors.h>
#include <leat/db.h>
#include <leat/event.h>
#include <leat/fetch.h>
#include <leat/form.h>
#include <leat/idempotency.h>
#include <leat/input.h>
#include <leat/limit.h>
#include <leat/middleware.h>
#include <leat/openapi.h>
#include <leat/problem.h>
#include <leat/rate.h>
#include <leat/reply.h>
#include <leat/request.h>
#include <leat/result.h>
#include <leat/route.h>
#include <leat/rows.h>
#include <leat/security.h>
#include <leat/semaphore.h>
#include <leat/service.h>
#include <leat/shape.h>
#include <leat/stream.h>
#include <leat/text.h>
#include <leat/url.h>
#include <leat/value.h>
#include <leat/version.h>

#endif
