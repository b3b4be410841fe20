/* decide_place.h - where the rows of a target stand: a client that is an environment is in its queue.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* The environment that the rows of "client/acme" or of an environment name: its own name, or that
 * of the environment which the client is. */
const char *decide_place_rows(const struct tx *tx, const char *target);

/* Is that work in this environment, or done to this client? */
bool decide_place_has(const struct deployment *work, const char *target);

/* What is in progress there, else what is next, else what is asked about; id 0: nothing is.
 * person: only what they have asked for and may give back (deployment_is_own_place()); 0: all. */
struct deployment *
decide_place_open(struct tx *tx, const char *target, int64_t person, struct deployment *ret);

/* Are there others beside that work, of which nobody can say that it is meant?  What is in progress
 * or queued goes before what is asked for, and before loans, which go on beside each other. */
bool decide_place_has_more(
    struct tx *tx, const struct environment *environment, const struct deployment *work);
