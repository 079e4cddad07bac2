/* annotate.h - what the sanitizers and valgrind are told.
 *
 * Use:
 *     annotate_unreachable(block, size);   -- AddressSanitizer stops at any touch
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread.
 * Errors:         none; without a sanitizer these are empty.
 */
#ifndef APP_BASE_ANNOTATE_H
#define APP_BASE_ANNOTATE_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define LEAT_WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAT_WITH_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define LEAT_WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LEAT_WITH_TSAN 1
#endif
#endif

#ifdef LEAT_WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

static inline void annotate_unreachable(const void *start, size_t size)
{
#ifdef LEAT_WITH_ASAN
	__asan_poison_memory_region(start, size);
#else
	(void)start, (void)size;
#endif
}

static inline void annotate_reachable(const void *start, size_t size)
{
#ifdef LEAT_WITH_ASAN
	__asan_unpoison_memory_region(start, size);
#else
	(void)start, (void)size;
#endif
}

#endif
