/* sim_run.c - runner, supervisors, scripts and the targets they change.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Processes live on when the server does not.  The rules are those of docs/ARCHITECTURE.md: a run's
 * folder has one supervisor, a gate opens only on `go`, an exit record is written when nothing of
 * the run is alive, what its supervisor left is ended before it counts as lost.
 */
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two.h"

#include "lib/fingerprint.h"

#define STATUS_GO     200
#define TRIES_MAX     3
#define HANGS_MS      600000  /* longer than its deadline */
#define STUCK_MOST_MS 1800000 /* until what a dead supervisor left is really dead */
#define LAG_MOST_MS   40000   /* the old version goes on answering */

static sim_fn order_arrives, supervisor_is_reached, supervisor_tells, script_goes_on,
    script_is_ended, run_is_reconciled, gate_is_given_up, end_is_tried, deadline_comes;

/* --- who is who --- */

static int64_t
index_of(const struct sim *sim, const struct sim_process *process)
{
	return process - sim->processes;
}

static struct sim_process *
find(struct sim *sim, int64_t run)
{
	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim->processes[i].run == run && !sim->processes[i].is_gone &&
		    sim->processes[i].server == sim_two_leads())
			return &sim->processes[i];
	return NULL;
}

static void
tell_soon(struct sim *sim, const struct sim_process *process)
{
	if (process->is_remote)
		sim_remote_tells(sim, &sim->processes[index_of(sim, process)]);
	else if (sim->store != NULL && process->link == sim->life)
		sim_later(sim, sim->life, sim_delay(sim, 1, 300), supervisor_tells,
		    index_of(sim, process), 0);
}

/* --- the end of a process --- */

/* Nothing of it is alive: then, and only then, its record is written. */
static void
end(struct sim *sim, struct sim_process *process, struct run_ended record)
{
	if (process->phase == SIM_ENDED)
		return;
	record.run = process->run;
	(void)text_copy(record.image, sizeof(record.image), record.lost ? "" : process->image);
	record.released = process->record.released ||
	    (record.lost && record.gate_opened && !process->record.migration);
	record.no_rollback = process->record.no_rollback;
	record.migration = process->record.migration;
	record.drains = process->record.drains && !record.lost;
	process->record = record;
	process->phase = SIM_ENDED;
	sim_waves_ended(sim, process);
	assert(process->deployment < SIM_DEPLOYMENTS);
	if (record.gate_opened && !record.lost && record.exit_status == 0 &&
	    sim_waves_is_last(process) && process->program != PROGRAM_ACTION &&
	    process->program != PROGRAM_DRAIN)
		sim->has_word[process->deployment] = true;
	sim_trace(sim, "run %" PRId64 " ends: %s%s%s%sexit %d", process->run,
	    record.gate_opened ? "" : "never opened, ", record.lost ? "lost, " : "",
	    record.timed_out ? "timed out, " : "", record.ended_on_request ? "on request, " : "",
	    record.exit_status);
	tell_soon(sim, process);
}

static void
exit_with(struct sim *sim, struct sim_process *process, int status)
{
	if (process->has_supervisor) /* else nobody saw it */
		end(sim, process, (struct run_ended){ .gate_opened = true, .exit_status = status });
}

/* --- scripts: what they do to a target --- */

static void
runs_now(struct sim *sim, const struct sim_process *process, const char *commit)
{
	struct sim_target *target = &sim->targets[process->environment];

	if (commit[0] == '\0') /* what stops now goes on answering for a while */
		(void)text_copy(target->before, sizeof(target->before), target->runs);
	(void)text_copy(target->runs, sizeof(target->runs), commit);
	sim_waves_all_run(sim, process, commit);
	target->answers_at = sim->now + sim_delay(sim, 0, LAG_MOST_MS);
	sim_trace(sim, "%s runs %.7s", sim_environments[process->environment],
	    commit[0] != '\0' ? commit : "nothing");
}

/* What the registry has of a commit.  Some are not shipped as images. */
void
sim_image_of(const char *commit, char ret[LIMIT_IMAGE])
{
	uint64_t mixed = 0;

	ret[0] = '\0';
	for (const char *c = commit; *c != '\0'; c++)
		mixed = (mixed ^ (uint64_t)(unsigned char)*c) * UINT64_C(0x9e3779b97f4a7c15);
	if (mixed >> 62 != 0) /* three of four */
		(void)snprintf(ret, LIMIT_IMAGE, "sha256:%016" PRIx64 "%048d", mixed, 0);
}

static void
say_step(struct sim *sim, struct sim_process *process, const char *name)
{
	assert(process->n_steps < SIM_STEPS);
	process->steps[process->n_steps++] = name;
	tell_soon(sim, process);
}

/* 0: before it changes anything.  A status, or -1: it goes on. */
static int
prepare(struct sim *sim, struct sim_process *process)
{
	static const int untouched[] = { 1, 64, 65, 69, 70 };

	say_step(sim, process, "build");
	if (process->program == PROGRAM_DEPLOY)
		sim_image_of(process->commit, process->image);
	if (sim_one_in(sim, 14))
		return untouched[sim_draw(sim, COUNT(untouched))];
	if (process->program == PROGRAM_DEPLOY && process->previous[0] != '\0' &&
	    sim_one_in(sim, 16)) {
		process->record.no_rollback = true;
		say_step(sim, process, "no-rollback");
	}
	return -1;
}

/* 1: some have a migration.  Until it has ended nothing of the target changes. */
static int
migrate(struct sim *sim, struct sim_process *process)
{
	if (process->program != PROGRAM_DEPLOY || process->wave.number > 1 || !sim_one_in(sim, 4))
		return -1;
	sim_note(sim, SIM_MIGRATED);
	process->record.migration = true;
	say_step(sim, process, "migrate");
	return -1;
}

/* 2: how it ended, and what may fail behind it. */
static int
migrated(struct sim *sim, struct sim_process *process)
{
	if (!process->record.migration)
		return -1;
	if (sim_one_in(sim, 6)) {
		say_step(sim, process, "migrate-failed 1");
		return 70;
	}
	say_step(sim, process, "migrated");
	return sim_one_in(sim, 12) ? 64 : -1;
}

/* It changes nothing of what runs, well or not. */
static int
act(struct sim *sim, struct sim_process *process)
{
	if (process->script++ > 0)
		return sim_one_in(sim, 3) ? 70 : 0;
	say_step(sim, process, "do");
	return -1;
}

static int
advance(struct sim *sim, struct sim_process *process)
{
	if (process->program == PROGRAM_ACTION)
		return act(sim, process);
	if (process->program == PROGRAM_DRAIN)
		return sim_drain_advance(sim, process);
	switch (process->script++) {
	case 0:
		return prepare(sim, process);
	case 1:
		return migrate(sim, process);
	case 2:
		return migrated(sim, process);
	case 3:
		process->record.released = true;
		say_step(sim, process, "release");
		return -1;
	case 4:
		sim_drain_makes_room(sim, process);
		if (process->wave.is_set) {
			process->script--;
			return sim_waves_advance(sim, process);
		}
		runs_now(sim, process, "");
		return sim_one_in(sim, 24) ? 1 : -1;
	case 5:
		runs_now(sim, process, process->commit);
		sim_drain_leaves(sim, process);
		return sim_one_in(sim, 24) ? 75 : -1;
	default:
		return 0;
	}
}

static void
script_goes_on(struct sim *sim, int64_t index, int64_t b)
{
	struct sim_process *process = &sim->processes[index];
	int status;

	(void)b;
	if (process->phase != SIM_ALIVE)
		return;
	status = advance(sim, process);
	if (status >= 0)
		exit_with(sim, process, status);
	else
		sim_later(sim, 0, sim_one_in(sim, 20) ? HANGS_MS : sim_delay(sim, 50, 60000),
		    script_goes_on, index, 0);
}

/* --- gate and supervisor --- */

void
sim_run_open_gate(struct sim *sim, struct sim_process *process)
{
	if (process->phase != SIM_AT_GATE || !process->has_supervisor)
		return;
	if (sim_runner_has_abandoned(sim, process->run))
		sim_fail(sim, "what_is_abandoned_passes_no_gate", "run %" PRId64, process->run);
	sim_check_gate(sim, process);
	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim->processes[i].run == process->run && sim->processes[i].was_opened)
			sim_fail(sim, "a_run_is_started_once", "run %" PRId64, process->run);
	process->phase = SIM_ALIVE;
	process->was_opened = true;
	sim_trace(sim, "run %" PRId64 ": its gate opens", process->run);
	if (sim_one_in(sim, 40)) {
		sim_note(sim, SIM_EXEC_FAILED);
		end(sim, process,
		    (struct run_ended){ .gate_opened = true, .exec_errno = 2, .exit_status = -1 });
		return;
	}
	sim_later(sim, 0, sim_delay(sim, 10, 20000), script_goes_on, index_of(sim, process), 0);
	if (process->program != PROGRAM_DRAIN)
		sim_later(sim, 0, 120000, deadline_comes, index_of(sim, process), 0);
}

static void
deadline_comes(struct sim *sim, int64_t index, int64_t b)
{
	struct sim_process *process = &sim->processes[index];

	(void)b;
	if (process->phase != SIM_ALIVE || !process->has_supervisor)
		return;
	sim_note(sim, SIM_RUN_TIMED_OUT);
	sim_later(sim, 0, sim_delay(sim, 1, 10000), script_is_ended, index, 1);
}

void
sim_run_give_up_gate(struct sim *sim, struct sim_process *process)
{
	if (process->phase != SIM_AT_GATE || !process->has_supervisor)
		return;
	sim_note(sim, SIM_GATE_NEVER_OPENED);
	end(sim, process, (struct run_ended){ .exit_status = -1 });
}

static void
gate_is_given_up(struct sim *sim, int64_t index, UNUSED int64_t b)
{
	sim_run_give_up_gate(sim, &sim->processes[index]);
}

/* By its deadline (why 1) or because it was asked (0); what it touched until then it touched. */
static void
script_is_ended(struct sim *sim, int64_t index, int64_t why)
{
	struct sim_process *process = &sim->processes[index];

	if (process->phase == SIM_ENDED || !process->has_supervisor)
		return;
	end(sim, process,
	    (struct run_ended){ .gate_opened = process->was_opened,
		.timed_out = why == 1,
		.ended_on_request = why == 0,
		.exit_status = -1,
		.signal_number = 15 });
}

void
sim_run_end_soon(struct sim *sim, struct sim_process *process)
{
	sim_later(sim, 0, sim_delay(sim, 1, 15000), script_is_ended, index_of(sim, process), 0);
}

void
sim_run_recorded(void *ctx, const struct answer *answer)
{
	struct sim_process *process = ctx;
	struct sim *sim = process->sim;

	if (answer->status == STATUS_GO)
		sim_run_open_gate(sim, process);
	else
		sim_later(sim, 0, 1, script_is_ended, index_of(sim, process), 0);
}

static void
tell_hello(struct sim *sim, struct sim_process *process)
{
	struct event *event = sim_server_event(sim, EVENT_RUN_STARTED);

	process->said_hello = true;
	event->u.run_started = (struct run_started){
		.run = process->run, .pid = 4000 + process->run, .start_time = 1, .boot = "boot"
	};
	event->done = sim_run_recorded;
	event->done_ctx = process;
	sim_server_submit(sim, event);
}

static void
tell_steps(struct sim *sim, struct sim_process *process)
{
	for (; process->n_told < process->n_steps; process->n_told++) {
		struct event *event = sim_server_event(sim, EVENT_RUN_STEP);

		event->u.run_step =
		    (struct run_step){ .run = process->run, .n = process->n_told, .at = sim->now };
		(void)text_copy(
		    event->u.run_step.name, LIMIT_STEP, process->steps[process->n_told]);
		(void)text_copy(event->u.run_step.image, LIMIT_IMAGE, process->image);
		sim_server_submit(sim, event);
	}
}

static void
tell_lost(struct sim *sim, struct sim_process *process)
{
	struct event *event = sim_server_event(sim, EVENT_RUN_LOST);

	process->lost_told = true;
	event->u.run_started.run = process->run;
	sim_server_submit(sim, event);
}

/* Everything that was not told yet, in its order. */
static void
supervisor_tells(struct sim *sim, int64_t index, int64_t b)
{
	struct sim_process *process = &sim->processes[index];
	struct sim_open *open = sim_server_find_run(sim, process->run);

	(void)b;
	if (open == NULL || process->link != sim->life)
		return;
	tell_steps(sim, process);
	sim_waves_tell(sim, process);
	if (!process->has_supervisor && !process->lost_told)
		tell_lost(sim, process);
	if (process->phase == SIM_AT_GATE && process->has_supervisor && !process->said_hello) {
		tell_hello(sim, process);
	} else if (process->phase == SIM_ENDED) {
		open->effect->result->u.run_ended = process->record;
		sim_server_report(sim, open);
	}
}

/* --- orders --- */

static void
refuse(struct sim *sim, struct sim_open *open, bool is_cancelled)
{
	struct run_ended *ended = &open->effect->result->u.run_ended;

	sim_trace(sim, "run %" PRId64 " is refused", open->effect->u.run.run);
	*ended = (struct run_ended){
		.run = open->effect->u.run.run, .refused = true, .ended_on_request = is_cancelled
	};
	(void)text_copy(ended->detail, sizeof(ended->detail), "no space left on device");
	sim_server_report(sim, open);
}

static void
report_gone(struct sim *sim, struct sim_open *open)
{
	struct run_ended *ended = &open->effect->result->u.run_ended;

	sim_note(sim, SIM_FOLDER_GONE);
	sim_two_check_gone(sim, open->effect->u.run.run);
	*ended = (struct run_ended){
		.run = open->effect->u.run.run, .folder_gone = true, .exit_status = -1
	};
	(void)text_copy(ended->detail, sizeof(ended->detail), "its folder is not here");
	sim_server_report(sim, open);
}

static bool
put_off(struct sim *sim, struct sim_open *open)
{
	if (sim->is_resting || !sim_one_in(sim, 20))
		return false;
	if (open->effect->u.run.program == PROGRAM_DEPLOY && ++open->tries >= TRIES_MAX) {
		refuse(sim, open, false);
		return true;
	}
	sim_note(sim, SIM_RUN_PUT_OFF);
	sim_later(sim, sim->life, sim_delay(sim, 1000, 60000), order_arrives, open->effect->id, 0);
	return true;
}

/* --- what ships an environment --- */

static void
edit(struct sim *sim, int environment)
{
	sim_note(sim, SIM_SETTINGS_EDITED);
	if (sim_one_in(sim, 2))
		sim->settings_edited[environment]++;
	else
		sim->hooks_edited[environment]++;
	sim_trace(sim, "somebody edits what ships %s", sim_environments[environment]);
}

void
sim_run_somebody_edits(struct sim *sim)
{
	edit(sim, (int)sim_draw(sim, (uint32_t)sim->n_environments));
}

/* The files of its applications are what the server has read of them. */
char *
sim_run_list(const struct sim *sim, int environment)
{
	const struct environment_settings *settings =
	    settings_environment(sim_settings_get(sim->loaded), sim_environments[environment]);
	const char *own =
	    settings == NULL || settings->fingerprint == NULL ? "" : settings->fingerprint;
	char *list;

	if (asprintf(&list, "%s%stransport/TRANSPORT_ZONE=%016d pre-deploy/10-migrate=%016d", own,
		own[0] != '\0' ? " " : "", sim->settings_edited[environment],
		sim->hooks_edited[environment]) < 0)
		abort();
	return list;
}

/* The runner compares what the order is bound to, and begins nothing. */
static bool
is_changed(struct sim *sim, struct sim_open *open)
{
	const struct effect_run *order = &open->effect->u.run;
	struct run_ended *ended = &open->effect->result->u.run_ended;
	int environment = sim_environment(order->environment);
	char digest[FINGERPRINT_DIGEST], *list;

	if (!sim->is_resting && sim->day != SIM_DAY_CALM && sim_one_in(sim, 12))
		edit(sim, environment);
	list = sim_run_list(sim, environment);
	if (order->binding[0] == '\0' ||
	    strcmp(fingerprint_of_order(list, order->source, order->tree, digest),
		order->binding) == 0) {
		free(list);
		return false;
	}
	sim_note(sim, SIM_RUN_CHANGED);
	sim_trace(sim, "run %" PRId64 " is refused for another list", order->run);
	*ended = (struct run_ended){ .run = order->run, .refused = true, .is_changed = true };
	if (!sim_one_in(sim, 10))
		ended->binding = TAKE(list);
	free(list);
	(void)text_copy(ended->detail, sizeof(ended->detail), "the settings changed");
	sim_server_report(sim, open);
	return true;
}

struct sim_process *
sim_run_begin(struct sim *sim, const struct effect_run *order)
{
	struct sim_process *process = &sim->processes[sim->n_processes++];

	assert(sim->n_processes < SIM_PROCESSES);
	for (size_t i = 0; i + 1 < sim->n_processes; i++)
		if (sim->processes[i].run == order->run && sim->processes[i].was_opened)
			sim_fail(sim, "a_started_run_is_never_ordered_again", "run %" PRId64,
			    order->run);
	*process = (struct sim_process){ .sim = sim,
		.run = order->run,
		.deployment = order->deployment,
		.program = order->program,
		.environment = sim_environment(order->environment),
		.server = sim_two_leads(),
		.is_abandoned =
		    order->program != PROGRAM_DRAIN && sim_runner_has_abandoned(sim, order->run),
		.has_supervisor = true };
	(void)text_copy(process->commit, sizeof(process->commit), order->commit);
	(void)text_copy(process->previous, sizeof(process->previous), order->previous);
	sim_waves_order(sim, process, order);
	sim_trace(sim, "run %" PRId64 " (%s %.7s in %s) is at its gate", process->run,
	    order->program == PROGRAM_ACTION	 ? order->action :
		order->program == PROGRAM_DRAIN	 ? "drain" :
		order->program == PROGRAM_DEPLOY ? "deploy" :
						   "rollback",
	    order->commit, order->environment);
	sim_two_trouble_soon(sim);
	sim_check_targets(sim);
	sim_check_images(sim, order);
	sim_fleet_check_order(sim, order);
	if (order->program == PROGRAM_DRAIN) {
		sim_drain_check_order(sim, order);
		return process;
	}
	if (process->is_abandoned)
		return process;
	if (order->program == PROGRAM_ACTION) {
		sim_actions_check_order(sim, order);
		return process;
	}
	sim_check_binding(sim, order);
	sim_check_known(sim, order->deployment);
	return process;
}

/* Found where it is, and ordered only where there is none. */
static void
order_arrives(struct sim *sim, int64_t effect, int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect);
	struct sim_process *process;

	(void)b;
	if (open == NULL)
		return;
	if (sim->is_runner_away) {
		sim_later(sim, sim->life, sim_delay(sim, 1000, 20000), order_arrives, effect, 0);
		return;
	}
	process = find(sim, open->effect->u.run.run);
	if (process == NULL && open->effect->u.run.started_at != 0) {
		report_gone(sim, open);
		return;
	}
	if (process == NULL) {
		if (open->stop_requested) {
			refuse(sim, open, true);
			return;
		}
		if (!sim->is_resting && sim_one_in(sim, 40)) {
			sim_note(sim, SIM_RUN_REFUSED);
			refuse(sim, open, false);
			return;
		}
		if (open->effect->u.run.wave[0] != '\0' && open->effect->u.run.hosts[0] == '\0') {
			refuse(sim, open, false); /* a wave without hosts */
			return;
		}
		if (put_off(sim, open) || is_changed(sim, open))
			return;
		process = sim_run_begin(sim, &open->effect->u.run);
		if (!sim->is_resting && sim->day != SIM_DAY_CALM && sim_one_in(sim, 8))
			sim_runner_goes(sim);
	} else if (process->phase != SIM_ENDED) {
		sim_note(sim, SIM_RUN_ADOPTED);
	}
	sim_later(sim, sim->life, sim_delay(sim, 1, 500), supervisor_is_reached,
	    index_of(sim, process), 0);
}

static void
run_is_reconciled(struct sim *sim, int64_t index, int64_t b)
{
	struct sim_process *process = &sim->processes[index];

	(void)b;
	if (!process->has_supervisor)
		end(sim, process,
		    (struct run_ended){
			.lost = true, .gate_opened = process->was_opened, .exit_status = -1 });
}

/* The runner ends what a dead supervisor left, which may take long. */
static void
reconcile(struct sim *sim, struct sim_process *process)
{
	if (process->is_reconciling)
		return;
	process->is_reconciling = true;
	sim_later(sim, 0, sim_delay(sim, 100, STUCK_MOST_MS), run_is_reconciled,
	    index_of(sim, process), 0);
}

static void
supervisor_is_reached(struct sim *sim, int64_t index, int64_t b)
{
	struct sim_process *process = &sim->processes[index];

	(void)b;
	process->link = sim->life;
	process->n_told = process->wave.n_told = 0;
	process->said_hello = false;
	process->lost_told = false;
	if (!process->has_supervisor && process->phase != SIM_ENDED)
		reconcile(sim, process);
	tell_soon(sim, process);
}

void
sim_run_order(struct sim *sim, struct sim_open *open)
{
	if (sim_agents_order(sim, open))
		return;
	if (open->effect->is_recovered && sim->is_copy)
		report_gone(sim, open); /* nobody is asked */
	else
		sim_later(
		    sim, sim->life, sim_delay(sim, 1, 1000), order_arrives, open->effect->id, 0);
}

/* --- asked to end --- */

static void
end_is_tried(struct sim *sim, int64_t effect, int64_t b)
{
	struct sim_open *open = sim_server_find(sim, effect), *run;
	struct sim_process *process;

	(void)b;
	if (open == NULL || sim_agents_stop(sim, open))
		return;
	run = sim_server_find_run(sim, open->effect->u.stop_run.run);
	process = find(sim, open->effect->u.stop_run.run);
	if (run != NULL && (process == NULL || process->link != sim->life)) {
		run->stop_requested = true; /* said when its supervisor is reached */
		sim_later(
		    sim, sim->life, sim->is_runner_away ? 5000 : 200, end_is_tried, effect, 0);
		return;
	}
	if (run != NULL)
		sim_run_end_soon(sim, process);
	sim_server_report(sim, open);
}

void
sim_run_end(struct sim *sim, struct sim_open *open)
{
	sim_later(sim, sim->life, sim_delay(sim, 1, 200), end_is_tried, open->effect->id, 0);
}

/* --- long past --- */

void
sim_run_purge(struct sim *sim, struct sim_open *open)
{
	int64_t run = open->effect->u.purge_run.run;

	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim->processes[i].run == run && sim->processes[i].phase != SIM_ENDED &&
		    !sim->processes[i].is_abandoned)
			sim_fail(sim, "a_log_outlives_its_run", "run %" PRId64, run);
	sim_note(sim, SIM_LOG_REMOVED);
	sim_server_report_soon(sim, open->effect);
}

/* --- killed --- */

/* Those at their gate end when their server is lost; the rest goes on, but for a cut of all. */
static void
cut(struct sim *sim, bool is_host, int whose)
{
	for (size_t i = 0; i < sim->n_processes; i++) {
		struct sim_process *process = &sim->processes[i];

		if (process->phase == SIM_ENDED || process->is_remote || process->server != whose)
			continue;
		process->link = 0;
		if (is_host && (sim->is_copy || sim_one_in(sim, 3))) {
			process->is_gone = true; /* on another machine, or not flushed yet */
			process->phase = SIM_ENDED;
		} else if (is_host) {
			process->has_supervisor = false;
			process->is_reconciling = true;
			process->phase = SIM_AT_GATE; /* nothing of it goes on */
			sim_later(sim, 0, 50, run_is_reconciled, (int64_t)i, 0);
		} else if (process->phase == SIM_AT_GATE) {
			sim_later(sim, 0, sim_two_gate_ms(sim), gate_is_given_up, (int64_t)i, 0);
		}
	}
}

void
sim_run_cut(struct sim *sim, bool is_host)
{
	cut(sim, is_host, sim_two_leads());
}

void
sim_run_loses_machine(struct sim *sim, int whose)
{
	cut(sim, true, whose);
}

/* Its leader dies with it; something that it had started may go on for a while. */
void
sim_run_supervisor_is_killed(struct sim *sim)
{
	for (size_t i = sim->n_processes; i > 0; i--) {
		struct sim_process *process = &sim->processes[i - 1];

		if (process->phase == SIM_ENDED || !process->has_supervisor)
			continue;
		sim_note(sim, SIM_SUPERVISOR_KILLED);
		sim_trace(sim, "run %" PRId64 ": its supervisor is killed", process->run);
		process->has_supervisor = false;
		if (sim_one_in(sim, 2))
			process->script = SIM_SCRIPT_TOUCHES_NOTHING;
		if (process->link != 0 || process->is_remote)
			reconcile(sim, process);
		tell_soon(sim, process);
		return;
	}
}
