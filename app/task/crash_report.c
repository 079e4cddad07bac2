/* crash_report.c - see crash_report.h. Only what a signal handler may do: no allocation, no stdio, no locks.
 *
 * The unwinder is libgcc's. It takes no locks where glibc has _dl_find_object (2.35 and later); before, it takes the dynamic linker's, which is
 * recursive and held by others for moments only. It reads the stack that crashed, so it may fault itself: what was written stays. */
#include "task/crash_report.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "base/linetext.h"
#include "base/log.h"
#include "base/modules.h"

enum { NAME_SIZE = 16 }; /* of a thread, as Linux has it */

/* The signal ------------------------------------------------------------------------------------------------------------ */

static const struct reason {
	int signal_number, code;
	const char *words;
} reasons[] = {
	{ SIGSEGV, SEGV_MAPERR, "no such memory" },
	{ SIGSEGV, SEGV_ACCERR, "memory that may not be used so" },
	{ SIGBUS, BUS_ADRALN, "an address that is not aligned" },
	{ SIGBUS, BUS_ADRERR, "behind the end of a mapped file, or memory ran out" },
	{ SIGFPE, FPE_INTDIV, "a division by zero" },
	{ SIGFPE, FPE_INTOVF, "an overflow" },
	{ SIGILL, ILL_ILLOPN, "no instruction, or a trap" },
	{ SIGABRT, SI_TKILL, "abort: a failed check" },
};

static const char *reason_of(const siginfo_t *info)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].signal_number == info->si_signo && reasons[i].code == info->si_code)
			return reasons[i].words;
	return NULL;
}

const char *crash_signal_name(int signal_number)
{
	switch (signal_number) {
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	case SIGFPE:
		return "SIGFPE";
	case SIGILL:
		return "SIGILL";
	default:
		return "SIGABRT";
	}
}

static void add_signal(struct linetext *line, const siginfo_t *info)
{
	const char *reason = reason_of(info);

	linetext_add(line, crash_signal_name(info->si_signo));
	if (reason) {
		linetext_add(line, " (");
		linetext_add(line, reason);
		linetext_add(line, ")");
	}
	if (info->si_code > 0) {
		linetext_add(line, " at address ");
		linetext_hex(line, (uintptr_t)info->si_addr);
	}
}

static void add_thread(struct linetext *line)
{
	char name[NAME_SIZE + 1] = "";

	prctl(PR_GET_NAME, name);
	linetext_add(line, ", thread ");
	linetext_int(line, syscall(SYS_gettid));
	linetext_add(line, " (");
	linetext_add(line, name);
	linetext_add(line, ")");
}

static void report_overrun(void)
{
	static const char words[] = "crash: a handler ran past the end of its stack; keep large arrays out of handlers "
				    "(use leat_alloc), "
				    "end deep recursion, or raise the setting stack_size";

	log_text(LOG_LEVEL_ERROR, (leat_text){ words, sizeof(words) - 1 });
}

void crash_report_what(const struct crash_facts *facts)
{
	struct linetext line = { 0 };

	linetext_add(&line, "crash: ");
	add_signal(&line, facts->info);
	linetext_add(&line, " in ");
	linetext_add(&line, facts->where);
	if (facts->route) {
		linetext_add(&line, ": route ");
		linetext_add(&line, facts->route);
		linetext_add(&line, ", request ");
		linetext_add_text(&line, facts->request_id);
	}
	linetext_add(&line, ", process ");
	linetext_int(&line, facts->process);
	add_thread(&line);
	log_text(LOG_LEVEL_ERROR, linetext_text(&line));
	if (facts->is_overrun)
		report_overrun();
}

/* The way there --------------------------------------------------------------------------------------------------------- */

static uintptr_t crashed_at(const void *context)
{
	const ucontext_t *state = context;

#if defined(__x86_64__)
	return (uintptr_t)state->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (uintptr_t)state->uc_mcontext.pc;
#else
	(void)state;
	return 0; /* in no module */
#endif
}

/* After a call of a pointer that leads nowhere: who called. */
static uintptr_t called_from(const void *context)
{
	const ucontext_t *state = context;

#if defined(__x86_64__)
	uintptr_t caller;

	memcpy(&caller, (const void *)(uintptr_t)state->uc_mcontext.gregs[REG_RSP], sizeof(caller));
	return caller - 1;
#elif defined(__aarch64__)
	return (uintptr_t)state->uc_mcontext.regs[30] - 1;
#else
	(void)state;
	return 0;
#endif
}

static _Unwind_Reason_Code keep_frame(struct _Unwind_Context *context, void *arg)
{
	struct crash_frames *frames = arg;
	int is_exact = 0;
	uintptr_t at = _Unwind_GetIPInfo(context, &is_exact);

	if (at == 0 || frames->count == CRASH_FRAMES_MAX)
		return _URC_END_OF_STACK;
	if (at == frames->from)
		frames->count = 0; /* what was before is the signal handler */
	frames->at[frames->count++] = is_exact ? at : at - 1;
	return _URC_NO_REASON;
}

static void report_frame(unsigned number, uintptr_t at, bool is_known, const struct module_place *place)
{
	const char *name = is_known ? strrchr(place->file, '/') : NULL;
	struct linetext line = { 0 };

	linetext_add(&line, "crash: #");
	linetext_int(&line, number);
	linetext_add(&line, " ");
	linetext_hex(&line, at);
	if (is_known && place->symbol) {
		linetext_add(&line, " ");
		linetext_add(&line, place->symbol);
		linetext_add(&line, "+");
		linetext_hex(&line, place->into);
	}
	linetext_add(&line, " (");
	linetext_add(&line, !is_known ? "in no module" : name ? name + 1 : place->file);
	if (is_known) {
		linetext_add(&line, "+");
		linetext_hex(&line, place->offset);
	}
	linetext_add(&line, ")");
	log_text(LOG_LEVEL_ERROR, linetext_text(&line));
}

/* With the command that turns offsets into lines of source. */
static void report_module(const struct crash_frames *frames, const struct module_place *module)
{
	struct linetext line = { 0 };
	struct module_place place;

	linetext_add(&line, "crash: ");
	linetext_add(&line, module->file);
	linetext_add(&line, ", build id ");
	if (module->build_id)
		linetext_bytes(&line, module->build_id, module->build_id_size);
	else
		linetext_add(&line, "unknown");
	linetext_add(&line, ": addr2line -Cfipe ");
	linetext_add(&line, module->file);
	for (unsigned i = 0; i < frames->count; i++)
		if (modules_find(frames->at[i], &place) && place.module == module->module) {
			linetext_add(&line, " ");
			linetext_hex(&line, place.offset);
		}
	log_text(LOG_LEVEL_ERROR, linetext_text(&line));
}

void crash_report_way(const struct crash_facts *facts)
{
	const struct crash_frames *frames = &facts->frames;
	uint64_t reported = 0; /* modules, a bit each */
	struct module_place place;

	for (unsigned i = 0; i < frames->count; i++)
		report_frame(i, frames->at[i], modules_find(frames->at[i], &place), &place);
	for (unsigned i = 0; i < frames->count; i++) {
		if (!modules_find(frames->at[i], &place) || reported >> place.module & 1)
			continue;
		reported |= (uint64_t)1 << place.module;
		report_module(frames, &place);
	}
}

void crash_report_unwind(struct crash_facts *facts)
{
	struct crash_frames *frames = &facts->frames;
	struct module_place place;

	frames->from = crashed_at(facts->context);
	if (modules_find(frames->from, &place)) {
		_Unwind_Backtrace(keep_frame, frames);
		return;
	}
	frames->at[frames->count++] = frames->from;
	frames->at[frames->count] = called_from(facts->context);
	frames->count++;
}

static _Unwind_Reason_Code ignore_frame(struct _Unwind_Context *context, void *nothing)
{
	(void)context, (void)nothing;
	return _URC_NO_REASON;
}

/* What the unwinder and the C library set up at first use is set up now. */
void crash_report_prepare(void)
{
	modules_learn();
	_Unwind_Backtrace(ignore_frame, NULL);
}
