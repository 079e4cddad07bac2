/* kept.c - see kept.h. Called by coalesce_route.c. One lock guards the table, the order in which replies were asked for, and their size. */
#include "http/kept.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/metrics.h"

enum { BUCKETS = 4096 };

struct entry {
	struct entry *next;          /* in the bucket */
	struct entry *newer, *older; /* by when they were asked for */
	struct flight_key key;
	struct kept_times times;
	struct flight_landed *landed;
	size_t size;
	char bytes[]; /* of the key */
};

struct kept {
	pthread_mutex_t lock;
	size_t size, size_max;
	struct entry order; /* its 'older' is the newest, its 'newer' the oldest */
	struct entry *buckets[BUCKETS];
};

struct kept *kept_new(size_t size_max)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		check_out_of_memory(sizeof(*kept), "the table of kept replies");
	pthread_mutex_init(&kept->lock, NULL);
	kept->size_max = size_max;
	kept->order.newer = kept->order.older = &kept->order;
	return kept;
}

/* Under the lock ------------------------------------------------------------------------------------------------------------ */

static struct entry **find(struct kept *kept, const struct flight_key *key)
{
	struct entry **at = &kept->buckets[key->hash % BUCKETS];

	while (*at && !flight_keys_equal(&(*at)->key, key))
		at = &(*at)->next;
	return at;
}

static void leave_order(struct entry *entry)
{
	entry->newer->older = entry->older;
	entry->older->newer = entry->newer;
}

static void make_newest(struct kept *kept, struct entry *entry)
{
	entry->newer = &kept->order;
	entry->older = kept->order.older;
	entry->older->newer = entry;
	kept->order.older = entry;
}

static void drop(struct kept *kept, struct entry **at)
{
	struct entry *entry = *at;

	*at = entry->next;
	leave_order(entry);
	kept->size -= entry->size;
	metrics_add(METRIC_KEPT_COUNT, -1);
	metrics_add(METRIC_KEPT_BYTES, -(int64_t)entry->size);
	flight_landed_release(entry->landed);
	free(entry);
}

static void make_room(struct kept *kept, size_t size)
{
	while (kept->size_max - kept->size < size) {
		drop(kept, find(kept, &kept->order.newer->key));
		metrics_add(METRIC_KEPT_EVICTED, 1);
	}
}

static struct entry *make(const struct flight_key *key, struct flight_landed *landed, const struct kept_times *times,
			  size_t size)
{
	struct entry *entry = malloc(sizeof(*entry) + key->bytes.len);

	if (!entry)
		check_out_of_memory(sizeof(*entry) + key->bytes.len, "a kept reply");
	*entry = (struct entry){ .key = *key, .times = *times, .landed = landed, .size = size };
	entry->key.bytes.ptr = entry->bytes;
	if (key->bytes.len > 0)
		memcpy(entry->bytes, key->bytes.ptr, key->bytes.len);
	flight_landed_hold(landed);
	return entry;
}

/* From outside -------------------------------------------------------------------------------------------------------------- */

void kept_free(struct kept *kept)
{
	if (!kept)
		return;
	while (kept->order.newer != &kept->order)
		drop(kept, find(kept, &kept->order.newer->key));
	pthread_mutex_destroy(&kept->lock);
	free(kept);
}

void kept_put(struct kept *kept, const struct flight_key *key, struct flight_landed *landed,
	      const struct kept_times *times)
{
	size_t size = sizeof(struct entry) + key->bytes.len + sizeof(*landed) + landed->len;
	struct entry *entry, **at;

	if (size > kept->size_max) {
		metrics_add(METRIC_KEPT_TOO_LARGE, 1);
		return;
	}
	entry = make(key, landed, times, size);
	pthread_mutex_lock(&kept->lock);
	at = find(kept, key);
	if (*at)
		drop(kept, at);
	make_room(kept, size);
	at = find(kept, key);
	*at = entry;
	make_newest(kept, entry);
	kept->size += size;
	pthread_mutex_unlock(&kept->lock);
	metrics_add(METRIC_KEPT_COUNT, 1);
	metrics_add(METRIC_KEPT_BYTES, (int64_t)size);
}

bool kept_find(struct kept *kept, const struct flight_key *key, int64_t now_ns, struct kept_found *ret_found)
{
	struct entry **at, *entry;

	pthread_mutex_lock(&kept->lock);
	at = find(kept, key);
	entry = *at;
	if (entry && entry->times.until_ns <= now_ns) {
		drop(kept, at);
		entry = NULL;
	}
	if (entry) {
		leave_order(entry);
		make_newest(kept, entry);
		flight_landed_hold(entry->landed);
		*ret_found = (struct kept_found){ entry->landed, entry->times };
	}
	pthread_mutex_unlock(&kept->lock);
	return entry != NULL;
}
