/* leat/version.h - which version of a resource the client has, or believes there is: ETag, Last-Modified and the conditions of requests
 * (RFC 9110 8.8 and 13).
 *
 * Use, where the handler knows the version before it does the work:
 *     LEAT_TRY(leat_db_one(req, &note_version, &row, LEAT_ARG(id)));          -- a row's version or updated_at
 *     LEAT_TRY(leat_check_version(req, &(struct leat_version){
 *             .tag = leat_format(req, "%d", row.version), .modified = row.updated_at }));
 *     ...                                           -- only for who has another version: If-None-Match, If-Modified-Since; else 304
 *
 * Against lost updates, in PUT, PATCH and DELETE:
 *     LEAT_TRY(leat_check_version(req, &(struct leat_version){ .tag = ..., .must_match = true }));
 *     LEAT_TRY(leat_db_exec(req, &note_write, &count, LEAT_ARG(text), LEAT_ARG(id), LEAT_ARG(row.version)));  -- ... AND version = $3
 *     if (count == 0)
 *             return LEAT_PRECONDITION_FAILED;      -- somebody was faster: between the check and the write there is time
 *     LEAT_TRY(leat_reply_version(req, &written));  -- the new ETag, for the next If-Match
 *
 * The check comes last before the work: conditions count only for what would otherwise succeed (13.2.1), so after rights and
 * existence. Headers that a 304 shall have, too (Vary, Content-Location), are added before it.
 *
 * Where the handler does not know it, a middleware makes an ETag from the finished reply; it saves the client the body, and the service nothing:
 *     static const struct leat_middleware pages[] = { LEAT_ETAG, LEAT_MIDDLEWARE_END };
 *
 * leat_reply_file (leat/reply.h) does all of this by itself, If-Range included.
 *
 * Front servers that compress change ETags: nginx makes them weak, lighttpd adds the method, "7-gzip". If-None-Match works with nginx's, not with
 * lighttpd's before leat; If-Match works with neither, by the rules (13.1.1). So leave compression off where If-Match is used, or give
 * nginx the lines of deploy/nginx/leat.conf. handlers/caching.md has the whole story.
 *
 * Ownership:      a version and its texts are copied.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         the results below are the request's: hand them on with LEAT_TRY.
 */
#ifndef LEAT_VERSION_H
#define LEAT_VERSION_H

#include <leat/middleware.h>
#include <leat/result.h>
#include <leat/text.h>
#include <leat/value.h>
#include <stdbool.h>

struct leat_request;

/* At least one of 'tag' and 'modified' is there, unless the resource is absent. */
struct leat_version {
	leat_text
		tag; /* what stands in the quotes of the ETag: any characters but blanks, quotes and controls. It must be another one whenever a
			     * byte of the reply is, so of a reply in several forms name the form, too: "7-csv". {NULL, 0}: made of 'modified' */
	leat_time
		modified; /* Last-Modified, cut to seconds; for a tag with its microseconds: a column of whole seconds is no version. 0: not known */
	bool is_weak; /* the same tag may stand for replies that differ in what does not matter; never matches If-Match */
	bool is_absent; /* there is no resource (yet), as for a PUT that creates: If-None-Match: * holds, If-Match does not */
	bool must_match; /* without If-Match, nothing may change an existing resource: 428 (RFC 6585 3). If-Match: * is the client's word
			     * that it wants to overwrite whatever there is */
};

/* Judges If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in this order (13.2.2), with tags before dates. For GET and HEAD it
 * adds ETag and Last-Modified to the reply.
 *
 *     LEAT_OK                     do the work
 *     LEAT_NOT_MODIFIED           304: GET or HEAD of what the client has
 *     LEAT_PRECONDITION_FAILED    412
 *     LEAT_PRECONDITION_REQUIRED  428, with words on how to go on
 *     LEAT_BAD_REQUEST            If-Match is no list of entity tags, or If-None-Match where something would change
 *     LEAT_INTERNAL               with a line in the log: the version is none
 *
 * A date that is none is ignored, as the RFC has it. OPTIONS has no conditions. */
LEAT_API enum leat_result leat_check_version(struct leat_request *req,
					     const struct leat_version *version) LEAT_MUST_USE;

/* Adds ETag and Last-Modified, in place of those there are, and judges nothing: of what a write has made, where the reply shows it.
 * LEAT_INTERNAL as above. */
LEAT_API enum leat_result leat_reply_version(struct leat_request *req,
					     const struct leat_version *version) LEAT_MUST_USE;

/* For GET and HEAD that got 200 with a body: adds a strong ETag, a hash of it (SHA-256, cut to 144 bits), unless there is one already, and judges
 * the conditions as above: 304, 412. Streams and files are not its business. That of leat_reply_static is made once a process. It cannot judge If-Match of
 * a PUT: what is also written wants leat_check_version. It stands after (inside of) whatever changes the body, and costs 1 us
 * for each 1.5 KB. */
#define LEAT_ETAG \
	{ \
		.name = "etag", .after = leat_etag_after_ \
	}

LEAT_API void leat_etag_after_(struct leat_request *req, const void *options);

#endif
