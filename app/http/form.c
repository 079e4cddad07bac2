/* form.c - see leat/form.h: a form's fields and files, from the body of a request. Called by handlers. */
#include <leat/form.h>
#include <leat/request.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/utf8.h"
#include "http/multipart.h"
#include "http/pairs.h"
#include "http/parameter.h"
#include "http/request.h"
#include "http/spool.h"
#include "http/uri.h"

enum {
	PIECE = 16384,
	VALUE_FIRST = 64,
	FILES_FIRST = 4,
};

/* A form while it is read. */
struct reader {
	struct leat_request *req;
	const struct form_limits *limits;
	size_t parts;
	struct pairs fields;
	struct buffer files; /* of struct leat_file */
	size_t memory_left;  /* of form_spool_at */
	struct multipart multipart;
	/* The present part. */
	leat_text name;
	struct buffer value;
	struct leat_file file;
};

static enum leat_result read_urlencoded(struct reader *reader);
static enum leat_result read_multipart(struct reader *reader);

static enum leat_result read_form(struct reader *reader)
{
	leat_text type = reader->req->content_type;

	type = parameter_head(&type, ';');
	if (parameter_equals(type, "application/x-www-form-urlencoded"))
		return read_urlencoded(reader);
	if (parameter_equals(type, "multipart/form-data"))
		return read_multipart(reader);
	return leat_fail(reader->req, LEAT_UNSUPPORTED_TYPE,
			 "The body must be application/x-www-form-urlencoded or multipart/form-data.");
}

enum leat_result leat_form(struct leat_request *req, const struct leat_form **ret_form)
{
	struct reader *reader;
	struct leat_form *form;

	if (!req->form) {
		reader = leat_alloc(req, sizeof(*reader)); /* too much for a task's stack */
		reader->req = req;
		reader->limits = &req->environment->form;
		reader->memory_left = reader->limits->spool_at;
		pairs_init(&reader->fields, req->call.arena);
		buffer_init(&reader->files, req->call.arena, FILES_FIRST * sizeof(struct leat_file));
		LEAT_TRY(read_form(reader));
		form = leat_alloc(req, sizeof(*form));
		*form = (struct leat_form){ .fields = pairs_done(&reader->fields),
					    .files = (const void *)reader->files.data,
					    .file_count = reader->files.len / sizeof(struct leat_file) };
		req->form = form;
	}
	*ret_form = req->form;
	return LEAT_OK;
}

const struct leat_file *leat_form_file(const struct leat_form *form, const char *name)
{
	leat_text wanted = leat_text_from(name);

	for (size_t i = 0; i < form->file_count; i++)
		if (leat_text_equal(form->files[i].name, wanted))
			return &form->files[i];
	return NULL;
}

enum leat_result leat_file_read(struct leat_request *req, const struct leat_file *file, uint64_t offset, void *buffer,
				size_t size, size_t *ret_len)
{
	return spool_read(file->spool, offset, buffer, size, req->call.deadline_ns, ret_len);
}

enum leat_result leat_file_save(struct leat_request *req, const struct leat_file *file, const char *path)
{
	return spool_save(file->spool, path, req->call.deadline_ns);
}

/* Limits ----------------------------------------------------------------------------------------------------------- */

static enum leat_result count_part(struct reader *reader)
{
	if (++reader->parts <= reader->limits->parts_max)
		return LEAT_OK;
	metrics_add(METRIC_FORM_PARTS, 1);
	return leat_fail(reader->req, LEAT_TOO_LARGE, "The form has more than %zu parts (setting form_parts_max).",
			 reader->limits->parts_max);
}

static enum leat_result field_too_large(struct reader *reader, const char *what)
{
	metrics_add(METRIC_FORM_FIELD, 1);
	return leat_fail(reader->req, LEAT_TOO_LARGE,
			 "%s of the form has more than %zu bytes (setting form_field_max).", what,
			 reader->limits->field_max);
}

/* Urlencoded ------------------------------------------------------------------------------------------------------- */

static enum leat_result read_urlencoded(struct reader *reader)
{
	struct arena *arena = reader->req->call.arena;
	leat_text rest, name, value;

	LEAT_TRY(leat_body_text(reader->req, &rest));
	while (uri_query_next(&rest, &name, &value)) {
		LEAT_TRY(count_part(reader));
		if (!uri_decode(name, URI_QUERY, arena, &name) || !uri_decode(value, URI_QUERY, arena, &value))
			return leat_fail(reader->req, LEAT_BAD_REQUEST,
					 "The form has a bad escape, NUL, or is not UTF-8.");
		if (value.len > reader->limits->field_max)
			return field_too_large(reader, "A field");
		pairs_add(&reader->fields, name, value);
	}
	return LEAT_OK;
}

/* Multipart -------------------------------------------------------------------------------------------------------- */

static leat_text copy(struct reader *reader, leat_text text)
{
	return (leat_text){ arena_copy(reader->req->call.arena, text.len ? text.ptr : "", text.len), text.len };
}

static void begin_file(struct reader *reader)
{
	struct leat_request *req = reader->req;

	reader->file = (struct leat_file){
		.name = reader->name,
		.file_name = copy(reader, reader->multipart.part.file_name),
		.content_type = copy(reader, reader->multipart.part.content_type),
		.spool = spool_new(req->environment->offload, reader->limits->spool_dir, reader->memory_left),
	};
	arena_on_reset(req->call.arena, spool_release, reader->file.spool);
}

static enum leat_result begin_part(struct reader *reader)
{
	LEAT_TRY(count_part(reader));
	reader->name = copy(reader, reader->multipart.part.name);
	reader->file.spool = NULL;
	if (reader->multipart.part.file_name.ptr)
		begin_file(reader);
	else
		buffer_init(&reader->value, reader->req->call.arena, VALUE_FIRST);
	return LEAT_OK;
}

static enum leat_result add_data(struct reader *reader)
{
	leat_text data = reader->multipart.data;

	if (reader->file.spool)
		return spool_write(reader->file.spool, data, reader->req->call.deadline_ns);
	if (data.len > reader->limits->field_max - reader->value.len)
		return field_too_large(reader, "A field");
	buffer_text(&reader->value, data);
	return LEAT_OK;
}

static enum leat_result end_file(struct reader *reader)
{
	struct leat_file *file = &reader->file;

	LEAT_TRY(spool_end(file->spool, reader->req->call.deadline_ns));
	file->size = spool_size(file->spool);
	reader->memory_left -= spool_in_memory(file->spool);
	if (file->size > 0 || file->file_name.len > 0) /* else nobody chose a file */
		buffer_bytes(&reader->files, file, sizeof(*file));
	return LEAT_OK;
}

static enum leat_result end_part(struct reader *reader)
{
	leat_text value = buffer_as_text(&reader->value);

	if (reader->file.spool)
		return end_file(reader);
	if (!utf8_is_valid(value) || memchr(value.ptr, '\0', value.len))
		return leat_fail(reader->req, LEAT_BAD_REQUEST, "A field of the form has NUL, or is not UTF-8.");
	pairs_add(&reader->fields, reader->name, value);
	return LEAT_OK;
}

static enum leat_result take_input(struct reader *reader, leat_text input)
{
	for (;;) {
		switch (multipart_next(&reader->multipart, &input)) {
		case MULTIPART_MORE:
			return LEAT_OK;
		case MULTIPART_PART:
			LEAT_TRY(begin_part(reader));
			break;
		case MULTIPART_DATA:
			LEAT_TRY(add_data(reader));
			break;
		case MULTIPART_PART_END:
			LEAT_TRY(end_part(reader));
			break;
		case MULTIPART_HEAD:
			return field_too_large(reader, "A part's header");
		case MULTIPART_BAD:
			return leat_fail(reader->req, LEAT_BAD_REQUEST, "%s", reader->multipart.fault);
		}
	}
}

static enum leat_result read_multipart(struct reader *reader)
{
	struct leat_request *req = reader->req;
	char *piece = arena_alloc(req->call.arena, PIECE);
	size_t len;

	if (req->body.is_piecewise) {
		log_error("bug: the handler of %s reads a form after leat_body_read or a failed leat_form",
			  request_pattern(req));
		return LEAT_INTERNAL;
	}
	if (!multipart_init(&reader->multipart, req->content_type, reader->limits->field_max, req->call.arena))
		return leat_fail(req, LEAT_BAD_REQUEST, "multipart/form-data needs a boundary of 1 to 70 characters.");
	do {
		LEAT_TRY(leat_body_read(req, piece, PIECE, &len));
		LEAT_TRY(take_input(reader, (leat_text){ piece, len }));
	} while (len > 0);
	if (!multipart_is_complete(&reader->multipart))
		return leat_fail(req, LEAT_BAD_REQUEST, "The form ends before its last boundary.");
	return LEAT_OK;
}
