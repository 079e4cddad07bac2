/* input.c - echoes what it was given: queries, cookies, what was negotiated, forms, and bodies that are read in pieces. */
#include <leat.h>
#include <stdlib.h>

static enum leat_result reply_lines(struct leat_request *req, leat_text lines)
{
	return leat_reply_text(req, 200, "text/plain", lines);
}

/* "name=value" a line, behind 'lines'. */
static leat_text add_pairs(struct leat_request *req, leat_text lines, const struct leat_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++)
		lines = leat_format(req, "%.*s%.*s=%.*s\n", LEAT_TEXT_PRINTF(lines),
				    LEAT_TEXT_PRINTF(pairs->items[i].name), LEAT_TEXT_PRINTF(pairs->items[i].value));
	return lines;
}

static enum leat_result get_query(struct leat_request *req)
{
	return reply_lines(req, add_pairs(req, LEAT_TEXT_OF(""), leat_query_all(req)));
}

static enum leat_result get_cookies(struct leat_request *req)
{
	leat_text session = leat_cookie(req, "session");
	leat_text lines = leat_format(req, "session is %.*s\n", LEAT_TEXT_PRINTF(session));

	return reply_lines(req, add_pairs(req, lines, leat_cookies(req)));
}

static enum leat_result get_negotiated(struct leat_request *req)
{
	static const char *const types[] = { "application/json", "text/html", NULL };
	static const char *const codings[] = { "br", "gzip", "identity", NULL };
	static const char *const languages[] = { "en", "de", NULL };
	const char *type = leat_accept_type(req, types), *coding = leat_accept_encoding(req, codings);
	const char *language = leat_accept_language(req, languages);

	if (!type || !coding || !language)
		return LEAT_NOT_ACCEPTABLE;
	return reply_lines(req, leat_format(req, "%s %s %s\n", type, coding, language));
}

/* FNV-1a: enough to see that all bytes came, in their order. */
static uint64_t hash(uint64_t sum, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001B3;
	return sum;
}
#define HASH_NONE 0xCBF29CE484222325

static enum leat_result hash_file(struct leat_request *req, const struct leat_file *file, uint64_t *ret_sum)
{
	char *piece = leat_alloc(req, 65536);
	uint64_t at = 0;
	size_t len;

	*ret_sum = HASH_NONE;
	do {
		LEAT_TRY(leat_file_read(req, file, at, piece, 65536, &len));
		*ret_sum = hash(*ret_sum, piece, len);
		at += len;
	} while (len > 0);
	return LEAT_OK;
}

static enum leat_result post_form(struct leat_request *req)
{
	const struct leat_form *form;
	leat_text lines;

	LEAT_TRY(leat_form(req, &form));
	lines = add_pairs(req, LEAT_TEXT_OF(""), &form->fields);
	for (size_t i = 0; i < form->file_count; i++) {
		const struct leat_file *file = &form->files[i];
		uint64_t sum;

		LEAT_TRY(hash_file(req, file, &sum));
		lines = leat_format(req, "%.*s%.*s: %.*s, %.*s, %llu bytes, %016llx\n", LEAT_TEXT_PRINTF(lines),
				    LEAT_TEXT_PRINTF(file->name), LEAT_TEXT_PRINTF(file->file_name),
				    LEAT_TEXT_PRINTF(file->content_type), (unsigned long long)file->size,
				    (unsigned long long)sum);
	}
	return reply_lines(req, lines);
}

/* To the file that the test has named in the environment, never one that the client names. */
static enum leat_result post_saved(struct leat_request *req)
{
	const struct leat_form *form;
	const struct leat_file *file;

	LEAT_TRY(leat_form(req, &form));
	file = leat_form_file(form, "file");
	if (!file)
		return leat_fail(req, LEAT_INVALID, "A file is needed.");
	LEAT_TRY(leat_file_save(req, file, getenv("SAVE_TO")));
	return leat_reply_empty(req, 204);
}

static enum leat_result reply_stream(struct leat_request *req)
{
	char *piece = leat_alloc(req, 16384);
	unsigned long long total = 0, sum = HASH_NONE;
	unsigned pieces = 0;
	size_t len;

	do {
		LEAT_TRY(leat_body_read(req, piece, 16384, &len));
		sum = hash(sum, piece, len);
		total += len;
		pieces += len > 0;
	} while (len > 0);
	return reply_lines(req, leat_format(req, "%llu bytes, %016llx\n%u pieces\n", total, sum, pieces));
}

static enum leat_result post_twice(struct leat_request *req)
{
	leat_text whole;

	LEAT_TRY(leat_body_text(req, &whole));
	return reply_stream(req);
}

static enum leat_result post_mixed(struct leat_request *req)
{
	leat_text whole;
	char byte;
	size_t len;

	LEAT_TRY(leat_body_read(req, &byte, 1, &len));
	LEAT_TRY(leat_body_text(req, &whole));
	return leat_reply_empty(req, 204);
}

/* A second try, in either way, does not get what the first one has left. */
static enum leat_result post_again(struct leat_request *req)
{
	leat_text whole;
	char byte;
	size_t len;

	if (leat_body_text(req, &whole) == LEAT_OK || leat_body_text(req, &whole) == LEAT_OK)
		return leat_reply_empty(req, 204);
	return leat_body_read(req, &byte, 1, &len);
}

const struct leat_route input_routes[] = {
	{ LEAT_GET, "/input/query", get_query, .summary = "Echoes" },
	{ LEAT_GET, "/input/cookies", get_cookies, .summary = "Echoes" },
	{ LEAT_GET, "/input/negotiated", get_negotiated, .summary = "Echoes" },
	{ LEAT_POST, "/input/form", post_form, .summary = "Echoes" },
	{ LEAT_POST, "/input/saved", post_saved, .summary = "Echoes" },
	{ LEAT_POST, "/input/stream", reply_stream, .body_limit = 100000 },
	{ LEAT_POST, "/input/twice", post_twice, .summary = "Echoes" },
	{ LEAT_POST, "/input/again", post_again, .body_limit = 10000 },
	{ LEAT_POST, "/input/mixed", post_mixed, .summary = "Echoes" },
	{ LEAT_POST, "/upload/form", post_form, .body_limit = LEAT_BODY_UNLIMITED, .deadline_ms = 120000 },
	{ LEAT_POST, "/upload/stream", reply_stream, .body_limit = LEAT_BODY_UNLIMITED, .deadline_ms = 120000 },
	{ LEAT_POST, "/upload/whole", post_twice, .body_limit = LEAT_BODY_UNLIMITED },
	LEAT_ROUTES_END
};
