/* fuzz_git_answer.c - what git is said to have answered.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"
#include "types/git_answer.h"

static void
check_commit(const char *commit, bool may_be_empty)
{
	size_t size = strlen(commit);

	assert((may_be_empty && size == 0) || size == 40 || size == 64);
	assert(strspn(commit, "0123456789abcdef") == size);
}

static void
check_line(const char *text)
{
	assert(fuzz_is_clean(text, false));
}

static void
check_lists(const struct git_answer *answer)
{
	assert(answer->n_changes <= COUNT(answer->change));
	for (size_t i = 0; i < answer->n_changes; i++) {
		check_commit(answer->change[i].commit, false);
		check_line(answer->change[i].author);
		check_line(answer->change[i].subject);
	}
	assert(answer->n_heads <= COUNT(answer->head));
	for (size_t i = 0; i < answer->n_heads; i++) {
		check_commit(answer->head[i].commit, false);
		check_line(answer->head[i].branch);
		assert(answer->head[i].branch[0] != '\0');
	}
	assert(answer->n_possible <= COUNT(answer->possible));
	for (size_t i = 0; i < answer->n_possible; i++) {
		assert(answer->possible[i].kind != GIT_NONE);
		check_line(answer->possible[i].name);
		check_line(answer->possible[i].about);
	}
}

static void
check(const char *text, int status)
{
	struct git_answer answer;
	struct err err = { .text = "" };
	bool is_whole = git_answer_decode(text, status, &answer, &err);

	check_line(answer.ref);
	check_line(answer.author);
	check_line(answer.subject);
	check_line(answer.branch);
	check_line(answer.error);
	check_commit(answer.commit, true);
	check_commit(answer.branch_commit, true);
	check_commit(answer.base, !answer.has_base);
	check_lists(&answer);
	assert(answer.count >= 0 && answer.at >= 0);
	assert(!is_whole || status == 0 || status == 64);
	assert((is_whole && status == 0) == (answer.error[0] == '\0'));
	assert(is_whole || strncmp(answer.error, err.text, sizeof(err.text) - 1) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	check(text, 0);
	check(text, 64);
	check(text, 69);
	free(text);
	return 0;
}
