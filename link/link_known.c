/* link_known.c - what the server has said of a name and a key.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "link/link_known.h"

#include "lib/clock.h"

struct link_known *
link_known_of(struct link_known_table *table, const struct link_identity *who)
{
	struct link_known of = { 0 }, *known;
	size_t place;

	sha256(who, sizeof(*who), of.of);
	memcpy(&place, of.of, sizeof(place));
	known = &table->at[place % LINK_KNOWN];
	if (memcmp(known->of, of.of, sizeof(of.of)) != 0)
		*known = of;
	return known;
}

void
link_known_set(struct link_known_table *table, const struct link_identity *who, bool yes)
{
	struct link_known *known = link_known_of(table, who);

	known->at = clock_monotonic_ms();
	known->yes = yes;
}
