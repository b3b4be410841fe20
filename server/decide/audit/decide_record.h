/* decide_record.h - what the audit, the log and the metrics get of a deployment's step.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"

/* What set it off, as the audit names it: the trigger's word, or "hook". */
const char *decide_record_trigger(const struct deployment *deployment);

/* It came from `from` to its state: the audit's entries of that, if any. */
void decide_record_step(struct tx *tx, const struct deployment *deployment, enum deploy_state from);

/* It is paused, or stays so, by deploybot: why, without the name of a person.  What led to it is
 * the work's. */
void decide_record_pause(struct tx *tx, const struct deployment *deployment, const char *why);

/* It has ended: counted, with how long it took. */
void decide_record_end(struct tx *tx, const struct deployment *deployment);

/* Each step, with the reason where it went wrong: a warning of the log says what the chat says. */
void decide_record_log(struct tx *tx, const struct deployment *deployment, enum deploy_state from,
    enum deploy_event event);
