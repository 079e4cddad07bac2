/* migrate.h - the command `leat migrate`: brings the database's schema to where the SQL files are, and back.
 *
 * Use:
 *     return migrate_main(&settings, "up");       -- runs what has not run yet
 *     return migrate_main(&settings, "status");   -- lists what has run, what has not, and what can be undone
 *     return migrate_main(&settings, "down");     -- undoes the newest that has run
 *     return migrate_main(&settings, "redo");     -- undoes the newest that has run and applies it, as it stands now
 *
 * The files of the folder in the setting migrations are named NNNN_name.sql and run in the order of their numbers, each
 * in a transaction of its own, so a file must not begin or end one. What else a file may say (its undo, that it wants no
 * transaction) is told in migrate_file.h, what becomes of it in migrate_run.h, the table that remembers in
 * migrate_server.h. An advisory lock makes a second starter wait, for the setting migrate_wait at most.
 *
 * up runs nothing while a file that has run was edited or is missing, a new one has a number below one that has run, or a
 * migration stopped half-way. down and redo look at the newest one alone.
 *
 * Ownership:      nothing to own.
 * Thread-safety:  the main thread; it blocks.
 * Errors:         the exit status: 0 done, or for status: nothing left to do; 1 it failed, or for status: something is
 *                 left to do; 2 the verb or the settings are wrong. What is wrong stands on standard error, with file
 *                 and line where the server tells them.
 */
#ifndef APP_BACK_MIGRATE_H
#define APP_BACK_MIGRATE_H

#include "base/settings.h"

int migrate_main(const struct settings *settings, const char *verb);

#endif
