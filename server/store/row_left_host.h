/* row_left_host.h - hosts that a rollback has left out, until a release reaches them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* Those of a comma list ("": none) alone; who was left out before keeps commit and time. */
void
row_left_host_set(struct tx *tx, const char *environment, const char *hosts, const char *commit);

/* It is none of the environment's any more. */
void row_left_host_remove(struct tx *tx, const char *environment, const char *host);

/* By name; returns how many of them there are. */
size_t
row_left_host_list(struct tx *tx, const char *environment, struct left_host ret[LEFT_HOSTS_SHOWN]);

/* Of all environments, "staging: h2 has 1a2b3c4", as far as they fit; for who is no decision.
 * False: there are none, or it cannot be read (NULL). */
bool row_left_host_look(struct db *db, char ret[LIMIT_LINE]);
