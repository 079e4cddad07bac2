/* cache_control.c - see cache_control.h. Pure; used by cache.c. */
#include "http/cache_control.h"

#include <stddef.h>

static const struct {
	const char *name;
	size_t member;
} words[] = {
	{ "public", offsetof(struct leat_cache, is_public) },
	{ "private", offsetof(struct leat_cache, is_private) },
	{ "no-store", offsetof(struct leat_cache, no_store) },
	{ "no-cache", offsetof(struct leat_cache, no_cache) },
	{ "no-transform", offsetof(struct leat_cache, no_transform) },
	{ "must-revalidate", offsetof(struct leat_cache, must_revalidate) },
	{ "proxy-revalidate", offsetof(struct leat_cache, proxy_revalidate) },
	{ "immutable", offsetof(struct leat_cache, immutable) },
};

static const struct {
	const char *name;
	size_t member;
} times[] = {
	{ "max-age", offsetof(struct leat_cache, max_age_s) },
	{ "s-maxage", offsetof(struct leat_cache, s_maxage_s) },
	{ "stale-while-revalidate", offsetof(struct leat_cache, stale_while_revalidate_s) },
	{ "stale-if-error", offsetof(struct leat_cache, stale_if_error_s) },
};

enum { WORD_COUNT = sizeof(words) / sizeof(words[0]), TIME_COUNT = sizeof(times) / sizeof(times[0]) };

static bool word_of(const struct leat_cache *policy, size_t i)
{
	return *(const bool *)((const char *)policy + words[i].member);
}

static int64_t time_of(const struct leat_cache *policy, size_t i)
{
	return *(const int64_t *)(const void *)((const char *)policy + times[i].member);
}

/* Faults ----------------------------------------------------------------------------------------------------------- */

static bool has_time(const struct leat_cache *policy)
{
	for (size_t i = 0; i < TIME_COUNT; i++)
		if (time_of(policy, i) != 0)
			return true;
	return false;
}

static bool has_bad_time(const struct leat_cache *policy)
{
	for (size_t i = 0; i < TIME_COUNT; i++)
		if (time_of(policy, i) < LEAT_CACHE_ZERO || time_of(policy, i) > INT32_MAX)
			return true;
	return false;
}

static bool says_nothing(const struct leat_cache *policy)
{
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (word_of(policy, i))
			return false;
	return !has_time(policy);
}

static bool allows_stale(const struct leat_cache *policy)
{
	return policy->stale_while_revalidate_s != 0 || policy->stale_if_error_s != 0;
}

const char *cache_control_fault(const struct leat_cache *policy)
{
	const struct leat_cache *p = policy;

	if (says_nothing(p))
		return "the policy says nothing";
	if (has_bad_time(p))
		return "a time is not from 0 (LEAT_CACHE_ZERO) to 2147483647 seconds";
	if (p->no_store && (has_time(p) || p->is_public || p->is_private || p->no_cache || p->must_revalidate ||
			    p->proxy_revalidate || p->immutable))
		return "no_store stands alone: what nobody keeps has no age and needs no asking";
	if (p->is_private && (p->is_public || p->s_maxage_s != 0 || p->proxy_revalidate))
		return "is_private contradicts is_public, s_maxage_s and proxy_revalidate";
	if (p->no_cache && (has_time(p) || p->immutable))
		return "no_cache, which asks each time, contradicts times and immutable";
	if (p->immutable && p->max_age_s <= 0)
		return "immutable needs a max_age_s: it means while fresh";
	if (allows_stale(p) && p->max_age_s == 0 && p->s_maxage_s == 0)
		return "stale_while_revalidate_s and stale_if_error_s begin where max_age_s or s_maxage_s ends";
	if (allows_stale(p) && p->must_revalidate)
		return "must_revalidate contradicts stale_while_revalidate_s and stale_if_error_s";
	return NULL;
}

/* Text ------------------------------------------------------------------------------------------------------------- */

static void add(struct buffer *out, size_t start, const char *name)
{
	if (out->len > start)
		buffer_text(out, LEAT_TEXT_OF(", "));
	buffer_text(out, leat_text_from(name));
}

void cache_control_write(struct buffer *out, const struct leat_cache *policy)
{
	size_t start = out->len;

	for (size_t i = 0; i < WORD_COUNT; i++)
		if (word_of(policy, i))
			add(out, start, words[i].name);
	for (size_t i = 0; i < TIME_COUNT; i++)
		if (time_of(policy, i) != 0) {
			add(out, start, times[i].name);
			buffer_byte(out, '=');
			buffer_int(out, time_of(policy, i) == LEAT_CACHE_ZERO ? 0 : time_of(policy, i));
		}
}
