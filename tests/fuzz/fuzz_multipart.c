/* fuzz_multipart.c - what holds for multipart bodies whatever a client sends. The first byte chooses the boundary, the second how the rest is
 * cut. Checked:
 *   - where the input is cut makes no difference;
 *   - parts begin, have data and end in this order, and nothing comes after a fault;
 *   - content holds no delimiter, names are UTF-8 without control characters;
 *   - what is complete, written again and read again, is the same. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/utf8.h"
#include "http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_MAX = 300 };

static const char *const boundaries[] = { "x", "--", "-", "bound", "AaB03x", "'()+_,-./:=?9" };

/* A parse as text that can be compared: events, with data in one piece. */
struct record {
	struct buffer text;
	struct buffer again; /* the same form, as we would write it */
	const char *boundary;
	size_t content_at;
	bool is_in_part;
};

static void write_quoted(struct buffer *out, const char *name, leat_text text)
{
	buffer_format(out, "%s=\"", name);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			buffer_byte(out, '\\');
		buffer_byte(out, text.ptr[i]);
	}
	buffer_byte(out, '"');
}

static void check_name(leat_text text)
{
	LEAT_CHECK(utf8_is_valid(text));
	for (size_t i = 0; i < text.len; i++)
		LEAT_CHECK((unsigned char)text.ptr[i] >= ' ' || text.ptr[i] == '\t');
}

static void note(struct record *record, const char *what, leat_text text)
{
	buffer_format(&record->text, "%s %zu:", what, text.len);
	buffer_text(&record->text, text);
	buffer_byte(&record->text, '\n');
	check_name(text);
}

static void begin_part(struct record *record, const struct multipart *multipart)
{
	LEAT_CHECK(!record->is_in_part && multipart->part.name.ptr);
	record->is_in_part = true;
	note(record, "name", multipart->part.name);
	buffer_format(&record->again, "\r\n--%s\r\nContent-Disposition: form-data; ", record->boundary);
	write_quoted(&record->again, "name", multipart->part.name);
	if (multipart->part.file_name.ptr) {
		note(record, "file", multipart->part.file_name);
		buffer_text(&record->again, LEAT_TEXT_OF("; "));
		write_quoted(&record->again, "filename", multipart->part.file_name);
	}
	buffer_text(&record->again, LEAT_TEXT_OF("\r\n"));
	if (multipart->part.content_type.ptr) {
		note(record, "type", multipart->part.content_type);
		buffer_format(&record->again, "Content-Type: %.*s\r\n", LEAT_TEXT_PRINTF(multipart->part.content_type));
	}
	buffer_text(&record->again, LEAT_TEXT_OF("\r\n"));
	record->content_at = record->text.len;
}

static void end_part(struct record *record)
{
	leat_text content = { record->text.data + record->content_at, record->text.len - record->content_at };
	char delimiter[80];

	LEAT_CHECK(record->is_in_part);
	record->is_in_part = false;
	snprintf(delimiter, sizeof(delimiter), "\r\n--%s", record->boundary);
	LEAT_CHECK(!memmem(content.ptr, content.len, delimiter, strlen(delimiter)));
	buffer_text(&record->again, content);
	buffer_text(&record->text, LEAT_TEXT_OF("|end\n"));
}

/* Whether the machine goes on. */
static bool take(struct record *record, struct multipart *multipart, leat_text input)
{
	for (;;) {
		switch (multipart_next(multipart, &input)) {
		case MULTIPART_MORE:
			LEAT_CHECK(input.len == 0);
			return true;
		case MULTIPART_PART:
			begin_part(record, multipart);
			break;
		case MULTIPART_DATA:
			LEAT_CHECK(record->is_in_part && multipart->data.len > 0);
			buffer_text(&record->text, multipart->data);
			break;
		case MULTIPART_PART_END:
			end_part(record);
			break;
		case MULTIPART_BAD:
			buffer_format(&record->text, "|bad: %s", multipart->fault);
			LEAT_CHECK(multipart_next(multipart, &input) == MULTIPART_BAD);
			return false;
		case MULTIPART_HEAD:
			buffer_text(&record->text, LEAT_TEXT_OF("|head"));
			LEAT_CHECK(multipart_next(multipart, &input) == MULTIPART_HEAD);
			return false;
		}
	}
}

/* Fed in pieces of 'piece' bytes; each a block of its own, so that a sanitizer sees a read past its end. */
static bool parse(struct record *record, leat_text body, size_t piece, size_t head_max, struct arena *arena)
{
	char content_type[120];
	struct multipart multipart;
	bool goes_on = true;

	snprintf(content_type, sizeof(content_type), "multipart/form-data; boundary=\"%s\"", record->boundary);
	buffer_init(&record->text, arena, 64);
	buffer_init(&record->again, arena, 64);
	LEAT_CHECK(multipart_init(&multipart, leat_text_from(content_type), head_max, arena));
	for (size_t at = 0; at < body.len && goes_on; at += piece) {
		size_t len = body.len - at < piece ? body.len - at : piece;
		char *bytes = malloc(len);

		memcpy(bytes, body.ptr + at, len);
		goes_on = take(record, &multipart, (leat_text){ bytes, len });
		free(bytes);
	}
	buffer_format(&record->again, "\r\n--%s--", record->boundary);
	return multipart_is_complete(&multipart);
}

static void check(uint8_t choice, uint8_t cut, leat_text body, struct arena *arena)
{
	const char *boundary = boundaries[choice % (sizeof(boundaries) / sizeof(boundaries[0]))];
	struct record whole = { .boundary = boundary }, pieces = whole, again = whole;
	bool is_complete = parse(&whole, body, body.len + 1, HEAD_MAX, arena);

	LEAT_CHECK(parse(&pieces, body, (size_t)cut + 1, HEAD_MAX, arena) == is_complete);
	LEAT_CHECK(leat_text_equal(buffer_as_text(&whole.text), buffer_as_text(&pieces.text)));
	if (!is_complete)
		return;
	LEAT_CHECK(parse(&again, buffer_as_text(&whole.again), 7, SIZE_MAX / 2, arena));
	LEAT_CHECK(leat_text_equal(buffer_as_text(&whole.text), buffer_as_text(&again.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena_pool *pool = arena_pool_new(0);
	struct arena arena;

	arena_init(&arena, pool);
	if (size >= 2)
		check(data[0], data[1], (leat_text){ (const char *)data + 2, size - 2 }, &arena);
	arena_reset(&arena);
	arena_pool_free(pool);
	return 0;
}

#ifdef FUZZ_REPLAY
#include "tests/fuzz/replay.h"
#endif
