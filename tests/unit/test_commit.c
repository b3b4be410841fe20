/* Goal: one predicate says what git can be asked about, and each text names an upload as one.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/commit.h"

#include "unit.h"

#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(git_is_asked_about_its_own_commits_alone)
{
	assert_true(commit_is_git(SOURCE_GIT, "0123456789abcdef0123456789abcdef01234567"));
	assert_true(commit_is_git(SOURCE_GIT, DIGITS)); /* a repository of SHA-256 */
	assert_false(commit_is_git(SOURCE_UPLOAD, DIGITS));
	assert_false(commit_is_git(SOURCE_GIT, "")); /* nothing is live */
	assert_false(commit_is_git(SOURCE_UPLOAD, ""));
}

TEST(a_word_is_read_as_it_was_written_and_no_other)
{
	for (int source = 0; source < SOURCE_COUNT; source++)
		assert_int_equal(
		    commit_source_of(commit_source_word((enum commit_source)source)), source);
	assert_int_equal(commit_source_of("svn"), SOURCE_COUNT);
	assert_int_equal(commit_source_of(""), SOURCE_COUNT);
}

TEST(people_read_what_it_is)
{
	assert_string_equal(commit_name_here(SOURCE_GIT, DIGITS), "0123456");
	assert_string_equal(commit_name_here(SOURCE_UPLOAD, DIGITS), "upload 0123456789ab");
	assert_string_equal(commit_name_here(SOURCE_GIT, ""), "");
}
