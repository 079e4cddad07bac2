/* buffer.c - see buffer.h. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/number.h"

void buffer_init(struct buffer *buffer, struct arena *arena, size_t cap)
{
	*buffer = (struct buffer){ .data = arena_alloc(arena, cap), .cap = cap, .arena = arena };
}

void buffer_grow(struct buffer *buffer, size_t more)
{
	size_t need = buffer->len + more;
	size_t cap = buffer->cap * 2 > need ? buffer->cap * 2 : need;
	char *data;

	LEAT_CHECK(need >= more);
	if (arena_extend(buffer->arena, buffer->data, buffer->cap, cap)) {
		buffer->cap = cap;
		return;
	}
	data = arena_alloc(buffer->arena, cap);
	memcpy(data, buffer->data, buffer->len);
	buffer->data = data;
	buffer->cap = cap;
}

void buffer_int(struct buffer *buffer, int64_t value)
{
	buffer_commit(buffer, number_write_int(buffer_reserve(buffer, NUMBER_INT_MAX), value));
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	LEAT_CHECK(len >= 0);
	buffer_reserve(buffer, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(buffer->data + buffer->len, (size_t)len + 1, format, args);
	va_end(args);
	buffer->len += (size_t)len;
}
