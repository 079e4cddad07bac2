/* buffer.h - bytes that grow, in an arena.
 *
 * Use:
 *     struct buffer out;
 *     buffer_init(&out, &arena, 512);
 *     buffer_text(&out, LEAT_TEXT_OF("{\"id\":"));
 *     buffer_int(&out, id);
 *     char *at = buffer_reserve(&out, 20);  -- write at most 20 bytes there, then
 *     buffer_commit(&out, 20);
 *
 * Ownership:      the bytes are the arena's; a pointer into them is good until the next growth.
 * Thread-safety:  only the worker that made the arena.
 * Errors:         none; running out of memory ends the program.
 */
#ifndef APP_BASE_BUFFER_H
#define APP_BASE_BUFFER_H

#include <leat/text.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"

struct buffer {
	char *data;
	size_t len;
	size_t cap;
	struct arena *arena;
};

void buffer_init(struct buffer *buffer, struct arena *arena, size_t cap);

/* Makes room for 'more' bytes behind the present ones. */
void buffer_grow(struct buffer *buffer, size_t more);

void buffer_int(struct buffer *buffer, int64_t value);
void buffer_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline char *buffer_reserve(struct buffer *buffer, size_t more)
{
	if (buffer->cap - buffer->len < more)
		buffer_grow(buffer, more);
	return buffer->data + buffer->len;
}

static inline void buffer_commit(struct buffer *buffer, size_t more)
{
	buffer->len += more;
}

static inline void buffer_bytes(struct buffer *buffer, const void *bytes, size_t size)
{
	if (size)
		memcpy(buffer_reserve(buffer, size), bytes, size);
	buffer->len += size;
}

static inline void buffer_text(struct buffer *buffer, leat_text text)
{
	buffer_bytes(buffer, text.ptr, text.len);
}

static inline void buffer_byte(struct buffer *buffer, char byte)
{
	*buffer_reserve(buffer, 1) = byte;
	buffer->len++;
}

static inline leat_text buffer_as_text(const struct buffer *buffer)
{
	return (leat_text){ buffer->data, buffer->len };
}

#endif
