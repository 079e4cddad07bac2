/* pairs.h - a list of names with values that grows in an arena; handlers see leat/input.h.
 *
 * Use:
 *     struct pairs pairs;
 *     pairs_init(&pairs, arena);
 *     pairs_add(&pairs, name, value);
 *     form->fields = pairs_done(&pairs);
 *
 * Ownership:      the list is the arena's; texts are views.
 * Thread-safety:  only the worker that made the arena.
 * Errors:         none.
 */
#ifndef APP_HTTP_PAIRS_H
#define APP_HTTP_PAIRS_H

#include <leat/input.h>

#include "base/buffer.h"

struct pairs {
	struct buffer items;
};

void pairs_init(struct pairs *pairs, struct arena *arena);
void pairs_add(struct pairs *pairs, leat_text name, leat_text value);
size_t pairs_count(const struct pairs *pairs);

struct leat_pairs pairs_done(const struct pairs *pairs);

#endif
