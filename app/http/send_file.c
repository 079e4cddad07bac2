/* send_file.c - files: leat_reply_file of leat/reply.h. Between handlers and task/reader.c, which reads, or the front server, which does
 * that itself. */
#include <leat/reply.h>

#include <inttypes.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "http/media_type.h"
#include "http/range.h"
#include "http/request.h"
#include "http/stream.h"
#include "http/version.h"
#include "task/reader.h"

enum send_files { SEND_FILES_OWN, SEND_FILES_ACCEL, SEND_FILES_SENDFILE }; /* the setting's words */

struct sending {
	struct reader *reader;
	const char *type;
	struct validators validators;
	struct range range;
};

/* Escaped for a URI's path; '/' stays. nginx and lighttpd decode it once. */
static leat_text escape(struct leat_request *req, leat_text path)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	struct buffer out;

	buffer_init(&out, req->call.arena, path.len + 64);
	for (size_t i = 0; i < path.len; i++) {
		if (path.ptr[i] != '\0' && strchr(plain, path.ptr[i]))
			buffer_byte(&out, path.ptr[i]);
		else
			buffer_format(&out, "%%%02X", (unsigned char)path.ptr[i]);
	}
	return buffer_as_text(&out);
}

/* The front server reads it. That it is there, and beneath the folder, leat has seen. */
static enum leat_result hand_over(struct leat_request *req, const char *name, const char *root, leat_text path)
{
	const char *between = root[0] && root[strlen(root) - 1] == '/' ? "" : "/";
	leat_text escaped = escape(req, path);

	LEAT_TRY(leat_reply_header(req, name, leat_format(req, "%s%s%.*s", root, between, LEAT_TEXT_PRINTF(escaped))));
	response_set(&req->response, 200, media_type_of(path), (leat_text){ NULL, 0 });
	return LEAT_OK;
}

/* nginx takes no such path, whatever it leads to. */
static bool names_a_parent(leat_text path)
{
	for (size_t at = 0; at < path.len;) {
		const char *slash = memchr(path.ptr + at, '/', path.len - at);
		size_t len = slash ? (size_t)(slash - path.ptr) - at : path.len - at;

		if (leat_text_equal((leat_text){ path.ptr + at, len }, LEAT_TEXT_OF("..")))
			return true;
		at += len + 1;
	}
	return false;
}

/* A part of another file than the one the client has begun with is of no use to it. */
static leat_text wanted_range(struct leat_request *req, const struct sending *sending)
{
	leat_text range = leat_header(req, "Range");

	if (range.ptr && req->method == LEAT_METHOD_GET && version_allows_range(req, &sending->validators))
		return range;
	return (leat_text){ NULL, 0 };
}

static enum leat_result send_bytes(struct leat_request *req, int status, const struct sending *sending)
{
	int64_t at = sending->range.first, end = sending->range.first + sending->range.len;

	LEAT_TRY(stream_begin(req, status, sending->type, sending->range.len));
	while (at < end) {
		leat_text bytes;

		LEAT_TRY(reader_read(sending->reader, at, (size_t)(end - at < READER_PIECE ? end - at : READER_PIECE),
				     req->call.deadline_ns, &bytes));
		if (bytes.len == 0)
			break; /* somebody has cut the file: so is the stream, which lacks what its length promised */
		LEAT_TRY(leat_stream_write(req, bytes));
		at += (int64_t)bytes.len;
	}
	return LEAT_OK;
}

static enum leat_result send_own(struct leat_request *req, struct sending *sending)
{
	int64_t size = sending->reader->size;
	enum range_verdict verdict;

	if (req->method == LEAT_METHOD_GET ||
	    req->method == LEAT_METHOD_HEAD) { /* else it is no version of what was asked for */
		version_write(req, &sending->validators);
		LEAT_TRY(version_judge(req, &sending->validators));
	}
	LEAT_TRY(leat_reply_header(req, "Accept-Ranges", LEAT_TEXT_OF("bytes")));
	verdict = range_read(wanted_range(req, sending), size, &sending->range);
	if (verdict == RANGE_WHOLE)
		return send_bytes(req, 200, sending);
	if (verdict == RANGE_PAST_END) {
		LEAT_TRY(leat_reply_header(req, "Content-Range", leat_format(req, "bytes */%" PRId64, size)));
		return leat_reply_empty(req, 416);
	}
	LEAT_TRY(leat_reply_header(req, "Content-Range",
				   leat_format(req, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, sending->range.first,
					       sending->range.first + sending->range.len - 1, size)));
	return send_bytes(req, 206, sending);
}

static struct validators validators_of(struct leat_request *req, const struct reader *reader)
{
	int64_t modified_us = reader->modified_ns / CLOCK_US;

	return (struct validators){
		.etag = leat_format(req, "\"%" PRIx64 "-%" PRIx64 "\"", (uint64_t)reader->modified_ns,
				    (uint64_t)reader->size),
		.has_modified = calendar_holds(modified_us),
		.modified_us = modified_us,
	};
}

enum leat_result leat_reply_file(struct leat_request *req, const struct leat_folder *folder, leat_text path)
{
	struct sending sending = { .type = media_type_of(path) };
	unsigned way = req->environment->send_files;

	LEAT_TRY(reader_open(req->environment->offload, req->call.arena, folder->path, path, req->call.deadline_ns,
			     &sending.reader));
	if (way == SEND_FILES_SENDFILE)
		return hand_over(req, "X-Sendfile", folder->path, path);
	if (way == SEND_FILES_ACCEL && folder->internal && !names_a_parent(path))
		return hand_over(req, "X-Accel-Redirect", folder->internal, path);
	sending.validators = validators_of(req, sending.reader);
	return send_own(req, &sending);
}
