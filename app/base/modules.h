/* modules.h - where an address lies: in which file, at which offset, behind which symbol. For backtraces in signal handlers.
 *
 * Use:
 *     modules_learn();                              -- at the start: the program and its libraries
 *     struct module_place place;
 *     if (modules_find(address, &place)) ...        -- in a signal handler
 *
 * The offset is what addr2line takes for that file. Symbols come from the file's symbol table, if it was not stripped of it, else
 * from the dynamic one, which has only what the module exports.
 *
 * Ownership:      what is learnt stays for the life of the process: the files are mapped, so that a deployment that replaces them does
 *                 not matter. Texts of a place are the module's.
 * Thread-safety:  modules_learn: before other threads exist; again adds nothing. modules_find: any thread, async-signal-safe.
 * Errors:         modules_find is false for an address that is in no module. What was loaded later is not known.
 */
#ifndef APP_BASE_MODULES_H
#define APP_BASE_MODULES_H

#include <leat/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module_place {
	unsigned module; /* a number, to tell them apart */
	const char *file;
	const uint8_t *build_id; /* NULL: it has none */
	size_t build_id_size;
	uintptr_t offset;
	const char *symbol; /* NULL: not known */
	uintptr_t into;     /* the symbol */
};

void modules_learn(void);

bool modules_find(uintptr_t address, struct module_place *ret_place);

#endif
