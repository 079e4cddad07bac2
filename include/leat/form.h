/* leat/form.h - what an HTML form sends: fields, and files.
 *
 * Use:
 *     const struct leat_form *form;
 *     LEAT_TRY(leat_form(req, &form));
 *     leat_text title = leat_pairs_find(&form->fields, "title");       -- leat/input.h
 *     const struct leat_file *photo = leat_form_file(form, "photo");
 *     if (!photo)
 *         return leat_fail(req, LEAT_INVALID, "A photo is needed.");
 *     LEAT_TRY(leat_file_save(req, photo, leat_format(req, "/srv/photos/%s", id).ptr));
 *
 * Both encodings are read: application/x-www-form-urlencoded (as browsers write it: WHATWG URL 5) and multipart/form-data (RFC 7578, RFC 2046
 * 5.1). Names and values are UTF-8 without NUL. Multipart is taken strictly: lines end with CR LF, every part has one Content-Disposition of
 * type form-data with a name, and the last boundary must be there. In a quoted name \" and \\ are one character; %22, which browsers write for a
 * quote, stays: nobody can tell it from these three characters. filename* and nested multipart/mixed are not interpreted (RFC 7578 4.2, 4.3).
 *
 * A part with a file name is a file, others are fields. A file without name and content is what browsers send for a file input
 * that was left empty; it is left out. Names and types of files are what the client says: data, never a path, never proof.
 *
 * Files are held in memory up to form_spool_at bytes in all, and behind that on disk, in the folder form_spool_dir. Those on disk
 * have no name (O_TMPFILE, or unlinked when they are made), so nothing is left of them however the request or the process ends. Disks are
 * touched by offload threads only; the worker goes on.
 *
 * Limits:         the route's body_limit; with LEAT_BODY_UNLIMITED, none for multipart, and the setting body_limit for urlencoded.
 *                 form_parts_max (128): fields and files. form_field_max (64 KiB): a field's value, and the header of a part.
 *                 form_spool_at (256 KiB). Counted in leat_form_refusals_total and leat_form_files_spooled_total.
 * Ownership:      all of it lives as long as the request, files too.
 * Thread-safety:  only the task that runs the handler.
 * Errors:         LEAT_UNSUPPORTED_TYPE for other content types; LEAT_BAD_REQUEST with words for what is malformed; LEAT_TOO_LARGE names
 *                 the setting; LEAT_UNAVAILABLE when the disk takes no more (logged and counted) or the offload queue is full; what a body
 *                 that is read can answer (leat/input.h).
 */
#ifndef LEAT_FORM_H
#define LEAT_FORM_H

#include <leat/input.h>
#include <leat/result.h>
#include <leat/text.h>
#include <stdint.h>

struct leat_request;
struct spool;

struct leat_file {
	leat_text name;         /* of its field */
	leat_text file_name;    /* as the client says; may be "" */
	leat_text content_type; /* as the client says; "" when it does not */
	uint64_t size;
	struct spool *spool; /* leat's own */
};

struct leat_form {
	struct leat_pairs fields;
	const struct leat_file *files; /* in the order in which they came; names may come again */
	size_t file_count;
};

/* Reads the whole form; asked again, the same one. */
LEAT_API enum leat_result leat_form(struct leat_request *req, const struct leat_form **ret_form) LEAT_MUST_USE;

/* The first file of that name; NULL when there is none. */
LEAT_API const struct leat_file *leat_form_file(const struct leat_form *form, const char *name);

/* Up to 'size' bytes from 'offset' on, 64 KiB at most; *ret_len is 0 at the end, and only there. */
LEAT_API enum leat_result leat_file_read(struct leat_request *req, const struct leat_file *file, uint64_t offset,
					 void *buffer, size_t size, size_t *ret_len) LEAT_MUST_USE;

/* Copies the file to a path of the service's own choice, with the permissions that the umask leaves of 0666. LEAT_CONFLICT when something is
 * there already; LEAT_UNAVAILABLE, with a line in the log and without a file, when it cannot be written. It is not synced. After LEAT_TIMED_OUT
 * and LEAT_CANCELLED the file may appear yet. */
LEAT_API enum leat_result leat_file_save(struct leat_request *req, const struct leat_file *file,
					 const char *path) LEAT_MUST_USE;

#endif
