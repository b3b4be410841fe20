/* waves_aid.h - hosts of a release in waves, and what they say, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"
#include "store/row_host_list.h"

#define HOSTS		 "STAGING_HOST=h1,h2,h3", "STAGING_WAVES=1, 100%"
#define WAVES_TEST(name) WORLD_TEST_OF(name, HOSTS)

/* Of that run, or of the one in hand: "h1 began, h2 failed: no space left". */
void waves_say_of(struct world *w, int64_t run, const char *lines);
void waves_say(struct world *w, const char *lines);

/* The run in hand; it is that wave's, and for these hosts. */
int64_t waves_run(struct world *w);
void waves_ordered(struct world *w, const char *wave, const char *hosts);

/* The row of h1, h2 or h3; it is in that state, and runs that. */
const struct host *waves_host(struct world *w, int n);
void waves_is(struct world *w, int n, enum host_state state, const char *release);

/* How many rows there are. */
size_t waves_count(struct world *w);

/* What is live there. */
const char *waves_live(struct world *w);

/* B over A: its first wave is in progress, or its second. */
void waves_begin(struct world *w);
void waves_come_to_2(struct world *w);
