/* reader.c - see reader.h. Used by http/send_file.c.
 *
 * offload_call would copy every piece twice, and could not tell a thread that opens a file for nobody to close it. So a job of ours is a
 * block of its own, which the thread's answer brings back to the loop: there, and nowhere else, it is decided who frees it. */
#include "task/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "task/loop.h"
#include "task/offload.h"
#include "task/task.h"

struct job {
	struct reader reader; /* first: what others see */
	struct offload *offload;
	struct loop *loop;
	struct task *task; /* that waits; NULL: nobody does any more */
	struct loop_post post;
	bool is_running;   /* on a thread, or its answer is under way */
	bool is_abandoned; /* the answer frees it */
	const char *folder;
	int fd;    /* the thread's while it runs, and so are the following */
	int error; /* errno */
	bool is_folder_bad;
	int64_t offset;
	size_t most, len;
	char *bytes; /* READER_PIECE; made by the first read */
	char path[];
};

static void destroy(struct job *job)
{
	if (job->fd >= 0)
		close(job->fd);
	free(job->bytes);
	free(job);
}

/* On an offload thread ------------------------------------------------------------------------------------------------------ */

static void open_beneath(struct job *job)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, /* a FIFO must not hold the thread */
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int folder = open(job->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0) {
		job->error = errno;
		job->is_folder_bad = true;
		return;
	}
	job->fd = (int)syscall(SYS_openat2, folder, job->path, &how, sizeof(how));
	if (job->fd < 0) {
		job->error = errno;
		job->is_folder_bad = errno == ENOSYS; /* Linux before 5.6 */
	}
	close(folder);
}

static void open_file(void *arg)
{
	struct job *job = arg;
	struct stat stat;

	open_beneath(job);
	if (job->error == 0 && fstat(job->fd, &stat) != 0)
		job->error = errno;
	else if (job->error == 0 && !S_ISREG(stat.st_mode))
		job->error = ENOENT;
	else if (job->error == 0)
		job->reader = (struct reader){ .size = stat.st_size,
					       .modified_ns = stat.st_mtim.tv_sec * CLOCK_S + stat.st_mtim.tv_nsec };
	loop_post(job->loop, &job->post);
}

static void read_piece(void *arg)
{
	struct job *job = arg;
	ssize_t n;

	do
		n = pread(job->fd, job->bytes, job->most, job->offset);
	while (n < 0 && errno == EINTR);
	job->error = n < 0 ? errno : 0;
	job->len = n < 0 ? 0 : (size_t)n;
	loop_post(job->loop, &job->post);
}

/* On the loop ---------------------------------------------------------------------------------------------------------------- */

static void on_answer(struct loop_post *post)
{
	struct job *job = (struct job *)((char *)post - offsetof(struct job, post));

	job->is_running = false;
	if (job->is_abandoned)
		destroy(job);
	else if (job->task)
		task_wake(job->task, LEAT_OK);
}

static void release(void *object)
{
	struct job *job = object;

	if (job->is_running)
		job->is_abandoned = true;
	else
		destroy(job);
}

static enum leat_result run(struct job *job, void (*fn)(void *arg), int64_t deadline_ns)
{
	enum leat_result result;

	if (!offload_run(job->offload, fn, job))
		return LEAT_UNAVAILABLE;
	job->is_running = true;
	job->task = task_self();
	result = task_wait(deadline_ns);
	job->task = NULL;
	return job->is_running ? result : LEAT_OK;
}

/* What went wrong, as far as the client may know. */
static enum leat_result judge(const struct job *job)
{
	if (!job->is_folder_bad && (job->error == EACCES || job->error == EPERM))
		return LEAT_FORBIDDEN;
	if (!job->is_folder_bad && job->error != EIO && job->error != EMFILE && job->error != ENFILE &&
	    job->error != ENOMEM)
		return LEAT_NOT_FOUND;
	log_limited(LOG_LEVEL_ERROR, "files of %s: %s", job->folder, strerror(job->error));
	return LEAT_INTERNAL;
}

enum leat_result reader_open(struct offload *offload, struct arena *arena, const char *folder, leat_text path,
			     int64_t deadline_ns, struct reader **ret_reader)
{
	struct job *job;

	if (path.len == 0 || memchr(path.ptr, '\0', path.len))
		return LEAT_NOT_FOUND;
	job = calloc(1, sizeof(*job) + path.len + 1);
	if (!job)
		check_out_of_memory(sizeof(*job) + path.len, "a file's reader");
	memcpy(job->path, path.ptr, path.len);
	job->offload = offload;
	job->loop = task_loop(task_self());
	job->folder = folder;
	job->fd = -1;
	job->post.fn = on_answer;
	arena_on_reset(arena, release, job);
	LEAT_TRY(run(job, open_file, deadline_ns));
	if (job->error != 0)
		return judge(job);
	*ret_reader = &job->reader;
	return LEAT_OK;
}

enum leat_result reader_read(struct reader *reader, int64_t offset, size_t most, int64_t deadline_ns,
			     leat_text *ret_bytes)
{
	struct job *job = (struct job *)reader;

	if (job->is_running)
		return LEAT_UNAVAILABLE; /* an earlier deadline passed, and the disk has not answered yet */
	if (!job->bytes) {
		job->bytes = malloc(READER_PIECE);
		if (!job->bytes)
			check_out_of_memory(READER_PIECE, "a piece of a file");
	}
	job->offset = offset;
	job->most = most < READER_PIECE ? most : READER_PIECE;
	LEAT_TRY(run(job, read_piece, deadline_ns));
	if (job->error != 0) {
		log_limited(LOG_LEVEL_ERROR, "files of %s: %s: %s", job->folder, job->path, strerror(job->error));
		return LEAT_INTERNAL;
	}
	*ret_bytes = (leat_text){ job->bytes, job->len };
	return LEAT_OK;
}
