/* decide_deployment.h - carries a deployment on by one event: its state, its acts, its messages.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * What commands and handlers decide together stands in this room: the rule table says what
 * follows, and decide_step() is the one place that makes it so.
 */
#pragma once

#include "policy/policy.h"
#include "store/row_deployment.h"
#include "types/git_answer.h"

/* Confirmations: how long a question stands. */
#define DECIDE_COMMAND_QUESTION_MS (120 * INT64_C(1000))
#define DECIDE_QUEUE_QUESTION_MS (600 * INT64_C(1000)) /* asked anew in its place */
#define DECIDE_PUSH_QUESTION_MS (24 * 3600 * INT64_C(1000))
/* Runs ordered for one program before it is given up. */
#define DECIDE_ATTEMPTS_MAX 3

/*
 * Takes the deployment through the rule table and carries out the acts, in their order: rows,
 * effects, audit, messages.  Set deployment->why, detail and the like before; all of it is
 * saved.  answer: what git said, where a question is about to be asked; else NULL.  False: the
 * rule said that it cannot be cancelled now; nothing else can be refused.
 */
bool decide_step(struct tx *tx, struct deployment *deployment, enum deploy_event event,
    const struct git_answer *answer);

/* What it needs to end is written down when it starts: URLs, and the release to roll back to.  An
 * action needs neither.  False: its environment is no longer in the settings. */
bool decide_prepare_start(struct tx *tx, struct deployment *deployment);

/* Is its commit what runs there already?  Not a rollback's, nor where what runs is in doubt. */
bool decide_is_live(struct tx *tx, const struct deployment *deployment);

/* They have confirmed it, and by which token (row_press.h); it has a row. */
void decide_confirmed(struct tx *tx, struct deployment *deployment, const struct update *update);

/* What the person of an update asks for; no row yet. */
struct deployment *decide_requested(struct tx *tx, const struct update *update,
    enum program program, const char *environment, struct deployment *ret);
