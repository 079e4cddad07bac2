/* siphash.h - SipHash-1-3: a hash of 64 bits that nobody who does not know the key can aim at.
 *
 * Use:
 *     uint64_t hash = siphash(key, 0, issuer.ptr, issuer.len);
 *     hash = siphash(key, hash, subject.ptr, subject.len);       -- of both: no two lists of texts are the same bytes
 *
 * For tables whose keys clients choose; not a digest to sign with.
 *
 * Ownership:      nothing to own.
 * Thread-safety:  any thread.
 * Errors:         none.
 */
#ifndef APP_BASE_SIPHASH_H
#define APP_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* 'before' is the hash of what comes before; 0: nothing, and the result is that of the published function. */
uint64_t siphash(const uint64_t key[2], uint64_t before, const void *bytes, size_t size);

#endif
