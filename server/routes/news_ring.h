/* news_ring.h - what has changed lately: which environment, which work, and never what.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/crossing.h"

#define NEWS_RING 1024

struct news_entry {
	int64_t number; /* the first is 1 */
	int64_t at;	/* monotonic ms */
	struct news news;
};

/* All zero: nothing has happened. */
struct news_ring {
	int64_t last; /* number of the newest entry */
	struct news_entry entries[NEWS_RING];
};

void news_ring_add(struct news_ring *ring, const struct news *news, int64_t at);

/* Is each entry behind that number still there, and was that number given? */
bool news_ring_has(const struct news_ring *ring, int64_t number);

/* The oldest entry behind that number that is there; NULL: none is. */
const struct news_entry *news_ring_next(const struct news_ring *ring, int64_t number);
