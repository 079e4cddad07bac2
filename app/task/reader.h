/* reader.h - reading a file on offload threads, while a task waits.
 *
 * Use:
 *     LEAT_TRY(reader_open(offload, arena, "/srv/files", "2026/report.csv", deadline_ns, &reader));
 *     reader->size, reader->modified_ns ...
 *     LEAT_TRY(reader_read(reader, offset, most, deadline_ns, &bytes));      -- as often as need be
 *
 * Nothing outside the folder is ever opened, whatever the path says and wherever symbolic links lead: openat2(2) with
 * RESOLVE_BENEATH. Only regular files are.
 *
 * Ownership:      the arena's: its reset closes the file, or, while a thread still works for it, leaves that to the thread's answer. Bytes
 *                 are good until the next reader_read.
 * Thread-safety:  only the task that opened it.
 * Errors:         LEAT_NOT_FOUND: no such regular file beneath the folder. LEAT_FORBIDDEN: it is there, and may not be read. LEAT_INTERNAL,
 *                 with a line in the log: the folder or the disk. LEAT_UNAVAILABLE: the offload queue is full. LEAT_TIMED_OUT,
 *                 LEAT_CANCELLED: nothing may be asked of it any more.
 */
#ifndef APP_TASK_READER_H
#define APP_TASK_READER_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdint.h>

#include "base/arena.h"

struct offload;

enum { READER_PIECE = 65536 };

struct reader {
	int64_t size;
	int64_t modified_ns; /* since 1970 */
};

/* 'folder' is static. */
enum leat_result reader_open(struct offload *offload, struct arena *arena, const char *folder, leat_text path,
			     int64_t deadline_ns, struct reader **ret_reader) LEAT_MUST_USE;

/* At most 'most' and READER_PIECE bytes from 'offset'; none at the end of the file. */
enum leat_result reader_read(struct reader *reader, int64_t offset, size_t most, int64_t deadline_ns,
			     leat_text *ret_bytes) LEAT_MUST_USE;

#endif
