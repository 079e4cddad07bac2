/* event_text.h - an event as it goes over the wire (WHATWG HTML 9.2.5).
 *
 * Use:
 *     if (!event_text_write(&out, &event)) ...      -- "id: 7\nevent: tick\ndata: a\ndata: b\n\n"
 *     if (!event_text_comment(&out, text)) ...      -- ": text\n\n"
 *
 * Ownership:      what is written lies in the buffer.
 * Thread-safety:  one thread at a time per buffer.
 * Errors:         false, with nothing written, for a name, an id or a comment with CR, LF or NUL.
 */
#ifndef APP_HTTP_EVENT_TEXT_H
#define APP_HTTP_EVENT_TEXT_H

#include <leat/event.h>
#include <stdbool.h>

#include "base/buffer.h"

bool event_text_write(struct buffer *out, const struct leat_event *event) LEAT_MUST_USE;
bool event_text_comment(struct buffer *out, leat_text comment) LEAT_MUST_USE;

#endif
