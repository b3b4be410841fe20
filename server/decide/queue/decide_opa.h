/* decide_opa.h - what OPA says of some work as it is now: asked at the request, and at its turn.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * With OPA_URL.  An answer counts for that work, for the SHA-256 of that input, and for 60 s, and
 * so does that there was none.  OPA can only take away: grants decide first.  It is not asked about
 * what restores an earlier state, and at the request not about a person's rollback or an emergency:
 * these are asked at their turn, and go on without an answer.  So is each further wave.
 */
#pragma once

#include "deployment/deployment.h"
#include "store/row_opa.h"
#include "types/git_answer.h"

/* YES: or it is not asked about, or goes on without an answer.  *ret: what is known of it, with
 * work 0 where it is not asked about. */
enum opa_verdict decide_opa(struct tx *tx, const struct deployment *work, struct opa_row *ret);

/* Before anything follows a request.  True: OPA is asked, and what is known of it is kept; with its
 * answer decide_opa_said() goes on.  answer: git's; NULL: it was not asked. */
bool decide_opa_first(struct tx *tx, struct deployment *work, const struct git_answer *answer,
    bool is_to_ask) MUST_USE;

/* It waits in its place: OPA is asked, where it is not being asked; after 2, 5, 10 … 60 s where the
 * last question had no answer. */
void decide_opa_ask(struct tx *tx, const struct deployment *work);

/* It starts.  Without an answer that is audited. */
void
decide_opa_passed(struct tx *tx, const struct deployment *work, const struct opa_row *row);

/* It has come to another state: what is being asked is not waited for. */
void decide_opa_enter(struct tx *tx, const struct deployment *work);

/* "OPA: no deployments on Fridays".  Returns ret. */
const char *decide_opa_no(const struct opa_row *row, char ret[LIMIT_LINE]);
