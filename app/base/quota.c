/* quota.c - see quota.h. Used by back/lend.c; the supervisor forgets the dead. */
#include "base/quota.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/check.h"

static atomic_uint *used; /* by process */
static unsigned process_count, process_here, limit;

void quota_create(unsigned processes, unsigned most)
{
	size_t size = processes * sizeof(*used);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		check_out_of_memory(size, "the quota of connections");
	used = memory;
	process_count = processes;
	limit = most;
}

void quota_enter(unsigned process)
{
	LEAT_CHECK(!used || process < process_count);
	process_here = process;
}

unsigned quota_used(void)
{
	unsigned sum = 0;

	for (unsigned i = 0; used && i < process_count; i++)
		sum += atomic_load(&used[i]);
	return sum;
}

bool quota_take(void)
{
	if (!used)
		return true;
	atomic_fetch_add(&used[process_here], 1);
	if (quota_used() <= limit)
		return true;
	quota_give();
	return false;
}

void quota_give(void)
{
	if (used)
		atomic_fetch_sub(&used[process_here], 1);
}

void quota_forget(unsigned process)
{
	if (used)
		atomic_store(&used[process], 0);
}
