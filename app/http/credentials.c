/* credentials.c - see credentials.h. Read by http/auth_key and http/auth_basic from files. */
#include "http/credentials.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"

struct reader {
	struct credentials *credentials;
	const char *(*fault_of)(const struct credential *item);
	const char *fault;
};

static size_t count_lines(leat_text document)
{
	size_t lines = 1;

	for (size_t i = 0; i < document.len; i++)
		lines += document.ptr[i] == '\n';
	return lines;
}

static struct credentials *credentials_new(leat_text document)
{
	struct credentials *credentials = calloc(1, sizeof(*credentials));

	LEAT_CHECK(credentials);
	credentials->items = calloc(count_lines(document), sizeof(*credentials->items));
	credentials->text = malloc(document.len + 1);
	LEAT_CHECK(credentials->items && credentials->text);
	memcpy(credentials->text, document.ptr, document.len);
	credentials->text[document.len] = '\0';
	credentials->text_len = document.len;
	return credentials;
}

void credentials_free(struct credentials *credentials)
{
	if (!credentials)
		return;
	explicit_bzero(credentials->text, credentials->text_len);
	free(credentials->text);
	free(credentials->items);
	free(credentials);
}

/* Up to the next ':' or the end; ends it with a NUL. */
static leat_text take_field(char **at, char *end)
{
	char *start = *at;
	char *colon = start ? memchr(start, ':', (size_t)(end - start)) : NULL;

	if (!start)
		return (leat_text){ NULL, 0 };
	*at = colon ? colon + 1 : NULL;
	end = colon ? colon : end;
	*end = '\0';
	return (leat_text){ start, (size_t)(end - start) };
}

bool credentials_has_control(leat_text text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 127)
			return true;
	return false;
}

static bool read_line(struct reader *reader, char *at, char *end)
{
	struct credential *item = &reader->credentials->items[reader->credentials->count];

	if (end > at && end[-1] == '\r')
		end--;
	if (at == end || *at == '#')
		return true;
	if (credentials_has_control((leat_text){ at, (size_t)(end - at) })) {
		reader->fault = "has a control character";
		return false;
	}
	item->name = take_field(&at, end);
	item->secret = take_field(&at, end);
	item->more = at ? (leat_text){ at, (size_t)(end - at) } : (leat_text){ NULL, 0 };
	*end = '\0';
	reader->fault = item->name.len == 0 || item->secret.len == 0 ? "is not NAME:SECRET" : reader->fault_of(item);
	reader->credentials->count++;
	return !reader->fault;
}

struct credentials *credentials_read(leat_text document, const char *(*fault_of)(const struct credential *item),
				     char *error, size_t size)
{
	struct reader reader = { .credentials = credentials_new(document), .fault_of = fault_of };
	char *end = reader.credentials->text + document.len;
	unsigned line = 0;

	for (char *at = reader.credentials->text, *next; at < end; at = next) {
		char *line_end = memchr(at, '\n', (size_t)(end - at));

		line++;
		next = line_end ? line_end + 1 : end;
		if (!read_line(&reader, at, line_end ? line_end : end)) {
			snprintf(error, size, "line %u %s", line, reader.fault);
			credentials_free(reader.credentials);
			return NULL;
		}
	}
	if (reader.credentials->count > 0)
		return reader.credentials;
	snprintf(error, size, "has no line that means anything");
	credentials_free(reader.credentials);
	return NULL;
}
