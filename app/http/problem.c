/* problem.c - see problem.h. The one file that maps results to HTTP; the table is in leat/result.h. */
#include "http/problem.h"

#include "http/json_write.h"

static const struct {
	const char *name;
	int status;
	const char *title;
} results[LEAT_RESULT_COUNT] = {
#define RESULT_ROW(name, status, title) [LEAT_##name] = { #name, status, title },
	LEAT_RESULT_TABLE(RESULT_ROW)
#undef RESULT_ROW
};

static void add_fault(struct problem *problem, struct arena *arena, struct fault fault, const char *format,
		      va_list args);
static void write_faults(struct buffer *out, const struct fault *fault);

/* A result from outside the table is a bug of the caller's and counts as LEAT_INTERNAL. */
static enum leat_result known(enum leat_result result)
{
	return (unsigned)result < LEAT_RESULT_COUNT ? result : LEAT_INTERNAL;
}

const char *leat_result_name(enum leat_result result)
{
	return results[known(result)].name;
}

int leat_result_status(enum leat_result result)
{
	return results[known(result)].status;
}

const char *problem_title(enum leat_result result)
{
	return results[known(result)].title;
}

void problem_fault(struct problem *problem, struct arena *arena, leat_text pointer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_fault(problem, arena, (struct fault){ .pointer = pointer }, format, args);
	va_end(args);
}

void problem_fault_parameter(struct problem *problem, struct arena *arena, leat_text name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_fault(problem, arena, (struct fault){ .pointer = name, .in_parameter = true }, format, args);
	va_end(args);
}

static void write_member(struct buffer *out, leat_text start, leat_text value)
{
	buffer_text(out, start);
	json_write_text(out, value);
}

void problem_write(struct buffer *out, const struct problem *problem, leat_text request_id)
{
	enum leat_result result = known(problem->result);

	write_member(out, LEAT_TEXT_OF("{\"type\":\"about:blank\",\"title\":"), leat_text_from(results[result].title));
	buffer_text(out, LEAT_TEXT_OF(",\"status\":"));
	buffer_int(out, results[result].status);
	if (problem->detail.ptr)
		write_member(out, LEAT_TEXT_OF(",\"detail\":"), problem->detail);
	if (request_id.ptr)
		write_member(out, LEAT_TEXT_OF(",\"request_id\":"), request_id);
	if (problem->faults)
		write_faults(out, problem->faults);
	buffer_byte(out, '}');
}

static void add_fault(struct problem *problem, struct arena *arena, struct fault fault, const char *format,
		      va_list args)
{
	struct fault *added;

	if (problem->fault_count > PROBLEM_FAULTS_MAX)
		return;
	if (problem->fault_count == PROBLEM_FAULTS_MAX) {
		fault = (struct fault){ .pointer = LEAT_TEXT_OF("#") };
		fault.detail = arena_format(arena, "has more than %d faults; the rest is not listed",
					    PROBLEM_FAULTS_MAX);
	} else {
		fault.detail = arena_vformat(arena, format, args);
	}
	added = arena_alloc(arena, sizeof(*added));
	*added = fault;
	*(problem->last_fault ? &problem->last_fault->next : &problem->faults) = added;
	problem->last_fault = added;
	problem->fault_count++;
}

static void write_faults(struct buffer *out, const struct fault *fault)
{
	leat_text separator = LEAT_TEXT_OF(",\"errors\":[{");

	for (; fault; fault = fault->next) {
		buffer_text(out, separator);
		write_member(out, fault->in_parameter ? LEAT_TEXT_OF("\"parameter\":") : LEAT_TEXT_OF("\"pointer\":"),
			     fault->pointer);
		write_member(out, LEAT_TEXT_OF(",\"detail\":"), fault->detail);
		buffer_byte(out, '}');
		separator = LEAT_TEXT_OF(",{");
	}
	buffer_byte(out, ']');
}
