/* migrate_file.h - the folder of migrations: NNNN_name.sql, in the order of their numbers.
 *
 * Use:
 *     struct migrate_folder folder;
 *     char error[1024];
 *     if (!migrate_read(&folder, "deploy/sql", &arena, error, sizeof(error)))
 *         complain(error);
 *
 * A file is SQL that psql runs with the same effect. Two comments in it mean something here:
 *
 *     -- leat: no transaction        as its first line: both parts run a statement at a time (migrate_run.h)
 *
 *     /^ leat: down                  at its end (with * for ^): the SQL that undoes the file. Comments in it nest, and
 *     DROP TABLE users;              psql and the server pass over all of it
 *     ^/
 *
 * Any other line that begins with "-- leat:" or the like is refused, so that a word that is misspelt is no comment.
 *
 * Ownership:      all in the arena.
 * Thread-safety:  one thread at a time per arena.
 * Errors:         false with a sentence in 'error': what cannot be read, a name of another form, one number twice, a comment
 *                 that is not understood.
 */
#ifndef APP_BACK_MIGRATE_FILE_H
#define APP_BACK_MIGRATE_FILE_H

#include <stdbool.h>

#include "base/arena.h"

struct migrate_file {
	int64_t version;
	const char *name; /* the file's, without .sql */
	const char *path;
	leat_text sql;      /* the whole file, with a NUL behind it */
	leat_text up;       /* what its checksum is made of: the undo may be written, or corrected, later */
	leat_text down;     /* the undo, with a NUL behind it; absent: there is none */
	unsigned down_line; /* on which it begins */
	bool has_transaction;
};

struct migrate_folder {
	struct migrate_file *files;
	size_t count;
};

bool migrate_read(struct migrate_folder *ret_folder, const char *path, struct arena *arena, char *error,
		  size_t error_size) __attribute__((warn_unused_result));

#endif
