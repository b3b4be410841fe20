/* decide_previous.h - which release a deployment replaces, and whether a rollback goes forward.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"

/* The key in a request "rollback" that lists them: the work whose question it stands under. */
#define DECIDE_OLDER "older"

/* The key in a request "rollback" below a message of trouble: it does nothing once that is over. */
#define DECIDE_TROUBLE "trouble"

/* The release that it would be rolled back to, as things stand; id 0: there is none. */
struct release decide_previous(struct tx *tx, const struct deployment *deployment);

/* Sets deployment->previous to that; "": there is none. */
void decide_set_previous(struct tx *tx, struct deployment *deployment);

/* To what is live, also where that is the same commit. */
void decide_set_previous_live(struct tx *tx, struct deployment *deployment);

/* Those that can be rolled back to, the newest first; where nobody knows what runs, what is live on
 * record is one of them.  Returns how many. */
size_t decide_list_earlier(
    struct tx *tx, const struct environment *environment, struct release *ret, size_t max);

/* Where a rollback goes that names no release: to what was brought back last, where that answers
 * healthy again; else to the newest that did not fail there since it was live; where all did, to
 * the newest.  id 0: there is none. */
struct release decide_choose_earlier(struct tx *tx, const struct environment *environment);

/* The same, as advice: none (id 0) where each of them has failed there since it was live. */
struct release decide_advise_earlier(struct tx *tx, const struct environment *environment);

/* Sets deployment->is_forward: what runs may have changed since it was asked for. */
void decide_set_direction(struct tx *tx, struct deployment *deployment);

/* What is live there; of a gate the commit of the last gate that ended well, where that is newer.
 * Returns ret; "": nothing. */
const char *decide_live(struct tx *tx, const struct deployment *work,
    const struct environment *environment, char ret[LIMIT_COMMIT]);

/* What git compares its commit with: the same, and nothing where that is an upload. */
const char *decide_git_base(struct tx *tx, const struct deployment *work,
    const struct environment *environment, char ret[LIMIT_COMMIT]);
