/* decide_restored.h - what a restored database has again: logins end, the admins are sent the rest.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/*
 * At a start on a copy, behind decide_sessions_look(): what was revoked or reset since it was made
 * is valid again, and nobody but people knows of it.  Ends all logins, and sends each admin the
 * tokens that are not over and the people with a second factor; nothing where there are none.
 */
void decide_restored(struct tx *tx);
