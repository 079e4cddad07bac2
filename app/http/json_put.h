/* json_put.h - a JSON document written member by member, for documents that have no shape.
 *
 * Use:
 *     struct json_put put = { .out = &buffer, .is_indented = true };
 *     json_put_open(&put, '{');
 *     json_put_member(&put, "openapi", "3.1.0");
 *     json_put_key(&put, "tags");
 *     json_put_open(&put, '[');
 *     json_put_text(&put, LEAT_TEXT_OF("users"));
 *     json_put_close(&put, ']');
 *     json_put_close(&put, '}');
 *
 * It sees to commas, to escapes and, for people, to lines and indentation. Keys that come twice are the caller's fault, and so are
 * brackets that do not fit.
 *
 * Ownership:      the buffer's.
 * Thread-safety:  one thread at a time per document.
 * Errors:         none.
 */
#ifndef APP_HTTP_JSON_PUT_H
#define APP_HTTP_JSON_PUT_H

#include <leat/text.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct json_put {
	struct buffer *out;
	bool is_indented;
	bool has_before; /* something stands before, in the same brackets */
	bool has_key;    /* and the value comes next */
	unsigned depth;
};

/* '{' or '[', and their ends. */
void json_put_open(struct json_put *put, char bracket);
void json_put_close(struct json_put *put, char bracket);

void json_put_key(struct json_put *put, const char *key);
void json_put_key_text(struct json_put *put, leat_text key);

void json_put_text(struct json_put *put, leat_text text);
void json_put_int(struct json_put *put, int64_t value);
void json_put_word(struct json_put *put, const char *word); /* true, false, null, or a number as it stands */

/* A key with a string. */
void json_put_member(struct json_put *put, const char *key, const char *text);

#endif
