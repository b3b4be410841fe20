/* decide_seen.c - how an agent or a remote runner is, and which of them work would miss.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_seen.h"

#include "decide/decide_reply.h"
#include "decide/who/decide_agent.h"
#include "decide/work/decide_hosts.h"
#include "deployment/deployment.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "store/row_peer.h"

#define SHOWN 3

struct chat_agent
decide_seen(struct tx *tx, const struct peer *peer)
{
	const struct agents_seen *seen = tx->event->context.seen;

	return (struct chat_agent){ .peer = peer,
		.seen = agents_seen_of(seen, peer->identity),
		.began_at = seen == NULL ? 0 : seen->began_at,
		.clock = decide_clock(tx, ""),
		.at = tx->at };
}

/* Who is not connected, of those that a run needs. */
struct absent {
	struct chat_text text;
	size_t n; /* more than SHOWN are counted alone */
};

static void
add_absent(struct tx *tx, const char *role, const char *name, struct absent *absent)
{
	char identity[CRYPTO_CA_IDENTITY];
	struct peer peer;
	struct chat_agent agent;

	text_setf(identity, "%s%.*s", role, CRYPTO_CA_NAME_MAX, name);
	peer = row_peer_get(tx, identity);
	agent = decide_seen(tx, &peer);
	if (chat_agent_is_connected(&agent) || absent->n++ >= SHOWN)
		return;
	chat_text_add(&absent->text, "%s%s %s: ", absent->n == 1 ? "" : "; ",
	    strcmp(role, PEER_RUNNER) == 0 ? "runner" : "agent", name);
	chat_agent_state(&absent->text, &agent);
}

const char *
decide_seen_absent(struct tx *tx, const struct deployment *work, char out[DECIDE_SEEN_ABSENT])
{
	const struct environment_settings *e =
	    settings_environment(tx->settings, work->environment);
	const char *runner = decide_agent_runner(tx, work), *agent = peer_of_host(runner);
	const char *set = work->client[0] != '\0' || e == NULL ? NULL : e->agents;
	CLEANUP(freep) char *all = set == NULL ? NULL : decide_hosts_of(tx, set);
	const char *names = all;
	const struct action *action = action_row_of(work->action); /* NULL: of a release */
	struct absent absent = { CHAT_TEXT_EMPTY, 0 };
	char name[CRYPTO_CA_NAME_MAX + 1];

	if (action != NULL && action->executor != ACTION_BY_HOST &&
	    action->executor != ACTION_BY_RELEASE)
		return ""; /* no host has it */
	if (agent != NULL)
		add_absent(tx, PEER_AGENT, agent, &absent);
	else if (strcmp(runner, RUNNER_LOCAL) != 0)
		add_absent(tx, PEER_RUNNER, runner, &absent);
	while (names != NULL && setting_next(&names, name, sizeof(name)))
		add_absent(tx, PEER_AGENT, name, &absent);
	if (absent.n > SHOWN)
		chat_text_add(&absent.text, "; and %zu more", absent.n - SHOWN);
	(void)text_copy(out, DECIDE_SEEN_ABSENT, buf_text(&absent.text.buf));
	buf_done(&absent.text.buf);
	return out;
}
