/* agent_aid.c - agents that are enrolled, and say what they may be ordered.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent_aid.h"

#include "lib/text.h"

void
agent_aid_says(struct world *w, const char *identity, const char *list)
{
	struct event *event = store_aid_event(&w->aid, EVENT_PEER_MANIFEST);

	(void)text_copy(event->u.peer.identity, sizeof(event->u.peer.identity), identity);
	(void)text_copy(event->u.peer.manifest, sizeof(event->u.peer.manifest), list);
	(void)world_decide(w, event);
}
