/* credentials.h - a file of lines NAME:SECRET or NAME:SECRET:MORE, where a secret is a digest or a hash.
 *
 * Use:
 *     struct credentials *users = credentials_read(document, fault_of_hash, error, sizeof(error));
 *     for (size_t i = 0; i < users->count; i++) ... users->items[i].name
 *
 * An empty line, or one that begins with '#', means nothing. Lines end with LF, or CR and LF.
 *
 * Ownership:      credentials_free; texts are its own, each with a NUL behind it.
 * Thread-safety:  any thread, once it is read.
 * Errors:         NULL with the number of the line and words: it has no name or no secret, a control character, or a secret that 'fault_of' refuses;
 *                 or no line means anything. The secret itself is not in the words.
 */
#ifndef APP_HTTP_CREDENTIALS_H
#define APP_HTTP_CREDENTIALS_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>

struct credential {
	leat_text name, secret;
	leat_text more; /* {NULL, 0}: none */
};

struct credentials {
	size_t count;
	struct credential *items;
	char *text;
	size_t text_len;
};

struct credentials *credentials_read(leat_text document, const char *(*fault_of)(const struct credential *item),
				     char *error, size_t size);
void credentials_free(struct credentials *credentials);

/* None stands in a name or a secret. */
bool credentials_has_control(leat_text text);

#endif
