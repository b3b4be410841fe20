/* decide_wave_plan.h - which host is in which wave of a deployment, and which run is for whom.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

struct environment_settings;

/* Whoever is asked about it is shown which host is in which wave: the canary and those that failed
 * last time go with the first, then those that failed least lately, then by name.  That is what
 * runs, whatever fails meanwhile, until it is shown anew; is_anew false: what was shown stays. */
void decide_wave_show(struct tx *tx, const struct deployment *work, bool is_anew);

/* A line for each wave, as waves_show() reads it; free() it.  NULL: nobody was asked, or it is in
 * no waves: one wave is none, but to agents of a pattern. */
char *decide_wave_shown(struct tx *tx, const struct deployment *work) MUST_USE;

/* It begins: from now on each host has its wave, as it was shown.  Where all are in one it is in no
 * waves. */
void decide_wave_plan(
    struct tx *tx, struct deployment *work, const struct environment_settings *settings);

/* Is it a rollback by a person, to agents of a pattern?  No script knows which these are, so that
 * it is ordered to those that run something, though it is in no waves. */
bool decide_wave_rolls_agents_back(const struct tx *tx, const struct deployment *work);

/* That run is ordered to the hosts of its wave; of a rollback to those that it has touched and
 * that the settings name. */
void decide_wave_order(struct tx *tx, const struct deployment *work, struct effect_run *run);

/* How many of its hosts may fail, all waves together. */
int decide_wave_failures(struct tx *tx, const struct deployment *work);

/* It is over: what its hosts run is known, or it is not. */
void decide_wave_end(struct tx *tx, const struct deployment *work);
