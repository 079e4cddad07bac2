/* words.c - see words.h. Called by http/jwt and http/auth. */
#include "http/words.h"

leat_texts words_split(struct arena *arena, leat_text text)
{
	leat_texts words = { arena_alloc(arena, (text.len / 2 + 1) * sizeof(leat_text)), 0 };

	for (size_t at = 0; at < text.len; at++) {
		size_t start = at;

		while (at < text.len && text.ptr[at] != ' ')
			at++;
		if (at > start)
			words.items[words.count++] = (leat_text){ text.ptr + start, at - start };
	}
	return words;
}

bool words_have(leat_texts words, leat_text wanted)
{
	for (size_t i = 0; i < words.count; i++)
		if (leat_text_equal(words.items[i], wanted))
			return true;
	return false;
}
