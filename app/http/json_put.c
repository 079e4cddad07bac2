/* json_put.c - see json_put.h. Used by http/openapi. */
#include "http/json_put.h"

#include "http/json_write.h"

static void put_line(struct json_put *put)
{
	if (!put->is_indented)
		return;
	buffer_byte(put->out, '\n');
	for (unsigned i = 0; i < put->depth; i++)
		buffer_text(put->out, LEAT_TEXT_OF("  "));
}

/* What stands between the value or key that comes and what is before it. */
static void put_gap(struct json_put *put)
{
	if (put->has_key) {
		put->has_key = false;
		return;
	}
	if (put->has_before)
		buffer_byte(put->out, ',');
	if (put->depth > 0)
		put_line(put);
	put->has_before = true;
}

void json_put_open(struct json_put *put, char bracket)
{
	put_gap(put);
	buffer_byte(put->out, bracket);
	put->depth++;
	put->has_before = false;
}

void json_put_close(struct json_put *put, char bracket)
{
	put->depth--;
	if (put->has_before)
		put_line(put);
	buffer_byte(put->out, bracket);
	put->has_before = true;
}

void json_put_key_text(struct json_put *put, leat_text key)
{
	put_gap(put);
	json_write_text(put->out, key);
	buffer_text(put->out, put->is_indented ? LEAT_TEXT_OF(": ") : LEAT_TEXT_OF(":"));
	put->has_key = true;
}

void json_put_key(struct json_put *put, const char *key)
{
	json_put_key_text(put, leat_text_from(key));
}

void json_put_text(struct json_put *put, leat_text text)
{
	put_gap(put);
	json_write_text(put->out, text);
}

void json_put_int(struct json_put *put, int64_t value)
{
	put_gap(put);
	buffer_int(put->out, value);
}

void json_put_word(struct json_put *put, const char *word)
{
	put_gap(put);
	buffer_text(put->out, leat_text_from(word));
}

void json_put_member(struct json_put *put, const char *key, const char *text)
{
	json_put_key(put, key);
	json_put_text(put, leat_text_from(text));
}
