/* problem.h - failures as the client reads them: application/problem+json (RFC 9457).
 *
 * Use:
 *     struct problem problem = { .result = LEAT_NOT_FOUND };
 *     problem_fault(&problem, arena, LEAT_TEXT_OF("#/email"), "must be an e-mail address");
 *     problem_write(&body, &problem, request_id);
 *
 * The document:
 *     {"type":"about:blank","title":"Invalid input","status":422,"detail":"...","request_id":"...",
 *      "errors":[{"pointer":"#/email","detail":"must be an e-mail address"},
 *                {"parameter":"limit","detail":"must be from 1 to 100"}]}
 *
 * A fault in the body is placed by "pointer", a JSON pointer as a URI fragment (RFC 6901 6, as in RFC 9457 3.1): "#"
 * is the whole document. A fault in the query or the path is placed by "parameter", its name.
 *
 * Ownership:      a zeroed problem is an empty one; faults lie in the arena; places and details are views.
 * Thread-safety:  one thread at a time per problem.
 * Errors:         none. From the fault after the 32nd on, one line says that there are more.
 */
#ifndef APP_HTTP_PROBLEM_H
#define APP_HTTP_PROBLEM_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdarg.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"

enum { PROBLEM_FAULTS_MAX = 32 };

struct fault {
	struct fault *next;
	bool in_parameter; /* 'pointer' is the name of a parameter */
	leat_text pointer;
	leat_text detail;
};

struct problem {
	enum leat_result result;
	leat_text detail; /* {NULL, 0}: none */
	struct fault *faults;
	struct fault *last_fault;
	unsigned fault_count;
	bool is_reply; /* the reply is its document */
};

/* Adds a fault of the body; 'pointer' is not copied. */
void problem_fault(struct problem *problem, struct arena *arena, leat_text pointer, const char *format, ...)
	LEAT_PRINTF(4, 5);

/* Adds a fault of a query or path parameter; 'name' is not copied. */
void problem_fault_parameter(struct problem *problem, struct arena *arena, leat_text name, const char *format, ...)
	LEAT_PRINTF(4, 5);

const char *problem_title(enum leat_result result);

/* The document. An absent request id ({NULL, 0}) is left out. */
void problem_write(struct buffer *out, const struct problem *problem, leat_text request_id);

#endif
