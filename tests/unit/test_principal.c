/* Goal: who acts has one text, which reads back as who it was, and stands for one person at most.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/principal.h"

#include "unit.h"

TEST(a_text_reads_back_as_who_it_was)
{
	static const char *const texts[] = { "system", "telegram:42",
		"telegram:9223372036854775807", "local:ada(1000)", "token:ci", "hook:build-done",
		"github:login(7)", "github:a:b", "workflow:shop/deploy" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		char out[PRINCIPAL_TEXT];
		struct principal who;

		if (!principal_parse(texts[i], &who))
			fail_msg("%s is somebody", texts[i]);
		assert_string_equal(principal_text(&who, out), texts[i]);
		/* Only a person is one: a number in another's name says nothing. */
		assert_int_equal(
		    principal_person(&who) != 0, strncmp(texts[i], "telegram:", 9) == 0);
	}
}

TEST(what_is_nobody_changes_nothing)
{
	static const char *const wrong[] = {
		"", "42", "telegram", "telegram:", "telegram:x", "telegram:0", "telegram:-1",
		"telegram:42 ", "telegram:9223372036854775808", "system:1",
		"system:", "Telegram:42", "github:", "github", "martian:1",
		"github:0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
	};
	struct principal who = principal_of_person(7);

	for (size_t i = 0; i < COUNT(wrong); i++)
		if (principal_parse(wrong[i], &who))
			fail_msg("\"%s\" is nobody", wrong[i]);
	assert_int_equal(principal_person(&who), 7);
	who = (struct principal){ 0 };
	assert_int_equal(principal_person(&who), 0);
}

TEST(users_of_the_machine_are_numbers_that_no_person_has)
{
	const struct {
		int64_t number;
		const char *text;
	} cases[] = {
		{ principal_of_user(0), "local:0" },
		{ principal_of_user(1000), "local:1000" },
		{ principal_of_user(UINT32_MAX), "local:4294967295" },
		{ principal_of_row(PRINCIPAL_USER, 1), "local:root" },
		{ principal_of_row(PRINCIPAL_USER, INT64_C(1000000000)), "local:root" },
		{ principal_of_root_before("admin"), "local:root" },
		{ principal_of_root_before("staging"), "local:root" },
	};
	char out[PRINCIPAL_TEXT];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct principal who = principal_of_person(cases[i].number);

		assert_int_equal(who.kind, PRINCIPAL_USER);
		assert_int_equal(principal_person(&who), 0); /* nobody who approves */
		assert_string_equal(principal_text(&who, out), cases[i].text);
		assert_int_equal(principal_is_root(cases[i].number), i >= 3);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(cases[i].number, cases[k].number);
	}
}

TEST(hooks_are_numbers_that_nobody_else_has)
{
	const int64_t hooks[] = { principal_of_row(PRINCIPAL_HOOK, 1),
		principal_of_row(PRINCIPAL_HOOK, INT64_C(1000000000)),
		principal_of_hook_before("build-done"), principal_of_hook_before("shop/build-done"),
		principal_of_hook_before("a") };
	char out[PRINCIPAL_TEXT];

	for (size_t i = 0; i < COUNT(hooks); i++) {
		struct principal who = principal_of_person(hooks[i]);

		assert_int_equal(who.kind, PRINCIPAL_HOOK);
		assert_int_equal(principal_person(&who), 0);
		assert_true(principal_is_hook(hooks[i]) && !principal_is_root(hooks[i]));
		memcpy(who.name, "shop/build-done", sizeof("shop/build-done"));
		assert_string_equal(principal_text(&who, out), "hook:shop/build-done");
		for (size_t k = 0; k < i; k++)
			assert_true(hooks[i] != hooks[k]);
	}
	assert_false(principal_is_hook(principal_of_row(PRINCIPAL_USER, 1)));
	assert_false(principal_is_hook(principal_of_user(UINT32_MAX)));
	/* The next kind of principal is none. */
	assert_true(principal_is_hook(-(INT64_C(1) << 51) + 1));
	assert_false(principal_is_hook(-(INT64_C(1) << 51)));
	assert_false(principal_is_hook(INT64_MIN));
}

/* Each kind that has numbers, at both ends of what it has: a new one gets a row here. */
TEST(each_number_is_of_one_kind)
{
	static const int64_t last = INT64_C(1000000000);
	const struct {
		int64_t number;
		enum principal_kind kind;
		bool is_root, is_hook, is_workflow;
		int64_t token;
	} rows[] = {
		{ 1, PRINCIPAL_PERSON, false, false, false, 0 },
		{ INT64_MAX, PRINCIPAL_PERSON, false, false, false, 0 },
		{ principal_of_user(0), PRINCIPAL_USER, false, false, false, 0 },
		{ principal_of_user(UINT32_MAX), PRINCIPAL_USER, false, false, false, 0 },
		{ principal_of_row(PRINCIPAL_USER, 1), PRINCIPAL_USER, true, false, false, 0 },
		{ principal_of_row(PRINCIPAL_USER, last), PRINCIPAL_USER, true, false, false, 0 },
		{ principal_of_token(1), PRINCIPAL_TOKEN, false, false, false, 1 },
		{ principal_of_token(last), PRINCIPAL_TOKEN, false, false, false, last },
		{ principal_of_row(PRINCIPAL_HOOK, 1), PRINCIPAL_HOOK, false, true, false, 0 },
		{ principal_of_row(PRINCIPAL_HOOK, last), PRINCIPAL_HOOK, false, true, false, 0 },
		{ principal_of_row(PRINCIPAL_WORKFLOW, 1), PRINCIPAL_WORKFLOW, false, false, true,
		    0 },
		{ principal_of_row(PRINCIPAL_WORKFLOW, last), PRINCIPAL_WORKFLOW, false, false,
		    true, 0 },
	};
	char text[PRINCIPAL_TEXT];

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t number = rows[i].number;
		struct principal who = principal_of_person(number);

		assert_int_equal(who.kind, rows[i].kind);
		assert_int_equal(principal_is_root(number), rows[i].is_root);
		assert_int_equal(principal_is_hook(number), rows[i].is_hook);
		assert_int_equal(
		    principal_is_program(number), rows[i].is_hook || rows[i].is_workflow);
		assert_int_equal(principal_token(number), rows[i].token);
		/* Nobody else approves. */
		assert_int_equal(
		    principal_person(&who), rows[i].kind == PRINCIPAL_PERSON ? number : 0);
		for (size_t k = 0; k < i; k++)
			assert_true(number != rows[k].number);
	}
	assert_int_equal(principal_row(principal_of_row(PRINCIPAL_WORKFLOW, last)), last);
	/* What is below is of nobody that there is yet. */
	assert_false(principal_is_program(-(INT64_C(1) << 52)));
	assert_int_equal(principal_row(-(INT64_C(1) << 52)), 0);
	assert_string_equal(
	    principal_text(
		&(struct principal){ .kind = PRINCIPAL_WORKFLOW, .name = "deploy" }, text),
	    "workflow:deploy");
}

/* Only what was made from a row stands for one: a number of before stands for what others share. */
TEST(a_number_is_of_its_row_and_of_no_other)
{
	static const int64_t rows[] = { 1, 2, 1000, INT64_C(1000000000) };

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(principal_row(principal_of_row(PRINCIPAL_USER, rows[i])), rows[i]);
		assert_int_equal(principal_row(principal_of_row(PRINCIPAL_HOOK, rows[i])), rows[i]);
	}
	/* The largest and the smallest hash that there are. */
	assert_int_equal(principal_row(-(INT64_C(1) << 33)), 0);
	assert_int_equal(principal_row(-(INT64_C(1) << 33) - UINT32_MAX), 0);
	assert_int_equal(principal_row(-(INT64_C(1) << 48)), 0);
	assert_int_equal(principal_row(-(INT64_C(1) << 49)), 0);
	assert_int_equal(principal_row(0), 0);
	assert_int_equal(principal_row(11), 0);
	assert_int_equal(principal_row(principal_of_user(33)), 0);
	assert_int_equal(principal_row(principal_of_token(7)), 0);
}

/* Names that a hash held for one are two. */
TEST(a_role_is_its_application_and_its_name)
{
	static const struct {
		const char *text, *application, *name;
	} cases[] = { { "lead", "", "lead" }, { "shop:lead", "shop", "lead" },
		{ "allowed user", "", "allowed user" }, { "shop:", "shop", "" },
		{ "a:b:c", "a", "b:c" } };
	static const char *const wrong[] = { ":lead", "abcdefghijklmnopqrstu:lead",
		"shop:abcdefghijklmnopqrstu", "abcdefghijklmnopqrstu" };
	struct role_id id = { .name = "" };
	char text[ROLE_TEXT];

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(role_id_parse(cases[i].text, &id));
		assert_string_equal(id.application, cases[i].application);
		assert_string_equal(id.name, cases[i].name);
		assert_string_equal(role_id_text(id.application, id.name, text), cases[i].text);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(role_id_parse(wrong[i], &id));
	assert_int_equal(principal_of_root_before("admin"), principal_of_root_before("opsjzmodvq"));
}
