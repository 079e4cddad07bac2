/* shared.h - memory that worker processes have in common.
 *
 * Use:
 *     rows = shared_memory(count * sizeof(*rows), "metrics of routes");     -- the supervisor, before the first fork
 *
 * It is all zeros.
 *
 * Ownership:      the caller's, who may munmap(2) it.
 * Thread-safety:  shared_memory: any thread. What is in it: its users' matter.
 * Errors:         ends the program with a clear line when there is none. NULL for no bytes.
 */
#ifndef APP_BASE_SHARED_H
#define APP_BASE_SHARED_H

#include <stddef.h>

void *shared_memory(size_t size, const char *what);

#endif
