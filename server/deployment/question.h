/* question.h - what whoever answers for some work was shown, and what it is compared with.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

/* All zero where nobody was asked, and nothing was bound. */
struct question {
	char shown_live[LIMIT_COMMIT]; /* What the question said is live; "": nothing. */
	int64_t shown_at;	       /* Wall ms: it was asked last; 0: nobody was. */
	/* Numbers of blocks.  The one of its own commit that was shown; 0: that one is not blocked.
	 * The newest that was shown, if its commit contains it; of what no person asked for: the
	 * newest that was there when it came.  The newest that git was asked about. */
	int64_t shown_own, shown_block, compared_block;
	char warning[LIMIT_LINE];      /* Of a zone under attack, as it was shown; "": none. */
	char shown_image[LIMIT_IMAGE]; /* Of its commit, as git_answer.image. */
	char differing[LIMIT_LINE];    /* Settings that are not as was shown; "": all are. */
	int n_changed;		       /* The runner refused it so often for another list. */
	int64_t not_before;	       /* Wall ms: it is decided on again then; 0: with its turn. */
	bool is_unconfirmed; /* What was confirmed has changed since: asked anew at its turn. */
	char seen_by[LIMIT_LINE]; /* Of those who may approve it, who looked; cut. */
};
