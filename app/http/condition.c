/* condition.c - see condition.h. Pure. */
#include "http/condition.h"

#include "base/calendar.h"
#include "http/http_date.h"
#include "http/parameter.h"
#include "http/params.h"

enum listing { LISTING_LACKS, LISTING_HAS, LISTING_MALFORMED };

void conditions_read(struct conditions *conditions, const char *const *params, struct arena *arena)
{
	/* Of dates, several lines make what is no date. */
	*conditions = (struct conditions){
		.match = params_list(params, "If-Match", arena),
		.none_match = params_list(params, "If-None-Match", arena),
		.modified_since = params_list(params, "If-Modified-Since", arena),
		.unmodified_since = params_list(params, "If-Unmodified-Since", arena),
		.range = params_list(params, "If-Range", arena),
	};
}

/* Entity tags ------------------------------------------------------------------------------------------------------ */

static bool is_tag_byte(char c)
{
	return (unsigned char)c > ' ' && c != '"' && c != 127;
}

bool condition_is_tag(leat_text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_tag_byte(text.ptr[i]))
			return false;
	return text.len > 0;
}

static bool is_weak(leat_text etag)
{
	return leat_text_starts(etag, LEAT_TEXT_OF("W/"));
}

static leat_text without_weakness(leat_text etag)
{
	return is_weak(etag) ? (leat_text){ etag.ptr + 2, etag.len - 2 } : etag;
}

/* RFC 9110 8.8.3.2. */
static bool are_equal(leat_text a, leat_text b, bool is_strong)
{
	if (is_strong)
		return !is_weak(a) && leat_text_equal(a, b);
	return leat_text_equal(without_weakness(a), without_weakness(b));
}

/* Takes W/"..." or "..." off the text. */
static bool take_etag(leat_text *rest, leat_text *ret_etag)
{
	size_t at = is_weak(*rest) ? 2 : 0;

	if (at >= rest->len || rest->ptr[at] != '"')
		return false;
	for (at++; at < rest->len && is_tag_byte(rest->ptr[at]);)
		at++;
	if (at >= rest->len || rest->ptr[at] != '"')
		return false;
	at++;
	*ret_etag = (leat_text){ rest->ptr, at };
	*rest = (leat_text){ rest->ptr + at, rest->len - at };
	return true;
}

/* Whether the list has the tag; all of it is read, since half of a list is none. */
static enum listing list_tags(leat_text list, leat_text etag, bool is_strong)
{
	enum listing found = LISTING_LACKS;
	leat_text member;

	for (list = parameter_trim(list); list.len > 0; list = parameter_trim(list)) {
		if (list.ptr[0] != ',') { /* nothing between commas is allowed (5.6.1.2) */
			if (!take_etag(&list, &member))
				return LISTING_MALFORMED;
			if (etag.ptr && are_equal(member, etag, is_strong))
				found = LISTING_HAS;
			list = parameter_trim(list);
			if (list.len > 0 && list.ptr[0] != ',')
				return LISTING_MALFORMED;
		}
		if (list.len > 0)
			list = (leat_text){ list.ptr + 1, list.len - 1 };
	}
	return found;
}

/* "*" is whatever there is. */
static enum listing look_up(leat_text list, const struct validators *validators, bool is_strong)
{
	if (leat_text_equal(list, LEAT_TEXT_OF("*")))
		return validators->is_absent ? LISTING_LACKS : LISTING_HAS;
	return list_tags(list, validators->is_absent ? (leat_text){ NULL, 0 } : validators->etag, is_strong);
}

/* Dates ------------------------------------------------------------------------------------------------------------ */

/* Whole seconds, as Last-Modified has told it. */
static int64_t told_us(const struct validators *validators)
{
	int64_t since_first = validators->modified_us - CALENDAR_FIRST;

	return CALENDAR_FIRST + since_first / CALENDAR_S * CALENDAR_S;
}

static bool has_date(leat_text value, const struct validators *validators, int64_t now_us, int64_t *ret_us)
{
	return value.ptr && validators->has_modified && !validators->is_absent && http_date_read(value, now_us, ret_us);
}

/* Judging ---------------------------------------------------------------------------------------------------------- */

/* Steps 1 and 2: is it the version that the client knows? */
static enum condition_verdict judge_match(const struct conditions *conditions, const struct validators *validators,
					  int64_t now_us)
{
	int64_t us;

	if (conditions->match.ptr) {
		switch (look_up(conditions->match, validators, true)) {
		case LISTING_HAS:
			return CONDITION_HOLDS;
		case LISTING_LACKS:
			return CONDITION_FAILS;
		case LISTING_MALFORMED:
			return CONDITION_MALFORMED;
		}
	}
	if (has_date(conditions->unmodified_since, validators, now_us, &us) && told_us(validators) > us)
		return CONDITION_FAILS;
	return CONDITION_HOLDS;
}

/* Steps 3 and 4: is it another version than those? */
static enum condition_verdict judge_none_match(const struct conditions *conditions, bool is_read,
					       const struct validators *validators, int64_t now_us)
{
	int64_t us;

	if (conditions->none_match.ptr) {
		switch (look_up(conditions->none_match, validators, false)) {
		case LISTING_HAS:
			return is_read ? CONDITION_NOT_MODIFIED : CONDITION_FAILS;
		case LISTING_LACKS:
			return CONDITION_HOLDS;
		case LISTING_MALFORMED:
			return is_read ? CONDITION_HOLDS : CONDITION_MALFORMED;
		}
	}
	if (is_read && has_date(conditions->modified_since, validators, now_us, &us) && told_us(validators) <= us)
		return CONDITION_NOT_MODIFIED;
	return CONDITION_HOLDS;
}

enum condition_verdict conditions_judge(const struct conditions *conditions, bool is_read,
					const struct validators *validators, int64_t now_us)
{
	enum condition_verdict verdict = judge_match(conditions, validators, now_us);

	return verdict == CONDITION_HOLDS ? judge_none_match(conditions, is_read, validators, now_us) : verdict;
}

bool conditions_allow_range(const struct conditions *conditions, const struct validators *validators, int64_t now_us)
{
	leat_text rest = conditions->range, etag;
	int64_t us;

	if (!rest.ptr)
		return true;
	if (take_etag(&rest, &etag))
		return rest.len == 0 && validators->etag.ptr && are_equal(etag, validators->etag, true);
	return has_date(conditions->range, validators, now_us, &us) && told_us(validators) == us;
}
