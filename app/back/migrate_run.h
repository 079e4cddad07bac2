/* migrate_run.h - applies a migration and undoes it, and records that.
 *
 * Use:
 *     if (!migrate_apply(&server, &file))          -- or migrate_undo, migrate_redo
 *         return EXIT_FAILED;
 *
 * With a transaction, which is the rule, all of it happens, record and all, or nothing: also when leat is killed, or the
 * server. A redo is one transaction, too.
 *
 * Without one (the file's first line says so, for CREATE INDEX CONCURRENTLY and its like) one statement runs after the
 * other. The record is made before the first of them and says, before each, which one is next; so after a failure or a crash
 * the table tells how far it came. Nobody guesses what to do then: the user is told, and decides.
 *
 * Each prints a line on standard output when it starts, and one with the time that it took when it is done.
 *
 * Ownership:      what they need lives in the server's arena.
 * Thread-safety:  one thread at a time per server; they block.
 * Errors:         false, after lines on standard error: file, line and statement, what has happened and what has not. The
 *                 server is of no more use then: disconnect, which is what rolls a transaction back.
 */
#ifndef APP_BACK_MIGRATE_RUN_H
#define APP_BACK_MIGRATE_RUN_H

#include "back/migrate_file.h"
#include "back/migrate_server.h"

bool migrate_apply(struct migrate_server *server, const struct migrate_file *file);
bool migrate_undo(struct migrate_server *server, const struct migrate_file *file);
bool migrate_redo(struct migrate_server *server, const struct migrate_file *file);

/* What to do about a migration that stopped half-way, in a few lines; 'unfinished' is its record's. */
const char *migrate_advice(struct migrate_server *server, const struct migrate_file *file, const char *unfinished);

#endif
