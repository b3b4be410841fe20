/* known_peers.c - all who may connect to deploybot-link, in as little memory as that takes.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/known_peers.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/peer_renewal.h"

#define TEXTS_MAX ((size_t)PEERS_MOST * CRYPTO_CA_IDENTITY)
#define KEY	  ((LIMIT_DIGEST - 1) / 2)

struct packed {
	uint32_t identity; /* where it begins in texts */
	bool has_next, has_manifest;
	uint8_t digest[KEY], next[KEY], manifest[KEY];
	int64_t revoked_at, ends_at, next_ends_at;
};

struct known_peers {
	atomic_int count;
	bool are_renewed;
	size_t n, most;
	struct buf texts; /* identities, each with a NUL */
	struct packed at[];
};

struct known_peers *
known_peers_new(size_t most)
{
	struct known_peers *peers = mem_new(1, sizeof(*peers) + most * sizeof(peers->at[0]));

	peers->count = 1;
	peers->most = most;
	buf_init(&peers->texts, TEXTS_MAX);
	return peers;
}

/* "": there is none. */
static bool
pack(uint8_t out[KEY], const char *digest)
{
	return text_unhex(out, KEY, digest, strlen(digest));
}

static void
unpack(char out[LIMIT_DIGEST], const uint8_t digest[KEY], bool is_there)
{
	out[0] = '\0';
	if (is_there)
		text_hex(out, digest, KEY);
}

void
known_peers_add(struct known_peers *peers, const struct peer *peer)
{
	struct packed *packed = &peers->at[peers->n++];

	assert(peers->n <= peers->most);
	*packed = (struct packed){ .identity = (uint32_t)peers->texts.size,
		.revoked_at = peer->revoked_at,
		.ends_at = peer->ends_at,
		.next_ends_at = peer->next_ends_at };
	(void)pack(packed->digest, peer->digest); /* each has one */
	packed->has_next = pack(packed->next, peer->next_digest);
	packed->has_manifest = pack(packed->manifest, peer->manifest);
	buf_add(&peers->texts, peer->identity, strlen(peer->identity) + 1);
}

struct known_peers *
known_peers_ref(struct known_peers *peers)
{
	atomic_fetch_add_explicit(&peers->count, 1, memory_order_relaxed);
	return peers;
}

void
known_peers_unref(struct known_peers *peers)
{
	if (peers == NULL || atomic_fetch_sub_explicit(&peers->count, 1, memory_order_acq_rel) > 1)
		return;
	buf_done(&peers->texts);
	free(peers);
}

void
known_peers_set_renewed(struct known_peers *peers, bool are_renewed)
{
	peers->are_renewed = are_renewed;
}

bool
known_peers_are_renewed(const struct known_peers *peers)
{
	return peers->are_renewed;
}

size_t
known_peers_count(const struct known_peers *peers)
{
	return peers == NULL ? 0 : peers->n;
}

static const char *
identity_of(const struct known_peers *peers, size_t i)
{
	return buf_text(&peers->texts) + peers->at[i].identity;
}

const struct peer *
known_peers_get(const struct known_peers *peers, size_t i, struct peer *ret)
{
	const struct packed *packed = &peers->at[i];

	*ret = (struct peer){ .revoked_at = packed->revoked_at,
		.ends_at = packed->ends_at,
		.next_ends_at = packed->next_ends_at };
	text_set(ret->identity, identity_of(peers, i)); /* fits */
	unpack(ret->digest, packed->digest, true);
	unpack(ret->next_digest, packed->next, packed->has_next);
	unpack(ret->manifest, packed->manifest, packed->has_manifest);
	return ret;
}

size_t
known_peers_find(const struct known_peers *peers, const char *identity)
{
	size_t n = known_peers_count(peers), low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(identity, identity_of(peers, middle));

		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return n;
}

const char *
known_peers_fault(const struct known_peers *peers, const char *identity, const char *digest)
{
	size_t i = known_peers_find(peers, identity);
	struct peer peer;

	if (i == known_peers_count(peers))
		return "nobody of that name is enrolled";
	if (known_peers_get(peers, i, &peer)->revoked_at != 0)
		return "it was revoked";
	return strcmp(peer.digest, digest) == 0 || peer_is_next(&peer, digest) ?
	    NULL :
	    "another key has that name";
}
