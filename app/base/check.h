/* check.h - stops at bugs, always compiled in.
 *
 * Use:
 *     LEAT_CHECK(task_self() != NULL);
 *     LEAT_CHECK_MAGIC(connection, CONNECTION_MAGIC);
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread.
 * Errors:         a failed check prints the expression with its place to standard error and calls abort.
 */
#ifndef APP_BASE_CHECK_H
#define APP_BASE_CHECK_H

#include <stddef.h>
#include <stdint.h>

#define LEAT_CHECK(condition) \
	((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__, __func__))

/* For objects with process, worker or connection life: their first member is 'uint32_t magic'. */
#define LEAT_CHECK_MAGIC(object, expected) LEAT_CHECK((object) && (object)->magic == (expected))

_Noreturn void check_failed(const char *expression, const char *file, int line, const char *function);

/* Ends the program with one clear line when memory is out; for start-up and for what cannot be refused. */
_Noreturn void check_out_of_memory(size_t size, const char *what);

#endif
