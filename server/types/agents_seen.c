/* agents_seen.c - which agents are connected, as a decision reads it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/agents_seen.h"

#include <stdlib.h>

#include "lib/mem.h"

struct agents_seen *
agents_seen_new(struct known_peers *known)
{
	struct agents_seen *seen;

	seen = mem_new(1, sizeof(*seen) + known_peers_count(known) * sizeof(seen->at[0]));
	seen->count = 1;
	seen->known = known;
	return seen;
}

struct agents_seen *
agents_seen_ref(struct agents_seen *seen)
{
	if (seen != NULL)
		atomic_fetch_add_explicit(&seen->count, 1, memory_order_relaxed);
	return seen;
}

void
agents_seen_unref(struct agents_seen *seen)
{
	if (seen == NULL || atomic_fetch_sub_explicit(&seen->count, 1, memory_order_acq_rel) > 1)
		return;
	known_peers_unref(seen->known);
	free(seen);
}

struct agent_seen
agents_seen_of(const struct agents_seen *seen, const char *identity)
{
	size_t i = seen == NULL ? 0 : known_peers_find(seen->known, identity);

	return seen == NULL || i == known_peers_count(seen->known) ? (struct agent_seen){ 0 } :
								     seen->at[i];
}
