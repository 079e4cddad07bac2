/* stream.h - the streams of leat/stream.h, as other replies use them.
 *
 * Use (send_file.c, events.c):
 *     LEAT_TRY(stream_begin(req, 206, type, len));
 *     LEAT_TRY(leat_stream_write(req, bytes));
 *
 * Ownership:      leat/stream.h
 * Thread-safety:  only the request's task.
 * Errors:         leat/stream.h
 */
#ifndef APP_HTTP_STREAM_H
#define APP_HTTP_STREAM_H

#include <leat/stream.h>
#include <stdint.h>

/* 'length': of the whole body, which has to come; -1: not known. */
enum leat_result stream_begin(struct leat_request *req, int status, const char *content_type,
			      int64_t length) LEAT_MUST_USE;

#endif
