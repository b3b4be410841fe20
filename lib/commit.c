/* commit.c - the words of sources, and the one predicate before each question to git.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/commit.h"

#include <stdio.h>

#include "lib/column.h"
#include "lib/text.h"

static const char *const words[] = { COMMIT_SOURCES(COLUMN_SECOND) };

bool
commit_is_git(enum commit_source source, const char *commit)
{
	return source == SOURCE_GIT && commit[0] != '\0';
}

const char *
commit_source_word(enum commit_source source)
{
	assert(source < SOURCE_COUNT);
	return words[source];
}

enum commit_source
commit_source_of(const char *word)
{
	return (enum commit_source)text_index(word, words, COUNT(words));
}

const char *
commit_name(enum commit_source source, const char *commit, char ret[COMMIT_NAME])
{
	(void)snprintf(ret, COMMIT_NAME, source == SOURCE_UPLOAD ? "upload %.12s" : "%.7s", commit);
	return ret;
}
