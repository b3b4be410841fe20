/* peer_renewal.h - when a peer is to have its next key.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/peers.h"

#define PEER_RENEWAL_MS (3600 * INT64_C(1000)) /* one is asked for, and signed, once in that much */

/* Is half of its certificate's life over, or the end of that not known, and was none signed within
 * PEER_RENEWAL_MS? */
static inline bool
peer_may_renew(const struct peer *peer, int64_t at)
{
	int64_t last = peer->next_ends_at - PEER_LIFE_MS;

	return peer->revoked_at == 0 && at >= peer->ends_at - PEER_LIFE_MS / 2 &&
	    (at < last || at - last >= PEER_RENEWAL_MS); /* before: the clock was wrong then */
}

/* Is it the key that was signed last, and not seen? */
static inline bool
peer_is_next(const struct peer *peer, const char *digest)
{
	return digest[0] != '\0' && strcmp(peer->next_digest, digest) == 0;
}
