/* delivery_forge.h - the forges that report pushes and whose jobs ask here, by their words.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* FORGE(name, word in rows, paths and metrics, what people call it) */
#define DELIVERY_FORGES(FORGE) \
	FORGE(GITHUB,    "github",    "GitHub") \
	FORGE(GITLAB,    "gitlab",    "GitLab") \
	FORGE(GITEA,     "gitea",     "Gitea") \
	FORGE(BITBUCKET, "bitbucket", "Bitbucket")

enum delivery_forge {
#define FORGE(name, ...) DELIVERY_##name,
	DELIVERY_FORGES(FORGE)
#undef FORGE
	DELIVERY_FORGE_COUNT
};

#define DELIVERY_FORGE 10 /* bytes with the NUL: the longest word */
#define FORGE(name, word, ...) _Static_assert(sizeof(word) <= DELIVERY_FORGE, word " is too long");
DELIVERY_FORGES(FORGE)
#undef FORGE

/* "gitlab", "GitLab". */
const char *delivery_forge_word(enum delivery_forge forge);
const char *delivery_forge_name(enum delivery_forge forge);

/* A requester as people read it: "octo (GitHub)" of "github:octo(7)", "mona (GitLab)" of
 * "gitlab:mona"; who is of no forge stays as it is.  Returns ret, or that; cut is fine. */
#define DELIVERY_PERSON 96
const char *delivery_forge_person(const char *requester, char ret[DELIVERY_PERSON]);
#define FORGE_PERSON(requester) delivery_forge_person(requester, (char[DELIVERY_PERSON]){ 0 })

/* By its word; of what is none it is GitHub's: rows of earlier versions have "". */
enum delivery_forge delivery_forge_of(const char *word);
