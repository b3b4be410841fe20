/* commit.h - where what a release is made of comes from: git, or an archive that somebody sent.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A release is named by its commit.  Of SOURCE_GIT that is git's name of it; of SOURCE_UPLOAD it is
 * the SHA-256 of the archive, 64 digits, of which no git knows anything: its tree is the SHA-256 of
 * the lines that deploy/approved.sh says.
 */
#pragma once

#include "lib/base.h"

/* Words on disk, of the protocol, of /v1 and of scripts (SOURCE). */
#define COMMIT_SOURCES(S) S(GIT, "git") S(UPLOAD, "upload")

enum commit_source {
#define S(name, word) SOURCE_##name,
	COMMIT_SOURCES(S)
#undef S
	SOURCE_COUNT
};

/* Can git be asked about it?  Not about an upload, nor about "", which is none.  Before each
 * question to git, or to a forge, that names a commit. */
bool commit_is_git(enum commit_source source, const char *commit);

const char *commit_source_word(enum commit_source source);

/* SOURCE_COUNT: no such word. */
enum commit_source commit_source_of(const char *word);

/* Of whatever has both, for two parameters. */
#define COMMIT_OF(thing) (thing)->source, (thing)->commit

#define COMMIT_NAME 20 /* bytes, with the NUL */

/* How people read it: the first 7 digits of git's, "upload " and the first 12 of an archive's;
 * returns ret. */
const char *commit_name(enum commit_source source, const char *commit, char ret[COMMIT_NAME]);
/* The same of source and commit, for as long as the block in which it stands. */
#define commit_name_here(...) commit_name(__VA_ARGS__, (char[COMMIT_NAME]){ "" })
