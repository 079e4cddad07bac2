/* bucket_table.h - the token buckets of many keys, in memory that all processes of the service share.
 *
 * Use:
 *     bucket_table_create(65536);                             -- supervisor, before the first fork
 *     uint64_t key = bucket_table_key(&policy, 0, text.ptr, text.len);
 *     struct bucket_sight sight;
 *     if (bucket_table_take(&limit, key, clock_now_ns(), 1, 0, &sight)) ...
 *
 * The memory is fixed. A bucket that is full again is as good as none, so its place is free. Where all eight places that a key may have
 * are taken by buckets that are not full, the one that would be full first is forgotten, and its key has up to a burst more than it should: that is
 * counted (leat_rate_forgotten_total) and said in the log with the setting rate_keys. Of new keys that meets one in 100,000 while an eighth of
 * the places are taken, one in 900 while a quarter, one in 20 while half of them are.
 *
 * Keys are known by 64 bits of a hash with a secret (siphash.h). Two of the same hash are one bucket, so they get less, never more: with a million keys
 * at once that happens by chance in one of 37 million services, and nobody can aim at it.
 *
 * A crash of any process at any instant leaves every bucket whole. See bucket_table.c.
 *
 * Ownership:      the mapping lives as long as the service.
 * Thread-safety:  any thread of any process; bucket_table_create: before other threads and processes exist.
 * Errors:         bucket_table_create ends the program with a clear line when the memory cannot be mapped.
 */
#ifndef APP_BASE_BUCKET_TABLE_H
#define APP_BASE_BUCKET_TABLE_H

#include <stddef.h>

#include "base/bucket.h"

/* 'keys' buckets, 64 to 2^24, rounded up to a power of two; 16 bytes each. */
void bucket_table_create(uint32_t keys);

/* Of several texts: 'before' is the key of those before. 'scope' is an address: whatever keeps two uses of the table apart. */
uint64_t bucket_table_key(const void *scope, uint64_t before, const void *bytes, size_t size);

/* What came of asking. */
struct bucket_sight {
	struct bucket_grant grant; /* in times of the table: at_ns is none of the clock's */
	int64_t wait_ns;           /* until then; BUCKET_FOREVER as there */

	/* for the following */
	uint64_t state;
	int64_t now_ns;
};

/* bucket_left and bucket_full_in_ns, at that time: a division that not everybody wants. */
uint32_t bucket_sight_left(const struct bucket_limit *limit, const struct bucket_sight *sight);
int64_t bucket_sight_full_in_ns(const struct bucket_limit *limit, const struct bucket_sight *sight);

/* bucket_take, for this key. 'now_ns' is of clock_now_ns. */
bool bucket_table_take(const struct bucket_limit *limit, uint64_t key, int64_t now_ns, uint32_t count, int64_t most_ns,
		       struct bucket_sight *ret_sight) __attribute__((warn_unused_result));

/* bucket_cancel. */
void bucket_table_cancel(const struct bucket_limit *limit, uint64_t key, int64_t now_ns,
			 const struct bucket_grant *grant);

#endif
