/* words.h - a text as words, which spaces divide: scopes (RFC 6749 3.3).
 *
 * Use:
 *     leat_texts scopes = words_split(arena, LEAT_TEXT_OF("orders:read orders:write"));
 *     if (words_have(scopes, LEAT_TEXT_OF("orders:read"))) ...
 *
 * Ownership:      the list lies in the arena; words are views.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         none.
 */
#ifndef APP_HTTP_WORDS_H
#define APP_HTTP_WORDS_H

#include <leat/value.h>
#include <stdbool.h>

#include "base/arena.h"

leat_texts words_split(struct arena *arena, leat_text text);
bool words_have(leat_texts words, leat_text wanted);

#endif
