/* decide_shown.h - what a question showed, and what is: asked, compared at the press and at the turn.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "types/git_answer.h"

/* The question is asked, and what it shows is noted, to be compared when it is confirmed, and when
 * its turn comes.  answer: NULL where git was not asked. */
void decide_ask(struct tx *tx, struct deployment *deployment, const struct git_answer *answer);

/* What has changed since; "": nothing.  answer: NULL where git was not asked. */
void decide_compare(struct tx *tx, const struct deployment *deployment,
    const struct git_answer *answer, char ret[LIMIT_LINE]);

/* Adds to the line what its commit contains that was blocked since it was shown, or since it
 * came. */
void
decide_compare_blocks(struct tx *tx, const struct deployment *deployment, char line[LIMIT_LINE]);

/* A rollback: somebody else was faster to flee the same release, and what was wanted is true. */
bool decide_is_overtaken(
    struct tx *tx, const struct deployment *work, const struct environment *environment);

/* Does its branch no longer have it, and those who approved it were not shown that?  answer: NULL
 * where git was not asked. */
bool decide_has_left(const struct deployment *work, const struct git_answer *answer);
/* Then that is noted, which voids what was approved, and stands behind what the line has. */
void
decide_note_left(struct deployment *work, const struct git_answer *answer, char line[LIMIT_LINE]);

/* The same question once more, with what has changed on top of it; nobody has answered it. */
void decide_ask_anew(struct tx *tx, struct deployment *deployment, const char *changed,
    const struct git_answer *answer);

/* A newer commit is no reason to ask again: it is noted. */
void decide_note_newer(struct deployment *deployment, const struct git_answer *answer);
