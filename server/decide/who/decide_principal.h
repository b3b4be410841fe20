/* decide_principal.h - who somebody is to the policy, with what they act with at this moment.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/principal.h"

/*
 * Who that is at this moment: with the role that root has said, a hook is, a token has or a login
 * lends them, and with what was recorded of their ends.  For this decision alone.
 */
struct principal decide_principal(struct tx *tx, int64_t person);

/* The person who has pushed, by a requester as "github:mona(7)" or "gitlab:mona(7)"; 0: nobody who
 * is known, or it is none. */
int64_t decide_principal_pusher(const struct settings *s, const char *requester);

/* An end that has come is recorded: a clock that is set back makes nobody's role good again. */
void decide_principal_note_ends(struct tx *tx);

/* Has this person a role of their own in force?  What a login lends is none. */
bool decide_has_own_role(struct tx *tx, int64_t person);
