/* check.c - see check.h. Writes with write(2) alone: it may run in any state of the program. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return; /* nobody left to tell */
}

_Noreturn void check_failed(const char *expression, const char *file, int line, const char *function)
{
	char place[512];

	snprintf(place, sizeof(place), "leat: bug: check failed: %s (%s:%d in %s); please report it with this line\n",
		 expression, file, line, function);
	say(place);
	abort();
}

_Noreturn void check_out_of_memory(size_t size, const char *what)
{
	char line[256];

	snprintf(line, sizeof(line), "leat: out of memory: %zu bytes for %s\n", size, what);
	say(line);
	abort();
}
