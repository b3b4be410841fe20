/* decide_bake.h - a release that passed its health gate is watched before it is live.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * With <ENV>_BAKE.  What is left of it stands in a row (row_bake.h) and is counted from look to
 * look, every 30 s: while nobody looked, as the server was away, nothing is counted but a minute.
 * decide_bake_said.h has what becomes of it.
 */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

#define DECIDE_BAKE_LOOK_MS INT64_C(30000)

/* Does it bake when its script has ended well, by the settings of this moment?  Reads no row. */
bool decide_bakes(const struct tx *tx, const struct deployment *work);

/* At its turn: is known what Prometheus says before its release, of what runs there now?  True
 * where that is not asked. */
bool decide_bake_is_measured(
    struct tx *tx, const struct deployment *work, const struct environment *now);

/* Asks Prometheus, where it is not being asked; decide_bake_said() goes on. */
void decide_bake_measure(struct tx *tx, const struct deployment *work);

/* A question about it is to be asked: what is wrong before it is shown there when it is known.  At
 * its turn that is asked once more. */
void decide_bake_ask(struct tx *tx, const struct deployment *work);

/* It begins to bake, or goes on with what is left. */
void decide_bake_begin(struct tx *tx, const struct deployment *work);

/* It is looked at next when that is due. */
void decide_bake_wait(struct tx *tx, const struct deployment *work, int64_t due);

/* After a start: somebody looks at it. */
void decide_bake_go_on(struct tx *tx, const struct deployment *work);

/* Another wave of it begins, whose bake will be one of its own. */
void decide_bake_anew(struct tx *tx, const struct deployment *work);

/* It has come to another state: what was asked for the one before is not waited for. */
void
decide_bake_enter(struct tx *tx, const struct deployment *work, enum deploy_state from);
