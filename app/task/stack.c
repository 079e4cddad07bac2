/* stack.c - see stack.h. Called by task.c and crash.c. */
#include "task/stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/annotate.h"

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

size_t stack_round(size_t size)
{
	size_t page = page_size();

	return (size + page - 1) / page * page;
}

char *stack_map(size_t size)
{
	size_t guard = page_size();
	char *map = mmap(NULL, guard + size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (map == MAP_FAILED)
		return NULL;
	if (mprotect(map, guard, PROT_NONE) != 0) {
		munmap(map, guard + size);
		return NULL;
	}
	annotate_reachable(map + guard, size); /* what was there before may have left its marks */
	return map + guard;
}

void stack_unmap(char *low, size_t size)
{
	size_t guard = page_size();

	munmap(low - guard, guard + size);
}
