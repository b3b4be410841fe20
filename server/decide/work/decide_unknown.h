/* decide_unknown.h - what runs in an environment is not known, until somebody has looked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/update.h"

struct tx;
struct deployment;

/*
 * From now on nothing is started there without a person's word: pushes keep their place, polls
 * wait, and what a person was about to confirm is refused, for its question did not say this.
 * The team's chat is notified, with the button that ends it.  Before the step that it goes with.
 */
void decide_unknown(struct tx *tx, const char *environment, const char *why);

/* A run of it has no folder.  Where the team was notified since the run began (by a start with
 * --restored), that warning stands, with its button. */
void decide_unknown_left(struct tx *tx, const struct deployment *deployment, const char *why);

/* A person leaves it so, and each host's release is known: the end of that work says which, with
 * the button, and nobody is notified besides. */
void decide_unknown_mixed(struct tx *tx, const char *environment, const char *why);

/* Notifies the team of an unknown environment that it has no button for: it was in no settings when
 * that began, and is now. */
void decide_unknown_again(struct tx *tx, const char *environment);

/* Whoever sent the update has looked: what waits goes on. */
void decide_looked(struct tx *tx, const struct update *update, const char *environment);
