/* decide_waves.h - a deployment goes on from wave to wave, or is paused between or in one.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Each wave is a run of its own, with its health gate and its bake; decide_wave_plan.h has which
 * hosts it is for, and row_host.h what became of them.
 */
#pragma once

#include "deployment/run_verdict.h"
#include "store/tx.h"

/* Are there hosts behind those of the wave in hand? */
bool decide_waves_are_left(const struct deployment *work);

/* What its hosts have said decides how the run of a wave has ended, beside its record. */
void decide_waves_judge(struct tx *tx, struct deployment *work, struct run_ended *ended);

/* That run is over.  True: the wave was stopped or lost, what ships it was changed, or hosts do not
 * run what was released there, and the work is paused. */
bool decide_waves_cut(struct tx *tx, struct deployment *work, const struct run_ended *ended,
    const struct run_verdict *verdict) MUST_USE;

/* What that run did, or does, is not known: its hosts are unknown.  True: the work is paused. */
bool decide_waves_gone(struct tx *tx, struct deployment *work) MUST_USE;

/* Its script, and the health gate where there is one, have passed; event: what follows where no
 * bake and no further wave does. */
void decide_waves_passed(struct tx *tx, struct deployment *work, enum deploy_event event);

/* Its bake is over: it is live, the next wave begins, or it is paused until somebody wants that. */
void decide_waves_baked(struct tx *tx, struct deployment *work);

/* OPA was asked about the next wave, and has answered or could not. */
void decide_waves_judged(struct tx *tx, struct deployment *work);

/* Of one that is PAUSED: it goes on. */
void decide_waves_resume(struct tx *tx, struct deployment *work);

/* Some of its hosts have said something: its message says so soon, and then for some seconds not
 * again; and that moment has come. */
void decide_waves_said(struct tx *tx, const struct deployment *work);
void decide_waves_due(struct tx *tx, int64_t work);
