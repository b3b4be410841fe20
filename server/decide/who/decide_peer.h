/* decide_peer.h - which agents and remote runners may connect to deploybot-link, and by which key.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"
#include "types/peers.h"

/* enrol and move with a code of theirs where REQUIRE_OTP names token; revoke at once.  Admins
 * alone, who are notified. */
void decide_peer(struct tx *tx, const struct api_request *api);

/* What the above and decide_peer_code.h have in common.  False: why was said, as an answer. */
bool decide_peer_may(struct tx *tx, const struct api_request *api) MUST_USE;
/* Of who asks, from now on; without a key. */
bool decide_peer_read_name(struct tx *tx, const struct api_request *api, struct peer *ret) MUST_USE;
/* May that name be enrolled, or has it something that can be moved? */
bool decide_peer_name_is_free(
    struct tx *tx, const struct peer *peer, const struct peer *before, bool is_move) MUST_USE;
bool decide_peer_key_is_free(struct tx *tx, const char *digest) MUST_USE;
/* True: it was asked for. */
bool decide_peer_lacks_factor(
    struct tx *tx, const struct api_request *api, const struct peer *peer) MUST_USE;

/* "agent" or "runner"; as a sentence begins. */
const char *decide_peer_role(const struct peer *peer) MUST_USE;
const char *decide_peer_role_begins(const struct peer *peer) MUST_USE;

/* Two hosts show its key, from these addresses; link has refused the second: audit, and to all
 * admins. */
void decide_peer_twice(struct tx *tx, const char *identity, const char *addresses);

/* Writes it down, with the key that it had before (""): audit, and to all admins. */
void decide_peer_put(struct tx *tx, const struct peer *peer, const char *before, bool is_move);
