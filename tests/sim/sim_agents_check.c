/* sim_agents_check.c - what holds of the runs that agents have.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What an agent has started is known here from the moment in which systemd was asked, whatever the
 * agent says of it later.
 */
#include "lib/fingerprint.h"
#include "runner/protocol.h"
#include "runs/run_flow.h"
#include "tests/sim/sim_agent.h"

#define UNITS 1024

/* A run that was ordered of an agent. */
struct unit {
	int agent;
	int64_t run, deployment;
	int environment;
	int64_t ordered_at; /* the loop's time */
	int64_t set_back;   /* of the clock, until then */
	int starts;
	bool is_going;
	bool is_left; /* nobody waits for it: the database is a copy */
	bool is_abandoned;
};

static size_t n_units;
static struct unit units[UNITS];
static int n_forgotten[SIM_AGENTS]; /* how often its records were lost */

/* --- looking --- */

static struct unit *
unit_of(int64_t run)
{
	for (size_t i = 0; i < n_units; i++)
		if (units[i].run == run)
			return &units[i];
	return NULL;
}

static bool
has_run(struct sim *sim, int agent, int64_t run)
{
	char runner[LIMIT_RUNNER];

	return sim_agents_number(sim, "SELECT COUNT(*) FROM run WHERE id = $1 AND runner = $2",
		   DB_I64(run), DB_TEXT(sim_agents_runner(agent, runner))) > 0;
}

/* --- what was ordered --- */

void
sim_agents_check_new(void)
{
	n_units = 0;
	memset(n_forgotten, 0, sizeof(n_forgotten));
}

void
sim_agents_remember(const struct sim *sim, const struct effect_run *order, int agent)
{
	int64_t age = sim->now - order->ordered_at;

	if (unit_of(order->run) != NULL)
		return;
	assert(n_units < UNITS);
	units[n_units++] = (struct unit){ .agent = agent,
		.run = order->run,
		.deployment = order->deployment,
		.environment = sim_environment(order->environment),
		.ordered_at = sim_loop_now() - (age < 0 ? 0 : age),
		.set_back = sim_loop_set_back() };
}

bool
sim_agents_know(int64_t run)
{
	return unit_of(run) != NULL;
}

void
sim_agents_leave(int64_t run)
{
	struct unit *unit = unit_of(run);

	if (unit != NULL)
		unit->is_left = true;
}

void
sim_agents_records_are_lost(int agent)
{
	n_forgotten[agent]++;
}

/* --- what holds --- */

/* What is sent is sent once it was decided, soon, to whom it is for, of what never began. */
void
sim_agents_check_order(struct sim *sim, int agent, const struct protocol_message *order)
{
	const struct unit *unit = unit_of((int64_t)order->id);
	int64_t set_back = unit == NULL ? 0 : sim_loop_set_back() - unit->set_back;

	if (unit == NULL || unit->agent != agent || !has_run(sim, agent, (int64_t)order->id))
		sim_fail(sim, "an_order_goes_to_its_own_agent", "run %" PRIu64 " to %s", order->id,
		    sim_agent_names[agent]);
	if (unit->starts > 0 ||
	    sim_agents_number(sim, "SELECT COUNT(*) FROM run WHERE id = $1 AND started_at <> $2",
		DB_I64(order->id), DB_I64(0)) > 0)
		sim_fail(sim, "what_an_agent_was_let_start_is_not_ordered_again", "run %" PRIu64,
		    order->id);
	/* Whoever starts knows by the wall how old it is. */
	if (sim_loop_now() - unit->ordered_at > RUN_ORDER_WAIT_MS + set_back)
		sim_fail(sim, "no_order_is_sent_late", "run %" PRIu64 ", after %" PRId64 " ms",
		    order->id, sim_loop_now() - unit->ordered_at);
	if (sim_one_in(sim, 2))
		sim_agents_trouble_soon(sim, agent, 6000);
}

/* It is waited for, and nothing else is done there. */
static void
it_has_its_turn(struct sim *sim, const struct unit *unit)
{
	char runner[LIMIT_RUNNER];

	if (sim_agents_number(sim,
		"SELECT COUNT(*) FROM run r JOIN work d ON d.id = r.deployment AND d.run = r.id"
		" WHERE r.id = $1 AND r.runner = $2 AND r.started_at <> 0 AND r.ended_at = 0"
		" AND r.is_abandoned = 0 AND d.state IN ('RUNNING', 'STOPPING')",
		DB_I64(unit->run), DB_TEXT(sim_agents_runner(unit->agent, runner))) != 1)
		sim_fail(sim, "an_agent_starts_what_is_waited_for", "run %" PRId64, unit->run);
	for (size_t i = 0; i < sim->n_processes; i++) {
		const struct sim_process *process = &sim->processes[i];

		if (process->deployment == unit->deployment && process->was_opened)
			sim_fail(
			    sim, "an_action_is_done_once", "deployment %" PRId64, unit->deployment);
		if (process->environment == unit->environment && process->phase != SIM_ENDED &&
		    process->program != PROGRAM_DRAIN && !process->is_abandoned)
			sim_fail(sim, "one_program_on_a_target", "runs %" PRId64 " and %" PRId64,
			    process->run, unit->run);
	}
}

/* As the question had it, or where nobody was asked the order. */
static void
it_is_what_was_shown(struct sim *sim, const struct unit *unit, const char *list)
{
	const char *confirmed = sim->works[unit->deployment].confirmed_list;
	char digest[FINGERPRINT_DIGEST];

	(void)fingerprint_digest(list, digest);
	if (sim_agents_number(sim, "SELECT COUNT(*) FROM work WHERE id = $1 AND binding = $2",
		DB_I64(unit->deployment), DB_TEXT(digest)) != 1)
		sim_fail(sim, "an_agent_starts_what_was_shown", "run %" PRId64, unit->run);
	if (confirmed[0] != '\0' && strcmp(confirmed, digest) != 0 &&
	    sim_agents_number(sim, "SELECT COUNT(*) FROM work WHERE id = $1 AND approvers = $2",
		DB_I64(unit->deployment), DB_TEXT("")) == 1)
		sim_fail(sim, "an_agent_starts_what_was_confirmed", "run %" PRId64, unit->run);
}

void
sim_agents_check_start(
    struct sim *sim, int agent, int64_t run, const char *capability, const char *list)
{
	struct unit *unit = unit_of(run);

	if (unit == NULL || unit->agent != agent || unit->starts++ > 0)
		sim_fail(sim, "a_unit_is_started_once", "run %" PRId64 " by %s", run,
		    sim_agent_names[agent]);
	if (sim_agents_starts(unit->deployment) != 1)
		sim_fail(sim, "an_action_is_done_once", "deployment %" PRId64, unit->deployment);
	it_has_its_turn(sim, unit);
	if (sim_agents_going(unit->environment) > 0)
		sim_fail(sim, "one_program_on_a_target", "run %" PRId64, run);
	if (sim_agents_number(sim, "SELECT COUNT(*) FROM work WHERE id = $1 AND action = $2",
		DB_I64(unit->deployment), DB_TEXT(capability)) != 1)
		sim_fail(
		    sim, "an_agent_starts_that_action", "run %" PRId64 ": %s", run, capability);
	it_is_what_was_shown(sim, unit, list);
	sim_note(sim, SIM_AGENT_DONE);
	sim_note(sim, SIM_ACTION_DONE);
	sim_trace(sim, "run %" PRId64 ": %s starts its unit", run, sim_agent_names[agent]);
	unit->is_going = true;
}

void
sim_agents_unit_ended(int64_t run)
{
	struct unit *unit = unit_of(run);

	if (unit != NULL)
		unit->is_going = false;
}

int
sim_agents_starts(int64_t deployment)
{
	int n = 0;

	for (size_t i = 0; i < n_units; i++)
		if (units[i].deployment == deployment)
			n += units[i].starts;
	return n;
}

void
sim_agents_note_abandoned(struct sim *sim)
{
	for (size_t i = 0; i < n_units; i++)
		if (!units[i].is_abandoned && sim_runner_has_abandoned(sim, units[i].run)) {
			sim_note(sim,
			    units[i].agent == SIM_BUILDER ? SIM_REMOTE_ABANDONED :
							    SIM_AGENT_ABANDONED);
			units[i].is_abandoned = true;
		}
}

int
sim_agents_going(int environment)
{
	int n = 0;

	for (size_t i = 0; i < n_units; i++)
		n += units[i].is_going && !units[i].is_left && !units[i].is_abandoned &&
		    units[i].environment == environment;
	return n;
}

/* What is said of a run's end is what its own agent has on disk; what was refused never began. */
void
sim_agents_check_end(struct sim *sim, int agent, int64_t run, const struct run_ended *ended)
{
	const struct unit *unit = unit_of(run);
	const struct protocol_record *record = sim_agent_record(agent, run);

	if (ended->run != run || unit == NULL)
		sim_fail(sim, "an_end_is_of_its_own_run", "run %" PRId64, run);
	if (ended->refused && (unit->starts > 0 || (record != NULL && record->gate)))
		sim_fail(sim, "what_is_refused_never_began", "run %" PRId64, run);
	if (ended->folder_gone && n_forgotten[agent] == 0)
		sim_fail(sim, "an_agents_records_stay", "run %" PRId64, run);
	if (ended->refused || ended->folder_gone)
		return;
	if (record == NULL ? n_forgotten[agent] == 0 :
			     record->gate != ended->gate_opened || record->lost != ended->lost ||
		    record->timed_out != ended->timed_out ||
		    record->ended != ended->ended_on_request ||
		    record->exec_errno != ended->exec_errno ||
		    record->signal != ended->signal_number ||
		    (record->signal == 0 && record->status != ended->exit_status))
		sim_fail(sim, "a_run_ends_as_its_own_agent_says", "run %" PRId64, run);
}

/* What goes on is waited for, where the database is no copy and nobody has abandoned it. */
void
sim_agents_check(struct sim *sim)
{
	for (size_t i = 0; i < n_units; i++)
		if (units[i].is_going && !units[i].is_left &&
		    sim_agents_number(sim,
			"SELECT COUNT(*) FROM run r JOIN work d ON d.id = r.deployment"
			" WHERE r.id = $1 AND (r.is_abandoned = 1 OR (r.ended_at = $2"
			" AND d.run = r.id AND d.started_at <> 0 AND d.ended_at = 0))",
			DB_I64(units[i].run), DB_I64(0)) != 1)
			sim_fail(
			    sim, "what_an_agent_does_is_waited_for", "run %" PRId64, units[i].run);
}

void
sim_agents_check_rest(struct sim *sim)
{
	for (size_t i = 0; i < n_units; i++)
		if (units[i].is_going && !units[i].is_left)
			sim_fail(sim, "nothing_lives", "run %" PRId64, units[i].run);
}
