/* sim_agents_trouble.c - people have agents do something; hosts, link and agents fail or lie.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/mem.h"
#include "runs/agent_channel.h"
#include "runs/agent_link.h"
#include "tests/sim/sim_agent.h"

#define ANSWERED_MS    15000
#define GONE_MS	       (AGENT_LINK_GONE_MS + 5000) /* then rows say so */
#define AGAIN_MS       60000
#define ABANDONED_MOST 8 /* times that somebody tries to */

static sim_fn agent_is_put_right, somebody_abandons, trouble_comes, units_change;

static int n_keys[SIM_AGENTS]; /* that each has had */

/* The newest open run of that one (is_own) or of another; 0: there is none. */
static int64_t
open_run(struct sim *sim, int agent, bool is_own)
{
	char runner[LIMIT_RUNNER];

	return sim_agents_number(sim,
	    "SELECT COALESCE(MAX(id), 0) FROM run WHERE ended_at = 0 AND CASE WHEN runner = $1 THEN 1 ELSE 0 END = $2",
	    DB_TEXT(sim_agents_runner(agent, runner)), DB_I64(is_own));
}

static void
units_change(struct sim *sim, int64_t agent, UNUSED int64_t b)
{
	sim_agent_changes(sim, (int)agent);
}

void
sim_agents_somebody_does(struct sim *sim)
{
	static const char *const actions[] = { "service-status", "reload-nginx", "reload-nginx",
		"restart-web", "restart-web", "disk-free" };
	int64_t person = sim_one_in(sim, 4) ? SIM_OTHER : SIM_ADMIN;
	int agent = (int)sim_draw(sim, SIM_AGENTS);
	char text[64];

	(void)snprintf(text, sizeof(text), "/do %s %s", actions[sim_draw(sim, COUNT(actions))],
	    sim_agent_names[agent]);
	sim_chat_type(sim, person, text);
	sim_later(sim, 0, ANSWERED_MS, sim_chat_question_is_answered, person, 0);
	if (sim_one_in(sim, 2))
		sim_agents_trouble_soon(sim, agent, 3 * ANSWERED_MS);
	else if (sim->day != SIM_DAY_CALM && sim_one_in(sim, 3)) /* while it is asked about */
		sim_later(sim, 0, sim_draw(sim, ANSWERED_MS), units_change, agent, 0);
}

/* As long as it is away: rows say so some time after. */
static void
somebody_abandons(struct sim *sim, int64_t agent, int64_t tries)
{
	int64_t run = open_run(sim, (int)agent, true);

	if (sim->is_resting || !sim_link_is_away((int)agent))
		return;
	if (run != 0 && sim->store != NULL)
		sim_runner_abandon(sim, SIM_ADMIN,
		    sim_agents_number(sim, "SELECT deployment FROM run WHERE id = $1 AND id <> $2",
			DB_I64(run), DB_I64(0)));
	if (tries > 1)
		sim_later(
		    sim, 0, 20000 + sim_draw(sim, 20000), somebody_abandons, agent, tries - 1);
}

static void
lose_host(struct sim *sim, int agent)
{
	bool is_short = agent == SIM_BUILDER && sim_one_in(sim, 2);

	sim_link_loses_host(sim, agent, sim_delay(sim, 500, is_short ? 30000 : 3600000));
	sim_later(sim, 0, GONE_MS, somebody_abandons, agent, ABANDONED_MOST);
}

static void
on_answered(void *ctx, const struct answer *answer)
{
	struct sim *sim = ctx;

	sim_trace(sim, "about an agent it is answered %d", answer->status);
}

/* On the machine. */
void
sim_agents_ask(struct sim *sim, const char *word, const char *name, const char *key)
{
	char path[32], body[160];
	struct event *event;
	struct err err;

	if (sim->store == NULL)
		return;
	(void)snprintf(path, sizeof(path), "/v1/agent/%s", word);
	(void)snprintf(body, sizeof(body), "{\"name\": \"%s\"%s%s%s}", name,
	    key[0] != '\0' ? ", \"key\": \"" : "", key, key[0] != '\0' ? "\"" : "");
	event = sim_server_event(sim, EVENT_API);
	event->u.api = mem_new(1, sizeof(*event->u.api));
	event->u.api->from =
	    (struct update){ .kind = UPDATE_TEXT, .is_private = true, .person = SIM_ROOT_AS_ADMIN };
	(void)snprintf(
	    event->u.api->from.name, sizeof(event->u.api->from.name), "@l%" PRId64, ++sim->n_local);
	sim_must(api_read(API_AGENT, path, body, strlen(body), event->u.api, &err), err.text);
	event->done = on_answered;
	event->done_ctx = sim;
	sim_server_submit(sim, event);
}

static void
ask(struct sim *sim, int agent, bool is_move)
{
	char key[LIMIT_DIGEST] = "";

	if (is_move)
		sim_link_key(agent, n_keys[agent] + 1, key);
	sim_agents_ask(sim, is_move ? "move" : "revoke", sim_agent_names[agent], key);
}

static bool
is_revoked(struct sim *sim, int agent)
{
	char identity[CRYPTO_CA_IDENTITY];

	return sim_agents_number(sim,
		   "SELECT COUNT(*) FROM peer WHERE identity = $1 AND revoked_at <> $2",
		   DB_TEXT(peer_identity(sim_agent_names[agent], identity)), DB_I64(0)) > 0;
}

static bool
has_key(struct sim *sim, int agent, int n)
{
	char key[LIMIT_DIGEST];

	sim_link_key(agent, n, key);
	return sim_agents_number(sim,
		   "SELECT COUNT(*) FROM peer WHERE digest = $1 AND revoked_at = $2", DB_TEXT(key),
		   DB_I64(0)) > 0;
}

/* Until a new key of its has its name. */
static void
agent_is_put_right(struct sim *sim, int64_t agent, UNUSED int64_t b)
{
	if (has_key(sim, (int)agent, n_keys[agent] + 1)) {
		n_keys[agent]++;
		sim_link_changes_key(sim, (int)agent);
		return;
	}
	if (has_key(sim, (int)agent, n_keys[agent]))
		return; /* that was done already, or nobody has revoked it */
	if (is_revoked(sim, (int)agent))
		ask(sim, (int)agent, true);
	sim_later(sim, 0, sim->is_resting ? 2000 : AGAIN_MS, agent_is_put_right, agent, 0);
}

static void
revoke(struct sim *sim, int agent)
{
	if (is_revoked(sim, agent) || !has_key(sim, agent, n_keys[agent]))
		return; /* … or it is being put right */
	sim_note(sim, SIM_AGENT_REVOKED);
	ask(sim, agent, false);
	if (sim_one_in(sim, 2))
		sim_later(sim, 0, GONE_MS, somebody_abandons, agent, ABANDONED_MOST);
	sim_later(sim, 0, sim_delay(sim, 30000, 900000), agent_is_put_right, agent, 0);
}

static void
forget(struct sim *sim, int agent)
{
	if (agent == SIM_BUILDER) {
		sim_remote_forgets(sim);
		return;
	}
	sim_agents_records_are_lost(agent);
	sim_agent_forgets(sim, agent);
}

/* It, or the local runner (-1), speaks of a run of another. */
static void
speak_of(struct sim *sim, int agent, int64_t run)
{
	static const struct protocol_message lies[] = {
		{ .kind = PROTOCOL_RECONCILED, .state = PROTOCOL_STATE_NEVER },
		{ .kind = PROTOCOL_RECONCILED, .state = PROTOCOL_STATE_NEVER },
		{ .kind = PROTOCOL_RECONCILED,
		    .state = PROTOCOL_STATE_ENDED,
		    .record = { .gate = true, .ended_at = 1 } },
		{ .kind = PROTOCOL_RECONCILED,
		    .state = PROTOCOL_STATE_LOST,
		    .record = { .gate = true, .lost = true } },
		{ .kind = PROTOCOL_STARTED },
		{ .kind = PROTOCOL_REFUSED, .why = PROTOCOL_WHY_INVALID, .text = "not here" },
		{ .kind = PROTOCOL_REFUSED, .why = PROTOCOL_WHY_EXISTS, .text = "it is here" },
	};
	struct protocol_message lie = lies[sim_draw(sim, COUNT(lies))];

	lie.id = (uint64_t)run;
	if (agent < 0) {
		sim_link_local_says(&lie);
		return;
	}
	if (!sim_link_is_greeted(agent))
		return;
	sim_note(sim, agent == SIM_BUILDER ? SIM_REMOTE_LIED : SIM_AGENT_LIED);
	sim_link_say_message(sim, agent, AGENT_CHANNEL_RUNNER, &lie);
}

static void
say_what_none_says(struct sim *sim, int agent)
{
	if (!sim_link_is_greeted(agent))
		return;
	sim_note(sim, SIM_AGENT_STRANGE);
	if (sim_one_in(sim, 2) && agent == SIM_BUILDER)
		sim_remote_greets(sim); /* unasked */
	else if (sim_one_in(sim, 2) && agent != SIM_BUILDER)
		sim_agent_greets(sim, agent);
	else
		sim_link_say(sim, agent, AGENT_CHANNEL_RUNNER, "go\n", 3);
}

/* The others of a run of its, or it does of whatever goes on elsewhere. */
static void
lie_of_it(struct sim *sim, int agent)
{
	int64_t run = open_run(sim, agent, true), elsewhere = open_run(sim, agent, false);

	for (int i = -1; run != 0 && i < SIM_PEERS; i++)
		if (i != agent)
			speak_of(sim, i, run);
	if (run != 0 && agent == SIM_BUILDER && sim->store != NULL)
		sim_note(sim, SIM_REMOTE_BELIED);
	if (elsewhere != 0 && (run == 0 || agent == SIM_BUILDER))
		speak_of(sim, agent, elsewhere);
}

static void
restart_link(struct sim *sim, UNUSED int agent)
{
	sim_link_restarts(sim);
}

static void
kill_runner(struct sim *sim, UNUSED int agent)
{
	sim_remote_is_killed(sim);
}

static void
kill_server(struct sim *sim, UNUSED int agent)
{
	sim_server_cut(sim, false);
}

static void
trouble_comes(struct sim *sim, int64_t agent, UNUSED int64_t b)
{
	static void (*const of_runner[])(struct sim * sim, int agent) = { lose_host, lose_host,
		lose_host, lose_host, sim_link_repeats, sim_link_repeats, lie_of_it, lie_of_it,
		lie_of_it, lie_of_it, forget, kill_runner, kill_runner, say_what_none_says,
		restart_link, kill_server }; /* what is not done on a calm day is last */
	size_t n = COUNT(of_runner) - (sim->day == SIM_DAY_CALM ? 5 : 0);
	static void (*const happenings[])(struct sim * sim, int agent) = { lose_host, lose_host,
		lose_host, lose_host, lose_host, sim_agent_is_killed, sim_agent_is_killed,
		sim_agent_changes, sim_agent_changes, sim_agent_changes, sim_link_repeats,
		sim_link_repeats, lie_of_it, lie_of_it, lie_of_it, say_what_none_says, restart_link,
		forget, revoke, kill_server };

	if (!sim->is_resting && agent == SIM_BUILDER)
		of_runner[sim_draw(sim, (uint32_t)n)](sim, (int)agent);
	else if (!sim->is_resting)
		happenings[sim_draw(sim, COUNT(happenings))](sim, (int)agent);
}

void
sim_agents_trouble_soon(struct sim *sim, int agent, uint32_t within_ms)
{
	if (!sim->is_resting && (sim->day != SIM_DAY_CALM || agent == SIM_BUILDER))
		sim_later(sim, 0, sim_draw(sim, within_ms), trouble_comes, agent, 0);
}

void
sim_agents_something_happens(struct sim *sim)
{
	trouble_comes(sim, sim_draw(sim, SIM_PEERS), 0);
}

void
sim_agents_rest(struct sim *sim)
{
	sim_link_rests(sim);
	for (int i = 0; i < SIM_AGENTS; i++)
		agent_is_put_right(sim, i, 0);
}

void
sim_agents_trouble_new(void)
{
	for (int i = 0; i < SIM_AGENTS; i++)
		n_keys[i] = 1;
}
