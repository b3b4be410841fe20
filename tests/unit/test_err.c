/* Goal: an error carries one code and one sentence, whatever is put in front of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/err.h"

#include "unit.h"

#include <errno.h>

TEST(context_stands_before_the_cause)
{
	struct err err;

	assert_false(err_set(&err, ERR_MISSING, "no such file %s", "x"));
	assert_false(err_wrap(&err, "reading %d", 7));
	assert_string_equal(err.text, "reading 7: no such file x");
	assert_int_equal(err.code, ERR_MISSING);
	assert_int_equal(err_exit_status(err.code), 66);
}

/* Goal: where it came from goes with it, also below a context, and not on to the next one. */
TEST(a_failure_of_the_database_is_marked)
{
	struct err err;

	(void)err_set(&err, ERR_IO, "x");
	assert_false(err.is_of_database);
	err.is_of_database = true;
	(void)err_wrap(&err, "reading");
	assert_true(err.is_of_database);
	(void)err_errno(&err, ERR_IO, EIO, "write");
	assert_false(err.is_of_database);
}

TEST(a_full_disk_is_told_apart_from_other_failures)
{
	struct err err;

	assert_false(err_errno(&err, ERR_IO, ENOSPC, "write"));
	assert_int_equal(err.code, ERR_FULL);
	assert_false(err_errno(&err, ERR_IO, EIO, "write"));
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.text, "write: "));
}

TEST(a_text_too_long_is_cut_and_still_ends)
{
	char text[400];
	struct err err;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&err, ERR_IO, "%s", text);
	(void)err_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	(void)err_set(NULL, ERR_IO, "nobody listens");
}
