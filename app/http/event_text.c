/* event_text.c - see event_text.h. Pure; used by events.c. */
#include "http/event_text.h"

#include "http/header.h"

static void write_field(struct buffer *out, leat_text name, leat_text value)
{
	buffer_text(out, name);
	buffer_text(out, value);
	buffer_byte(out, '\n');
}

/* A line of its own for each; the browser puts LF between them again. What ends a line is CR, LF, or both. */
static void write_data(struct buffer *out, leat_text data)
{
	size_t from = 0;

	for (size_t i = 0; i <= data.len; i++) {
		if (i < data.len && data.ptr[i] != '\r' && data.ptr[i] != '\n')
			continue;
		write_field(out, LEAT_TEXT_OF("data: "), (leat_text){ data.ptr + from, i - from });
		if (i + 1 < data.len && data.ptr[i] == '\r' && data.ptr[i + 1] == '\n')
			i++;
		from = i + 1;
	}
}

bool event_text_write(struct buffer *out, const struct leat_event *event)
{
	if (!header_is_value(event->id) || !header_is_value(event->name))
		return false;
	if (event->retry_ms > 0)
		buffer_format(out, "retry: %u\n", event->retry_ms);
	if (event->id.ptr)
		write_field(out, LEAT_TEXT_OF("id: "), event->id);
	if (event->name.ptr)
		write_field(out, LEAT_TEXT_OF("event: "), event->name);
	if (event->data.ptr)
		write_data(out, event->data);
	buffer_byte(out, '\n');
	return true;
}

bool event_text_comment(struct buffer *out, leat_text comment)
{
	if (!header_is_value(comment))
		return false;
	write_field(out, LEAT_TEXT_OF(": "), comment);
	buffer_byte(out, '\n');
	return true;
}
