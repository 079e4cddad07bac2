/* send_file.c - files: leat_reply_file of leat/reply.h. Between handlers and task/reader.c, which reads, or the front server, which does
 * that itself. */
#include <leat/reply.h>

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "http/media_type.h"
#include "http/range.h"
#include "http/request.h"
#include "http/stream.h"
#include "task/reader.h"

enum send_files { SEND_FILES_OWN, SEND_FILES_ACCEL, SEND_FILES_SENDFILE }; /* the setting's words */

struct sending {
	struct reader *reader;
	const char *type;
	leat_text etag;
	leat_text modified;
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

/* IMF-fixdate (RFC 9110 5.6.7). */
static leat_text http_date(struct leat_request *req, int64_t wall_ns)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = wall_ns / CLOCK_S;
	struct tm tm;

	gmtime_r(&seconds, &tm);
	return leat_format(req, "%s, %02d %s %d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
			   tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Whether the list of If-None-Match has it; weak and strong are the same here (RFC 9110 13.1.2). */
static bool lists(leat_text list, leat_text etag)
{
	if (leat_text_equal(list, LEAT_TEXT_OF("*")))
		return true;
	return memmem(list.ptr, list.len, etag.ptr, etag.len) != NULL; /* it has quotes at both ends */
}

static bool is_unchanged(struct leat_request *req, const struct sending *sending)
{
	leat_text etags = leat_header(req, "If-None-Match");

	if (etags.ptr)
		return lists(etags, sending->etag);
	return leat_text_equal(leat_header(req, "If-Modified-Since"), sending->modified);
}

/* A part of another file than the one the client has begun with is of no use to it. */
static leat_text wanted_range(struct leat_request *req, const struct sending *sending)
{
	leat_text condition = leat_header(req, "If-Range");

	if (condition.ptr && !leat_text_equal(condition, sending->etag) &&
	    !leat_text_equal(condition, sending->modified))
		return (leat_text){ NULL, 0 };
	return leat_header(req, "Range");
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

	LEAT_TRY(leat_reply_header(req, "ETag", sending->etag));
	LEAT_TRY(leat_reply_header(req, "Last-Modified", sending->modified));
	if (is_unchanged(req, sending))
		return leat_reply_empty(req, 304);
	LEAT_TRY(leat_reply_header(req, "Accept-Ranges", LEAT_TEXT_OF("bytes")));
	verdict = range_read(req->method == LEAT_METHOD_GET ? wanted_range(req, sending) : (leat_text){ NULL, 0 }, size,
			     &sending->range);
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

enum leat_result leat_reply_file(struct leat_request *req, const struct leat_folder *folder, leat_text path)
{
	struct sending sending = { .type = media_type_of(path) };
	unsigned way = req->environment->send_files;

	LEAT_TRY(reader_open(req->environment->offload, req->call.arena, folder->path, path, req->call.deadline_ns,
			     &sending.reader));
	if (way == SEND_FILES_SENDFILE)
		return hand_over(req, "X-Sendfile", folder->path, path);
	if (way == SEND_FILES_ACCEL && folder->internal)
		return hand_over(req, "X-Accel-Redirect", folder->internal, path);
	sending.etag = leat_format(req, "\"%" PRIx64 "-%" PRIx64 "\"", (uint64_t)sending.reader->modified_ns,
				   (uint64_t)sending.reader->size);
	sending.modified = http_date(req, sending.reader->modified_ns);
	return send_own(req, &sending);
}
