/* sim_drain.c - what a release has replaced drains on its target, and a run of its own ends it.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * A target has one other place beside what runs: the next release takes it, and whatever drains
 * there is gone with that.  Which deployment has left it is known there alone, as on a host.
 */
#include "tests/faults/invariants.h"
#include "tests/sim/sim_inside.h"

/* --- on the target --- */

/* A script begins to change it: what it is about to run may be what drains. */
void
sim_drain_makes_room(struct sim *sim, const struct sim_process *process)
{
	struct sim_target *target = &sim->targets[process->environment];

	if (strcmp(target->drains, process->commit) != 0)
		target->drains[0] = '\0';
	target->drains_of = 0;
}

/* It is switched: some targets keep what ran before, and their script says so. */
void
sim_drain_leaves(struct sim *sim, struct sim_process *process)
{
	struct sim_target *target = &sim->targets[process->environment];

	target->drains[0] = '\0';
	if (target->before[0] == '\0' || strcmp(target->before, process->commit) == 0 ||
	    sim_one_in(sim, 3))
		return;
	(void)text_copy(target->drains, sizeof(target->drains), target->before);
	target->drains_of = process->deployment;
	process->record.drains = true; /* `==> drain-later` */
}

/* A status, or -1: it goes on. */
int
sim_drain_advance(struct sim *sim, struct sim_process *process)
{
	struct sim_target *target = &sim->targets[process->environment];

	if (target->drains_of != process->deployment)
		return 0; /* somebody else has taken it over */
	if (sim_one_in(sim, 12))
		return 75;
	if (!sim_one_in(sim, 3))
		return -1;
	if (strcmp(target->drains, target->runs) == 0)
		sim_fail(sim, "a_drain_ends_nothing_that_serves", "run %" PRId64 " ends %.7s",
		    process->run, target->drains);
	sim_note(sim, SIM_DRAINED);
	sim_trace(
	    sim, "%s: %.7s has drained", sim_environments[process->environment], target->drains);
	target->drains[0] = '\0';
	target->drains_of = 0;
	return 0;
}

/* --- what holds --- */

static void
on_broken(void *ctx, const char *invariant, const char *evidence)
{
	sim_fail(ctx, invariant, "%s", evidence);
}

static struct invariants
rows_of(struct sim *sim)
{
	return (struct invariants){ .db = sim->eyes, .broken = on_broken, .ctx = sim };
}

/* It is recorded, and the gate of its deployment has passed. */
void
sim_drain_check_gate(struct sim *sim, const struct sim_process *process)
{
	const struct invariants of = rows_of(sim);
	int64_t n = invariants_number(&of,
	    "SELECT COUNT(*) FROM run r JOIN work d ON d.id = r.deployment AND d.run <> r.id"
	    " WHERE r.id = $1 AND r.pid <> 0 AND r.ended_at = 0 AND r.program = 'drain'"
	    " AND d.drains <> 0 AND d.state IN ('LIVE', 'ROLLED_BACK')",
	    DB_I64(process->run));

	if (n != 1)
		sim_fail(sim, "a_drain_comes_behind_the_gate", "run %" PRId64, process->run);
}

/* Of two in one environment the earlier one was asked to end. */
void
sim_drain_check_order(struct sim *sim, const struct effect_run *order)
{
	const struct invariants of = rows_of(sim);
	int64_t n = invariants_number(&of,
	    "SELECT COUNT(*) FROM run r JOIN work d ON d.id = r.deployment"
	    " WHERE r.program = 'drain' AND r.ended_at = 0 AND r.id < $1 AND d.environment = $2"
	    " AND NOT EXISTS (SELECT 1 FROM audit a WHERE a.action = 'drain_started'"
	    " AND a.environment = d.environment AND a.seq > (SELECT MAX(b.seq) FROM audit b"
	    " WHERE b.action = 'drain_started' AND b.deployment = d.id))",
	    DB_I64(order->run), DB_TEXT(order->environment));

	if (n != 0)
		sim_fail(sim, "one_drain_of_an_environment_goes_on", "run %" PRId64, order->run);
}

/* What was left was drained, or somebody was told that it was not. */
void
sim_drain_check_rest(struct sim *sim)
{
	const struct invariants of = rows_of(sim);
	int64_t id = invariants_number(&of,
	    "SELECT COALESCE(MAX(d.id), 0) FROM work d WHERE d.drains <> 0"
	    " AND d.state IN ('LIVE', 'ROLLED_BACK') AND NOT EXISTS (SELECT 1 FROM run r"
	    " JOIN audit a ON a.deployment = r.deployment"
	    " WHERE r.deployment = d.id AND r.program = 'drain' AND r.ended_at <> 0"
	    " AND a.action IN ('drain_completed', 'drain_cut'))");

	if (id != 0)
		sim_fail(sim, "what_was_left_is_drained", "deployment %" PRId64, id);
}
