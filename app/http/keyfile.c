/* keyfile.c - see keyfile.h. Opened by the checks of middleware at the start; process.c refreshes. */
#include "http/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"

struct keyfile_content {
	unsigned holders; /* the file among them; guarded by the lock */
	const struct keyfile_kind *kind;
	void *value;
};

/* What tells one state of a file from the next. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

struct keyfile {
	struct keyfile *next;
	const char *path;
	const struct keyfile_kind *kind;
	struct stamp stamp; /* of what was tried last, good or not */
	bool is_missing;
	struct keyfile_content *content; /* guarded by the lock */
};

static struct {
	const char *folder;
	size_t size_max;
	struct keyfile *files;
	pthread_mutex_t lock;
} all = { .folder = ".", .size_max = 1024 * 1024, .lock = PTHREAD_MUTEX_INITIALIZER };

enum { FAULT_SIZE = 400 };

void keyfile_setup(const char *folder, size_t size_max)
{
	all.folder = folder;
	all.size_max = size_max;
}

/* Reading ---------------------------------------------------------------------------------------------------------- */

static struct stamp stamp_of(const struct stat *state)
{
	return (struct stamp){ .device = state->st_dev,
			       .inode = state->st_ino,
			       .size = state->st_size,
			       .modified = state->st_mtim,
			       .changed = state->st_ctim };
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       is_same_time(a->modified, b->modified) && is_same_time(a->changed, b->changed);
}

static int open_file(const struct keyfile *file)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s%s%s", *file->path == '/' ? "" : all.folder,
			   *file->path == '/' ? "" : "/", file->path);

	if (len < 0 || (size_t)len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/* Up to 'size' bytes; -1 with errno. */
static ssize_t read_all(int fd, char *into, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t more = read(fd, into + len, size - len);

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -1;
		if (more == 0)
			break;
		len += (size_t)more;
	}
	return (ssize_t)len;
}

static void *read_value(struct keyfile *file, int fd, char fault[FAULT_SIZE])
{
	char *document = malloc(all.size_max + 1);
	void *value = NULL;
	ssize_t len;

	LEAT_CHECK(document);
	len = read_all(fd, document, all.size_max + 1);
	if (len < 0)
		snprintf(fault, FAULT_SIZE, "cannot be read: %s", strerror(errno));
	else if ((size_t)len > all.size_max)
		snprintf(fault, FAULT_SIZE, "has more than %zu bytes (setting auth_file_max)", all.size_max);
	else
		value = file->kind->read((leat_text){ document, (size_t)len }, fault, FAULT_SIZE);
	if (len > 0)
		explicit_bzero(document, (size_t)len);
	free(document);
	return value;
}

/* Puts a new content in the place of the old one. */
static void replace(struct keyfile *file, void *value)
{
	struct keyfile_content *content = malloc(sizeof(*content)), *old;

	LEAT_CHECK(content);
	*content = (struct keyfile_content){ .holders = 1, .kind = file->kind, .value = value };
	pthread_mutex_lock(&all.lock);
	old = file->content;
	file->content = content;
	pthread_mutex_unlock(&all.lock);
	if (old)
		keyfile_release(old);
}

/* A file that is written while it is read has another stamp the next time. */
static bool read_file(struct keyfile *file, int fd, char fault[FAULT_SIZE])
{
	void *value = read_value(file, fd, fault);

	if (value)
		replace(file, value);
	return value != NULL;
}

const char *keyfile_open(const char *path, const struct keyfile_kind *kind)
{
	static char fault[FAULT_SIZE + 300];
	char reason[FAULT_SIZE] = "";
	struct keyfile *file;
	struct stat state;
	int fd;

	for (file = all.files; file; file = file->next)
		if (file->kind == kind && strcmp(file->path, path) == 0)
			return NULL;
	file = calloc(1, sizeof(*file));
	LEAT_CHECK(file);
	*file = (struct keyfile){ .path = path, .kind = kind };
	fd = open_file(file);
	if (fd < 0 || fstat(fd, &state) != 0)
		snprintf(reason, sizeof(reason), "cannot be opened: %s", strerror(errno));
	else if (read_file(file, fd, reason))
		file->stamp = stamp_of(&state);
	if (fd >= 0)
		close(fd);
	if (file->content) {
		file->next = all.files;
		all.files = file;
		return NULL;
	}
	free(file);
	snprintf(fault, sizeof(fault), "%.120s (in %.120s) %s", path, *path == '/' ? "/" : all.folder, reason);
	return fault;
}

/* Changes ---------------------------------------------------------------------------------------------------------- */

static void complain(const struct keyfile *file, const char *fault)
{
	metrics_add(METRIC_AUTH_FILE_FAULTS, 1);
	log_error("%s %s; what was read before stays", file->path, fault);
}

static void read_changed(struct keyfile *file, int fd)
{
	char fault[FAULT_SIZE] = "";
	struct stamp stamp;
	struct stat state;

	if (fstat(fd, &state) != 0)
		return;
	stamp = stamp_of(&state);
	if (is_same(&stamp, &file->stamp) && !file->is_missing)
		return;
	file->stamp = stamp;
	file->is_missing = false;
	if (!read_file(file, fd, fault)) {
		complain(file, fault);
		return;
	}
	metrics_add(METRIC_AUTH_FILE_READS, 1);
	log_info("%s has changed and was read", file->path);
}

static void refresh_file(struct keyfile *file)
{
	int fd = open_file(file);

	if (fd >= 0) {
		read_changed(file, fd);
		close(fd);
	} else if (!file->is_missing) {
		file->is_missing = true;
		complain(file, strerror(errno));
	}
}

bool keyfile_is_any(void)
{
	return all.files;
}

void keyfile_refresh(void)
{
	for (struct keyfile *file = all.files; file; file = file->next)
		refresh_file(file);
}

/* Holding ---------------------------------------------------------------------------------------------------------- */

struct keyfile_content *keyfile_hold(const char *path, const struct keyfile_kind *kind)
{
	struct keyfile *file = all.files;
	struct keyfile_content *content;

	while (file && (file->kind != kind || strcmp(file->path, path) != 0))
		file = file->next;
	LEAT_CHECK(file);
	pthread_mutex_lock(&all.lock);
	content = file->content;
	content->holders++;
	pthread_mutex_unlock(&all.lock);
	return content;
}

const void *keyfile_value(const struct keyfile_content *content)
{
	return content->value;
}

void keyfile_release(struct keyfile_content *content)
{
	bool is_last;

	pthread_mutex_lock(&all.lock);
	is_last = --content->holders == 0;
	pthread_mutex_unlock(&all.lock);
	if (!is_last)
		return;
	content->kind->free(content->value);
	free(content);
}

void keyfile_close(void)
{
	struct keyfile *next;

	for (struct keyfile *file = all.files; file; file = next) {
		next = file->next;
		keyfile_release(file->content);
		free(file);
	}
	all.files = NULL;
}
