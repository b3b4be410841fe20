/* decide_enrol.h - a second factor is made, confirmed and reset, asked for on the machine.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"

struct json_out;

/*
 * By whom the grant `2fa` allows it, and without a code of theirs: who has one first would need it
 * to get one.  add makes a secret, which goes into the answer and nowhere else; confirm takes the
 * first code of it, and answers with the recovery codes; recover takes one of these, their owner's
 * too, and ends a wait after wrong ones; reset ends it, when its notice has been sent to
 * an admin, or ten minutes later.  Each is told to that person and to all admins.
 */
void decide_enrol(struct tx *tx, const struct api_request *api, struct json_out *json);
