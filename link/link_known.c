/* link_known.c - what the server has said of a name and a key.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_known.h"

#include "lib/clock.h"

struct link_known *
link_known_of(struct link_known_table *table, const struct link_identity *who)
{
	struct link_known of = { 0 }, *place, *oldest;
	size_t hash;

	sha256(who, sizeof(*who), of.of);
	memcpy(&hash, of.of, sizeof(hash));
	place = oldest = table->at[hash % LINK_KNOWN];
	for (size_t i = 0; i < LINK_KNOWN_PLACE; i++) {
		if (memcmp(place[i].of, of.of, sizeof(of.of)) == 0)
			return &place[i];
		if (place[i].at < oldest->at)
			oldest = &place[i];
	}
	*oldest = of;
	return oldest;
}

void
link_known_set(struct link_known_table *table, const struct link_identity *who, bool yes)
{
	struct link_known *known = link_known_of(table, who);

	known->at = clock_monotonic_ms();
	known->yes = yes;
}
