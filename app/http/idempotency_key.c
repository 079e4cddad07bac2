/* idempotency_key.c - see idempotency_key.h. Called by idempotency.c. */
#include "http/idempotency_key.h"

#include <leat/idempotency.h>
#include <string.h>

#include "base/buffer.h"

#define NO_KEY    "Idempotency-Key must be one string or token of printable ASCII characters."
#define NO_LENGTH "Idempotency-Key must have from 1 to 255 characters."
_Static_assert(LEAT_IDEMPOTENCY_KEY_MAX == 255, "the sentence says so");

static leat_text trim(leat_text text)
{
	while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
		text = (leat_text){ text.ptr + 1, text.len - 1 };
	while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

static bool is_bare(leat_text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || strchr(",;\"\\", text.ptr[i]))
			return false;
	return true;
}

/* What stands between the quotes; false unless the text is one string. */
static bool unquote(leat_text text, struct arena *arena, leat_text *ret_key)
{
	char *key = arena_alloc(arena, text.len);
	size_t len = 0;

	if (text.len < 2 || text.ptr[text.len - 1] != '"')
		return false;
	for (size_t i = 1; i < text.len - 1; i++) {
		char c = text.ptr[i];

		if (c == '\\') {
			c = text.ptr[++i];
			if (i == text.len - 1 || (c != '"' && c != '\\'))
				return false;
		} else if (c == '"' || c < ' ' || c > '~') {
			return false;
		}
		key[len++] = c;
	}
	*ret_key = (leat_text){ key, len };
	return true;
}

const char *idempotency_key_read(leat_text header, struct arena *arena, leat_text *ret_key)
{
	leat_text text = trim(header);

	if (text.len > 2 * LEAT_IDEMPOTENCY_KEY_MAX + 2) /* each may be escaped */
		return NO_LENGTH;
	*ret_key = text;
	if (text.len > 0 && text.ptr[0] == '"' ? !unquote(text, arena, ret_key) : !is_bare(text))
		return NO_KEY;
	return ret_key->len > 0 && ret_key->len <= LEAT_IDEMPOTENCY_KEY_MAX ? NULL : NO_LENGTH;
}

bool idempotency_digest(const leat_text *texts, unsigned count, struct arena *arena, uint8_t out[CRYPTO_SHA256_SIZE])
{
	struct buffer all;

	buffer_init(&all, arena, 512);
	for (unsigned i = 0; i < count; i++) {
		buffer_int(&all, (int64_t)texts[i].len);
		buffer_byte(&all, ':');
		buffer_text(&all, texts[i]);
	}
	return crypto_sha256(buffer_as_text(&all), out);
}
