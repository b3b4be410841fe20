/* peers.c - who may connect to deploybot-link: an agent or a remote runner, and its key.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/peers.h"

#include <stdlib.h>

const char *
peer_name(const struct peer *peer)
{
	return strchr(peer->identity, '/') + 1; /* there is one in each */
}

void
known_peers_free(struct known_peers *peers)
{
	if (peers == NULL)
		return;
	free(peers->at);
	free(peers);
}

bool
peer_is_name(const char *name)
{
	size_t size = strlen(name);

	return size > 0 && size <= CRYPTO_CA_NAME_MAX && strchr(".-", name[0]) == NULL &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == size;
}

bool
peer_is_digest(const char *text)
{
	return strlen(text) == LIMIT_DIGEST - 1 &&
	    strspn(text, "0123456789abcdef") == LIMIT_DIGEST - 1;
}

static int
compare(const void *identity, const void *peer)
{
	return strcmp(identity, ((const struct peer *)peer)->identity);
}

static const struct peer *
find(const struct known_peers *peers, const char *identity)
{
	return peers->n == 0 ? NULL :
			       bsearch(identity, peers->at, peers->n, sizeof(*peers->at), compare);
}

const char *
peer_fault(const struct known_peers *peers, const char *identity, const char *digest)
{
	const struct peer *peer = find(peers, identity);

	if (peer == NULL)
		return "nobody of that name is enrolled";
	if (peer->revoked_at != 0)
		return "it was revoked";
	return strcmp(peer->digest, digest) == 0 ? NULL : "another key has that name";
}
