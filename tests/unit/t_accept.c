/* t_accept.c - content negotiation: a table a kind. */
#include "http/accept.h"
#include "tests/unit/arena_stand.h"

typedef const char *(*choose_fn)(leat_text header, const char *const *offers, struct arena *arena);

struct accept_case {
	const char *header; /* NULL: none */
	const char *chosen; /* NULL: none is acceptable */
};

static void check(choose_fn choose, const char *const *offers, const struct accept_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *chosen = choose(leat_text_from(cases[i].header), offers, &arena);

		ck_assert_msg((!chosen && !cases[i].chosen) ||
				      (chosen && cases[i].chosen && strcmp(chosen, cases[i].chosen) == 0),
			      "%s: %s instead of %s", cases[i].header, chosen, cases[i].chosen);
	}
}
#define CHECK(choose, offers, ...) \
	check(choose, offers, (const struct accept_case[]){ __VA_ARGS__ }, \
	      sizeof((const struct accept_case[]){ __VA_ARGS__ }) / sizeof(struct accept_case))

static const char *const types[] = { "application/json", "text/html", "text/html;level=1", "image/png", NULL };
static const char *const codings[] = { "br", "gzip", "identity", NULL };
static const char *const languages[] = { "en", "de", "pt-BR", "zh-Hant-TW", NULL };

START_TEST(chooses_a_type)
{
	CHECK(accept_type, types, { NULL, "application/json" }, { "", "application/json" },
	      { "*/*", "application/json" }, { "text/html", "text/html" }, { "TEXT/HTML", "text/html" },
	      { "text/*", "text/html" }, { "image/*, text/*", "text/html" },
	      { "text/html;q=0.5, image/png", "image/png" }, { "text/html, */*;q=0.1", "text/html" },
	      { "audio/ogg", NULL }, { "audio/ogg, */*;q=0.001", "application/json" }, { "application/json;q=0", NULL },
	      { "text/html, application/json", "application/json" });
}
END_TEST

START_TEST(the_most_specific_range_counts)
{
	CHECK(accept_type, types, { "*/*;q=0.9, application/json;q=0", "text/html" },
	      { "text/*;q=0.3, text/html;q=0.7, text/html;level=1, */*;q=0.5", "text/html;level=1" },
	      { "text/html;level=2, image/png;q=0.2", "image/png" },
	      { "text/html;level=\"1\";q=1, image/png", "text/html;level=1" },
	      { "text/*, text/html;q=0, image/png;q=0.1", "image/png" },
	      { "application/*;q=0.2, */*;q=0.1, text/html;q=0.15", "application/json" });
}
END_TEST

START_TEST(malformed_entries_are_not_there)
{
	CHECK(accept_type, types, { "text/html;q=2, image/png;q=0.1", "image/png" },
	      { "text/html;q=0.1234, image/png;q=0.1", "image/png" },
	      { "text/html;q=.5, image/png;q=0.1", "image/png" }, { "text/html;q=-1", "application/json" },
	      { "text/html;q, image/png", "image/png" }, { ",, ,", "application/json" },
	      { "text/html;q=1.001, image/png;q=1.000", "image/png" },
	      { "text/html;a=\"b, image/png", "application/json" },
	      { "text/html;a=\"b, image/png\", image/png", "image/png" }, { "text, image/png;q=0.1", "image/png" },
	      { "*/html, image/png;q=0.1", "image/png" });
}
END_TEST

START_TEST(chooses_a_coding)
{
	CHECK(accept_encoding, codings, { NULL, "identity" }, { "", "identity" }, { "gzip", "gzip" },
	      { "gzip, deflate, br", "br" }, { "x-gzip", "gzip" }, { "GZIP;q=0.5", "gzip" }, { "*", "br" },
	      { "gzip;q=0.001", "gzip" }, { "gzip;q=0", "identity" }, { "identity;q=0", NULL }, { "*;q=0", NULL },
	      { "*;q=0, gzip", "gzip" }, { "identity, gzip;q=0.5", "identity" }, { "zstd", "identity" },
	      { "br;q=0.2, gzip;q=0.8, *;q=0.1", "gzip" }, { "*;q=0, identity;q=0.1", "identity" });
}
END_TEST

START_TEST(chooses_a_language)
{
	CHECK(accept_language, languages, { NULL, "en" }, { "de", "de" }, { "DE", "de" }, { "pt", "pt-BR" },
	      { "pt-br", "pt-BR" }, { "pt-PT", NULL }, { "de-CH, en;q=0.8", "de" }, { "de-CH;q=0", NULL },
	      { "zh-Hant", "zh-Hant-TW" }, { "zh-Han", NULL }, { "fr, *;q=0.5", "en" }, { "*, en;q=0", "de" },
	      { "de-CH;q=0.9, de;q=0.1, en;q=0.5", "en" }, { "fr", NULL });
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("accept");
	TCase *types_case = HARNESS_CASE(s, "types", chooses_a_type, the_most_specific_range_counts,
					 malformed_entries_are_not_there);
	TCase *others = HARNESS_CASE(s, "others", chooses_a_coding, chooses_a_language);

	tcase_add_checked_fixture(types_case, set_up_arena, tear_down_arena);
	tcase_add_checked_fixture(others, set_up_arena, tear_down_arena);
	return s;
}
