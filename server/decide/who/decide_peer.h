/* decide_peer.h - which agents may connect to deploybot-link, and by which key.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"

struct json_out;

/* enrol and move with a code of theirs where REQUIRE_OTP names token; revoke at once.  Admins
 * alone, who are notified. */
void decide_peer(struct tx *tx, const struct api_request *api);

/* Puts "agents" into json: all of them, those that are revoked too.  For admins alone. */
void decide_peer_list(struct tx *tx, const struct api_request *api, struct json_out *json);
