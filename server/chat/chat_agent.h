/* chat_agent.h - how an agent is: connected or since when not, and what else is known of it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "types/agents_seen.h"

struct chat_agent {
	const struct peer *peer;
	struct agent_seen seen;
	int64_t began_at; /* wall ms: since when it would have been seen; 0: that is not known */
	struct chat_clock clock;
	int64_t at;
};

/* Adds "connected, 0.2.0, certificate until 2026-12-29 14:02, list changed 14:02, its clock is 10
 * years behind": what chat, command line and API say, without its name. */
void chat_agent(struct chat_text *text, const struct chat_agent *agent);

/* Of that whether it is connected, and since when not: "revoked 14:02", "not enrolled" where its
 * peer has no identity. */
void chat_agent_state(struct chat_text *text, const struct chat_agent *agent);
bool chat_agent_is_connected(const struct chat_agent *agent) MUST_USE;
