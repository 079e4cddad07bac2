/* switch.h - leaves one stack and goes on on another.
 *
 * Use:
 *     struct switch_context main_context = { 0 }, context;
 *     switch_init(&context, stack_low, stack_size, entry, arg);   -- entry never returns
 *     switch_to(&main_context, &context);                         -- back here when someone switches to main_context
 *
 * A few instructions on x86-64 and aarch64: what the calling convention lets a function destroy need not be kept.
 * Elsewhere, or with -DLEAT_SWITCH_UCONTEXT, ucontext(3). AddressSanitizer, ThreadSanitizer and valgrind are told.
 *
 * Ownership:      contexts and stacks are the caller's. switch_fini after the last use of a context that switch_init made.
 * Thread-safety:  one thread at a time per object; a context stays on the thread that first ran it.
 * Errors:         none.
 */
#ifndef APP_TASK_SWITCH_H
#define APP_TASK_SWITCH_H

#include <stddef.h>

#include "base/annotate.h"

#if !defined(LEAT_SWITCH_UCONTEXT) && !defined(__x86_64__) && !defined(__aarch64__)
#define LEAT_SWITCH_UCONTEXT 1
#endif
#ifdef LEAT_SWITCH_UCONTEXT
#include <ucontext.h>
#endif

typedef void (*switch_entry_fn)(void *arg);

struct switch_context {
	void *stack_pointer; /* while it does not run */
	switch_entry_fn entry;
	void *arg;
#ifdef LEAT_SWITCH_UCONTEXT
	ucontext_t ucontext;
#endif
#ifdef LEAT_WITH_ASAN
	const void *stack_low;
	size_t stack_size;
	void *fake_stack;
#endif
#ifdef LEAT_WITH_TSAN
	void *fiber;
#endif
#ifdef LEAT_WITH_VALGRIND
	unsigned valgrind_id;
#endif
};

void switch_init(struct switch_context *context, void *stack_low, size_t stack_size, switch_entry_fn entry, void *arg);
void switch_fini(struct switch_context *context);

void switch_to(struct switch_context *from, struct switch_context *to);

#endif
