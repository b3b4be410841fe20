/* decide_factor_state.h - what this decision knows of a code: is one wanted, for what, was it typed?  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Whose code was taken is tx->factor_of, as rows record it.  All else is here: a decision that no
 * code concerns reads as none wanted, for nothing, of no work.
 */
#pragma once

#include "store/tx.h"

/* Is one missing, so that nothing was done (decide_lacks.h)?  Drop: a no comes first. */
bool decide_factor_is_wanted(const struct tx *tx) MUST_USE;
void decide_factor_drop(struct tx *tx);

/* "shop/production deploy"; "": none was wanted. */
const char *decide_factor_for(const struct tx *tx);

/* The work whose question is answered with one; 0: none's. */
void decide_factor_set_work(struct tx *tx, int64_t work);
int64_t decide_factor_work(const struct tx *tx) MUST_USE;

/* The code, or one that recovers, with which the caller goes on: what its pad is for is decided
 * now.  "": none has come. */
void decide_factor_set_typed(struct tx *tx, const char *code);
const char *decide_factor_typed(const struct tx *tx);

/* This is a trial: what it does is undone (decide_factor_try.h). */
bool decide_factor_is_trial(const struct tx *tx) MUST_USE;

/* What is decided was counted when it came. */
bool decide_factor_is_counted(const struct tx *tx) MUST_USE;
