/* sim_remote.c - a remote runner, and the supervisors of its runs.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * As runner/runner.c and runner/supervisor.c have them, without sockets.  What scripts do there is
 * sim_run.c's: they go on while their host is disconnected, and while the runner is dead.  What the
 * server has of it is the product's own, as of an agent.
 */
#include "lib/fingerprint.h"
#include "lib/order_check.h"
#include "runs/agent_channel.h"
#include "runs/run_translate.h"
#include "tests/sim/sim_agent.h"

#define KILLED	 40 /* one in so many times, wherever it can matter */
#define TROUBLES 4  /* while it has a run; one on a calm day */
#define ORDERS	 16 /* that may be on their way */
#define BOOT	 "01234567-89ab-cdef-0123-456789abcdef"

static sim_fn process_starts, gate_waits_no_longer;

/* A run there, beside its process. */
static struct far {
	uint32_t channel; /* 0: nobody follows it */
	struct order_challenge at_gate;
	char work[PROTOCOL_WORK];
	char list[LIMIT_DIGEST];
	bool is_reported; /* how it has ended */
} fars[SIM_PROCESSES];

static struct effect_run orders[ORDERS];
static size_t n_orders;

static struct {
	struct order_keys keys;
	bool is_dead, has_forgotten;
	/* the server on its socket */
	bool is_served, is_greeted, knows; /* what is live elsewhere */
	struct order_challenge challenge;
} builder;

static struct far *
far_of(const struct sim_process *process)
{
	return &fars[process - process->sim->processes];
}

/* NULL: it has no folder of it. */
static struct sim_process *
find(struct sim *sim, int64_t run)
{
	for (size_t i = sim->n_processes; i > 0; i--)
		if (sim->processes[i - 1].is_remote && sim->processes[i - 1].run == run &&
		    !sim->processes[i - 1].is_gone)
			return &sim->processes[i - 1];
	return NULL;
}

static bool
is_killed(struct sim *sim)
{
	if (sim->is_resting || sim->day == SIM_DAY_CALM || !sim_one_in(sim, KILLED))
		return false;
	sim_remote_is_killed(sim);
	return true;
}

/* --- what it says --- */

static void
say(struct sim *sim, uint32_t channel, const struct protocol_message *message)
{
	sim_link_say_message(sim, SIM_BUILDER, channel, message);
}

static void
say_challenge(struct sim *sim, uint32_t channel, struct order_challenge *of)
{
	struct protocol_message message = { .kind = PROTOCOL_CHALLENGE };
	struct err err;

	sim_must(order_challenge_draw(of, &err), err.text);
	memcpy(message.proof.challenge, of->hex, sizeof(message.proof.challenge));
	say(sim, channel, &message);
}

static void
fill_step(const struct sim_process *process, int i, struct protocol_step *ret)
{
	(void)text_copy(ret->name, sizeof(ret->name), process->steps[i]);
	ret->at = process->sim->now;
}

static void
fill_record(const struct sim_process *process, struct protocol_message *ret)
{
	const struct run_ended *is = &process->record;

	ret->record = (struct protocol_record){ .gate = process->was_opened,
		.released = is->released,
		.no_rollback = is->no_rollback,
		.migration = is->migration,
		.drains = is->drains,
		.timed_out = is->timed_out,
		.ended = is->ended_on_request,
		.lost = is->lost,
		.exec_errno = is->exec_errno,
		.status = is->exit_status > 0 ? is->exit_status : 0,
		.signal = is->signal_number,
		.ended_at = process->phase == SIM_ENDED ? process->sim->now : 0 };
	(void)text_copy(ret->record.image, sizeof(ret->record.image),
	    process->phase == SIM_ENDED ? is->image : process->image);
	for (ret->step_count = 0; (int)ret->step_count < process->n_steps; ret->step_count++)
		fill_step(process, (int)ret->step_count, &ret->steps[ret->step_count]);
}

static void
say_settled(struct sim *sim, int64_t run)
{
	const struct sim_process *process = find(sim, run);
	struct protocol_message settled = { .kind = PROTOCOL_RECONCILED, .id = (uint64_t)run };

	if (process == NULL) {
		builder.challenge = (struct order_challenge){ .due = 0 };
		settled.state = PROTOCOL_STATE_NEVER;
	} else if (process->phase == SIM_ENDED) {
		fill_record(process, &settled);
		settled.state = process->record.lost ? PROTOCOL_STATE_LOST : PROTOCOL_STATE_ENDED;
	} else if (process->has_supervisor) {
		settled.state = PROTOCOL_STATE_ALIVE;
	} else {
		return; /* said when nothing of it is alive */
	}
	say(sim, AGENT_CHANNEL_RUNNER, &settled);
}

static void
say_steps(struct sim *sim, struct sim_process *process)
{
	struct protocol_message step = { .kind = PROTOCOL_STEP, .step_count = 1 };

	(void)text_copy(step.record.image, sizeof(step.record.image), process->image);
	for (; process->n_told < process->n_steps; process->n_told++) {
		fill_step(process, process->n_told, &step.steps[0]);
		say(sim, far_of(process)->channel, &step);
	}
}

void
sim_remote_tells(struct sim *sim, struct sim_process *process)
{
	struct far *far = far_of(process);
	struct protocol_message over = { .kind = PROTOCOL_EXIT };

	if (far->channel != 0 && process->has_supervisor) {
		say_steps(sim, process);
		fill_record(process, &over);
		if (process->phase == SIM_ENDED)
			say(sim, far->channel, &over);
	}
	if (process->phase != SIM_ENDED && process->has_supervisor)
		return;
	sim_link_close(sim, SIM_BUILDER, far->channel);
	far->channel = 0;
	if (process->phase == SIM_ENDED && builder.is_greeted)
		say_settled(sim, process->run);
}

void
sim_remote_greets(struct sim *sim)
{
	struct protocol_message hello = {
		.kind = PROTOCOL_HELLO, .version = PROTOCOL_VERSION, .pid = 1
	};

	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim->processes[i].is_remote && !sim->processes[i].is_gone &&
		    (uint64_t)sim->processes[i].run > hello.id)
			hello.id = (uint64_t)sim->processes[i].run;
	builder.is_greeted = true;
	builder.knows = false;
	say(sim, AGENT_CHANNEL_RUNNER, &hello);
}

bool
sim_remote_is_greeted(void)
{
	return builder.is_greeted;
}

bool
sim_remote_is_missed(struct sim *sim)
{
	return sim_agents_number(sim,
		   "SELECT COUNT(*) FROM runner WHERE name = $1 AND gone_at > $2",
		   DB_TEXT(sim_agent_names[SIM_BUILDER]), DB_I64(0)) > 0;
}

/* --- orders --- */

void
sim_remote_remember(const struct effect_run *order)
{
	struct effect_run *kept = &orders[n_orders++ % ORDERS];

	free(kept->hosts);
	*kept = *order;
	kept->hosts = order->hosts != NULL ? strdup(order->hosts) : NULL;
	memset(&kept->message, 0, sizeof(kept->message)); /* its texts are the effect's */
}

static const struct effect_run *
order_of(uint64_t run)
{
	size_t i = 0;

	while (i < ORDERS && orders[i].run != (int64_t)run)
		i++;
	assert(i < ORDERS);
	return &orders[i];
}

/* What of an order is signed: of what is known here. */
static struct order_shown
show(const struct protocol_message *order, uint64_t run, const char *work, const char *list)
{
	return (struct order_shown){ .bytes = { .kind = protocol_kind_name(order->kind),
					 .capability = work,
					 .run = run,
					 .epoch = order->proof.epoch,
					 .manifest = list,
					 .challenge = order->proof.challenge },
		.signature = order->proof.signature };
}

static bool
is_changed(const struct sim *sim, const struct effect_run *order, struct protocol_message *refusal)
{
	char *list = sim_run_list(sim, sim_environment(order->environment));
	char digest[FINGERPRINT_DIGEST];
	bool is = order->binding[0] != '\0' &&
	    strcmp(fingerprint_of_order(list, order->source, order->tree, digest),
		order->binding) != 0;

	if (is)
		(void)text_copy(refusal->settings, sizeof(refusal->settings), list);
	free(list);
	return is;
}

/* NONE: it is begun. */
static enum protocol_why
why_not(struct sim *sim, const struct protocol_message *order, struct protocol_message *refusal)
{
	char work[PROTOCOL_WORK];
	const struct order_shown shown =
	    show(order, order->id, protocol_work(order, work), order->fingerprint);
	struct err err;

	(void)text_copy(refusal->text, sizeof(refusal->text), "it is not possible now");
	if (!order_check(&builder.challenge, &shown, &builder.keys, &err))
		return PROTOCOL_WHY_INVALID;
	if (!builder.knows || (!sim->is_resting && sim_one_in(sim, 20)))
		return PROTOCOL_WHY_FAILED;
	if (find(sim, (int64_t)order->id) != NULL)
		return PROTOCOL_WHY_EXISTS;
	if (is_changed(sim, order_of(order->id), refusal))
		return PROTOCOL_WHY_CHANGED;
	return !sim->is_resting && sim_one_in(sim, 40) ? PROTOCOL_WHY_INVALID : PROTOCOL_WHY_NONE;
}

static void
begin(struct sim *sim, const struct protocol_message *order)
{
	struct sim_process *process = sim_run_begin(sim, order_of(order->id));
	struct far *far = far_of(process);

	sim_note(sim, SIM_RUN_ELSEWHERE);
	process->is_remote = true;
	*far = (struct far){ .channel = 0 };
	(void)protocol_work(order, far->work);
	memcpy(far->list, order->fingerprint, sizeof(far->list));
	sim_later(sim, 0, INT64_C(1000) * PROTOCOL_GATE_WAIT_S, gate_waits_no_longer,
	    process - sim->processes, 0);
	for (int i = sim->day == SIM_DAY_CALM ? TROUBLES - 1 : 0; i < TROUBLES; i++)
		sim_agents_trouble_soon(sim, SIM_BUILDER, 60000);
	if (!is_killed(sim))
		say(sim, AGENT_CHANNEL_RUNNER,
		    &(struct protocol_message){ .kind = PROTOCOL_STARTED, .id = order->id });
}

static void
on_run(struct sim *sim, const struct protocol_message *order)
{
	struct protocol_message refusal = { .kind = PROTOCOL_REFUSED, .id = order->id };

	if (is_killed(sim))
		return;
	refusal.why = why_not(sim, order, &refusal);
	if (refusal.why == PROTOCOL_WHY_NONE)
		begin(sim, order);
	else
		say(sim, AGENT_CHANNEL_RUNNER, &refusal);
}

static void
on_reconcile(struct sim *sim, int64_t run)
{
	const struct sim_process *process = find(sim, run);

	if (is_killed(sim))
		return;
	if (process == NULL || process->phase != SIM_ENDED)
		sim_note(sim, process == NULL ? SIM_REMOTE_NEVER : SIM_REMOTE_FOUND);
	say_settled(sim, run);
}

static void
on_state(struct sim *sim, const struct protocol_message *state)
{
	builder.knows |= state->environment[0] == '\0';
	say(sim, AGENT_CHANNEL_RUNNER,
	    &(struct protocol_message){ .kind = PROTOCOL_STATE_FILE, .id = state->id });
}

static void
say_piece(struct sim *sim, const struct protocol_message *read)
{
	static const char log[] = "==> build\nIt is done.\n";
	const struct sim_process *process = find(sim, (int64_t)read->id);
	char results[SIM_RESULTS];
	size_t size = 0, at = read->place.from > 0 ? (size_t)read->place.from - 1 : 0;

	if (read->place.is_results && process != NULL)
		size = sim_waves_results(process, results);
	say(sim, AGENT_CHANNEL_RUNNER,
	    &(struct protocol_message){ .kind = PROTOCOL_PIECE,
		.id = read->id,
		.place = { .from = read->place.from,
		    .size = read->place.is_results ? size : sizeof(log) - 1,
		    .is_results = read->place.is_results },
		.body = read->place.is_results ? results + (at < size ? at : size) : log,
		.body_len =
		    read->place.is_results ? (at < size ? size - at : 0) : sizeof(log) - 1 });
}

static void
take_of_server(struct sim *sim, const struct protocol_message *message)
{
	if (!builder.is_served) { /* the first packet connects */
		builder.is_served = true;
		builder.is_greeted = false;
		builder.challenge = (struct order_challenge){ .due = 0 };
	}
	if (message->kind == PROTOCOL_HELLO) {
		sim_remote_greets(sim);
	} else if (!builder.is_greeted) { /* what came was for the process before this one */
		sim_link_close(sim, SIM_BUILDER, AGENT_CHANNEL_RUNNER);
		builder.is_served = false;
	} else if (message->kind == PROTOCOL_CHALLENGE) {
		say_challenge(sim, AGENT_CHANNEL_RUNNER, &builder.challenge);
	} else if (message->kind == PROTOCOL_RUN) {
		on_run(sim, message);
	} else if (message->kind == PROTOCOL_RECONCILE) {
		on_reconcile(sim, (int64_t)message->id);
	} else if (message->kind == PROTOCOL_STATE_FILE) {
		on_state(sim, message);
	} else {
		say_piece(sim, message);
	}
}

/* --- its supervisors --- */

static void
gate_waits_no_longer(struct sim *sim, int64_t index, UNUSED int64_t b)
{
	if (fars[index].channel == 0)
		sim_run_give_up_gate(sim, &sim->processes[index]);
}

static void
channel_is_lost(struct sim *sim, struct sim_process *process)
{
	far_of(process)->channel = 0;
	far_of(process)->at_gate = (struct order_challenge){ .due = 0 };
	sim_run_give_up_gate(sim, process);
}

static struct sim_process *
process_of(struct sim *sim, uint32_t channel)
{
	for (size_t i = 0; channel != 0 && i < sim->n_processes; i++)
		if (sim->processes[i].is_remote && fars[i].channel == channel)
			return &sim->processes[i];
	return NULL;
}

static void
on_go(struct sim *sim, struct sim_process *process, const struct protocol_message *go)
{
	struct far *far = far_of(process);
	const struct order_shown shown = show(go, (uint64_t)process->run, far->work, far->list);
	struct err err;

	if (process->phase != SIM_AT_GATE)
		return;
	if (order_check(&far->at_gate, &shown, &builder.keys, &err)) {
		sim_run_open_gate(sim, process);
		return;
	}
	sim_link_close(sim, SIM_BUILDER, far->channel);
	channel_is_lost(sim, process);
}

static void
take_of_run(struct sim *sim, struct sim_process *process, const struct protocol_message *message)
{
	if (message->kind == PROTOCOL_CHALLENGE)
		say_challenge(sim, far_of(process)->channel, &far_of(process)->at_gate);
	else if (message->kind == PROTOCOL_GO)
		on_go(sim, process, message);
	else if (message->kind == PROTOCOL_END)
		sim_run_end_soon(sim, process);
}

static void
open_channel(struct sim *sim, uint32_t channel, int64_t run)
{
	struct sim_process *process = find(sim, run);
	struct protocol_message hello = { .kind = PROTOCOL_HELLO,
		.version = PROTOCOL_VERSION,
		.pid = 4000,
		.process = { .start = 1, .boot = BOOT } };

	if (process == NULL || process->phase == SIM_ENDED || !process->has_supervisor) {
		sim_link_close(sim, SIM_BUILDER, channel);
		return;
	}
	sim_link_close(sim, SIM_BUILDER, far_of(process)->channel);
	far_of(process)->channel = channel;
	far_of(process)->at_gate = (struct order_challenge){ .due = 0 };
	fill_record(process, &hello);
	process->n_told = process->n_steps;
	say(sim, channel, &hello);
}

/* Of link, about a channel of a run. */
static void
take_word(struct sim *sim, const char *word)
{
	struct sim_process *process;
	uint32_t channel;
	int64_t run;

	/* NOLINTBEGIN(cert-err34-c): of our own writing */
	if (sscanf(word, "close\nchannel %" SCNu32, &channel) == 1 &&
	    (process = process_of(sim, channel)) != NULL)
		channel_is_lost(sim, process);
	else if (sscanf(word, "open\nchannel %" SCNu32 "\nid %" SCNd64, &channel, &run) == 2)
		open_channel(sim, channel, run);
	/* NOLINTEND(cert-err34-c) */
}

void
sim_remote_take(struct sim *sim, uint32_t channel, const char *packet, size_t size)
{
	struct protocol_message message;
	struct err err;

	if (channel == 0) {
		take_word(sim, packet);
		return;
	}
	if (builder.is_dead && channel == AGENT_CHANNEL_RUNNER) {
		sim_link_close(sim, SIM_BUILDER, channel);
		return;
	}
	if (!protocol_decode(packet, size, &message, &err))
		sim_fail(sim, "what_a_remote_runner_is_sent_can_be_read", "%s", err.text);
	sim_trace(sim, "build-1 gets %s of %" PRIu64, protocol_kind_name(message.kind), message.id);
	if (channel == AGENT_CHANNEL_RUNNER)
		take_of_server(sim, &message);
	else if (process_of(sim, channel) != NULL)
		take_of_run(sim, process_of(sim, channel), &message);
}

/* --- it ends, and its host --- */

static void
forget_server(void)
{
	builder.is_served = builder.is_greeted = builder.knows = false;
	builder.challenge = (struct order_challenge){ .due = 0 };
}

void
sim_remote_lost(struct sim *sim)
{
	forget_server();
	for (size_t i = 0; i < sim->n_processes; i++) {
		if (!sim->processes[i].is_remote || fars[i].channel == 0)
			continue;
		channel_is_lost(sim, &sim->processes[i]);
		if (sim->processes[i].phase == SIM_ALIVE)
			sim_note(sim, SIM_REMOTE_WENT_ON);
	}
}

static void
process_starts(UNUSED struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	builder.is_dead = false;
}

/* Its supervisors live on, but for those at their gate to which nobody has come. */
void
sim_remote_is_killed(struct sim *sim)
{
	if (builder.is_dead)
		return;
	sim_note(sim, SIM_REMOTE_KILLED);
	sim_trace(sim, "build-1's runner is killed");
	sim_link_close(sim, SIM_BUILDER, builder.is_served ? AGENT_CHANNEL_RUNNER : 0);
	forget_server();
	builder.is_dead = true;
	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim->processes[i].is_remote)
			gate_waits_no_longer(sim, (int64_t)i, 0);
	sim_later(sim, 0, sim_delay(sim, 100, 30000), process_starts, 0, 0);
}

void
sim_remote_forgets(struct sim *sim)
{
	sim_note(sim, SIM_REMOTE_FORGOT);
	sim_trace(sim, "build-1's host is made anew");
	builder.has_forgotten = true;
	for (size_t i = 0; i < sim->n_processes; i++) {
		if (!sim->processes[i].is_remote)
			continue;
		sim->processes[i].phase = SIM_ENDED;
		sim->processes[i].is_gone = true;
		sim_link_close(sim, SIM_BUILDER, fars[i].channel);
		fars[i].channel = 0;
	}
	sim_remote_is_killed(sim);
}

/* --- what holds --- */

void
sim_remote_leave(struct sim *sim, int64_t run)
{
	struct sim_process *process = find(sim, run);

	if (process == NULL)
		return;
	process->is_abandoned = true; /* whoever restores a copy looks after that */
	process->script = SIM_SCRIPT_TOUCHES_NOTHING;
}

/* Whatever others say of it, and however long it is disconnected. */
void
sim_remote_check(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_processes; i++) {
		const struct sim_process *process = &sim->processes[i];

		if (process->is_remote && process->was_opened && !fars[i].is_reported &&
		    !process->is_abandoned &&
		    sim_agents_number(sim,
			"SELECT COUNT(*) FROM run r JOIN work d ON d.id = r.deployment"
			" WHERE r.id = $1 AND r.ended_at = 0 AND (r.program = 'drain'"
			" OR (d.run = r.id AND d.ended_at = $2))",
			DB_I64(process->run), DB_I64(0)) != 1)
			sim_fail(sim, "a_run_is_open_until_its_own_runner_ends_it", "run %" PRId64,
			    process->run);
	}
}

static bool
is_as_recorded(const struct run_ended *is, const struct run_ended *said)
{
	return is->gate_opened == said->gate_opened && is->lost == said->lost &&
	    is->released == said->released && is->no_rollback == said->no_rollback &&
	    is->migration == said->migration && is->drains == said->drains &&
	    is->timed_out == said->timed_out && is->ended_on_request == said->ended_on_request &&
	    is->exec_errno == said->exec_errno && is->signal_number == said->signal_number &&
	    (is->exit_status <= 0 || is->exit_status == said->exit_status);
}

/* As its runner has it on disk; what was refused never began, and what is gone was forgotten. */
void
sim_remote_check_end(struct sim *sim, int64_t run, const struct run_ended *ended)
{
	const struct sim_process *process = find(sim, run);

	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim->processes[i].is_remote && sim->processes[i].run == run) {
			if (ended->refused && sim->processes[i].was_opened)
				sim_fail(sim, "what_is_refused_never_began", "run %" PRId64, run);
			if (ended->folder_gone && sim->processes[i].was_opened)
				sim_note(sim, SIM_REMOTE_RUN_GONE);
			fars[i].is_reported = true;
		}
	if (ended->refused)
		return;
	if (ended->folder_gone) {
		if (!builder.has_forgotten)
			sim_fail(sim, "a_remote_runners_folders_stay", "run %" PRId64, run);
		return;
	}
	if (process != NULL && process->phase != SIM_ENDED)
		sim_fail(sim, "a_run_ends_as_its_own_runner_says", "run %" PRId64 " goes on", run);
	if (process == NULL ? !builder.has_forgotten : !is_as_recorded(&process->record, ended))
		sim_fail(sim, "a_run_ends_as_its_own_runner_says", "run %" PRId64, run);
}

/* --- beginning --- */

void
sim_remote_begin(void)
{
	char public[LIMIT_DIGEST];
	struct err err;

	sim_must(crypto_ca_order_public(sim_agents_order_key(), public, &err), err.text);
	(void)text_copy(builder.keys.name, sizeof(builder.keys.name), sim_agent_names[SIM_BUILDER]);
	builder.keys.count = 1;
	sim_must(
	    text_unhex(builder.keys.all[0], sizeof(builder.keys.all[0]), public, strlen(public)),
	    "the order key");
}

void
sim_remote_new(void)
{
	n_orders = 0;
	builder.is_dead = builder.has_forgotten = false;
	forget_server();
}
