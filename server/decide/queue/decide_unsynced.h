/* decide_unsynced.h - places that wait until server and runner have the same settings.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/question.h"
#include "store/row_deployment.h"

/* At its turn: its minute is not over (decide_binding_changed()), or the settings of its list are
 * not those that the server has read, which alone say what it claims.  Then the runner is asked for
 * its list until they are the same. */
bool decide_is_unsynced(
    struct tx *tx, const struct deployment *deployment, const struct question *question);

/* Somebody answered for it, and the runner had given no list: it starts only when they have
 * answered again, for the one that the runner is asked for now. */
bool decide_is_unbound(const struct deployment *deployment);

/* It waits for the runner's list, for either reason. */
void decide_unsynced_wait(struct tx *tx, int64_t work, struct question *question);

/* It is time: for one, or, where settings were read, for all that were not refused too often. */
void decide_unsynced_look(struct tx *tx, int64_t work);
void decide_unsynced_look_all(struct tx *tx);

/* The runner's list, about one in the queue; NULL: it gave none. */
void decide_unsynced_answered(struct tx *tx, struct deployment *deployment, const char *list);
