/* t_json_read_lists.c - the JSON reader: objects and lists of them, there and back. */
#include <stdio.h>

#include "tests/unit/json_reading.h"

/* Objects and lists ----------------------------------------------------------------------------------------------- */

struct team {
	struct user lead;
	struct leat_list members;
	bool is_open;
};

static const struct leat_shape team_shape = LEAT_SHAPE(struct team,
	LEAT_OBJECT(lead, &user_shape, .optional = true),
	LEAT_LIST(members, &user_shape, .min = 1, .max = 100),
	LEAT_BOOL(is_open));

START_TEST(fills_objects_and_lists)
{
	struct team team;
	const struct user *members;

	ck_assert_str_eq(
		outcome(LEAT_TEXT_OF("{\"lead\":{\"id\":1,\"name\":\"a\"},\"members\":[{\"id\":2,\"name\":\"b\"},"
				     "{\"name\":\"\\u0063\",\"id\":3}],\"is_open\":true}"),
			&team_shape, &team),
		"ok");
	members = team.members.items;
	ck_assert_int_eq(team.lead.id, 1);
	ck_assert_uint_eq(team.members.count, 2);
	ck_assert_int_eq(members[1].id, 3);
	ck_assert(leat_text_equal(members[1].name, LEAT_TEXT_OF("c")));
	ck_assert(team.is_open);
}
END_TEST

START_TEST(grows_a_list_and_keeps_its_items)
{
	struct buffer out;
	struct team team;

	buffer_init(&out, &arena, 16);
	buffer_text(&out, LEAT_TEXT_OF("{\"is_open\":false,\"members\":["));
	for (int i = 0; i < 100; i++)
		buffer_format(&out, "%s{\"id\":%d,\"name\":\"\\u0061%d\"}", i ? "," : "", i, i);
	buffer_text(&out, LEAT_TEXT_OF("]}"));
	ck_assert_str_eq(outcome(buffer_as_text(&out), &team_shape, &team), "ok");
	ck_assert_uint_eq(team.members.count, 100);
	for (int i = 0; i < 100; i++) {
		const struct user *member = (const struct user *)team.members.items + i;

		ck_assert_int_eq(member->id, i);
		ck_assert(leat_text_equal(member->name, arena_format(&arena, "a%d", i)));
	}
}
END_TEST

START_TEST(points_into_objects_and_lists)
{
	CHECK_READINGS(
		&team_shape,
		{ "{\"lead\":{\"id\":1},\"members\":[{\"id\":1,\"name\":\"a\"},{\"id\":\"x\",\"nick\":1},7],\"is_"
		  "open\":1}",
		  "#/lead/name is required\n#/members/1/id must be an integer\n#/members/1/nick is not a known key\n"
		  "#/members/1/name is required\n#/members/2 must be an object\n#/is_open must be true or false" },
		{ "{\"lead\":[],\"members\":{},\"is_open\":null}",
		  "#/lead must be an object\n#/members must be an array\n#/is_open must not be null" },
		{ "{\"lead\":null,\"members\":[],\"is_open\":true}", "#/members must have from 1 to 100 items" });
}
END_TEST

START_TEST(refuses_a_list_that_is_too_long)
{
	struct buffer out;
	struct team team;

	buffer_init(&out, &arena, 16);
	buffer_text(&out, LEAT_TEXT_OF("{\"is_open\":false,\"members\":[{\"id\":1,\"name\":\"a\"}"));
	for (int i = 0; i < 100; i++)
		buffer_text(&out, LEAT_TEXT_OF(",{\"id\":1,\"name\":\"a\"}"));
	buffer_text(&out, LEAT_TEXT_OF("]}"));
	ck_assert_str_eq(outcome(buffer_as_text(&out), &team_shape, &team), "#/members must have from 1 to 100 items");
}
END_TEST

static size_t bytes_of(const struct arena *used)
{
	return used->blocks ? (size_t)(used->at - (char *)used->blocks) : 0;
}

/* A megabyte of items that are all wrong must not become a hundred megabytes of structs. */
START_TEST(keeps_no_items_once_there_is_a_fault)
{
	static char document[1 << 20];
	struct problem problem;
	struct team team;
	int len = sprintf(document, "{\"members\":[0");

	while (len < (1 << 20) - 8)
		len += sprintf(document + len, ",{}");
	len += sprintf(document + len, "]}");
	ck_assert_int_eq(json_read(&arena, (leat_text){ document, (size_t)len }, &team_shape, &team, &problem),
			 LEAT_INVALID);
	ck_assert_uint_lt(bytes_of(&arena), 64 * 1024);
}
END_TEST

/* Round trips ----------------------------------------------------------------------------------------------------- */

START_TEST(writes_back_what_it_has_read)
{
	static const char document[] = "{\"lead\":{\"id\":1,\"name\":\"a\",\"email\":\"a@b\"},\"members\":[{\"id\":2,"
				       "\"name\":\"caf\xC3\xA9 \\\"\\n\",\"email\":null}],\"is_open\":true}";
	struct buffer out;
	struct team team;

	ck_assert_str_eq(outcome(leat_text_from(document), &team_shape, &team), "ok");
	buffer_init(&out, &arena, 16);
	json_write_shape(&out, &team_shape, &team);
	buffer_byte(&out, '\0');
	ck_assert_str_eq(out.data, document);
}
END_TEST

START_TEST(takes_every_cut_of_a_document_for_no_json)
{
	static const char document[] = "{\"id\":-12,\"name\":\"\\u00e9\\ud83d\\ude00\xC3\xA9\",\"email\":\"a@b\"}";
	struct problem problem;
	struct user user;

	for (size_t len = 0; len < sizeof(document) - 1; len++) {
		char *cut = arena_copy(&arena, document, len);

		ck_assert_int_eq(json_read(&arena, (leat_text){ cut, len }, &user_shape, &user, &problem),
				 LEAT_BAD_REQUEST);
	}
	ck_assert_int_eq(json_read(&arena, (leat_text){ NULL, 0 }, &user_shape, &user, &problem), LEAT_BAD_REQUEST);
	ck_assert_str_eq(outcome(leat_text_from(document), &user_shape, &user), "ok");
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("json_read_lists");

	ARENA_CASE(s, "objects and lists", fills_objects_and_lists, grows_a_list_and_keeps_its_items,
		   points_into_objects_and_lists, refuses_a_list_that_is_too_long,
		   keeps_no_items_once_there_is_a_fault);
	ARENA_CASE(s, "round trips", writes_back_what_it_has_read, takes_every_cut_of_a_document_for_no_json);
	return s;
}
