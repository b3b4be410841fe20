/* decide_git.h - what git is asked for a deployment, and what it says of blocked commits.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "types/effect.h"
#include "types/git_answer.h"

/* Asks git; deployment: the one that waits for the answer, 0: none.  query is copied, and
 * the environment's blocked and rejected commits are added. */
void decide_git_query(struct tx *tx, const struct effect_git_query *query, int64_t deployment);

/* Asks git once for that ref of the deployment's environment, which is in the settings, where it is
 * not asked already. */
void decide_query_commit(
    struct tx *tx, const struct deployment *deployment, const char *ref, const char *requested_by);

/* The same of its own commit, until git answers. */
void decide_query_again(struct tx *tx, const struct deployment *deployment);

/* Notes the head of that branch, which is the environment's; where it has moved, what is approved
 * there is compared with git once more at its turn. */
void
decide_head_is(struct tx *tx, const char *environment, const char *branch, const char *commit);

/* Notes what git says of the head of that environment's branch, for /status; of an environment
 * without one, or of another branch, nothing. */
void decide_note_head(struct tx *tx, const char *environment, const struct git_answer *answer);

/* Notes which blocked commits git was asked about, and which of them are in its history.  What the
 * work has shown stays as it is. */
void
decide_note_blocks(struct tx *tx, struct deployment *deployment, const struct git_answer *answer);

/* Has something been blocked there since git was asked for it?  Of what brings a commit alone. */
bool decide_is_uncompared(struct tx *tx, const struct deployment *work);

/* Where decide_is_uncompared(): asks git, until it answers, unless it is asked already. */
void decide_query_blocked(struct tx *tx, const struct deployment *work);

/* Notes what git says of its commit over the live one: whether its release can be rolled back past,
 * and which blocked and rejected commits it contains: they are shown with its question,
 * and the blocked ones are freed when it goes live, where it is of the environment's branch. */
void
decide_contained(struct tx *tx, struct deployment *deployment, const struct git_answer *answer);

/* Those, but for a block of its own commit, the newest first; returns how many. */
size_t decide_list_contained(
    struct tx *tx, const struct deployment *deployment, struct block ret[LIMIT_BLOCKED]);

/* What git said would change, as the messages show it later: marked text. */
void decide_git_changes(struct tx *tx, const char *environment, const struct git_answer *answer,
    char *out, size_t room);
