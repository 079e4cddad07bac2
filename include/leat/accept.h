/* leat/accept.h - which of several representations the client wants most (RFC 9110 12).
 *
 * Use:
 *     static const char *const types[] = { "application/json", "text/csv", NULL };    -- the best for us first
 *     const char *type = leat_accept_type(req, types);
 *     if (!type)
 *         return LEAT_NOT_ACCEPTABLE;
 *     LEAT_TRY(leat_vary(req, "Accept"));
 *
 * The header's most specific entry for an offer gives its quality; the offer of highest quality is answered, the first of these when several
 * have it. Quality 0 means no. Entries that break the grammar are as if they were not there; with no entry left, and without the header, everything
 * is wanted, and the first offer is the answer.
 *
 * Ownership:      offers are the caller's: a list ended by NULL, of which one is answered.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         NULL: none is acceptable. Whether that is a 406 (LEAT_NOT_ACCEPTABLE) or the default all the same is the
 *                 handler's to decide (RFC 9110 12.4.1).
 */
#ifndef LEAT_ACCEPT_H
#define LEAT_ACCEPT_H

#include <leat/result.h>

struct leat_request;

/* By Accept: "text/html", also with parameters, "text/html;level=1". From the most specific: type with parameters, type, text/..., any. */
LEAT_API const char *leat_accept_type(struct leat_request *req, const char *const *offers);

/* By Accept-Encoding: "br", "gzip", "identity". identity, if offered, is acceptable unless it is excluded, and then the last choice when the header
 * does not name it. Without the header identity is answered, if offered: such clients seldom decode. x-gzip is gzip. */
LEAT_API const char *leat_accept_encoding(struct leat_request *req, const char *const *offers);

/* By Accept-Language: "de", "en-GB". A range fits what it is a prefix of, word by word (RFC 4647 3.3.1), so en fits en-GB; where no range does, one
 * that is longer than the offer fits it, too (lookup, RFC 4647 3.4), so de fits who asks for de-CH. */
LEAT_API const char *leat_accept_language(struct leat_request *req, const char *const *offers);

#endif
