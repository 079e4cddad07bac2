/* segment.c - see segment.h. Called by http/router for every segment that may be more than a literal or {name}, and by
 * http/url for what is to become one. */
#include "http/segment.h"

#include <string.h>

#include "base/calendar.h"
#include "base/number.h"
#include "base/regex.h"
#include "base/uuid.h"
#include "http/uri.h"

/* The most bytes of a type's values; 0: no bound. */
static const unsigned char longest[PATTERN_KIND_COUNT] = {
	[PATTERN_UINT] = 19,
	[PATTERN_INT] = NUMBER_INT_MAX,
	[PATTERN_UUID] = UUID_TEXT_SIZE,
	[PATTERN_DATE] = 10,
};

/* One segment being split. */
struct split {
	const struct pattern_part *parts;
	const char *start; /* of the text */
	uint32_t *steps;
	leat_text *values;
};

static enum segment_verdict split_parts(const struct split *split, unsigned part_count, unsigned param_count,
					const char *end);

enum segment_verdict segment_match(const struct pattern_segment *segment, leat_text text, uint32_t *steps,
				   leat_text *ret_values)
{
	const struct split split = { segment->parts, text.ptr, steps, ret_values };
	unsigned param_count = 0;

	if (segment->part_count == 1) {
		ret_values[0] = text;
		return segment_part_fits(segment->parts, text, steps);
	}
	for (unsigned i = 0; i < segment->part_count; i++)
		param_count += segment->parts[i].kind != PATTERN_LITERAL;
	return split_parts(&split, segment->part_count, param_count, text.ptr + text.len);
}

/* Splitting -------------------------------------------------------------------------------------------------------- */

static bool spend(uint32_t *steps, size_t count)
{
	if (*steps < count) {
		*steps = 0;
		return false;
	}
	*steps -= (uint32_t)count;
	return true;
}

static bool ends_with(const char *start, const char *end, leat_text literal)
{
	return (size_t)(end - start) >= literal.len && memcmp(end - literal.len, literal.ptr, literal.len) == 0;
}

/* Where the last parameter may begin at the latest, before 'at': behind its literal, or at the start; NULL: nowhere. */
static const char *begin_before(const struct split *split, unsigned part_count, const char *at)
{
	if (part_count == 1)
		return at > split->start ? split->start : NULL;
	while (--at > split->start)
		if (ends_with(split->start, at, split->parts[part_count - 2].text))
			return at;
	return NULL;
}

/* Whether the first parts fit the text up to 'end', the last of them a parameter, the one before it a literal. */
static enum segment_verdict split_at_parameter(const struct split *split, unsigned part_count, unsigned param_count,
					       const char *end)
{
	const struct pattern_part *part = &split->parts[part_count - 1];
	const char *begin = begin_before(split, part_count, end);

	for (; begin; begin = begin_before(split, part_count, begin)) {
		leat_text value = { begin, (size_t)(end - begin) };
		enum segment_verdict verdict;

		if (longest[part->kind] && value.len > longest[part->kind])
			break;
		if (!spend(split->steps, 1))
			return SEGMENT_LIMIT;
		verdict = segment_part_fits(part, value, split->steps);
		if (verdict == SEGMENT_FITS) {
			split->values[param_count - 1] = value;
			verdict = split_parts(split, part_count - 1, param_count - 1, begin);
			if (verdict == SEGMENT_FITS || (part_count > 2 && part[-2].kind == PATTERN_ANY))
				return verdict;
		}
		if (verdict == SEGMENT_LIMIT)
			return verdict;
	}
	return SEGMENT_FITS_NOT;
}

static enum segment_verdict split_parts(const struct split *split, unsigned part_count, unsigned param_count,
					const char *end)
{
	leat_text literal;

	if (part_count == 0)
		return end == split->start ? SEGMENT_FITS : SEGMENT_FITS_NOT;
	if (split->parts[part_count - 1].kind != PATTERN_LITERAL)
		return split_at_parameter(split, part_count, param_count, end);
	literal = split->parts[part_count - 1].text;
	if (!ends_with(split->start, end, literal))
		return SEGMENT_FITS_NOT;
	return split_parts(split, part_count - 1, param_count, end - literal.len);
}

/* Values ----------------------------------------------------------------------------------------------------------- */

static bool is_int(leat_text text, bool may_be_negative)
{
	int64_t number;

	return number_read_int(text, &number) && (may_be_negative || number >= 0);
}

static bool is_uuid(leat_text text)
{
	leat_uuid uuid;

	return uuid_read(text, &uuid);
}

bool segment_read_date(leat_text text, int64_t *ret_us)
{
	char whole[] = "YYYY-MM-DDT00:00:00Z";

	if (text.len != 10)
		return false;
	memcpy(whole, text.ptr, text.len);
	return calendar_read((leat_text){ whole, sizeof(whole) - 1 }, ret_us);
}

/* An expression sees the slashes that are data as '/'. No other '/' stands in a segment, so they can be put back; and where
 * there is one, the text was decoded into memory that is the request's own. */
static void replace(leat_text text, char from, char to)
{
	for (char *at = (char *)text.ptr; (at = memchr(at, from, (size_t)(text.ptr + text.len - at))); at++)
		*at = to;
}

static enum segment_verdict fits_regex(const struct regex *regex, leat_text text, uint32_t *steps)
{
	bool has_slash = memchr(text.ptr, URI_ESCAPED_SLASH, text.len) != NULL;
	enum regex_verdict verdict;

	if (!spend(steps, text.len))
		return SEGMENT_LIMIT;
	if (has_slash)
		replace(text, URI_ESCAPED_SLASH, '/');
	verdict = regex_match(regex, text, *steps);
	if (has_slash)
		replace(text, '/', URI_ESCAPED_SLASH);
	if (verdict != REGEX_LIMIT)
		return verdict == REGEX_FITS ? SEGMENT_FITS : SEGMENT_FITS_NOT;
	*steps = 0;
	return SEGMENT_LIMIT;
}

enum segment_verdict segment_part_fits(const struct pattern_part *part, leat_text value, uint32_t *steps)
{
	int64_t us;

	if (value.len == 0)
		return part->kind == PATTERN_TAIL ? SEGMENT_FITS : SEGMENT_FITS_NOT;
	switch (part->kind) {
	case PATTERN_UINT:
		return is_int(value, false) ? SEGMENT_FITS : SEGMENT_FITS_NOT;
	case PATTERN_INT:
		return is_int(value, true) ? SEGMENT_FITS : SEGMENT_FITS_NOT;
	case PATTERN_UUID:
		return is_uuid(value) ? SEGMENT_FITS : SEGMENT_FITS_NOT;
	case PATTERN_DATE:
		return segment_read_date(value, &us) ? SEGMENT_FITS : SEGMENT_FITS_NOT;
	case PATTERN_REGEX:
		return fits_regex(part->regex, value, steps);
	default:
		return SEGMENT_FITS;
	}
}
