/* decide_enrol.h - a second factor is made, confirmed and reset, asked for on the machine.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"

struct json_out;

/*
 * By whom the grant `2fa` on the whole server allows it.  Nobody makes, shows or resets by
 * themselves the factor that they would be asked for: root needs no code; a person needs one of
 * their own (a recovery code is one), for their own factor and for another's.  So who has none
 * makes none, nor does a user of the machine who is no person: they read that root does it.  Who
 * gave a code to make one goes on to confirm it without a second.
 *
 * add makes a secret, which goes into the answer and nowhere else; confirm takes the first code of
 * it, and answers with the recovery codes; recover takes one of these, their owner's too, and ends
 * a wait after wrong ones; reset ends it, when its notice has been sent to an admin, or ten minutes
 * later.  Each is told to that person and to all admins.
 */
void decide_enrol(struct tx *tx, const struct api_request *api, struct json_out *json);
