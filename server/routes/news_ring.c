/* news_ring.c - what has changed lately: which environment, which work, and never what.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/news_ring.h"

void
news_ring_add(struct news_ring *ring, const struct news *news, int64_t at)
{
	int64_t number = ++ring->last;

	ring->entries[number % NEWS_RING] = (struct news_entry){ number, at, *news };
}

bool
news_ring_has(const struct news_ring *ring, int64_t number)
{
	return number <= ring->last && number >= ring->last - NEWS_RING;
}

const struct news_entry *
news_ring_next(const struct news_ring *ring, int64_t number)
{
	int64_t oldest = ring->last > NEWS_RING ? ring->last - NEWS_RING + 1 : 1;
	int64_t next = number < oldest ? oldest : number + 1;

	return next > ring->last ? NULL : &ring->entries[next % NEWS_RING];
}
