/* chat_agent.c - how an agent is: connected or since when not, and what else is known of it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_agent.h"

#include <inttypes.h>

#include "lib/text.h"

#define YEAR_S (365 * 24 * 3600)

static void
add_state(struct chat_text *text, const struct chat_agent *agent)
{
	switch ((enum agent_state)agent->seen.state) {
	case AGENT_CONNECTED:
		chat_text_add(text, "connected");
		if (agent_seen_is_unsteady(&agent->seen, agent->at))
			chat_text_since(text, ", but never for a whole minute since ",
			    &agent->clock, agent->seen.gone_at, agent->at);
		break;
	case AGENT_SILENT:
		chat_text_add(text, "does not answer, its host is connected");
		break;
	case AGENT_GONE:
		chat_text_since(
		    text, "disconnected since ", &agent->clock, agent->seen.gone_at, agent->at);
		break;
	case AGENT_UNSEEN:
		if ((agent->peer->manifest[0] == '\0' && !peer_is_runner(agent->peer)) ||
		    (agent->began_at != 0 && agent->peer->made_at > agent->began_at))
			chat_text_add(text, "never connected");
		else if (agent->began_at == 0)
			chat_text_add(text, "not known whether it is connected");
		else
			chat_text_since(text, "not connected since deploybot's start, ",
			    &agent->clock, agent->began_at, agent->at);
		break;
	}
}

static void
add_clock(struct chat_text *text, int64_t ahead_s)
{
	int64_t off_s = ahead_s < 0 ? -ahead_s : ahead_s;
	char off[TEXT_DURATION_SIZE];

	if (off_s <= AGENT_CLOCK_OFF_S)
		return;
	if (off_s < 2 * (int64_t)YEAR_S)
		(void)text_age(off, off_s * 1000);
	else
		text_setf(off, "%" PRId64 " years", off_s / YEAR_S);
	chat_text_add(text, ", its clock is %s %s", off, ahead_s > 0 ? "ahead" : "behind");
}

bool
chat_agent_is_connected(const struct chat_agent *agent)
{
	return agent->peer->revoked_at == 0 && agent->seen.state == AGENT_CONNECTED;
}

void
chat_agent_state(struct chat_text *text, const struct chat_agent *agent)
{
	const struct peer *peer = agent->peer;

	if (peer->identity[0] == '\0') {
		chat_text_add(text, "not enrolled");
		return;
	}
	if (peer->revoked_at != 0) {
		chat_text_since(text, "revoked ", &agent->clock, peer->revoked_at, agent->at);
		return;
	}
	if (agent->seen.refused_version != 0)
		chat_text_add(text, "speaks another version of the protocol (%d): upgrade, ",
		    agent->seen.refused_version);
	add_state(text, agent);
}

void
chat_agent(struct chat_text *text, const struct chat_agent *agent)
{
	const struct peer *peer = agent->peer;

	chat_agent_state(text, agent);
	if (peer->revoked_at != 0)
		return;
	if (agent->seen.version[0] != '\0') /* as its host likes to call it */
		chat_text_theirs(text, ", ", agent->seen.version);
	if (peer->ends_at != 0)
		chat_text_since(text,
		    peer->ends_at <= agent->at ? ", its certificate ended " :
						 ", certificate until ",
		    &agent->clock, peer->ends_at, agent->at);
	if (peer->changed_at != 0)
		chat_text_since(
		    text, ", list changed ", &agent->clock, peer->changed_at, agent->at);
	if (agent->seen.state >= AGENT_SILENT)
		add_clock(text, agent->seen.clock_ahead_s);
}
