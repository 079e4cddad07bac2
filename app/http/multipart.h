/* multipart.h - multipart/form-data (RFC 7578; RFC 2046 5.1) as a pure machine: bytes in, however they are cut, events out.
 *
 * Use:
 *     struct multipart multipart;
 *     if (!multipart_init(&multipart, content_type, head_max, arena)) ...              -- no boundary
 *     while (reading gives 'input')
 *         while ((event = multipart_next(&multipart, &input)) != MULTIPART_MORE)
 *             switch (event) ...                                                        -- part, data..., part end, part, ...
 *     if (!multipart_is_complete(&multipart)) ...                                       -- the last boundary never came
 *
 * What stands before the first boundary and behind the last one is passed over. Everything else is as the grammar says, or MULTIPART_BAD: lines
 * end with CR LF, boundaries stand alone in their line (blanks may follow), each part's header has one Content-Disposition: form-data with one
 * name, no folded lines, no control characters, only UTF-8, and no Content-Transfer-Encoding that would change the content (RFC 7578 4.7). Of the data
 * nothing is held back longer than it may still become a boundary.
 *
 * Ownership:      texts of 'part' lie in the arena until the next part; 'data' is a view of the input or of the machine, until the next call.
 * Thread-safety:  one thread at a time per machine.
 * Errors:         MULTIPART_BAD with 'fault', a sentence for the client; MULTIPART_HEAD when a part's header has more than
 *                 head_max bytes. Both are the end: they come again.
 */
#ifndef APP_HTTP_MULTIPART_H
#define APP_HTTP_MULTIPART_H

#include <leat/result.h>
#include <leat/text.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"

enum { MULTIPART_BOUNDARY_MAX = 70 };

enum multipart_event {
	MULTIPART_MORE,     /* the input is used up */
	MULTIPART_PART,     /* a part begins: 'part' */
	MULTIPART_DATA,     /* more of its content: 'data' */
	MULTIPART_PART_END, /* it is complete */
	MULTIPART_HEAD,
	MULTIPART_BAD,
};

struct multipart {
	struct {
		leat_text name;
		leat_text file_name;    /* {NULL, 0}: none is given, so the part is a field */
		leat_text content_type; /* {NULL, 0}: none is given */
	} part;
	leat_text data;
	const char *fault;

	/* Its own. */
	int state;
	char delimiter[4 + MULTIPART_BOUNDARY_MAX]; /* CR LF - - boundary */
	size_t delimiter_len;
	size_t matched, borrowed; /* bytes of a delimiter; of these, bytes that are no content in any case */
	struct buffer head;       /* of the present part */
	size_t head_max, line_at;
	struct arena *arena;
};

/* 'content_type' is the request's: multipart/form-data with a boundary of 1 to 70 characters (RFC 2046 5.1.1). */
bool multipart_init(struct multipart *multipart, leat_text content_type, size_t head_max,
		    struct arena *arena) LEAT_MUST_USE;

/* Takes from 'input' what belongs to the next event. */
enum multipart_event multipart_next(struct multipart *multipart, leat_text *input) LEAT_MUST_USE;

/* Whether the last boundary has come. */
bool multipart_is_complete(const struct multipart *multipart);

#endif
