/* Goal: an error carries one code and one sentence, whatever is put in front of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void
context_stands_before_the_cause(void **state)
{
	struct err err;

	(void)state;
	assert_false(err_set(&err, ERR_MISSING, "no such file %s", "x"));
	assert_false(err_wrap(&err, "reading %d", 7));
	assert_string_equal(err.text, "reading 7: no such file x");
	assert_int_equal(err.code, ERR_MISSING);
	assert_int_equal(err_exit_status(err.code), 66);
}

/* Goal: where it came from goes with it, also below a context, and not on to the next one. */
static void
a_failure_of_the_database_is_marked(void **state)
{
	struct err err;

	(void)state;
	(void)err_set(&err, ERR_IO, "x");
	assert_false(err.is_of_database);
	err.is_of_database = true;
	(void)err_wrap(&err, "reading");
	assert_true(err.is_of_database);
	(void)err_errno(&err, ERR_IO, EIO, "write");
	assert_false(err.is_of_database);
}

static void
a_full_disk_is_told_apart_from_other_failures(void **state)
{
	struct err err;

	(void)state;
	assert_false(err_errno(&err, ERR_IO, ENOSPC, "write"));
	assert_int_equal(err.code, ERR_FULL);
	assert_false(err_errno(&err, ERR_IO, EIO, "write"));
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.text, "write: "));
}

static void
a_text_too_long_is_cut_and_still_ends(void **state)
{
	char text[400];
	struct err err;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&err, ERR_IO, "%s", text);
	(void)err_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	(void)err_set(NULL, ERR_IO, "nobody listens");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(context_stands_before_the_cause),
		cmocka_unit_test(a_failure_of_the_database_is_marked),
		cmocka_unit_test(a_full_disk_is_told_apart_from_other_failures),
		cmocka_unit_test(a_text_too_long_is_cut_and_still_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
