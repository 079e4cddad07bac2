/* cancel.c - see cancel.h. Two sides hold a cancel, the lane and the thread; who lets go last frees it. */
#include "back/cancel.h"

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/log.h"
#include "task/offload.h"

struct cancel {
	PGcancel *handle;
	atomic_int state; /* enum cancel_state */
	atomic_int holders;
};

static void let_go(struct cancel *cancel)
{
	if (atomic_fetch_sub(&cancel->holders, 1) > 1)
		return;
	PQfreeCancel(cancel->handle);
	free(cancel);
}

/* On an offload thread. */
static void cancel_run(void *arg)
{
	struct cancel *cancel = arg;
	char why[256] = "";
	int done = PQcancel(cancel->handle, why, sizeof(why));

	if (!done)
		log_limited(LOG_LEVEL_WARN, "database: cannot cancel a statement: %s", why);
	atomic_store(&cancel->state, done ? CANCEL_DONE : CANCEL_FAILED);
	let_go(cancel);
}

struct cancel *cancel_start(struct offload *offload, PGconn *connection)
{
	PGcancel *handle = offload ? PQgetCancel(connection) : NULL;
	struct cancel *cancel;

	if (!handle)
		return NULL;
	cancel = malloc(sizeof(*cancel));
	if (!cancel)
		check_out_of_memory(sizeof(*cancel), "a cancel");
	cancel->handle = handle;
	atomic_init(&cancel->state, CANCEL_RUNNING);
	atomic_init(&cancel->holders, 2);
	if (offload_run(offload, cancel_run, cancel))
		return cancel;
	atomic_store(&cancel->holders, 1);
	let_go(cancel);
	return NULL;
}

enum cancel_state cancel_state(const struct cancel *cancel)
{
	return (enum cancel_state)atomic_load(&cancel->state);
}

void cancel_drop(struct cancel *cancel)
{
	if (cancel)
		let_go(cancel);
}
