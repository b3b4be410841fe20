/* agent_aid.h - agents that are enrolled, and say what they may be ordered.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"
#include "link_aid.h"

/* Digests of units. */
#define AGENT_AID_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define AGENT_AID_2 "2222222222222222222222222222222222222222222222222222222222222222"

/* Of a test between the two, for its settings: LINK_AID_LINES(&agent_aid_authority). */
extern struct link_aid agent_aid_authority;
int agent_aid_set_up(void **state);
int agent_aid_tear_down(void **state);

/* POST /v1/agent/WORD by WORLD_ADMIN; its status. */
int agent_aid_ask(struct world *w, const char *word, const char *body);

/* EVENT_PEER_MANIFEST of that identity, "agent/acme". */
void agent_aid_says(struct world *w, const char *identity, const char *list);

/* From now on that is what the loop remembers of it; of others what it had. */
void agent_aid_sees(struct world *w, const char *identity, struct agent_seen seen);

/* What that look by WORLD_ADMIN at a run is answered in the place of its log; "": that is here.
 * Valid until the next call. */
struct answer agent_aid_log(struct world *w, enum api_operation operation, const char *path);
