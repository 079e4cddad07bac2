/* stack.h - stacks for tasks, each with a guard page below, and the message when one is overrun.
 *
 * Use:
 *     size_t size = stack_round(65536);
 *     char *low = stack_map(size);            -- size bytes from there
 *     stack_unmap(low, size);
 *
 * Ownership:      the caller owns what stack_map gives until stack_unmap.
 * Thread-safety:  any thread; stack_catch_overflow and stack_release_overflow: each thread that runs tasks, for itself.
 * Errors:         stack_map is NULL with errno when no memory can be mapped (see vm.max_map_count).
 */
#ifndef APP_TASK_STACK_H
#define APP_TASK_STACK_H

#include <stddef.h>

/* Whole pages. */
size_t stack_round(size_t size);

char *stack_map(size_t size);
void stack_unmap(char *low, size_t size);

/* From now on a touch of the guard page of this thread's running task ends the process with a message that names
 * the setting. 'find' tells the low end of the running stack, or NULL when none runs. Sanitizers keep their own handler. */
void stack_catch_overflow(const char *(*find)(void));
void stack_release_overflow(void);

#endif
