/* decide_push.h - news that a branch may have moved, and what becomes of it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "types/git_answer.h"

/* Asks git, until it answers, for the newest commit of the environment's branch.  requested_by:
 * "github:login(7)", DECIDE_POLL when it was found by polling, or DECIDE_FIRST_POLL when nothing
 * follows from it.  push: what a delivery announced (until 0: what waited there), which alone is
 * theirs; NULL: nothing. */
void decide_query_head(struct tx *tx, const struct environment_settings *settings,
    const char *requested_by, const struct announced_push *push);

/* Words on disk. */
#define DECIDE_POLL	  DEPLOYMENT_FOUND
#define DECIDE_FIRST_POLL "git first"

/* A poll saw that the environment's branch is there. */
void decide_polled(struct tx *tx, const struct environment_settings *settings, const char *commit);

/* The newest block when that push came: as its host announced it; else when git showed another head
 * for the last time, right behind which it may have been pushed.  As long as what was announced was
 * not seen the push may have been announced before that, by a delivery that was overtaken. */
int64_t decide_came_block(
    struct tx *tx, const char *environment, const struct git_answer *answer);

/* That commit was announced by who pushed it: what is open, waits or is queued there with it, and
 * was found before anybody was known to have pushed it, is theirs. */
void decide_name_pusher(
    struct tx *tx, const char *environment, const char *commit, const char *pushed_by);

/* The branch's head, as git has it: deployed, asked about, queued or blocked; nothing where it was
 * seen before. */
void decide_head(struct tx *tx, const struct environment_settings *settings,
    const struct git_answer *answer, const struct effect_git_query *query);
