/* hold_aid.c - pushes and moments that locks and freezes are tested with.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "hold_aid.h"

#include "lib/text.h"

void
hold_push(struct world *w, const char *branch, const char *commit)
{
	struct event *event = world_push(w, branch);

	(void)text_copy(event->u.delivery.after, LIMIT_COMMIT, commit);
	assert_int_equal(world_decide(w, event).status, 200);
	world_git(w, (struct world_git){ .commit = commit });
}

void
hold_sleep_until(struct world *w, int64_t at)
{
	while (w->aid.at < at)
		world_due(w, TIMER_HOLDS);
}
