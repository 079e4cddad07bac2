/* multipart.c - see multipart.h. Called by http/form.
 *
 * A delimiter is "CR LF - - boundary", and no boundary holds a CR. So when bytes that began like one turn out otherwise, the next place where
 * one can begin is the byte that differed, and the bytes before it are the beginning of the delimiter: they need not be kept to be handed out. */
#include "http/multipart.h"

#include "base/utf8.h"
#include "http/parameter.h"

enum state {
	PREAMBLE,
	AFTER_DELIMITER,
	PADDING,   /* blanks behind a delimiter */
	LINE_END,  /* its LF */
	LAST_DASH, /* the second of the last delimiter's */
	HEAD,
	CONTENT,
	EPILOGUE,
	BROKEN,
};

enum {
	NO_EVENT = -1, /* for what moves on without one */
	LINE_BEFORE =
		2, /* a delimiter's CR LF may be that of the line before: the header's last one, or the body's beginning */
};

static int find_delimiter(struct multipart *multipart, leat_text *input);
static int finish_delimiter(struct multipart *multipart, leat_text *input);
static int take_head(struct multipart *multipart, leat_text *input);
static bool read_head(struct multipart *multipart);

static bool is_boundary_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("'()+_,-./:=? ", c));
}

static bool is_boundary(leat_text text)
{
	if (text.len == 0 || text.len > MULTIPART_BOUNDARY_MAX || text.ptr[text.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!is_boundary_byte(text.ptr[i]))
			return false;
	return true;
}

/* The boundary of a content type; {NULL, 0} when it has none, or two. */
static leat_text boundary_of(leat_text content_type, struct arena *arena)
{
	leat_text boundary = { NULL, 0 }, name, value;
	enum parameter_verdict verdict;

	if (!parameter_equals(parameter_head(&content_type, ';'), "multipart/form-data"))
		return boundary;
	while ((verdict = parameter_next(&content_type, arena, &name, &value)) == PARAMETER_FOUND) {
		if (!parameter_equals(name, "boundary"))
			continue;
		if (boundary.ptr)
			return (leat_text){ NULL, 0 };
		boundary = value;
	}
	return verdict == PARAMETER_END ? boundary : (leat_text){ NULL, 0 };
}

bool multipart_init(struct multipart *multipart, leat_text content_type, size_t head_max, struct arena *arena)
{
	leat_text boundary = boundary_of(content_type, arena);

	if (!is_boundary(boundary))
		return false;
	*multipart = (struct multipart){ .state = PREAMBLE,
					 .delimiter = "\r\n--",
					 .delimiter_len = 4 + boundary.len,
					 .matched = LINE_BEFORE,
					 .borrowed = LINE_BEFORE,
					 .head_max = head_max,
					 .arena = arena };
	memcpy(multipart->delimiter + 4, boundary.ptr, boundary.len);
	buffer_init(&multipart->head, arena, 256);
	return true;
}

bool multipart_is_complete(const struct multipart *multipart)
{
	return multipart->state == EPILOGUE;
}

static int bad(struct multipart *multipart, const char *fault)
{
	multipart->fault = fault;
	multipart->state = BROKEN;
	return MULTIPART_BAD;
}

static void consume(leat_text *input, size_t len)
{
	*input = (leat_text){ input->ptr + len, input->len - len };
}

enum multipart_event multipart_next(struct multipart *multipart, leat_text *input)
{
	int event = NO_EVENT;

	while (event == NO_EVENT) {
		if (multipart->state == BROKEN)
			return multipart->fault ? MULTIPART_BAD : MULTIPART_HEAD;
		if (multipart->state == EPILOGUE)
			consume(input, input->len);
		if (input->len == 0)
			return MULTIPART_MORE;
		if (multipart->state == PREAMBLE || multipart->state == CONTENT)
			event = find_delimiter(multipart, input);
		else if (multipart->state == HEAD)
			event = take_head(multipart, input);
		else
			event = finish_delimiter(multipart, input);
	}
	return (enum multipart_event)event;
}

/* Content and what ends it ---------------------------------------------------------------------------------------- */

static int hand_out(struct multipart *multipart, const char *bytes, size_t len)
{
	multipart->data = (leat_text){ bytes, len };
	return multipart->state == CONTENT && len > 0 ? MULTIPART_DATA : NO_EVENT;
}

static int delimiter_found(struct multipart *multipart)
{
	int event = multipart->state == CONTENT ? MULTIPART_PART_END : NO_EVENT;

	multipart->matched = multipart->borrowed = 0;
	multipart->state = AFTER_DELIMITER;
	return event;
}

/* The input before this one ended like a delimiter begins. */
static int go_on_matching(struct multipart *multipart, leat_text *input)
{
	size_t matched = multipart->matched, borrowed = multipart->borrowed;

	while (input->len > 0 && matched < multipart->delimiter_len && *input->ptr == multipart->delimiter[matched]) {
		consume(input, 1);
		matched++;
	}
	multipart->matched = matched;
	if (matched == multipart->delimiter_len)
		return delimiter_found(multipart);
	if (input->len == 0)
		return NO_EVENT;
	multipart->matched = multipart->borrowed = 0;
	return hand_out(multipart, multipart->delimiter + borrowed, matched - borrowed);
}

/* How many of the last bytes a delimiter may begin with. */
static size_t open_end(const struct multipart *multipart, leat_text text)
{
	size_t most = text.len < multipart->delimiter_len ? text.len : multipart->delimiter_len - 1;
	const char *at = memrchr(text.ptr + text.len - most, '\r', most);
	size_t len = at ? (size_t)(text.ptr + text.len - at) : 0;

	return len > 0 && memcmp(at, multipart->delimiter, len) == 0 ? len : 0;
}

static int find_delimiter(struct multipart *multipart, leat_text *input)
{
	const char *start = input->ptr, *found;
	size_t len;

	if (multipart->matched > 0)
		return go_on_matching(multipart, input);
	found = memmem(start, input->len, multipart->delimiter, multipart->delimiter_len);
	if (found == start) {
		consume(input, multipart->delimiter_len);
		return delimiter_found(multipart);
	}
	len = found ? (size_t)(found - start) : input->len - open_end(multipart, *input);
	if (len == 0) {
		multipart->matched = input->len;
		consume(input, input->len);
		return NO_EVENT;
	}
	consume(input, len);
	return hand_out(multipart, start, len);
}

/* Behind a delimiter: "--", or blanks and CR LF. */
static int finish_delimiter(struct multipart *multipart, leat_text *input)
{
	char c = *input->ptr;

	consume(input, 1);
	if (multipart->state == LAST_DASH && c == '-') {
		multipart->state = EPILOGUE;
	} else if (multipart->state == LINE_END && c == '\n') {
		multipart->state = HEAD;
		multipart->head.len = multipart->line_at = 0;
	} else if (multipart->state == AFTER_DELIMITER && c == '-') {
		multipart->state = LAST_DASH;
	} else if (multipart->state < LINE_END && (c == ' ' || c == '\t')) {
		multipart->state = PADDING;
	} else if (multipart->state < LINE_END && c == '\r') {
		multipart->state = LINE_END;
	} else {
		return bad(multipart, "The form has something behind a boundary.");
	}
	return NO_EVENT;
}

/* A part's header ------------------------------------------------------------------------------------------------- */

static leat_text last_line(const struct multipart *multipart)
{
	return (leat_text){ multipart->head.data + multipart->line_at, multipart->head.len - multipart->line_at };
}

/* The empty line ends the header. */
static int end_line(struct multipart *multipart)
{
	leat_text line = last_line(multipart);

	if (line.len < 2 || line.ptr[line.len - 2] != '\r')
		return bad(multipart, "The form has a line without CR LF in the header of a part.");
	multipart->line_at = multipart->head.len;
	if (line.len > 2)
		return NO_EVENT;
	if (!read_head(multipart))
		return MULTIPART_BAD;
	multipart->state = CONTENT;
	multipart->matched = multipart->borrowed = LINE_BEFORE;
	return MULTIPART_PART;
}

static int take_head(struct multipart *multipart, leat_text *input)
{
	const char *end = memchr(input->ptr, '\n', input->len);
	size_t len = end ? (size_t)(end + 1 - input->ptr) : input->len;

	if (len > multipart->head_max - multipart->head.len) {
		multipart->state = BROKEN;
		return MULTIPART_HEAD;
	}
	buffer_bytes(&multipart->head, input->ptr, len);
	consume(input, len);
	return end ? end_line(multipart) : NO_EVENT;
}

static bool is_clean(leat_text line)
{
	for (size_t i = 0; i < line.len; i++)
		if (((unsigned char)line.ptr[i] < ' ' && line.ptr[i] != '\t') || line.ptr[i] == 127)
			return false;
	return utf8_is_valid(line);
}

/* form-data, one name, perhaps one file name; other parameters say nothing. */
static bool read_disposition(struct multipart *multipart, leat_text value)
{
	leat_text type = parameter_head(&value, ';'), name, text;
	enum parameter_verdict verdict;

	if (multipart->part.name.ptr || !parameter_equals(type, "form-data"))
		return false;
	while ((verdict = parameter_next(&value, multipart->arena, &name, &text)) == PARAMETER_FOUND) {
		leat_text *member = parameter_equals(name, "name")       ? &multipart->part.name
				    : parameter_equals(name, "filename") ? &multipart->part.file_name
									 : NULL;

		if (member && member->ptr)
			return false;
		if (member)
			*member = text;
	}
	return verdict == PARAMETER_END && multipart->part.name.ptr;
}

static bool read_field(struct multipart *multipart, leat_text name, leat_text value)
{
	if (parameter_equals(name, "Content-Disposition"))
		return read_disposition(multipart, value);
	if (parameter_equals(name, "Content-Type")) {
		if (multipart->part.content_type.ptr)
			return false;
		multipart->part.content_type = value;
	}
	if (parameter_equals(name, "Content-Transfer-Encoding"))
		return parameter_equals(value, "binary") || parameter_equals(value, "8bit") ||
		       parameter_equals(value, "7bit");
	return true;
}

static bool read_line(struct multipart *multipart, leat_text line)
{
	const char *colon = memchr(line.ptr, ':', line.len);
	leat_text name = { line.ptr, colon ? (size_t)(colon - line.ptr) : 0 };

	if (!colon || !parameter_is_token(name) || !is_clean(line))
		return false;
	return read_field(multipart, name, parameter_trim((leat_text){ colon + 1, line.len - name.len - 1 }));
}

static bool read_head(struct multipart *multipart)
{
	leat_text rest = buffer_as_text(&multipart->head);

	memset(&multipart->part, 0, sizeof(multipart->part));
	while (rest.len > 2) {
		size_t len = (size_t)((const char *)memchr(rest.ptr, '\n', rest.len) - rest.ptr) - 1;

		if (!read_line(multipart, (leat_text){ rest.ptr, len })) {
			bad(multipart, "The form has a part with a bad header.");
			return false;
		}
		consume(&rest, len + 2);
	}
	if (multipart->part.name.ptr)
		return true;
	bad(multipart, "The form has a part without a name.");
	return false;
}
