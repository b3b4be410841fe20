/* row_pipeline.h - runs of workflows, as their forge has said them, and which have failed.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Whoever speaks for one application (its webhook, the API that its settings name) says nothing of
 * another one's.
 */
#pragma once

#include "store/tx.h"
#include "types/pipeline_run.h"

#define ROW_PIPELINE_RED     200 /* are watched: the newest, and of whoever has most the fewest */
#define ROW_PIPELINE_RED_OWN 50	 /* of an application */

/* False: a later attempt or rank of that run is known, and nothing has changed. */
bool row_pipeline_note(struct tx *tx, const char *application, const struct pipeline_run *run);

/* The newest that counts as CI, by number and attempt, of the file, commit and branch that *ret
 * names (branch "": of any): fills repository, run (0: none is known), rank and conclusion
 * (until it is over, that of the attempt before).  Returns when that was said last, wall ms. */
int64_t row_pipeline_newest(struct tx *tx, const char *application, struct pipeline_run *ret);

/* Is a newer run of its file and branch over, and has succeeded or failed? */
bool row_pipeline_is_old(struct tx *tx, const char *application, const struct pipeline_run *run);

/* The latest that began, the newest first, with when each was said first and last; returns how
 * many. */
struct pipeline_row {
	struct pipeline_run run;
	int64_t at, seen_at;
};
size_t row_pipeline_list(
    struct tx *tx, const char *application, struct pipeline_row *ret, size_t most);

/* A workflow that is red on a branch: its newest run there that failed, and the message of all that
 * have since it was green. */
struct pipeline_red {
	int64_t id; /* 0: it is not red */
	int64_t chat; /* where that is said: applications of one repository may share it */
	int64_t run, attempt;
	int64_t message;
	int64_t since; /* wall ms */
	int64_t failures;
	char details[LIMIT_TAIL]; /* lines: job and step, then what annotates it; "": not known */
};

/* By that chat, and the run's file and branch; by its id, with *ret_run its newest failed run.
 * Returns ret. */
struct pipeline_red *row_pipeline_red(
    struct tx *tx, int64_t chat, const struct pipeline_run *run, struct pipeline_red *ret);
struct pipeline_red *row_pipeline_red_by_id(
    struct tx *tx, int64_t id, struct pipeline_red *ret, struct pipeline_run *ret_run);

/* The oldest that failed since then and since it was green, of that run's file and branch; commit
 * "": not known any more.  Returns ret. */
struct pipeline_run *row_pipeline_first_red(struct tx *tx, const char *application,
    const struct pipeline_run *run, int64_t since, struct pipeline_run *ret);

/* Does that chat have a message that such a run of this commit is red? */
bool row_pipeline_says_red(struct tx *tx, int64_t chat, const char *commit);

/* Makes the row of that run's file and branch, or has it say what *red says; sets its id. */
void row_pipeline_set_red(struct tx *tx, const char *application, const struct pipeline_run *run,
    struct pipeline_red *red);
void row_pipeline_drop_red(struct tx *tx, int64_t id);
