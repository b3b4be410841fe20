/* peers.h - who may connect to deploybot-link: an agent or a remote runner, and its key.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/crypto_ca.h"
#include "types/limits.h"

#define PEER_AGENT "agent/"
#define PEERS_MOST 12000 /* as many as deploybot-link lets connect */

struct peer {
	char identity[CRYPTO_CA_IDENTITY]; /* "agent/acme", as its certificate says; "": none */
	char digest[LIMIT_DIGEST];	   /* of its key, as crypto_ca_key_digest() gives it */
	int64_t made_at;		   /* wall ms */
	int64_t made_by;
	char by[LIMIT_PERSON];
	int64_t revoked_at; /* wall ms; 0: it is good */
};

/* All there are, in the order of their identities. */
struct known_peers {
	size_t n;
	struct peer *at; /* owned */
};

/* "acme" */
const char *peer_name(const struct peer *peer) MUST_USE;

/* Takes NULL. */
void known_peers_free(struct known_peers *peers);

/* Is it a name that a certificate may have: a-z 0-9 . -, none of these two first? */
bool peer_is_name(const char *name) MUST_USE;

/* Is it a digest: 64 lower-case hexadecimal digits? */
bool peer_is_digest(const char *text) MUST_USE;

/* Why that key has not that name, as a sentence without its end; NULL: it has. */
const char *peer_fault(const struct known_peers *peers, const char *identity, const char *digest)
    MUST_USE;
