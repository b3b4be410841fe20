/* sim_agent.c - an agent's process, its records and its units; and one that lies.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * As agent/agent.c and agent/run.c have it, without sockets and without systemd: records and the
 * check of an order are the agent's own.  A unit lives on when the agent does not.
 */
#include "agent/record.h"
#include "lib/fingerprint.h"
#include "lib/order_check.h"
#include "runs/agent_channel.h"
#include "tests/sim/sim_agent.h"

#include <sys/stat.h>
#include <unistd.h>

#define KILLED	      40 /* one in so many times, wherever it can matter */
#define STATUS_FAILED 70

static sim_fn process_starts, gate_is_given_up, unit_ends, deadline_comes;

const char *const sim_agent_names[SIM_PEERS] = { "acme", "solo", "build-1" };
static const char *const capabilities[] = { "disk-free", "reload-nginx", "restart-web",
	"service-status" };

static struct agent {
	char folder[96];
	struct order_keys keys;
	struct records records;
	bool is_dead;
	/* the server on its socket */
	bool is_served, is_greeted;
	struct order_challenge challenge;
	/* its run */
	enum { NONE, AT_GATE, GOING } is;
	int64_t n_runs;
	struct record *record;
	char manifest[FINGERPRINT_DIGEST];
	unsigned deadline_s;
	bool is_ours;	  /* this process has begun its unit */
	uint32_t channel; /* 0: nobody has come */
	struct order_challenge at_gate;
	/* its host's */
	int64_t n_units;
	int64_t unit_of; /* that run has a unit there; 0: none has */
	bool is_stopped;
	int versions[COUNT(capabilities)]; /* 0: there is no such unit */
} agents[SIM_AGENTS];

static int
index_of(const struct agent *agent)
{
	return (int)(agent - agents);
}

/* --- its units --- */

const char *
sim_agent_list(int agent, char ret[LIMIT_MANIFEST])
{
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < COUNT(capabilities); i++)
		if (agents[agent].versions[i] != 0)
			n += (size_t)snprintf(ret + n, LIMIT_MANIFEST - n, "%s%s=%032zx%032x",
			    n == 0 ? "" : " ", capabilities[i], i,
			    (unsigned)agents[agent].versions[i]);
	return ret;
}

static void
fill_manifest(const char *list, struct protocol_manifest *ret)
{
	*ret = (struct protocol_manifest){ .count = 0 };
	(void)fingerprint_digest(list, ret->digest);
	for (size_t i = 0; i < COUNT(capabilities); i++) {
		struct protocol_capability *one = &ret->all[ret->count];
		const char *digest = peer_capability(list, capabilities[i]);

		if (digest == NULL)
			continue;
		(void)text_copy(one->name, sizeof(one->name), capabilities[i]);
		(void)text_copy(one->digest, sizeof(one->digest), digest); /* cut behind it */
		ret->count++;
	}
}

void
sim_agent_changes(struct sim *sim, int agent)
{
	int *version = &agents[agent].versions[sim_draw(sim, COUNT(capabilities))];

	*version = sim_one_in(sim, 8) ? 0 : (int)sim_draw(sim, 3) + 1;
	sim_trace(sim, "root changes units of %s", sim_agent_names[agent]);
}

/* --- what it says --- */

static void
answer(struct sim *sim, struct agent *agent, uint32_t channel, const struct protocol_message *what)
{
	sim_link_say_message(sim, index_of(agent), channel, what);
}

static void
close_channel(struct sim *sim, const struct agent *agent, uint32_t channel)
{
	sim_link_close(sim, index_of(agent), channel);
}

/* --- it ends, and is started again --- */

static void
unit_is_over(struct agent *agent)
{
	sim_agents_unit_ended(agent->unit_of);
	agent->unit_of = 0;
	agent->n_units++;
}

/* True: there is none until it is started again. */
static bool
is_killed(struct sim *sim, struct agent *agent)
{
	if (sim->is_resting || sim->day == SIM_DAY_CALM || !sim_one_in(sim, KILLED))
		return false;
	sim_agent_is_killed(sim, index_of(agent));
	return true;
}

void
sim_agent_is_killed(struct sim *sim, int index)
{
	struct agent *agent = &agents[index];

	if (agent->is_dead)
		return;
	sim_trace(sim, "%s's agent is killed", sim_agent_names[index]);
	if (agent->is == GOING)
		sim_note(sim, SIM_AGENT_KILLED);
	close_channel(sim, agent, agent->channel);
	close_channel(sim, agent, agent->is_served ? AGENT_CHANNEL_RUNNER : 0);
	(void)close(agent->records.fd);
	agent->is_dead = true;
	agent->is_served = agent->is_greeted = false;
	agent->is = NONE;
	agent->channel = 0;
	agent->n_runs++;
	if (agent->unit_of != 0 && sim_one_in(sim, 3))
		unit_is_over(agent); /* the host was started anew */
	sim_later(sim, 0, sim_delay(sim, 100, 30000), process_starts, index, 0);
}

static void
write_record(const struct agent *agent)
{
	struct err err;

	sim_must(records_put(&agent->records, agent->record, agent->record, &err), err.text);
}

static void
finish(struct sim *sim, struct agent *agent)
{
	struct protocol_message over = { .kind = PROTOCOL_EXIT };

	agent->record->end.ended_at = sim->now;
	if (is_killed(sim, agent))
		return;
	write_record(agent);
	if (is_killed(sim, agent))
		return;
	over.record = agent->record->end;
	if (agent->channel != 0)
		answer(sim, agent, agent->channel, &over);
	close_channel(sim, agent, agent->channel);
	agent->channel = 0;
	agent->is = NONE;
	agent->n_runs++;
}

static void
stop_unit(struct sim *sim, struct agent *agent)
{
	sim_note(sim, SIM_AGENT_STOPPED);
	agent->is_stopped = true;
	sim_later(sim, 0, sim_delay(sim, 1, 15000), unit_ends, index_of(agent), agent->n_units);
}

/* What one before it has begun is lost, and what is left of that is stopped. */
static void
recover(struct sim *sim, struct agent *agent, struct record *record)
{
	agent->record = record;
	agent->is = GOING;
	agent->is_ours = false;
	agent->is_stopped = false;
	if (record->end.gate && agent->unit_of == (int64_t)record->id)
		stop_unit(sim, agent);
	else
		finish(sim, agent);
}

static void
process_starts(struct sim *sim, int64_t index, UNUSED int64_t b)
{
	struct agent *agent = &agents[index];
	struct err err;

	agent->is_dead = false;
	sim_must(records_open(&agent->records, agent->folder, &err), err.text);
	for (size_t i = 0; i < RECORDS_MAX && agent->is == NONE && !agent->is_dead; i++)
		if (agent->records.all[i].id != 0 && agent->records.all[i].end.ended_at == 0)
			recover(sim, agent, &agent->records.all[i]);
}

/* --- its unit --- */

static void
unit_ends(struct sim *sim, int64_t index, int64_t n)
{
	struct agent *agent = &agents[index];
	struct protocol_record *record;

	if (agent->unit_of == 0 || agent->n_units != n)
		return;
	unit_is_over(agent);
	if (agent->is != GOING)
		return; /* nobody has seen how */
	record = &agent->record->end;
	if (agent->is_ours) {
		record->lost = false;
		if (agent->is_stopped)
			record->signal = 15;
		else if (sim_one_in(sim, 6))
			record->status = STATUS_FAILED;
	}
	finish(sim, agent);
}

static void
deadline_comes(struct sim *sim, int64_t index, int64_t n)
{
	struct agent *agent = &agents[index];

	if (agent->unit_of == 0 || agent->n_units != n || agent->is != GOING || !agent->is_ours)
		return;
	agent->record->end.timed_out |= !agent->record->end.ended;
	stop_unit(sim, agent);
}

/* gate=1 is on disk before systemd is asked. */
static void
start_unit(struct sim *sim, struct agent *agent)
{
	struct record *record = agent->record;
	char list[LIMIT_MANIFEST];

	record->end.gate = record->end.lost = true;
	write_record(agent);
	agent->is = GOING;
	agent->is_ours = true;
	if (is_killed(sim, agent))
		return;
	if (sim_one_in(sim, 40)) {
		record->end.lost = false;
		record->end.exec_errno = 2;
		finish(sim, agent);
		return;
	}
	sim_agents_check_start(sim, index_of(agent), (int64_t)record->id, record->capability,
	    sim_agent_list(index_of(agent), list));
	agent->unit_of = (int64_t)record->id;
	agent->is_stopped = false;
	agent->n_units++;
	sim_later(sim, 0, sim_delay(sim, 10, 240000), unit_ends, index_of(agent), agent->n_units);
	sim_later(sim, 0, (int64_t)agent->deadline_s * 1000, deadline_comes, index_of(agent),
	    agent->n_units);
	(void)is_killed(sim, agent);
}

/* --- its gate --- */

static void
end_at_gate(struct sim *sim, struct agent *agent, const char *why)
{
	sim_note(sim, SIM_AGENT_SHUT);
	sim_trace(sim, "run %" PRIu64 " of %s never begins: %s", agent->record->id,
	    sim_agent_names[index_of(agent)], why);
	finish(sim, agent);
}

static void
gate_is_given_up(struct sim *sim, int64_t index, int64_t n)
{
	struct agent *agent = &agents[index];

	if (agent->is == AT_GATE && agent->n_runs == n)
		end_at_gate(sim, agent, "no order to go came in time");
}

/* What of an order is signed: of what is shown here. */
static struct order_shown
show(const struct protocol_message *order, const char *capability, uint64_t run,
    const char *manifest, uint64_t lowest)
{
	return (struct order_shown){ .bytes = { .kind = protocol_kind_name(order->kind),
					 .capability = capability,
					 .run = run,
					 .epoch = order->proof.epoch,
					 .manifest = manifest,
					 .challenge = order->proof.challenge },
		.signature = order->proof.signature,
		.lowest = lowest };
}

static void
on_go(struct sim *sim, struct agent *agent, const struct protocol_message *go)
{
	const struct order_shown shown = show(go, agent->record->capability, agent->record->id,
	    agent->manifest, agent->record->epoch);
	char list[LIMIT_MANIFEST], digest[FINGERPRINT_DIGEST];
	struct err err;

	if (!order_check(&agent->at_gate, &shown, &agent->keys, &err)) {
		end_at_gate(sim, agent, err.text);
		return;
	}
	(void)fingerprint_digest(sim_agent_list(index_of(agent), list), digest);
	if (strcmp(digest, agent->manifest) != 0)
		end_at_gate(sim, agent, "its units are others by now");
	else
		start_unit(sim, agent);
}

static void
on_end(struct sim *sim, struct agent *agent)
{
	if (agent->record->end.ended)
		return;
	agent->record->end.ended = true;
	if (agent->is == AT_GATE)
		end_at_gate(sim, agent, "it was cancelled");
	else if (agent->unit_of != 0)
		stop_unit(sim, agent);
}

/* --- what the server says --- */

static void
say_challenge(struct sim *sim, struct agent *agent, uint32_t channel, struct order_challenge *of)
{
	struct protocol_message message = { .kind = PROTOCOL_CHALLENGE };
	struct err err;

	sim_must(order_challenge_draw(of, &err), err.text);
	memcpy(message.proof.challenge, of->hex, sizeof(message.proof.challenge));
	answer(sim, agent, channel, &message);
}

void
sim_agent_greets(struct sim *sim, int index)
{
	struct agent *agent = &agents[index];
	struct protocol_message hello = { .kind = PROTOCOL_HELLO,
		.version = PROTOCOL_VERSION,
		.proof.epoch = records_epoch(&agent->records) };
	char list[LIMIT_MANIFEST];

	fill_manifest(sim_agent_list(index, list), &hello.manifest);
	agent->is_greeted = true;
	answer(sim, agent, AGENT_CHANNEL_RUNNER, &hello);
}

static bool
check_id(struct agent *agent, uint64_t id, enum protocol_why *ret_why, struct err *err)
{
	*ret_why = PROTOCOL_WHY_EXISTS;
	if (records_find(&agent->records, id) != NULL)
		return err_set(err, ERR_DENIED, "there is a record of it already");
	*ret_why = PROTOCOL_WHY_INVALID;
	if (id < records_lowest(&agent->records))
		return err_set(err, ERR_DENIED, "its number is below those of all records");
	*ret_why = PROTOCOL_WHY_FAILED;
	return agent->is == NONE || err_set(err, ERR_BUSY, "another run is in progress here");
}

static bool
check_order(struct sim *sim, struct agent *agent, const struct protocol_message *order,
    struct protocol_message *refusal, struct err *err)
{
	const struct order_shown shown = show(
	    order, order->argument, order->id, order->fingerprint, records_epoch(&agent->records));
	char list[LIMIT_MANIFEST], digest[FINGERPRINT_DIGEST];

	refusal->why = PROTOCOL_WHY_INVALID;
	if (!order_check(&agent->challenge, &shown, &agent->keys, err) ||
	    !check_id(agent, order->id, &refusal->why, err))
		return false;
	(void)fingerprint_digest(sim_agent_list(index_of(agent), list), digest);
	refusal->why = PROTOCOL_WHY_CHANGED;
	if (strcmp(digest, order->fingerprint) != 0) {
		sim_note(sim, SIM_AGENT_CHANGED);
		(void)text_copy(refusal->settings, sizeof(refusal->settings), list);
		return err_set(err, ERR_CHANGED, "its manifest is not that of this host now");
	}
	refusal->why = PROTOCOL_WHY_INVALID;
	return peer_capability(list, order->argument) != NULL ||
	    err_set(err, ERR_DENIED, "this host has no capability %s", order->argument);
}

static void
begin(struct sim *sim, struct agent *agent, const struct protocol_message *order)
{
	struct record *slot = records_slot(&agent->records);

	*slot = (struct record){ .id = order->id, .epoch = order->proof.epoch };
	(void)text_copy(slot->capability, sizeof(slot->capability), order->argument);
	memcpy(agent->manifest, order->fingerprint, sizeof(agent->manifest));
	agent->record = slot;
	agent->deadline_s = order->deadline_s;
	agent->is = AT_GATE;
	agent->n_runs++;
	write_record(agent);
	if (is_killed(sim, agent))
		return;
	sim_later(sim, 0, INT64_C(1000) * PROTOCOL_GATE_WAIT_S, gate_is_given_up, index_of(agent),
	    agent->n_runs);
	answer(sim, agent, AGENT_CHANNEL_RUNNER,
	    &(struct protocol_message){ .kind = PROTOCOL_STARTED, .id = order->id });
	(void)is_killed(sim, agent);
}

static void
on_run(struct sim *sim, struct agent *agent, const struct protocol_message *order)
{
	struct protocol_message refusal = { .kind = PROTOCOL_REFUSED, .id = order->id };
	struct err err;

	if (is_killed(sim, agent))
		return;
	if (check_order(sim, agent, order, &refusal, &err)) {
		begin(sim, agent, order);
		return;
	}
	sim_trace(sim, "%s refuses run %" PRIu64 ": %s", sim_agent_names[index_of(agent)],
	    order->id, err.text);
	(void)text_copy(refusal.text, sizeof(refusal.text), err.text);
	answer(sim, agent, AGENT_CHANNEL_RUNNER, &refusal);
}

static void
on_reconcile(struct sim *sim, struct agent *agent, uint64_t id)
{
	struct protocol_message settled = { .kind = PROTOCOL_RECONCILED, .id = id };
	const struct record *record = records_find(&agent->records, id);

	if (record != NULL && agent->is != NONE && record == agent->record) {
		sim_note(sim, SIM_AGENT_FOUND);
		settled.state = PROTOCOL_STATE_ALIVE;
	} else if (record != NULL) {
		settled.record = record->end;
		settled.state = record->end.lost ? PROTOCOL_STATE_LOST : PROTOCOL_STATE_ENDED;
	} else if (id < records_slot(&agent->records)->id) {
		settled.state = PROTOCOL_STATE_LOST;
		settled.record.gate = settled.record.lost = true;
	} else {
		sim_note(sim, SIM_AGENT_NEVER);
		agent->challenge = (struct order_challenge){ .due = 0 };
		settled.state = PROTOCOL_STATE_NEVER;
	}
	answer(sim, agent, AGENT_CHANNEL_RUNNER, &settled);
}

static void
hang_up(struct sim *sim, struct agent *agent)
{
	close_channel(sim, agent, AGENT_CHANNEL_RUNNER);
	agent->is_served = false;
}

static void
take_of_server(struct sim *sim, struct agent *agent, const struct protocol_message *message)
{
	static const char said[] = "reloading\nIt is done.\n";

	if (!agent->is_served) { /* the first packet connects */
		agent->is_served = true;
		agent->is_greeted = false;
		agent->challenge = (struct order_challenge){ .due = 0 };
	}
	if (message->kind == PROTOCOL_HELLO)
		sim_agent_greets(sim, index_of(agent));
	else if (!agent->is_greeted) /* what came was for the process before this one */
		hang_up(sim, agent);
	else if (message->kind == PROTOCOL_CHALLENGE)
		say_challenge(sim, agent, AGENT_CHANNEL_RUNNER, &agent->challenge);
	else if (message->kind == PROTOCOL_RUN)
		on_run(sim, agent, message);
	else if (message->kind == PROTOCOL_RECONCILE)
		on_reconcile(sim, agent, message->id);
	else
		answer(sim, agent, AGENT_CHANNEL_RUNNER,
		    &(struct protocol_message){ .kind = PROTOCOL_PIECE,
			.id = message->id,
			.body = said,
			.body_len = sizeof(said) - 1 });
}

static void
take_of_run(struct sim *sim, struct agent *agent, const struct protocol_message *message)
{
	if (message->kind == PROTOCOL_CHALLENGE)
		say_challenge(sim, agent, agent->channel, &agent->at_gate);
	else if (message->kind == PROTOCOL_GO && agent->is == AT_GATE)
		on_go(sim, agent, message);
	else if (message->kind == PROTOCOL_END)
		on_end(sim, agent);
}

static void
channel_is_lost(struct sim *sim, struct agent *agent)
{
	agent->channel = 0;
	agent->at_gate = (struct order_challenge){ .due = 0 };
	if (agent->is == AT_GATE)
		end_at_gate(sim, agent, "its server was lost");
}

/* Of link, about a channel of a run. */
static void
take_word(struct sim *sim, struct agent *agent, const char *word)
{
	struct protocol_message hello = { .kind = PROTOCOL_HELLO, .version = PROTOCOL_VERSION };
	uint32_t channel;
	uint64_t id;

	/* NOLINTBEGIN(cert-err34-c): of our own writing */
	if (sscanf(word, "close\nchannel %" SCNu32, &channel) == 1 && channel == agent->channel &&
	    agent->is != NONE)
		channel_is_lost(sim, agent);
	if (sscanf(word, "open\nchannel %" SCNu32 "\nid %" SCNu64, &channel, &id) != 2)
		return;
	/* NOLINTEND(cert-err34-c) */
	if (agent->is_dead || agent->is == NONE || agent->record->id != id) {
		close_channel(sim, agent, channel);
		return;
	}
	close_channel(sim, agent, agent->channel);
	agent->channel = channel;
	agent->at_gate = (struct order_challenge){ .due = 0 };
	hello.record.gate = agent->record->end.gate;
	answer(sim, agent, channel, &hello);
}

void
sim_agent_take(struct sim *sim, int index, uint32_t channel, const char *packet, size_t size)
{
	struct agent *agent = &agents[index];
	struct protocol_message message;
	struct err err;

	if (channel == 0) {
		take_word(sim, agent, packet);
		return;
	}
	if (agent->is_dead) {
		close_channel(sim, agent, channel == AGENT_CHANNEL_RUNNER ? channel : 0);
		return;
	}
	if (!protocol_decode(packet, size, &message, &err))
		sim_fail(sim, "what_an_agent_is_sent_can_be_read", "%s", err.text);
	sim_trace(sim, "%s gets %s of %" PRIu64, sim_agent_names[index],
	    protocol_kind_name(message.kind), message.id);
	if (channel == AGENT_CHANNEL_RUNNER)
		take_of_server(sim, agent, &message);
	else if (agent->is != NONE && channel == agent->channel)
		take_of_run(sim, agent, &message);
}

void
sim_agent_lost(struct sim *sim, int index)
{
	agents[index].is_served = agents[index].is_greeted = false;
	agents[index].challenge = (struct order_challenge){ .due = 0 };
	if (agents[index].channel != 0 || agents[index].is == AT_GATE)
		channel_is_lost(sim, &agents[index]);
}

bool
sim_agent_is_greeted(int index)
{
	return agents[index].is_greeted;
}

/* --- its host --- */

const struct protocol_record *
sim_agent_record(int agent, int64_t run)
{
	const struct record *record = records_find(&agents[agent].records, (uint64_t)run);

	return record == NULL ? NULL : &record->end;
}

static void
remove_records(const struct agent *agent)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/records", agent->folder);
	(void)unlink(path);
}

void
sim_agent_forgets(struct sim *sim, int index)
{
	struct agent *agent = &agents[index];

	sim_note(sim, SIM_AGENT_FORGOT);
	sim_trace(sim, "%s's host is made anew", sim_agent_names[index]);
	sim_agent_is_killed(sim, index);
	if (agent->unit_of != 0)
		unit_is_over(agent);
	remove_records(agent);
	memset(agent->records.all, 0, sizeof(agent->records.all));
}

void
sim_agent_new(struct sim *sim, int index)
{
	struct agent *agent = &agents[index];

	remove_records(agent);
	agent->is_served = agent->is_greeted = false;
	agent->is = NONE;
	agent->channel = 0;
	agent->unit_of = 0;
	for (size_t i = 0; i < COUNT(capabilities); i++)
		agent->versions[i] = 1;
	process_starts(sim, index, 0);
}

void
sim_agent_done(int index)
{
	if (!agents[index].is_dead)
		(void)close(agents[index].records.fd);
}

void
sim_agent_begin(const char *folder)
{
	char public[LIMIT_DIGEST];
	struct err err;

	sim_must(crypto_ca_order_public(sim_agents_order_key(), public, &err), err.text);
	for (int i = 0; i < SIM_AGENTS; i++) {
		struct agent *agent = &agents[i];

		(void)snprintf(agent->folder, sizeof(agent->folder), "%s/agent-%s", folder,
		    sim_agent_names[i]);
		sim_must(mkdir(agent->folder, 0700) == 0, agent->folder);
		(void)text_copy(agent->keys.name, sizeof(agent->keys.name), sim_agent_names[i]);
		agent->keys.count = 1;
		sim_must(text_unhex(agent->keys.all[0], sizeof(agent->keys.all[0]), public,
			     strlen(public)),
		    "the order key");
		for (size_t n = 0; n < COUNT(capabilities); n++)
			agent->versions[n] = 1;
	}
}
