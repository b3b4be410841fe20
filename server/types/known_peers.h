/* known_peers.h - all who may connect to deploybot-link, in as little memory as that takes.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * The loop keeps thousands of them.  Counted, and never changed once it is whole.
 */
#pragma once

#include "types/peers.h"

struct known_peers;

/* For that many at most; one reference. */
struct known_peers *known_peers_new(size_t most) MUST_USE;
/* In the order of their identities, before anybody else has it. */
void known_peers_add(struct known_peers *peers, const struct peer *peer);
struct known_peers *known_peers_ref(struct known_peers *peers);
void known_peers_unref(struct known_peers *peers); /* takes NULL */

/* Certificates renew: LINK_CA_KEY is set. */
void known_peers_set_renewed(struct known_peers *peers, bool are_renewed);
bool known_peers_are_renewed(const struct known_peers *peers);

size_t known_peers_count(const struct known_peers *peers); /* of NULL: 0 */

/* The i-th; without who made it, and when.  Returns ret. */
const struct peer *known_peers_get(const struct known_peers *peers, size_t i, struct peer *ret);

/* Which it is; their count: nobody of that name is enrolled. */
size_t known_peers_find(const struct known_peers *peers, const char *identity) MUST_USE;

/* Why that key has not that name, as a sentence without its end; NULL: it has. */
const char *known_peers_fault(
    const struct known_peers *peers, const char *identity, const char *digest) MUST_USE;
