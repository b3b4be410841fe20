/* Goal: who acts has one text, which reads back as who it was, and stands for one person at most.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/principal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void
a_text_reads_back_as_who_it_was(void **state)
{
	static const char *const texts[] = { "system", "telegram:42",
		"telegram:9223372036854775807", "local:ada(1000)", "token:ci", "hook:build-done",
		"github:login(7)", "github:a:b" };

	(void)state;
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

static void
what_is_nobody_changes_nothing(void **state)
{
	static const char *const wrong[] = {
		"", "42", "telegram", "telegram:", "telegram:x", "telegram:0", "telegram:-1",
		"telegram:42 ", "telegram:9223372036854775808", "system:1",
		"system:", "Telegram:42", "github:", "github", "martian:1",
		"github:0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
	};
	struct principal who = principal_of_person(7);

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (principal_parse(wrong[i], &who))
			fail_msg("\"%s\" is nobody", wrong[i]);
	assert_int_equal(principal_person(&who), 7);
	who = (struct principal){ 0 };
	assert_int_equal(principal_person(&who), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_reads_back_as_who_it_was),
		cmocka_unit_test(what_is_nobody_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
