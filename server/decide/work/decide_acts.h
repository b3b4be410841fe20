/* decide_acts.h - the acts of a rule, as rows, effects and messages.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "types/git_answer.h"

/* Carries them out in their order; the deployment stands in its new state already, and is saved by
 * whoever calls.  answer: as decide_step() has it.  False: one of them was to refuse a cancel. */
bool decide_acts(struct tx *tx, struct deployment *deployment, const struct deploy_acts *acts,
    const struct git_answer *answer);
