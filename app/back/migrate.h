/* migrate.h - the command `leat migrate`: brings the database's schema to where the SQL files are.
 *
 * Use:
 *     return migrate_main(&settings, "up");       -- runs what has not run yet
 *     return migrate_main(&settings, "status");   -- lists what has run and what has not
 *
 * The files of the folder in the setting migrations are named NNNN_name.sql and run in the order of their numbers, each
 * in a transaction of its own, so a file must not begin or end one. The table leat_migrations, in the connection's first
 * schema, remembers number, name, SHA-256 of the bytes and time of each. An advisory lock makes a second starter wait.
 * Nothing runs while a file that has run was edited or is missing, or a new one has a number below one that has run.
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
