/* decide_act.h - carries out the acts of a rule.  For decide_step() alone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#ifndef DECIDE_ACT_H
#define DECIDE_ACT_H

#include "store/row_deployment.h"
#include "types/git_answer.h"

/* In their order; the deployment stands in its new state already.  False: one of them was to
 * refuse a cancel. */
bool decide_act(struct tx *tx, struct deployment *deployment, const struct deploy_acts *acts,
    const struct git_answer *answer);

#endif
