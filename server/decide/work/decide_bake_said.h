/* decide_bake_said.h - what becomes of a release that bakes: by Prometheus's word, time, or a person.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/bake.h"
#include "types/request.h"
#include "types/update.h"

/* The TIMER_BAKE of that work has fired: it is looked at. */
void decide_bake_due(struct tx *tx, int64_t work);

/* What Prometheus has said of it: before its release, or while it bakes. */
void decide_bake_said(struct tx *tx, int64_t work, const struct bake_look *look);

/* What a person may want of it; each is audited.  False: there is nothing of that kind to be done
 * as it stands, and nothing was. */
enum decide_bake_wish {
	DECIDE_BAKE_PAUSE, /* of one in progress whose script runs: when that has ended */
	DECIDE_BAKE_RESUME,
	DECIDE_BAKE_LIVE, /* they have seen enough */
	DECIDE_BAKE_LEAVE,
};
bool decide_bake_wants(struct tx *tx, const struct update *update, struct deployment *work,
    enum decide_bake_wish wish);

/* A button about what bakes (DECIDE_BAKE) does nothing to another work, and says so; what is typed
 * means what is there. */
bool decide_bake_is_meant(struct tx *tx, const struct update *update, const struct request *request,
    const struct deployment *active);
