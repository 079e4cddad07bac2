/* spool.h - bytes that are held in memory while they are few, and in a file without a name when they are more.
 *
 * Use (form.c):
 *     struct spool *spool = spool_new(offload, "/var/tmp", memory_most);
 *     arena_on_reset(arena, spool_release, spool);
 *     LEAT_TRY(spool_write(spool, piece, deadline_ns));  ...
 *     LEAT_TRY(spool_end(spool, deadline_ns));
 *     LEAT_TRY(spool_read(spool, offset, into, size, deadline_ns, &len));
 *
 * Files are opened, written, read and closed by offload threads only. An operation outlives a task that gives up; the spool lives until both have let
 * go of it, and is of no use any more to the task.
 *
 * Ownership:      the caller's until spool_release. 'folder' outlives it.
 * Thread-safety:  only tasks of one worker, one at a time.
 * Errors:         LEAT_UNAVAILABLE for what the disk or the offload queue refuses, the first with a line in the log and a counter;
 *                 LEAT_TIMED_OUT and LEAT_CANCELLED as every wait.
 */
#ifndef APP_HTTP_SPOOL_H
#define APP_HTTP_SPOOL_H

#include <leat/result.h>
#include <leat/text.h>
#include <stddef.h>
#include <stdint.h>

struct offload;
struct spool;

/* 'memory_most': more bytes than these go to disk. */
struct spool *spool_new(struct offload *offload, const char *folder, size_t memory_most);
void spool_release(void *spool);

enum leat_result spool_write(struct spool *spool, leat_text bytes, int64_t deadline_ns) LEAT_MUST_USE;

/* After the last write. */
enum leat_result spool_end(struct spool *spool, int64_t deadline_ns) LEAT_MUST_USE;

uint64_t spool_size(const struct spool *spool);

/* Of its bytes, those held in memory: all or none. */
size_t spool_in_memory(const struct spool *spool);

/* See leat_file_read and leat_file_save. */
enum leat_result spool_read(struct spool *spool, uint64_t offset, char *into, size_t size, int64_t deadline_ns,
			    size_t *ret_len) LEAT_MUST_USE;
enum leat_result spool_save(struct spool *spool, const char *path, int64_t deadline_ns) LEAT_MUST_USE;

#endif
