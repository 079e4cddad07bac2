/* accept.c - see accept.h and leat/accept.h. Called by handlers. */
#include "http/accept.h"

#include <strings.h>

#include "http/parameter.h"
#include "http/params.h"
#include "http/request.h"

enum {
	QUALITY_ONE = 2000, /* q=1; q has three digits */
	QUALITY_LEAST = 1,  /* below q=0.001 */
};

/* One entry of the header. */
struct range {
	leat_text value;
	leat_text parameters; /* with the weight, if any */
	unsigned quality;
};

/* How well a range fits an offer: 0 not at all; of two, the greater one is the more specific. */
typedef size_t (*fit_fn)(const struct range *range, leat_text offer, struct arena *arena);

/* Weights (RFC 9110 12.4.2) ---------------------------------------------------------------------------------------- */

/* "0.125" is 250. False for what is no weight. */
static bool read_weight(leat_text text, unsigned *ret_quality)
{
	unsigned quality, place = QUALITY_ONE;

	if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1') ||
	    (text.len > 1 && text.ptr[1] != '.'))
		return false;
	quality = text.ptr[0] == '1' ? QUALITY_ONE : 0;
	for (size_t i = 2; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		place /= 10;
		quality += place * (unsigned)(text.ptr[i] - '0');
	}
	*ret_quality = quality;
	return quality <= QUALITY_ONE;
}

static bool read_range(leat_text entry, struct arena *arena, struct range *ret_range)
{
	leat_text name, value, rest;
	enum parameter_verdict verdict;

	*ret_range = (struct range){ .value = parameter_head(&entry, ';'),
				     .parameters = entry,
				     .quality = QUALITY_ONE };
	for (rest = entry; (verdict = parameter_next(&rest, arena, &name, &value)) == PARAMETER_FOUND;)
		if (parameter_equals(name, "q") && !read_weight(value, &ret_range->quality))
			return false;
	return verdict == PARAMETER_END && ret_range->value.len > 0;
}

/* Takes the next entry that follows the grammar. */
static bool next_range(leat_text *header, struct arena *arena, struct range *ret_range)
{
	while (header->len > 0)
		if (read_range(parameter_head(header, ','), arena, ret_range))
			return true;
	return false;
}

/* Choosing --------------------------------------------------------------------------------------------------------- */

/* The quality that the most specific range gives an offer; 'otherwise' when none fits. */
static unsigned quality_of(leat_text offer, leat_text header, fit_fn fit, unsigned otherwise, struct arena *arena)
{
	unsigned quality = otherwise;
	size_t best = 0, fits;
	struct range range;

	while (next_range(&header, arena, &range)) {
		fits = fit(&range, offer, arena);
		if (fits > best || (fits == best && fits > 0 && range.quality > quality)) {
			best = fits;
			quality = range.quality;
		}
	}
	return quality;
}

static bool is_empty(leat_text header, struct arena *arena)
{
	struct range range;

	return !next_range(&header, arena, &range);
}

static const char *choose(leat_text header, const char *const *offers, fit_fn fit, struct arena *arena)
{
	const char *chosen = NULL;
	unsigned best = 0;

	for (; *offers; offers++) {
		bool is_identity = strcasecmp(*offers, "identity") == 0;
		unsigned quality = quality_of(leat_text_from(*offers), header, fit, is_identity ? QUALITY_LEAST : 0,
					      arena);

		if (quality > best) {
			best = quality;
			chosen = *offers;
		}
	}
	return chosen;
}

/* Media types (12.5.1) --------------------------------------------------------------------------------------------- */

static bool has_parameter(leat_text offer, leat_text wanted_name, leat_text wanted_value, struct arena *arena)
{
	leat_text name, value;

	while (parameter_next(&offer, arena, &name, &value) == PARAMETER_FOUND)
		if (parameter_same(name, wanted_name) && parameter_same(value, wanted_value))
			return true;
	return false;
}

/* How many parameters the range has before its weight; -1 when the offer lacks one. */
static int count_parameters(leat_text range, leat_text offer, struct arena *arena)
{
	leat_text name, value;
	int count = 0;

	while (parameter_next(&range, arena, &name, &value) == PARAMETER_FOUND && !parameter_equals(name, "q")) {
		if (!has_parameter(offer, name, value, arena))
			return -1;
		count++;
	}
	return count;
}

static size_t fit_type(const struct range *range, leat_text offer, struct arena *arena)
{
	enum { ANY = 1, TYPE, SUBTYPE };
	leat_text type = parameter_head(&offer, ';'), wanted = range->value;
	const char *slash = memchr(wanted.ptr, '/', wanted.len);
	size_t len = slash ? (size_t)(slash + 1 - wanted.ptr) : 0;
	int parameters;

	if (wanted.len == 3 && memcmp(wanted.ptr, "*/*", 3) == 0)
		return ANY;
	if (!slash || len > type.len || strncasecmp(wanted.ptr, type.ptr, len) != 0)
		return 0;
	if (wanted.len == len + 1 && slash[1] == '*')
		return TYPE;
	if (!parameter_same(wanted, type))
		return 0;
	parameters = count_parameters(range->parameters, offer, arena);
	return parameters < 0 ? 0 : (size_t)(SUBTYPE + parameters);
}

const char *accept_type(leat_text header, const char *const *offers, struct arena *arena)
{
	return is_empty(header, arena) ? *offers : choose(header, offers, fit_type, arena);
}

/* Content codings (12.5.3) ----------------------------------------------------------------------------------------- */

static leat_text without_x(leat_text coding)
{
	bool has_x = coding.len > 2 && strncasecmp(coding.ptr, "x-", 2) == 0;

	return has_x ? (leat_text){ coding.ptr + 2, coding.len - 2 } : coding;
}

static size_t fit_encoding(const struct range *range, leat_text offer, struct arena *arena)
{
	enum { ANY = 1, NAMED };
	leat_text wanted = without_x(range->value);

	(void)arena;
	offer = without_x(offer);
	if (parameter_same(wanted, offer))
		return NAMED;
	return wanted.len == 1 && *wanted.ptr == '*' ? ANY : 0;
}

const char *accept_encoding(leat_text header, const char *const *offers, struct arena *arena)
{
	if (!header.ptr) {
		for (const char *const *offer = offers; *offer; offer++)
			if (strcasecmp(*offer, "identity") == 0)
				return *offer;
		return *offers;
	}
	return choose(header, offers, fit_encoding, arena);
}

/* Languages (12.5.4) ----------------------------------------------------------------------------------------------- */

/* Whether 'whole' begins with all words of 'beginning'. */
static bool begins(leat_text whole, leat_text beginning)
{
	return whole.len >= beginning.len && strncasecmp(whole.ptr, beginning.ptr, beginning.len) == 0 &&
	       (whole.len == beginning.len || whole.ptr[beginning.len] == '-');
}

static size_t fit_language(const struct range *range, leat_text offer, struct arena *arena)
{
	enum { ANY = 1, LOOKUP, PREFIX };

	(void)arena;
	if (range->value.len == 1 && *range->value.ptr == '*')
		return ANY;
	if (begins(offer, range->value))
		return PREFIX + range->value.len;
	return range->quality > 0 && begins(range->value, offer) ? LOOKUP : 0;
}

const char *accept_language(leat_text header, const char *const *offers, struct arena *arena)
{
	return is_empty(header, arena) ? *offers : choose(header, offers, fit_language, arena);
}

/* For handlers ----------------------------------------------------------------------------------------------------- */

const char *leat_accept_type(struct leat_request *req, const char *const *offers)
{
	return accept_type(params_list(req->params, "Accept", req->call.arena), offers, req->call.arena);
}

const char *leat_accept_encoding(struct leat_request *req, const char *const *offers)
{
	return accept_encoding(params_list(req->params, "Accept-Encoding", req->call.arena), offers, req->call.arena);
}

const char *leat_accept_language(struct leat_request *req, const char *const *offers)
{
	return accept_language(params_list(req->params, "Accept-Language", req->call.arena), offers, req->call.arena);
}
