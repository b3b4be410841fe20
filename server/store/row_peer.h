/* row_peer.h - agents and remote runners that are enrolled, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/known_peers.h"

/* Identity "": there is none. */
struct peer row_peer_get(struct tx *tx, const char *identity);
/* Whose key that is, or is to be. */
struct peer row_peer_of_key(struct tx *tx, const char *digest);

/* In the place of the one of that identity, whose list of capabilities it keeps.  The loop gets
 * them all anew. */
void row_peer_put(struct tx *tx, const struct peer *peer);

/* What it may be ordered from now on, as it says so itself; that list, "": none, or nothing was
 * said yet.  Returns ret. */
void row_peer_set_manifest(struct tx *tx, const char *identity, const char *list);
const char *row_peer_manifest(struct tx *tx, const char *identity, char ret[LIMIT_MANIFEST]);

/* Those whose list has changed since then and that are not revoked: the first n, and how many. */
size_t row_peer_changed(
    struct tx *tx, int64_t since, struct peer *ret, size_t n, int64_t *ret_all);

/* Behind that identity ("": from the first): n at most. */
#define ROW_PEER_PAGE 64
size_t row_peer_list(struct tx *tx, const char *after, struct peer *ret, size_t n);

/* The agents whose names begin so and that are not revoked, by name, as identities: n at most. */
typedef char row_peer_identity[CRYPTO_CA_IDENTITY];
size_t row_peer_agents(struct tx *tx, const char *begin, row_peer_identity *ret, size_t n);

/* All there are, a reference of the caller's; NULL: SQL failed. */
struct known_peers *row_peer_known(struct tx *tx) MUST_USE;
bool row_peer_is_full(struct tx *tx) MUST_USE;
