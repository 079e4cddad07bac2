/* spool.c - see spool.h. Called by http/form. */
#include "http/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"
#include "task/offload.h"

enum {
	MEMORY_FIRST = 4096,
	PIECE = 65536, /* to and from disk at once */
	COPY_MOST = 1 << 30,
};

struct spool {
	atomic_uint holders; /* the task; an operation on an offload thread */
	struct offload *offload;
	const char *folder;
	size_t memory_most;
	bool is_on_disk;
	enum leat_result given_up; /* an operation may still be under way */
	uint64_t size;
	/* The operation's while there is one. */
	int fd;
	char *buffer; /* all of it, or what goes to disk next, or what came from there */
	size_t len, cap;
	char *save_path;
};

/* What an offload thread does with a spool. */
struct operation {
	struct spool *spool;
	uint64_t offset;
	size_t len; /* wanted; then done */
	int error;  /* errno; 0: none */
};

/* On an offload thread --------------------------------------------------------------------------------------------- */

static void destroy(void *arg)
{
	struct spool *spool = arg;

	if (spool->fd >= 0)
		close(spool->fd);
	free(spool->buffer);
	free(spool->save_path);
	free(spool);
}

static bool let_go(struct spool *spool)
{
	return atomic_fetch_sub(&spool->holders, 1) == 1;
}

static void end_operation(void *arg)
{
	struct spool *spool = ((struct operation *)arg)->spool;

	if (let_go(spool))
		destroy(spool);
}

/* A file system without O_TMPFILE: a name for as long as it takes to remove it. */
static int open_and_unlink(const char *folder)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/leat-XXXXXX", folder);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int open_file(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		fd = open_and_unlink(folder);
	return fd;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

static void write_out(void *arg)
{
	struct operation *operation = arg;
	struct spool *spool = operation->spool;

	if (spool->fd < 0)
		spool->fd = open_file(spool->folder);
	if (spool->fd < 0 || !write_all(spool->fd, spool->buffer, spool->len))
		operation->error = errno;
	end_operation(operation);
}

static void read_in(void *arg)
{
	struct operation *operation = arg;
	struct spool *spool = operation->spool;
	ssize_t n;

	do
		n = pread(spool->fd, spool->buffer, operation->len, (off_t)operation->offset);
	while (n < 0 && errno == EINTR);
	operation->error = n < 0 ? errno : 0;
	operation->len = n < 0 ? 0 : (size_t)n;
	end_operation(operation);
}

static bool copy_file(int from, int to)
{
	off_t at = 0;
	ssize_t n;

	do
		n = sendfile(to, from, &at, COPY_MOST);
	while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0;
}

static int save_to(const struct spool *spool, int fd)
{
	bool is_saved = spool->is_on_disk ? copy_file(spool->fd, fd) : write_all(fd, spool->buffer, spool->len);
	int error = is_saved ? 0 : errno;

	if (close(fd) != 0 && error == 0)
		error = errno;
	if (error != 0)
		unlink(spool->save_path);
	return error;
}

static void save(void *arg)
{
	struct operation *operation = arg;
	struct spool *spool = operation->spool;
	int fd = open(spool->save_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	operation->error = fd < 0 ? errno : save_to(spool, fd);
	end_operation(operation);
}

/* In a task -------------------------------------------------------------------------------------------------------- */

struct spool *spool_new(struct offload *offload, const char *folder, size_t memory_most)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	if (!spool)
		check_out_of_memory(sizeof(*spool), "a file of a form");
	atomic_init(&spool->holders, 1);
	spool->offload = offload;
	spool->folder = folder;
	spool->memory_most = memory_most;
	spool->fd = -1;
	return spool;
}

void spool_release(void *arg)
{
	struct spool *spool = arg;

	if (!let_go(spool))
		return;
	/* Closing gives the file's blocks back, which takes time. */
	if (spool->fd < 0 || !offload_run(spool->offload, destroy, spool))
		destroy(spool);
}

uint64_t spool_size(const struct spool *spool)
{
	return spool->size;
}

size_t spool_in_memory(const struct spool *spool)
{
	return spool->is_on_disk ? 0 : (size_t)spool->size;
}

static enum leat_result refuse(const char *path, int error)
{
	metrics_add(METRIC_FORM_SPOOL_FAILURES, 1);
	log_limited(LOG_LEVEL_ERROR, "file of a form: %s: %s", path, strerror(error));
	return LEAT_UNAVAILABLE;
}

static enum leat_result run(struct operation *operation, void (*fn)(void *arg), int64_t deadline_ns)
{
	struct spool *spool = operation->spool;
	enum leat_result result;

	if (spool->given_up != LEAT_OK)
		return spool->given_up;
	atomic_fetch_add(&spool->holders, 1);
	result = offload_call_or_drop(spool->offload, fn, end_operation, operation, sizeof(*operation), deadline_ns);
	if (result == LEAT_UNAVAILABLE)
		let_go(spool);
	else
		spool->given_up = result;
	return result;
}

static void resize(struct spool *spool, size_t cap)
{
	char *buffer = realloc(spool->buffer, cap);

	if (!buffer)
		check_out_of_memory(cap, "a file of a form");
	spool->buffer = buffer;
	spool->cap = cap;
}

static enum leat_result flush(struct spool *spool, int64_t deadline_ns)
{
	struct operation operation = { .spool = spool };

	LEAT_TRY(run(&operation, write_out, deadline_ns));
	if (operation.error != 0)
		return refuse(spool->folder, operation.error);
	spool->len = 0;
	return LEAT_OK;
}

static enum leat_result leave_memory(struct spool *spool, int64_t deadline_ns)
{
	metrics_add(METRIC_FORM_SPOOLED, 1);
	spool->is_on_disk = true;
	if (spool->len > 0)
		LEAT_TRY(flush(spool, deadline_ns));
	resize(spool, PIECE);
	return LEAT_OK;
}

static void make_room(struct spool *spool, size_t need)
{
	size_t cap = spool->cap ? spool->cap : MEMORY_FIRST;

	while (cap < need)
		cap *= 2;
	if (cap > spool->cap)
		resize(spool, cap);
}

static void keep(struct spool *spool, leat_text bytes)
{
	memcpy(spool->buffer + spool->len, bytes.ptr, bytes.len);
	spool->len += bytes.len;
	spool->size += bytes.len;
}

enum leat_result spool_write(struct spool *spool, leat_text bytes, int64_t deadline_ns)
{
	if (!spool->is_on_disk && bytes.len <= spool->memory_most - spool->len) {
		make_room(spool, spool->len + bytes.len);
		keep(spool, bytes);
		return LEAT_OK;
	}
	if (!spool->is_on_disk)
		LEAT_TRY(leave_memory(spool, deadline_ns));
	while (bytes.len > 0) {
		size_t room = spool->cap - spool->len;
		size_t len = bytes.len < room ? bytes.len : room;

		keep(spool, (leat_text){ bytes.ptr, len });
		bytes = (leat_text){ bytes.ptr + len, bytes.len - len };
		if (spool->len == spool->cap)
			LEAT_TRY(flush(spool, deadline_ns));
	}
	return LEAT_OK;
}

enum leat_result spool_end(struct spool *spool, int64_t deadline_ns)
{
	if (!spool->is_on_disk)
		return LEAT_OK;
	if (spool->len > 0)
		LEAT_TRY(flush(spool, deadline_ns));
	free(spool->buffer); /* many files may follow */
	spool->buffer = NULL;
	spool->cap = 0;
	return LEAT_OK;
}

enum leat_result spool_read(struct spool *spool, uint64_t offset, char *into, size_t size, int64_t deadline_ns,
			    size_t *ret_len)
{
	struct operation operation = { .spool = spool, .offset = offset };
	uint64_t left = offset < spool->size ? spool->size - offset : 0;

	*ret_len = 0;
	size = left < size ? (size_t)left : size;
	size = size < PIECE ? size : PIECE;
	if (size == 0 || spool->given_up != LEAT_OK)
		return spool->given_up;
	if (spool->is_on_disk) {
		make_room(spool, PIECE);
		operation.len = size;
		LEAT_TRY(run(&operation, read_in, deadline_ns));
		if (operation.error != 0)
			return refuse(spool->folder, operation.error);
		size = operation.len;
		offset = 0;
	}
	memcpy(into, spool->buffer + offset, size);
	*ret_len = size;
	return LEAT_OK;
}

enum leat_result spool_save(struct spool *spool, const char *path, int64_t deadline_ns)
{
	struct operation operation = { .spool = spool };

	if (spool->given_up != LEAT_OK)
		return spool->given_up;
	free(spool->save_path);
	spool->save_path = strdup(path);
	if (!spool->save_path)
		check_out_of_memory(strlen(path), "a path");
	LEAT_TRY(run(&operation, save, deadline_ns));
	if (operation.error == EEXIST)
		return LEAT_CONFLICT;
	return operation.error ? refuse(path, operation.error) : LEAT_OK;
}
