/* decide_question.h - one open question for an environment and commit: shared, confirmed, asked anew.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "policy/policy.h"
#include "store/row_deployment.h"
#include "types/git_answer.h"
#include "types/update.h"

/* A person asked for a commit whose question is open, or a rollback: the request ends with a reply
 * to that question, which they may answer from then on, as may who has the role.  answer: NULL of a
 * rollback.  False: there is none. */
bool decide_share_question(struct tx *tx, struct deployment *request,
    const struct git_answer *answer);

/* The same of a push: the question stands as long as a push's, and in the team's chat too. */
bool decide_share_with_push(struct tx *tx, const char *environment,
    const struct git_answer *answer);

/* May the sender answer it?  One that they asked, or joined, needs the action itself; a push's and
 * another person's the grant `confirm`.  A no is said. */
bool decide_may_answer(struct tx *tx, const struct update *update,
    const struct deployment *deployment);

/* It stood with others of its push, and somebody chose it: it is asked about by itself.  answer:
 * what git says now; NULL: it could not. */
void decide_question_chosen(
    struct tx *tx, struct deployment *question, const struct git_answer *answer);

/* Whoever sent the update confirmed it: what it showed is compared with what is, for which git is
 * asked where it is a deployment.  False: its commit is being looked up, and it goes on then. */
bool decide_confirm(struct tx *tx, struct deployment *deployment, const struct update *update);

/* Whoever pressed wants it ended, and may; answered with a toast. */
void decide_press_cancel(struct tx *tx, const struct update *update,
    struct deployment *deployment);

/* Git answered (is_answered) what decide_confirm() asked: it starts, is queued, or asked anew. */
void decide_confirm_answered(struct tx *tx, struct deployment *deployment, bool is_answered,
    const struct git_answer *answer);
