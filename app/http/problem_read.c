/* problem_read.c - see problem_read.h. Called by idempotency.c. */
#include "http/problem_read.h"

#include "http/json_read.h"

struct read_fault {
	leat_text pointer, parameter, detail;
};

static const struct leat_shape fault_shape = LEAT_SHAPE(struct read_fault, LEAT_TEXT(pointer, .optional = true),
		   LEAT_TEXT(parameter, .optional = true), LEAT_TEXT(detail));

struct document {
	leat_text detail;
	struct leat_list errors;
};

static const struct leat_shape document_shape = LEAT_SHAPE(struct document, LEAT_TEXT(detail, .optional = true),
		   LEAT_LIST(errors, &fault_shape, .optional = true));

/* LEAT_OK: there is none. */
static enum leat_result result_of(int status)
{
	for (unsigned i = 0; i < LEAT_RESULT_COUNT; i++)
		if (leat_result_status((enum leat_result)i) == status)
			return (enum leat_result)i;
	return LEAT_OK;
}

bool problem_read(struct problem *problem, struct arena *arena, int status, leat_text document)
{
	struct problem faults = { 0 }; /* of the document itself */
	struct document read;
	enum leat_result result = result_of(status);

	if (result == LEAT_OK || json_read_open(arena, document, &document_shape, &read, &faults) != LEAT_OK)
		return false;
	*problem = (struct problem){ .result = result, .detail = read.detail };
	for (size_t i = 0; i < read.errors.count; i++) {
		const struct read_fault *fault = (const struct read_fault *)read.errors.items + i;

		if (fault->parameter.ptr)
			problem_fault_parameter(problem, arena, fault->parameter, "%.*s",
						LEAT_TEXT_PRINTF(fault->detail));
		else
			problem_fault(problem, arena, fault->pointer, "%.*s", LEAT_TEXT_PRINTF(fault->detail));
	}
	return true;
}
