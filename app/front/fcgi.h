/* fcgi.h - libfcgi, fed by the gate: decodes the request, frames the reply, never touches a socket.
 *
 * Use:
 *     fcgi_init(error, sizeof(error))         -- each process, before its first request
 *     verdict = fcgi_serve(&exchange);        -- in the connection's task; calls front->serve(exchange), which uses
 *         const char *const *params = fcgi_params(exchange);
 *         n = fcgi_read(exchange, buffer, sizeof(buffer));
 *         fcgi_write(exchange, bytes, size);
 *
 * libfcgi has an OS layer that is made to be ported. leat supplies it: OS_Read, OS_Write and the others that libfcgi calls are
 * defined here and exported, and the dynamic linker takes them before libfcgi's own. fcgi_init proves that it does.
 *
 * Ownership:      parameters live until fcgi_serve returns. All memory of libfcgi's is allocated and freed by it, each request.
 * Thread-safety:  fcgi_init: the thread of a loop, outside of tasks. All else: only the connection's task.
 * Errors:         fcgi_init is false with a sentence. Reading and writing report through exchange->fault.
 */
#ifndef APP_FRONT_FCGI_H
#define APP_FRONT_FCGI_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "front/exchange.h"

struct loop;

bool fcgi_init(struct loop *loop, char *error, size_t error_size) __attribute__((warn_unused_result));

enum exchange_verdict fcgi_serve(struct exchange *exchange);

/* "NAME=value" strings, ended by NULL. */
const char *const *fcgi_params(const struct exchange *exchange);

/* Waits for bytes of the request's body and gives what has come; 0 at its end or at a fault. */
size_t fcgi_read(struct exchange *exchange, char *into, size_t size);

/* Bytes of the reply: header, empty line, body. */
void fcgi_write(struct exchange *exchange, const char *bytes, size_t size);

/* For a reply that takes long: gives back the memory that it does not need. Once a request. */
void fcgi_settle(struct exchange *exchange);

/* Sends what was written; waits until the front server has taken it. */
void fcgi_flush(struct exchange *exchange);

/* The reply will not come to its end, and the front server sees that: what was written goes, then the connection is closed. */
void fcgi_cut(struct exchange *exchange);

/* All records of a small reply to request 'id' and its end, made without libfcgi: 'text' is header, empty line, body. Async-signal-safe. */
enum { FCGI_RECORDS_SIZE = 32 }; /* beside the text */
size_t fcgi_whole_reply(uint8_t *out, uint16_t id, leat_text text);

/* For a request that is not served at all: a whole 503, made from the request's first bytes. 0 when these are no BEGIN_REQUEST. */
enum { FCGI_REFUSAL_SIZE = 512 };
size_t fcgi_refusal(uint8_t reply[FCGI_REFUSAL_SIZE], const uint8_t *request, size_t len);

#endif
