/* keyfile.h - files of keys and passwords: read at the start, and again when they change.
 *
 * Use:
 *     static const struct keyfile_kind keys = { read_keys, free_keys };
 *     const char *fault = keyfile_open("jwks.json", &keys);     -- at the start; NULL: it is read
 *     const struct keyfile_content *held = keyfile_hold("jwks.json", &keys);
 *     keyfile_value(held) ...                                   -- what read_keys made, until
 *     keyfile_release(held);
 *
 * Once a second (keyfile_refresh, the main thread of a worker process) each file is looked at; when it is another file, or has another time or
 * size, it is read. Until that was done without a fault, what was read before stays.
 *
 * Ownership:      the process's. A content is freed when it is no longer the newest and nobody holds it.
 * Thread-safety:  keyfile_setup, keyfile_open and keyfile_close: before and after all other threads. The others: any thread.
 * Errors:         keyfile_open: words, good until its next call, for what cannot be read, is larger than the setting auth_file_max, or is refused
 *                 by its kind. Later such faults go to the log and METRIC_AUTH_FILE_FAULTS.
 */
#ifndef APP_HTTP_KEYFILE_H
#define APP_HTTP_KEYFILE_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>

struct keyfile_content;

struct keyfile_kind {
	void *(*read)(leat_text document, char *error, size_t size); /* NULL, and an error */
	void (*free)(void *value);
};

/* Where relative paths begin, and the largest file. 'folder' is kept. */
void keyfile_setup(const char *folder, size_t size_max);

/* 'path' is kept. What was opened before is left as it is. */
const char *keyfile_open(const char *path, const struct keyfile_kind *kind);

bool keyfile_is_any(void);
void keyfile_refresh(void);

/* Only what was opened. Not across a wait. */
struct keyfile_content *keyfile_hold(const char *path, const struct keyfile_kind *kind);
const void *keyfile_value(const struct keyfile_content *content);
void keyfile_release(struct keyfile_content *content);

/* Forgets all of them. */
void keyfile_close(void);

#endif
