/* decide_approval.h - an approver approves, rejects, or withdraws an approval; and what follows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "types/effect.h"
#include "types/git_answer.h"
#include "types/request.h"
#include "types/update.h"

/* Whoever sent the update, who may approve it, looks at it: who asked for it reads that. */
void decide_approval_seen(struct tx *tx, const struct update *update, struct deployment *work);

/* Each is answered, also where it is denied, or comes too late.  is_typed: it stands under no
 * question, and is a yes to the newest one that its chat was shown. */
void decide_approve(
    struct tx *tx, const struct update *update, struct deployment *work, bool is_typed);
void decide_reject(
    struct tx *tx, const struct update *update, struct deployment *work, const char *reason);
void decide_approval_withdraw(struct tx *tx, const struct update *update, struct deployment *work);

/* All that this person has given to work that has not begun; by whom, the update says. */
void decide_approval_withdraw_all(
    struct tx *tx, const struct update *update, int64_t person, const char *why);

/* May whoever sent the update approve or reject it now?  A no is said. */
bool decide_may_approve(struct tx *tx, const struct update *update, const struct deployment *work);

/* The work that a request is about: a button's, or by the number that was typed ("12", "#12"), with
 * what stands behind it in rest.  id 0: there is none for them, which was said. */
struct deployment *decide_approval_work(struct tx *tx, const struct update *update,
    const struct request *request, char rest[LIMIT_REF], struct deployment *ret);

/* Git has compared its commit with what was live, for the list that they read. */
void decide_approval_listed(struct tx *tx, struct deployment *work,
    const struct effect_git_query *query, const struct git_answer *answer);

/* Half of its time is over, or all of it. */
void decide_approval_due(struct tx *tx, int64_t work);

/* That person can be written to by now: they are asked about all that they may approve, but for
 * what is asked in a chat that is set for it. */
void decide_approvals_show(struct tx *tx, int64_t person);

/* Who asked for it, or what it needs, may be others. */
void decide_approval_look(struct tx *tx, struct deployment *work);

/* Settings are others: all that awaits approvals is looked at. */
void decide_approvals_look(struct tx *tx);
