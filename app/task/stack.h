/* stack.h - stacks for tasks, each with a guard page below: running past the end is a crash (crash.h).
 *
 * Use:
 *     size_t size = stack_round(65536);
 *     char *low = stack_map(size);            -- size bytes from there
 *     stack_unmap(low, size);
 *
 * Ownership:      the caller owns what stack_map gives until stack_unmap.
 * Thread-safety:  any thread.
 * Errors:         stack_map is NULL with errno when no memory can be mapped (see vm.max_map_count).
 */
#ifndef APP_TASK_STACK_H
#define APP_TASK_STACK_H

#include <stddef.h>

/* Whole pages. */
size_t stack_round(size_t size);

char *stack_map(size_t size);
void stack_unmap(char *low, size_t size);

#endif
