/* migrate_file.c - see migrate_file.h. Called by migrate.c. */
#include "back/migrate_file.h"

#include <dirent.h>
#include <errno.h>
#include <leat/result.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/number.h"

/* Where the files come from, and what is wrong with them. */
struct reader {
	const char *folder;
	struct arena *arena;
	char *error;
	size_t error_size;
};

static bool fail(struct reader *reader, const char *format, ...) LEAT_PRINTF(2, 3);
static bool fail(struct reader *reader, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reader->error, reader->error_size, format, args);
	va_end(args);
	return false;
}

/* Names ------------------------------------------------------------------------------------------------------------- */

static int ends_in_sql(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".sql") == 0;
}

/* "0012_users.sql": 12. 0 when it has another form. */
static int64_t version_of(const char *file)
{
	size_t digits = strspn(file, "0123456789");
	size_t zeros = strspn(file, "0");
	int64_t version;

	if (digits == 0 || file[digits] != '_' || strlen(file + digits) <= strlen("_.sql") ||
	    !number_read_int((leat_text){ file + zeros, digits - zeros }, &version))
		return 0;
	return version;
}

/* Comments that mean something --------------------------------------------------------------------------------------- */

static leat_text trim_end(leat_text text)
{
	while (text.len > 0 && strchr(" \t\r\n", text.ptr[text.len - 1]))
		text.len--;
	return text;
}

static leat_text first_line(leat_text text)
{
	const char *end = memchr(text.ptr, '\n', text.len);

	return (leat_text){ text.ptr, end ? (size_t)(end - text.ptr) : text.len };
}

/* 'undo' begins with the line that opens it, the line-th of the file. */
static bool take_undo(struct reader *reader, struct migrate_file *file, leat_text undo, unsigned line)
{
	size_t opening = first_line(undo).len;
	size_t before = (size_t)(undo.ptr - file->sql.ptr);
	leat_text whole = trim_end(undo);

	if (whole.len < opening + strlen("\n*/") || memcmp(whole.ptr + whole.len - 3, "\n*/", 3) != 0)
		return fail(reader, "%s:%u: the undo is a comment at the end of the file: its last line is */",
			    file->path, line);
	file->down.len = whole.len - opening - strlen("\n*/");
	file->down.ptr = arena_copy(reader->arena, undo.ptr + opening, file->down.len);
	file->down_line = line; /* it begins with the rest of this one */
	file->up.len = trim_end((leat_text){ file->sql.ptr, before }).len;
	if (file->up.len < before)
		file->up.len += first_line((leat_text){ file->sql.ptr + file->up.len, before - file->up.len }).len + 1;
	return true;
}

static bool take_line(struct reader *reader, struct migrate_file *file, leat_text line, unsigned number)
{
	if (!leat_text_starts(line, LEAT_TEXT_OF("-- leat:")) && !leat_text_starts(line, LEAT_TEXT_OF("/* leat:")))
		return true;
	if (number == 1 && leat_text_equal(line, LEAT_TEXT_OF("-- leat: no transaction"))) {
		file->has_transaction = false;
		return true;
	}
	return fail(reader,
		    "%s:%u: '%.*s' is not understood; known are '-- leat: no transaction' as the first line, and '/* "
		    "leat: down' "
		    "with the undo behind it and */ as the last line",
		    file->path, number, LEAT_TEXT_PRINTF(line));
}

static bool read_comments(struct reader *reader, struct migrate_file *file)
{
	leat_text rest = file->sql;

	for (unsigned number = 1; rest.len > 0; number++) {
		size_t len = first_line(rest).len;
		leat_text line = trim_end((leat_text){ rest.ptr, len });

		if (leat_text_equal(line, LEAT_TEXT_OF("/* leat: down")))
			return take_undo(reader, file, rest, number);
		if (!take_line(reader, file, line, number))
			return false;
		len += len < rest.len;
		rest = (leat_text){ rest.ptr + len, rest.len - len };
	}
	return true;
}

/* Files ------------------------------------------------------------------------------------------------------------- */

static bool read_stream(struct reader *reader, FILE *stream, struct migrate_file *file)
{
	struct stat facts;
	char *bytes;
	size_t size;

	if (fstat(fileno(stream), &facts) != 0 || !S_ISREG(facts.st_mode))
		return fail(reader, "%s: no regular file", file->path);
	bytes = arena_zalloc(reader->arena, (size_t)facts.st_size + 1);
	size = fread(bytes, 1, (size_t)facts.st_size, stream);
	if (ferror(stream))
		return fail(reader, "%s: %s", file->path, strerror(errno));
	if (memchr(bytes, '\0', size))
		return fail(reader, "%s: it holds a NUL byte, so it is no SQL", file->path);
	file->sql = file->up = (leat_text){ bytes, size };
	return true;
}

static bool read_file(struct reader *reader, const char *name, struct migrate_file *ret_file)
{
	FILE *stream;
	bool is_read;

	*ret_file = (struct migrate_file){
		.version = version_of(name),
		.name = arena_copy(reader->arena, name, strlen(name) - strlen(".sql")),
		.path = arena_format(reader->arena, "%s/%s", reader->folder, name).ptr,
		.has_transaction = true,
	};
	if (ret_file->version <= 0)
		return fail(reader, "%s: the name is not of the form NNNN_name.sql", ret_file->path);
	stream = fopen(ret_file->path, "re");
	if (!stream)
		return fail(reader, "%s: %s", ret_file->path, strerror(errno));
	is_read = read_stream(reader, stream, ret_file);
	fclose(stream);
	return is_read && read_comments(reader, ret_file);
}

static int by_version(const void *a, const void *b)
{
	int64_t left = ((const struct migrate_file *)a)->version, right = ((const struct migrate_file *)b)->version;

	return (left > right) - (left < right);
}

static bool sort(struct reader *reader, struct migrate_folder *folder)
{
	struct migrate_file *files = folder->files;

	if (folder->count > 0)
		qsort(files, folder->count, sizeof(*files), by_version);
	for (size_t i = 1; i < folder->count; i++)
		if (files[i].version == files[i - 1].version)
			return fail(reader, "%s and %s have the same number", files[i - 1].name, files[i].name);
	return true;
}

bool migrate_read(struct migrate_folder *ret_folder, const char *path, struct arena *arena, char *error,
		  size_t error_size)
{
	struct reader reader = { path, arena, error, error_size };
	struct dirent **entries;
	int count = scandir(path, &entries, ends_in_sql, NULL);
	bool are_read = true;

	if (count < 0)
		return fail(&reader, "%s: %s", path, strerror(errno));
	ret_folder->count = (size_t)count;
	ret_folder->files = arena_alloc(arena, (size_t)count * sizeof(*ret_folder->files));
	for (int i = 0; i < count; i++) {
		are_read = are_read && read_file(&reader, entries[i]->d_name, &ret_folder->files[i]);
		free(entries[i]);
	}
	free(entries);
	return are_read && sort(&reader, ret_folder);
}
