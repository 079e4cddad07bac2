/* t_uuid.c - UUIDs as text (base/uuid.h). */
#include "base/uuid.h"

#include "tests/unit/harness.h"

static const leat_uuid uuid = { { 0x5b, 0x2d, 0x3a, 0x52, 0x7e, 0x9c, 0x4d, 0x6f, 0x8a, 0x4e, 0x0f, 0x00, 0x01, 0x10,
				  0xff, 0xfe } };

START_TEST(writes_lower_case_digits_in_five_groups)
{
	char text[UUID_TEXT_SIZE];

	ck_assert_uint_eq(uuid_write(text, &uuid), UUID_TEXT_SIZE);
	ck_assert(leat_text_equal((leat_text){ text, UUID_TEXT_SIZE },
				  LEAT_TEXT_OF("5b2d3a52-7e9c-4d6f-8a4e-0f000110fffe")));
}
END_TEST

START_TEST(reads_digits_of_either_case)
{
	static const char *const spellings[] = { "5b2d3a52-7e9c-4d6f-8a4e-0f000110fffe",
						 "5B2D3A52-7E9C-4D6F-8A4E-0F000110FFFE",
						 "5b2D3a52-7E9c-4d6F-8A4e-0f000110FffE" };

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		leat_uuid read;

		ck_assert_msg(uuid_read(leat_text_from(spellings[i]), &read), "%s", spellings[i]);
		ck_assert_mem_eq(read.bytes, uuid.bytes, sizeof(uuid.bytes));
	}
}
END_TEST

START_TEST(refuses_every_other_form)
{
	static const char *const refused[] = {
		"",
		"5b2d3a527e9c4d6f8a4e0f000110fffe",
		"{5b2d3a52-7e9c-4d6f-8a4e-0f000110fffe}",
		"urn:uuid:5b2d3a52-7e9c-4d6f-8a4e-0f000110fffe",
		"5b2d3a52-7e9c-4d6f-8a4e-0f000110fff",
		"5b2d3a52-7e9c-4d6f-8a4e-0f000110fffef",
		"5b2d3a52-7e9c-4d6f-8a4e-0f000110fffg",
		"5b2d3a52-7e9c-4d6f-8a4e-0f000110ff`e",
		"5b2d3a52-7e9c-4d6f-8a4e-0f000110ff@e",
		"5b2d3a52-7e9c-4d6f-8a4e-0f000110ff/e",
		"5b2d3a52-7e9c-4d6f-8a4e-0f000110ff:e",
		"5b2d3a52-7e9c-4d6f-8a4e-0f000110ff\x10\x10",
		"5b2d3a52-7e9c-4d6f-8a4e00f000110fffe",
		"5b2d3a5-27e9c-4d6f-8a4e-0f000110fffe",
		"5b2d3a52 7e9c 4d6f 8a4e 0f000110fffe",
		"+b2d3a52-7e9c-4d6f-8a4e-0f000110fffe",
		" b2d3a52-7e9c-4d6f-8a4e-0f000110fffe",
	};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		leat_uuid read;

		ck_assert_msg(!uuid_read(leat_text_from(refused[i]), &read), "'%s' was read", refused[i]);
	}
}
END_TEST

Suite *suite(void)
{
	Suite *s = suite_create("uuid");

	HARNESS_CASE(s, "writing", writes_lower_case_digits_in_five_groups);
	HARNESS_CASE(s, "reading", reads_digits_of_either_case, refuses_every_other_form);
	return s;
}
