/* decide_poll.h - whose repository is asked for its heads, and when.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Each repository is asked once for the branches of all applications that share it, and all of them
 * spread over the interval: one timer, whose row says whose turn comes next.  At most
 * DECIDE_POLL_QUERIES are asked at a time; a round that does not fit its interval takes longer, and
 * the metric says so.
 */
#pragma once

#include "store/tx.h"
#include "types/git_answer.h"

#define DECIDE_POLL_QUERIES 8

/* The TIMER_POLL of tx->effect has fired: asks git for the heads of whose turn it is. */
void decide_poll(struct tx *tx);

/* git has answered the GIT_QUERY_HEADS of tx->effect; it could not, and why: the first of a row is
 * logged. */
void decide_poll_answered(struct tx *tx, const struct git_answer *answer);
void decide_poll_failed(struct tx *tx, const char *why);

/* A poll is due after the interval, unless one is waited for already, or nobody wants any. */
void decide_poll_later(struct tx *tx);

/* The program has begun: a round begins in a few seconds, whatever an earlier one waited for, and
 * does not take its time, for pushes may have been missed. */
void decide_poll_begin(struct tx *tx);
