/* Goal: what git said is understood whole or not at all, and is safe to show.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "types/git_answer.h"

#include <time.h>

#include "lib/err.h"
#include "lib/text.h"
#include "lib/clean.h"
#include "unit.h"

#define A40 "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
#define B40 "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c"

static const char whole[] =
    "==> fetching\nref develop\nkind branch\ncommit " A40 "\ntree " B40 "\nauthor Ann Example\n"
    "at 1767225600\nsubject Make the button blue\nbranch develop\nbranch_commit " A40 "\n"
    "in_branch 1\nbase " B40 "\nforced 0\ncount 12\n"
    "change " A40 " Ann Example\tMake the button blue\n"
    "change " B40 " Bob\tFix it\nmirror 4096\n"
    "past " B40 " drops a column\npast odd drops\npast " A40 "\n"
    "contains " B40 "\nfrom_the_future yes\nend\n";

TEST(commits_are_decoded_field_by_field)
{
	struct git_answer answer;
	struct err err;

	assert_true(git_answer_decode(whole, 0, &answer, &err));
	assert_string_equal(answer.ref, "develop");
	assert_int_equal(answer.kind, GIT_BRANCH);
	assert_string_equal(answer.commit, A40);
	assert_string_equal(answer.tree, B40);
	assert_string_equal(answer.author, "Ann Example");
	assert_true(answer.at == INT64_C(1767225600000));
	assert_string_equal(answer.subject, "Make the button blue");
	assert_string_equal(answer.branch_commit, A40);
	assert_true(answer.in_branch);
	assert_true(answer.has_base);
	assert_string_equal(answer.base, B40);
	assert_false(answer.forced);
	assert_int_equal(answer.count, 12);
	assert_int_equal(answer.mirror, 4096);
	assert_int_equal(answer.n_changes, 2);
	assert_string_equal(answer.change[1].commit, B40);
	assert_string_equal(answer.change[1].author, "Bob");
	assert_string_equal(answer.change[1].subject, "Fix it");
	assert_int_equal(answer.n_past, 2);
	assert_string_equal(answer.past[0].commit, B40);
	assert_string_equal(answer.past[0].reason, "drops a column");
	assert_string_equal(answer.past[1].reason, "no reason is given");
	assert_int_equal(answer.n_contained, 1);
	assert_string_equal(answer.contained[0], B40);
	assert_string_equal(answer.error, "");
}

TEST(an_upload_is_decoded_with_how_much_it_is)
{
	static const char text[] =
	    "kind upload\ncommit " A40 "\ntree " B40 "\nin_branch 0\nforced 0\ncount 0\n"
	    "files 12\nbytes 34567\nbarrier drops a column\nend\n";
	struct git_answer answer;

	assert_true(git_answer_decode(text, 0, &answer, NULL));
	assert_int_equal(answer.kind, GIT_UPLOAD);
	assert_string_equal(answer.tree, B40);
	assert_true(answer.files == 12 && answer.bytes == 34567);
	assert_string_equal(answer.barrier, "drops a column");
	assert_false(answer.in_branch || answer.has_base);
	assert_string_equal(answer.violation, "");
}

TEST(why_an_archive_is_refused_is_a_sentence_and_a_word)
{
	static const struct {
		const char *text;
		const char *violation;
	} rows[] = { { "error \"../x\" leads out\nviolation archive_traversal\nend\n",
			 "archive_traversal" },
		{ "error it is odd\nviolation Odd Word\nend\n", "" },
		{ "error it is odd\nviolation a_word_that_is_longer_than_any\nend\n", "" },
		{ "error it is odd\nviolation \nend\n", "" },
		{ "error it cannot be read\nend\n", "" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct git_answer answer;

		assert_false(git_answer_decode(rows[i].text, 65, &answer, NULL));
		assert_string_equal(answer.violation, rows[i].violation);
		assert_true(answer.error[0] != '\0' && answer.commit[0] == '\0');
	}
}

TEST(heads_are_decoded)
{
	struct git_answer answer;

	assert_true(git_answer_decode(
	    "head " A40 " main\nhead " B40 " release/1 2\nend\n", 0, &answer, NULL));
	assert_int_equal(answer.n_heads, 2);
	assert_string_equal(answer.head[0].branch, "main");
	assert_string_equal(answer.head[1].branch, "release/1 2");
	assert_string_equal(answer.head[1].commit, B40);
}

TEST(an_unknown_ref_is_an_answer_with_what_is_possible)
{
	struct git_answer answer;

	assert_true(git_answer_decode("error no branch, tag or commit of the repository: devlop\n"
				      "possible branch develop\npossible tag v1.2\nend\n",
	    64, &answer, NULL));
	assert_string_equal(answer.error, "no branch, tag or commit of the repository: devlop");
	assert_int_equal(answer.n_possible, 2);
	assert_int_equal(answer.possible[1].kind, GIT_TAG);
	assert_string_equal(answer.possible[1].name, "v1.2");
	assert_string_equal(answer.possible[1].about, "");
	assert_true(git_answer_decode("error 1a2b3c4 is ambiguous\npossible commit " A40
				      "\tbranch 1a2b3c4: Fix\x01\nend\n",
	    64, &answer, NULL));
	assert_string_equal(answer.possible[0].name, A40);
	assert_string_equal(answer.possible[0].about, "branch 1a2b3c4: Fix");
}

TEST(an_answer_cut_anywhere_is_no_answer)
{
	for (size_t n = 0; n < strlen(whole) - 4; n++) {
		struct git_answer answer;
		struct err err = { .code = ERR_NONE };
		char text[sizeof(whole)];

		memcpy(text, whole, n);
		text[n] = '\0';
		assert_false(git_answer_decode(text, 0, &answer, &err));
		assert_int_equal(err.code, ERR_IO);
		assert_string_not_equal(answer.error, "");
		assert_string_equal(answer.commit, ""); /* nothing half is left */
	}
}

TEST(a_git_that_could_not_answer_says_why)
{
	static const struct {
		const char *text;
		int status;
		const char *error;
		bool advised;
	} samples[] = {
		{ "error fatal: could not read from remote repository.\n", 69,
		    "fatal: could not read from remote repository.", false },
		{ "the runner is not there", 69, "the runner is not there", false },
		{ "one\ntwo\n\n", 1, "two", false },
		{ "", 69, "git did not answer (status 69)", false },
		{ NULL, 75, "git did not answer (status 75)", false },
		{ "error \x1b[31mred\xe2\x80\xae\n", 69, "[31mred", false },
		{ "error fatal: whose is it?\n", 69, "fatal: whose is it?", false },
		{ "error fatal: another's; chown it\nadvised 1\n", 69, "fatal: another's; chown it",
		    true },
	};

	for (size_t i = 0; i < COUNT(samples); i++) {
		struct git_answer answer;

		assert_false(git_answer_decode(samples[i].text, samples[i].status, &answer, NULL));
		assert_string_equal(answer.error, samples[i].error);
		assert_int_equal(answer.advised, samples[i].advised);
	}
}

TEST(a_value_that_is_none_spoils_the_answer)
{
	static const char *const bad[] = {
		"commit 1a2b\nend\n",
		"commit " A40 "0\nend\n",
		"commit 1A2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D\nend\n",
		"branch_commit none\nend\n",
		"base 1a2b\nend\n",
		"forced maybe\nend\n",
		"in_branch yes\nend\n",
		"count -1\nend\n",
		"head " A40 " ma\x01in\nend\n",
		"commit " A40 "\nforced 0\ncount 0\nend\n",
		"commit " A40 "\nin_branch 1\ncount 0\nend\n",
		"commit " A40 "\nin_branch 1\nforced 0\nend\n",
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct git_answer answer;

		assert_false(git_answer_decode(bad[i], 0, &answer, NULL));
		assert_non_null(strstr(answer.error, "cannot be read: bad "));
	}
}

TEST(the_image_is_a_digest_or_why_there_is_none)
{
	static const char digest[] =
	    "sha256:1111111111111111111111111111111111111111111111111111111111111111";
	static const struct {
		const char *said, *taken;
	} samples[] = {
		{ digest, digest },
		{ "build", "build" },
		{ "none", "none" },
		{ "unknown", "unknown" },
		{ "sha256:1111", "" },
		{ "sha256:111111111111111111111111111111111111111111111111111111111111111G", "" },
		{ "later", "" },
	};

	for (size_t i = 0; i < COUNT(samples); i++) {
		struct git_answer answer;
		char text[512];

		(void)snprintf(text, sizeof(text),
		    "commit " B40 "\nin_branch 0\nforced 0\ncount 0\nimage %s\nend\n",
		    samples[i].said);
		assert_true(git_answer_decode(text, 0, &answer, NULL));
		assert_string_equal(answer.image, samples[i].taken);
	}
}

/* Anybody may write anything into a commit: what only decorates never hides one. */
TEST(what_only_decorates_may_be_missing_or_odd)
{
	static const struct {
		const char *line;
		size_t n_changes;
	} samples[] = {
		{ "author", 0 },
		{ "author ", 0 },
		{ "at", 0 },
		{ "at ", 0 },
		{ "at tomorrow", 0 },
		{ "at -1", 0 },
		{ "at 253402300800", 0 },
		{ "at 99999999999999999999", 0 },
		{ "subject \xe2\x80\x8b\xe2\x80\x8b", 0 },
		{ "kind banana", 0 },
		{ "ref", 0 },
		{ "ref \xe2\x80\xae", 0 },
		{ "branch \xe2\x80\xae", 0 },
		{ "mirror", 0 },
		{ "mirror a lot", 0 },
		{ "mirror 99999999999999999999", 0 },
		{ "image", 0 },
		{ "image sha256:abc", 0 },
		{ "image soon", 0 },
		{ "change", 0 },
		{ "change short Ann\tx", 0 },
		{ "change " B40, 1 },
		{ "change " B40 " no tab", 1 },
		{ "change " B40 "\tno author", 0 },
		{ "change " B40 " \t", 1 },
	};

	for (size_t i = 0; i < COUNT(samples); i++) {
		struct git_answer answer;
		char text[512];

		(void)snprintf(text, sizeof(text),
		    "commit " A40 "\n%s\nin_branch 0\nforced 1\ncount 1\nend\n", samples[i].line);
		assert_true(git_answer_decode(text, 0, &answer, NULL));
		assert_string_equal(answer.commit, A40);
		assert_true(answer.forced && answer.count == 1 && answer.at == 0);
		assert_int_equal(answer.n_changes, samples[i].n_changes);
		/* A branch is there, whatever it is called: the commit is not in it. */
		assert_int_equal(
		    answer.branch[0] != '\0', strncmp(samples[i].line, "branch", 6) == 0);
	}
}

TEST(texts_of_strangers_are_cleaned_and_cut)
{
	struct git_answer answer;
	char text[6000] = "author \xe2\x80\xaenn\x01"
			  "a\nsubject ";
	size_t n = strlen(text);

	memset(text + n, 'x', 5000);
	memcpy(text + n + 5000, "\nend\n", 6);
	assert_true(git_answer_decode(text, 0, &answer, NULL));
	assert_string_equal(answer.author, "nna");
	assert_int_equal(strlen(answer.subject) < LIMIT_SUBJECT, 1);
	assert_true(text_ends(answer.subject, "\xe2\x80\xa6"));
}

TEST(more_than_is_kept_is_only_counted)
{
	struct git_answer answer;
	char text[20000] = "count 300\n";

	for (int i = 0; i < 30; i++) {
		size_t n = strlen(text);

		(void)snprintf(text + n, sizeof(text) - n,
		    "change " A40 " A\tb%d\nhead " B40 " b%d\ncontains " A40 "\n", i, i);
	}
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "end\n");
	assert_true(git_answer_decode(text, 0, &answer, NULL));
	assert_int_equal(answer.n_changes, LIMIT_COMMITS);
	assert_int_equal(answer.n_heads, LIMIT_ENVIRONMENTS);
	assert_int_equal(answer.n_contained, LIMIT_BLOCKED);
	assert_int_equal(answer.count, 300);
}

/* Under the sanitizers: no bytes make it read or write where it must not. */
TEST(random_bytes_do_no_harm)
{
	unsigned seed = (unsigned)time(NULL);

	print_message("seed %u\n", seed);
	for (int round = 0; round < 20000; round++) {
		struct git_answer answer;
		char text[sizeof(whole)];

		memcpy(text, whole, sizeof(whole));
		for (int i = rand_r(&seed) % 8; i >= 0; i--)
			text[(size_t)rand_r(&seed) % (sizeof(whole) - 1)] = (char)rand_r(&seed);
		(void)!git_answer_decode(text, rand_r(&seed) % 2 == 0 ? 0 : 64, &answer, NULL);
		assert_true(clean_is_utf8(answer.subject, strlen(answer.subject)));
		assert_true(clean_is_utf8(answer.error, strlen(answer.error)));
	}
}
