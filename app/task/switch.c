/* switch.c - see switch.h. Called by task.c alone. */
#include "task/switch.h"

#include <stdint.h>

#ifdef LEAT_WITH_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef LEAT_WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#ifdef LEAT_WITH_VALGRIND
#include <valgrind/valgrind.h>
#endif

static _Thread_local struct switch_context *left; /* for the first run of a context: whom it came from */

/* What the sanitizers want to hear before and after each switch ------------------------------------------------- */

static void announce(struct switch_context *from, struct switch_context *to)
{
#ifdef LEAT_WITH_ASAN
	__sanitizer_start_switch_fiber(&from->fake_stack, to->stack_low, to->stack_size);
#endif
#ifdef LEAT_WITH_TSAN
	if (!from->fiber)
		from->fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->fiber, 0);
#endif
	left = from;
	(void)to;
}

static void arrived(struct switch_context *here)
{
#ifdef LEAT_WITH_ASAN
	const void *low;
	size_t size;

	__sanitizer_finish_switch_fiber(here->fake_stack, &low, &size);
	left->stack_low = low; /* the way back, for a thread's own stack */
	left->stack_size = size;
#else
	(void)here;
#endif
}

static void first_run(struct switch_context *context)
{
	arrived(context);
	context->entry(context->arg);
	__builtin_trap(); /* entries never return */
}

static void sanitizers_init(struct switch_context *context, void *stack_low, size_t stack_size)
{
#ifdef LEAT_WITH_ASAN
	context->stack_low = stack_low;
	context->stack_size = stack_size;
	context->fake_stack = NULL;
#endif
#ifdef LEAT_WITH_TSAN
	context->fiber = __tsan_create_fiber(0);
#endif
#ifdef LEAT_WITH_VALGRIND
	context->valgrind_id = VALGRIND_STACK_REGISTER(stack_low, (char *)stack_low + stack_size);
#endif
	(void)context, (void)stack_low, (void)stack_size;
}

void switch_fini(struct switch_context *context)
{
#ifdef LEAT_WITH_TSAN
	__tsan_destroy_fiber(context->fiber);
#endif
#ifdef LEAT_WITH_VALGRIND
	VALGRIND_STACK_DEREGISTER(context->valgrind_id);
#endif
	(void)context;
}

#ifdef LEAT_SWITCH_UCONTEXT

/* makecontext passes ints only: a pointer goes as two halves. */
static void ucontext_entry(unsigned high, unsigned low)
{
	first_run((struct switch_context *)((uintptr_t)high << 16 << 16 | (uintptr_t)low));
}

void switch_init(struct switch_context *context, void *stack_low, size_t stack_size, switch_entry_fn entry, void *arg)
{
	uintptr_t address = (uintptr_t)context;

	context->entry = entry;
	context->arg = arg;
	sanitizers_init(context, stack_low, stack_size);
	getcontext(&context->ucontext);
	context->ucontext.uc_stack.ss_sp = stack_low;
	context->ucontext.uc_stack.ss_size = stack_size;
	context->ucontext.uc_link = NULL;
	makecontext(&context->ucontext, (void (*)(void))ucontext_entry, 2, (unsigned)(address >> 16 >> 16),
		    (unsigned)address);
}

void switch_to(struct switch_context *from, struct switch_context *to)
{
	announce(from, to);
	swapcontext(&from->ucontext, &to->ucontext);
	arrived(from);
}

#else

/* Saves the callee-saved registers on the present stack, stores its pointer, loads the other one. */
void switch_stacks(void **save, void *load) __attribute__((visibility("hidden")));

/* Where a new context begins: calls first_run(context), both planted by switch_init in callee-saved registers. */
void switch_begin(void) __attribute__((visibility("hidden")));

#if defined(__x86_64__)
__asm__(".text\n"
	".p2align 4\n"
	".hidden switch_stacks\n"
	".globl switch_stacks\n"
	".type switch_stacks, @function\n"
	"switch_stacks:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	subq $8, %rsp\n"
	"	stmxcsr (%rsp)\n" /* rounding and exception masks belong to the callee */
	"	fnstcw 4(%rsp)\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	ldmxcsr (%rsp)\n"
	"	fldcw 4(%rsp)\n"
	"	addq $8, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size switch_stacks, .-switch_stacks\n"
	".p2align 4\n"
	".hidden switch_begin\n"
	".globl switch_begin\n"
	".type switch_begin, @function\n"
	"switch_begin:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n" /* backtraces end here */
	"	movq %r12, %rdi\n"
	"	callq *%r13\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size switch_begin, .-switch_begin\n");

enum { FRAME_WORDS = 8, FRAME_R13 = 3, FRAME_R12 = 4, FRAME_RETURN = 7 };

static void plant(void **frame, struct switch_context *context)
{
	uint32_t mxcsr;
	uint16_t x87;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(x87));
	frame[0] = (void *)(uintptr_t)((uint64_t)x87 << 32 | mxcsr);
	frame[FRAME_R12] = context;
	frame[FRAME_R13] = (void *)(uintptr_t)first_run;
	frame[FRAME_RETURN] = (void *)(uintptr_t)switch_begin;
}

#elif defined(__aarch64__)
__asm__(".text\n"
	".p2align 4\n"
	".hidden switch_stacks\n"
	".globl switch_stacks\n"
	".type switch_stacks, %function\n"
	"switch_stacks:\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x2, sp\n"
	"	str x2, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	".size switch_stacks, .-switch_stacks\n"
	".p2align 4\n"
	".hidden switch_begin\n"
	".globl switch_begin\n"
	".type switch_begin, %function\n"
	"switch_begin:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	mov x0, x19\n"
	"	blr x20\n"
	"	brk #1\n"
	"	.cfi_endproc\n"
	".size switch_begin, .-switch_begin\n");

enum { FRAME_WORDS = 20, FRAME_X19 = 0, FRAME_X20 = 1, FRAME_X30 = 11 };

static void plant(void **frame, struct switch_context *context)
{
	frame[FRAME_X19] = context;
	frame[FRAME_X20] = (void *)(uintptr_t)first_run;
	frame[FRAME_X30] = (void *)(uintptr_t)switch_begin;
}
#endif

/* The first switch_stacks to a new context pops this frame and "returns" to switch_begin with the stack aligned to
 * 16 bytes, as the calling conventions want it before a call. */
void switch_init(struct switch_context *context, void *stack_low, size_t stack_size, switch_entry_fn entry, void *arg)
{
	uintptr_t top = ((uintptr_t)stack_low + stack_size) & ~(uintptr_t)15;
	void **frame = (void **)top - FRAME_WORDS;

	for (int i = 0; i < FRAME_WORDS; i++)
		frame[i] = NULL;
	context->entry = entry;
	context->arg = arg;
	context->stack_pointer = frame;
	plant(frame, context);
	sanitizers_init(context, stack_low, stack_size);
}

void switch_to(struct switch_context *from, struct switch_context *to)
{
	announce(from, to);
	switch_stacks(&from->stack_pointer, to->stack_pointer);
	arrived(from);
}

#endif
