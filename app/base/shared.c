/* shared.c - see shared.h. */
#include "base/shared.h"

#include <sys/mman.h>

#include "base/check.h"

void *shared_memory(size_t size, const char *what)
{
	void *mapping = size ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) : NULL;

	if (mapping == MAP_FAILED)
		check_out_of_memory(size, what);
	return mapping;
}
