/* head.c - see head.h. Called by fetch.c. */
#include "fetch/head.h"

#include <leat/request.h>
#include <string.h>
#include <strings.h>

#include "http/header.h"
#include "http/parameter.h"
#include "http/request.h"

/* What goes ------------------------------------------------------------------------------------------------------------- */

/* Set by what is sent, and where to. */
static const char *const framing[] = { "Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", NULL };

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcasecmp(name, *names) == 0)
			return true;
	return false;
}

bool head_has(const struct leat_fetch_header *headers, const char *name)
{
	for (; headers && headers->name; headers++)
		if (strcasecmp(headers->name, name) == 0)
			return true;
	return false;
}

static const char *check(const struct leat_fetch *what, const char *method)
{
	if (!parameter_is_token(leat_text_from(method)) || strcmp(method, "CONNECT") == 0)
		return "the method cannot be sent";
	if (what->content_type && !header_is_value(leat_text_from(what->content_type)))
		return "the content type cannot be sent";
	for (const struct leat_fetch_header *header = what->headers; header && header->name; header++) {
		if (!parameter_is_token(leat_text_from(header->name)) || !header_is_value(header->value))
			return "a header cannot be sent";
		if (is_one_of(header->name, framing))
			return "a header is not the caller's to set";
	}
	return NULL;
}

/* To libcurl, "Name;" is an empty value, and "Name:" none of its own. */
static const char *line_of(struct arena *arena, const char *name, leat_text value)
{
	if (value.len == 0)
		return arena_format(arena, "%s;", name).ptr;
	return arena_format(arena, "%s: %.*s", name, LEAT_TEXT_PRINTF(value)).ptr;
}

/* What the caller has not set itself, and is there. */
static const char **pass_on(const char **at, struct leat_request *req, const struct leat_fetch *what, const char *name,
			    leat_text value)
{
	if (value.len > 0 && header_is_value(value) && !head_has(what->headers, name))
		*at++ = line_of(req->call.arena, name, value);
	return at;
}

const char *head_write(struct leat_request *req, const struct leat_fetch *what, const char *method,
		       const char ***ret_lines)
{
	enum { OWN = 8 };
	struct arena *arena = req->call.arena;
	const char *fault = check(what, method);
	size_t count = 0;
	const char **lines, **at;

	if (fault)
		return fault;
	while (what->headers && what->headers[count].name)
		count++;
	at = lines = arena_alloc(arena, (count + OWN) * sizeof(*lines));
	for (size_t i = 0; i < count; i++)
		*at++ = line_of(arena, what->headers[i].name, what->headers[i].value);
	at = pass_on(at, req, what, "X-Request-Id", req->call.request_id);
	at = pass_on(at, req, what, "traceparent", req->traceparent);
	at = pass_on(at, req, what, "tracestate",
		     req->traceparent.ptr ? leat_header(req, "tracestate") : (leat_text){ 0 });
	at = pass_on(at, req, what, "User-Agent", LEAT_TEXT_OF("leat"));
	if (what->content_type)
		*at++ = line_of(arena, "Content-Type", leat_text_from(what->content_type));
	else if (!head_has(what->headers, "Content-Type"))
		*at++ = "Content-Type:";
	*at++ = "Expect:"; /* no round trip to ask whether the body may come */
	if (!head_has(what->headers, "Accept"))
		*at++ = "Accept:";
	*at = NULL;
	*ret_lines = lines;
	return NULL;
}

static const char *const secrets[] = { "Authorization", "Cookie", "Proxy-Authorization", NULL };
static const char *const descriptions[] = {
	"Content-Type", "Content-Encoding", "Content-Language", "Content-Location", "Digest", "Content-Digest", NULL
};

static bool begins_with_one_of(const char *line, const char *const *names)
{
	for (; *names; names++)
		if (strncasecmp(line, *names, strlen(*names)) == 0 && strchr(":;", line[strlen(*names)]))
			return true;
	return false;
}

void head_carry_over(const char **lines, bool to_another, bool without_body)
{
	const char **kept = lines;

	for (; *lines; lines++) {
		bool is_dropped = (to_another && begins_with_one_of(*lines, secrets)) ||
				  (without_body && begins_with_one_of(*lines, descriptions));

		if (!is_dropped)
			*kept++ = *lines;
	}
	*kept = NULL;
}

/* What comes ------------------------------------------------------------------------------------------------------------ */

static size_t count_lines(leat_text bytes)
{
	size_t count = 0;

	for (size_t i = 0; i < bytes.len; i++)
		count += bytes.ptr[i] == '\n';
	return count;
}

/* Takes a line off, without its end. */
static leat_text take_line(leat_text *rest)
{
	const char *end = memchr(rest->ptr, '\n', rest->len);
	size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
	leat_text line = { rest->ptr, len > 0 && rest->ptr[len - 1] == '\r' ? len - 1 : len };

	rest->ptr += end ? len + 1 : len;
	rest->len -= end ? len + 1 : len;
	return line;
}

void head_read(leat_text bytes, struct arena *arena, struct leat_fetch_reply *reply)
{
	struct leat_fetch_header *headers = arena_alloc(arena, (count_lines(bytes) + 1) * sizeof(*headers));

	reply->headers = headers;
	while (bytes.len > 0) {
		leat_text line = take_line(&bytes);
		const char *colon = memchr(line.ptr, ':', line.len);
		size_t name_len = colon ? (size_t)(colon - line.ptr) : 0;

		if (!colon || memchr(line.ptr, ' ', name_len))
			continue; /* the status line, and the empty one at the end */
		headers[reply->header_count].name = arena_copy(arena, line.ptr, name_len);
		headers[reply->header_count].value = parameter_trim((leat_text){ colon + 1, line.len - name_len - 1 });
		reply->header_count++;
	}
	headers[reply->header_count] = (struct leat_fetch_header)LEAT_FETCH_HEADERS_END;
}

bool head_has_one_length(const struct leat_fetch_reply *reply)
{
	leat_text first = leat_fetch_reply_header(reply, "Content-Length");

	for (size_t i = 0; i < reply->header_count; i++)
		if (strcasecmp(reply->headers[i].name, "Content-Length") == 0 &&
		    !leat_text_equal(reply->headers[i].value, first))
			return false;
	return true;
}

leat_text leat_fetch_reply_header(const struct leat_fetch_reply *reply, const char *name)
{
	for (size_t i = 0; i < reply->header_count; i++)
		if (strcasecmp(reply->headers[i].name, name) == 0)
			return reply->headers[i].value;
	return (leat_text){ 0 };
}
