/* sim_check.c - what holds in the simulated world after every commit, and what when all is at rest.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What rows and files alone can show stands in tests/faults/invariants.c; here they are held
 * against the simulated world, never against what the program has in memory.  I1 to I14 are the
 * names of docs/fault-catalogue.md.
 */
#include "tests/faults/invariants.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_two.h"

#include "chat/chat_deployment.h"
#include "lib/fingerprint.h"

static struct look seen; /* its memory is used again by every check */

static void
on_broken(void *ctx, const char *invariant, const char *evidence)
{
	sim_fail(ctx, invariant, "%s", evidence);
}

static struct invariants
rows_of(struct sim *sim)
{
	return (struct invariants){ sim->eyes, &seen, sim->now, on_broken, sim };
}

/* --- looking --- */

void
sim_check_must(struct sim *sim, bool ok, const struct err *err)
{
	if (!ok)
		sim_fail(sim, "the_oracle_can_look", "%s", err->text);
}

int64_t
sim_check_number(struct sim *sim, struct db *db, const char *sql, int64_t a)
{
	int64_t n = 0;
	struct err err;

	sim_check_must(sim, db_one_i64(&n, db, &err, sql, DB_I64(a)), &err);
	return n;
}

static void
look(struct sim *sim, int64_t from)
{
	struct err err;

	sim_check_must(sim, look_at(&seen, sim->eyes, from, &err), &err);
}

static const struct look_deployment *
active_in(int environment)
{
	return look_active(&seen, sim_environments[environment]);
}

/* --- after every commit --- */

/* I2: an end is an end. */
static void
an_end_stays(struct sim *sim)
{
	for (size_t i = 0; i < seen.n; i++) {
		const struct look_deployment *d = &seen.deployments[i];

		assert(d->id < SIM_DEPLOYMENTS);
		if (sim->ended_as[d->id] != 0 && sim->ended_as[d->id] != d->state + 1)
			sim_fail(sim, __func__, "deployment %" PRId64 " became %s", d->id,
			    deploy_flow_name(d->state));
	}
}

/* I4: no process lives that its deployment does not wait for. */
static void
what_lives_is_waited_for(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_processes; i++) {
		const struct sim_process *process = &sim->processes[i];
		const struct look_deployment *d = active_in(process->environment);

		if (!sim_two_counts(process))
			continue;
		if (d == NULL || d->id != process->deployment || d->run != process->run)
			sim_fail(sim, __func__, "run %" PRId64 " of deployment %" PRId64,
			    process->run, process->deployment);
	}
}

/* A wave that has no hosts any more has no run. */
static bool
has_each_wave(const struct sim *sim, int64_t deployment)
{
	return sim->has_word[deployment] ||
	    (sim->has_word_of_wave[deployment] && sim_fleet_rest_has_left(sim, deployment));
}

/* I11: the current release passed its gate, and is what its target runs. */
static void
the_release_is_what_runs(struct sim *sim)
{
	for (int e = 0; e < sim->n_environments; e++) {
		const struct look_environment *now = look_environment(&seen, sim_environments[e]);

		if (now->release != 0 &&
		    ((now->has_urls && !sim->has_passed[now->deployment]) ||
			((!now->has_urls || sim->waves_of[now->deployment] > 0) &&
			    !has_each_wave(sim, now->deployment))))
			sim_fail(sim, __func__, "release %" PRId64 " of %s passed nothing",
			    now->release, sim_environments[e]);
		if (active_in(e) == NULL && !now->is_down && !now->is_unknown &&
		    strcmp(now->commit, sim->targets[e].runs) != 0 && !sim_waves_has_rows(sim, e))
			sim_fail(sim, __func__, "%s is said to run %.7s and runs %.7s",
			    sim_environments[e], now->commit, sim->targets[e].runs);
	}
}

/* --- at the moment of an end --- */

/* What the end claims about the target is so in this moment: no program runs.  A run at a forge
 * says nothing of it. */
static void
an_end_tells_the_truth(struct sim *sim, const struct look_deployment *d)
{
	int environment = sim_environment(d->environment);
	struct sim_target *target = &sim->targets[environment];
	const struct look_environment *now = look_environment(&seen, d->environment);
	const char *claim = target->runs;

	if (d->state == DEPLOY_LIVE && !sim->has_word[d->id] && has_each_wave(sim, d->id))
		(void)text_copy(target->runs, LIMIT_COMMIT, d->commit); /* its last wave had none */
	if (active_in(environment) != NULL || d->is_beside)
		return; /* the next one began with this end, and may have changed it already */
	if (d->state == DEPLOY_LIVE)
		claim = d->commit;
	else if (d->state == DEPLOY_ROLLED_BACK)
		claim = d->previous;
	else if (d->state == DEPLOY_FAILED && !d->target_changed && d->started_at != 0 &&
	    sim->has_begun[d->id]) /* else it began and ended in one turn */
		claim = sim->ran_before[d->id];
	if (strcmp(claim, target->runs) != 0)
		sim_fail(sim, __func__, "deployment %" PRId64 " is %s: %s runs %.7s, not %.7s",
		    d->id, deploy_flow_name(d->state), d->environment, target->runs, claim);
	if (d->state == DEPLOY_LIVE && (now->deployment != d->id || now->is_down))
		sim_fail(
		    sim, __func__, "deployment %" PRId64 " is live and not the release", d->id);
	if (d->state == DEPLOY_ROLLBACK_FAILED && !now->is_down)
		sim_fail(sim, __func__, "deployment %" PRId64 " leaves %s not down", d->id,
		    d->environment);
}

/* I11: a release without its health gate, though it has one? */
static void
a_release_passed_its_gate(struct sim *sim, const struct look_deployment *d)
{
	if ((d->state == DEPLOY_LIVE || d->state == DEPLOY_ROLLED_BACK) && d->has_urls &&
	    !sim->has_passed[d->id])
		sim_fail(sim, __func__, "deployment %" PRId64, d->id);
}

/* Whose record was waited for, and says that it migrated and did not release: nobody says that
 * nothing was changed, it is blocked unless it serves (an earlier deployment of it went well), and
 * nothing is rolled back. */
static void
a_migration_is_never_passed_over(struct sim *sim, const struct look_deployment *d)
{
	const struct invariants of = rows_of(sim);
	bool began = false, back = false;
	int n_tries = 0;

	for (size_t i = 0; i < sim->n_processes; i++) {
		const struct sim_process *process = &sim->processes[i];
		const struct run_ended *record = &process->record;

		if (process->deployment != d->id)
			continue;
		back |= process->program == PROGRAM_ROLLBACK;
		n_tries += process->program == PROGRAM_DEPLOY && process->was_opened;
		began |= process->program == PROGRAM_DEPLOY && process->phase == SIM_ENDED &&
		    !process->is_gone && !process->is_abandoned && record->migration &&
		    !record->released;
	}
	/* Hosts that an earlier run of its wave has touched go back, as after any failure. */
	began &= n_tries < 2;
	if (began && (d->state != DEPLOY_FAILED || d->target_changed || back))
		sim_fail(sim, __func__, "deployment %" PRId64 " is %s", d->id,
		    deploy_flow_name(d->state));
	if (began &&
	    invariants_number(&of,
		"SELECT COUNT(*) FROM work w WHERE w.id = $1 AND w.migration <> ''"
		" AND w.is_touched = 0 AND (EXISTS (SELECT 1 FROM block b"
		" WHERE b.environment = w.environment AND b.commit_id = w.commit_id)"
		" OR EXISTS (SELECT 1 FROM environment e JOIN release r ON r.id = e.current_release"
		" WHERE e.name = w.environment AND r.commit_id = w.commit_id))",
		DB_I64(d->id)) != 1)
		sim_fail(sim, __func__, "deployment %" PRId64 " passes over its migration", d->id);
}

static void
look_at_end(struct sim *sim, const struct look_deployment *d)
{
	const struct invariants of = rows_of(sim);

	sim->ended_as[d->id] = (uint8_t)(d->state + 1);
	if (d->state == DEPLOY_REFUSED &&
	    invariants_number(&of,
		"SELECT COUNT(*) FROM work WHERE id = $1 AND detail LIKE 'who asked for it may no longer%'",
		DB_I64(d->id)) > 0)
		sim_note(sim, SIM_GRANT_GONE);
	if (d->state == DEPLOY_EXPIRED &&
	    invariants_number(
		&of, "SELECT COUNT(*) FROM approval_request WHERE work = $1", DB_I64(d->id)) > 0)
		sim_note(sim, SIM_APPROVAL_EXPIRED);
	sim->totals->ends[d->state]++;
	sim_trace(sim, "  deployment %" PRId64 " has ended: %s", d->id, deploy_flow_name(d->state));
	invariants_of_end(&of, d);
	an_end_tells_the_truth(sim, d);
	a_migration_is_never_passed_over(sim, d);
	a_release_passed_its_gate(sim, d);
	sim_fleet_check_end(sim, d);
	sim_nag_check_end(sim, d->id, d->state, d->environment);
	sim_waves_check_end(sim, d);
}

/* Whoever says that they looked has put right what they found. */
static void
somebody_has_looked(struct sim *sim)
{
	for (int e = 0; e < sim->n_environments; e++) {
		const struct look_environment *now = look_environment(&seen, sim_environments[e]);

		if (sim->was_unknown[e] && !now->is_unknown &&
		    now->release == sim->had_release[e]) {
			sim_note(sim, SIM_LOOKED);
			(void)text_copy(sim->targets[e].runs, LIMIT_COMMIT, now->commit);
			if (active_in(e) != NULL) /* what is paused goes on over that */
				(void)text_copy(
				    sim->ran_before[active_in(e)->id], LIMIT_COMMIT, now->commit);
			sim_waves_looked(sim, e, now->commit);
			sim->targets[e].answers_at = sim->now;
		}
		sim->was_unknown[e] = now->is_unknown;
		sim->had_release[e] = now->release;
	}
}

/* --- what a rollback leads to, and what it left: known here without the program's columns --- */

static void
go_back(struct sim *sim, int e, int commit)
{
	size_t n = 0, n_found = 0;

	for (size_t i = 0; i < sim->n_way[e]; i++)
		if (sim->way[e][i] == commit) {
			n = i + 1;
			n_found++;
		}
	sim->is_astray[e] |= n_found != 1;
	if (sim->is_astray[e])
		return;
	if (n < sim->n_way[e])
		sim->was_fled[e][sim->way[e][sim->n_way[e] - 1]] = true;
	sim->n_way[e] = n;
}

/* Then a rollback leads to the one that was meant when it was asked for. */
static bool
was_released_twice(struct sim *sim, const struct look_deployment *d)
{
	const struct invariants of = rows_of(sim);

	return invariants_number(&of,
		   "SELECT COUNT(*) FROM work WHERE environment = $1 AND commit_id = $2"
		   " AND program = 'deploy' AND state = 'LIVE'",
		   DB_TEXT(d->environment), DB_TEXT(d->commit)) > 1;
}

static void
remember_release(struct sim *sim, int e, const struct look_environment *now)
{
	int commit = sim_forge_index(sim, now->commit);
	bool is_rollback = false;

	for (size_t i = 0; i < seen.n; i++) {
		const struct look_deployment *d = &seen.deployments[i];

		if (d->id != now->deployment)
			continue;
		is_rollback = d->is_rollback || d->state == DEPLOY_ROLLED_BACK;
		sim->is_astray[e] |= d->is_rollback &&
		    sim->asked_over[d->id] != sim->walked[e] + 1 && was_released_twice(sim, d);
	}
	assert(commit >= 0 && sim->n_way[e] < SIM_DEPLOYMENTS);
	sim->walked[e] = now->release;
	sim->came_back[e] = is_rollback;
	if (is_rollback)
		go_back(sim, e, commit);
	else
		sim->way[e][sim->n_way[e]++] = commit;
	sim->was_fled[e][commit] = false;
	for (int i = 0; !is_rollback && !sim_uploads_is(commit) && i < commit; i++)
		sim->was_fled[e][i] = false; /* it contains them */
}

static void
remember_ways(struct sim *sim)
{
	for (size_t i = 0; i < seen.n; i++) {
		const struct look_deployment *d = &seen.deployments[i];
		int e = sim_environment(d->environment);

		if (sim->asked_over[d->id] == 0)
			sim->asked_over[d->id] = sim->batch == 1 ? sim->walked[e] + 1 : -1;
		if (d->state == DEPLOY_ROLLED_BACK && sim->ended_as[d->id] == 0 &&
		    strcmp(d->commit, d->previous) != 0)
			sim->was_fled[e][sim_forge_index(sim, d->commit)] = true;
	}
	for (int e = 0; e < sim->n_environments; e++) {
		const struct look_environment *now = look_environment(&seen, sim_environments[e]);

		if (now->release != sim->walked[e])
			remember_release(sim, e, now);
	}
}

static void
a_push_brings_up_nothing_that_was_rolled_back(
    struct sim *sim, const struct look_deployment *d, int environment)
{
	int commit = sim_forge_index(sim, d->commit);

	if (d->is_push && !d->shown_blocked && commit >= 0 && sim->was_fled[environment][commit])
		sim_fail(sim, __func__, "deployment %" PRId64 " of %.7s", d->id, d->commit);
}

/* A confirmation, or a push, starts one deployment of a commit; a second one is asked for so. */
static void
what_is_live_is_not_begun_again(struct sim *sim, const struct look_deployment *d)
{
	const struct look_environment *now = look_environment(&seen, d->environment);

	if (!d->is_action && !d->is_rollback && !d->is_again && !now->is_down && !now->is_unknown &&
	    strcmp(now->commit, d->commit) == 0)
		sim_fail(sim, __func__, "deployment %" PRId64 " of %.7s in %s", d->id, d->commit,
		    d->environment);
}

/* Q4: whoever stood before it in the queue waited for something, or is gone.  A batch may have
 * changed why since. */
static void
nobody_is_overtaken(struct sim *sim, const struct look_deployment *d)
{
	const struct invariants of = rows_of(sim);
	int64_t id;

	if (sim->batch != 1)
		return;
	id = invariants_number(&of,
	    "SELECT COALESCE(MAX(q.id), 0) FROM work q JOIN work d ON d.id = $1"
	    " JOIN environment e ON e.name = d.environment WHERE q.state = 'QUEUED'"
	    " AND q.environment = d.environment"
	    " AND (q.program <> 'rollback' AND q.emergency = '', q.place)"
	    "  < (d.program <> 'rollback' AND d.emergency = '', d.place) AND q.waits_for = '' AND q.is_asked_anew = 0"
	    /* It waited for CI, and waits for what has begun before that. */
	    " AND q.ci_since = 0"
	    " AND NOT EXISTS (SELECT 1 FROM question s WHERE s.work = q.id AND s.not_before <> 0)"
	    " AND NOT (q.cause IN ('push', 'poll', 'job') AND e.unknown_since <> 0)"
	    /* A lock or freeze held it, and its place was looked at once more behind the start. */
	    " AND NOT (q.is_forward = 1 AND d.is_forward = 0 AND EXISTS (SELECT 1 FROM hold))",
	    DB_I64(d->id));
	if (id != 0)
		sim_fail(sim, __func__, "%" PRId64 " by %" PRId64, id, d->id);
}

/* Q5: what went live while it was queued is newer than it only where somebody said yes to that. */
static void
nothing_goes_back_unasked(struct sim *sim, const struct look_deployment *d)
{
	const struct invariants of = rows_of(sim);
	const struct look_environment *now = look_environment(&seen, d->environment);
	int64_t is_unasked = invariants_number(&of,
	    "SELECT COUNT(*) FROM work d JOIN environment e ON e.name = d.environment"
	    " JOIN release r ON r.id = e.current_release WHERE d.id = $1"
	    /* Which the question named, or which was live at the answer. */
	    " AND NOT ((d.confirmed_by <> 0 OR d.approvers <> '') AND r.commit_id IN ((SELECT shown_live FROM question WHERE work = d.id), (SELECT commit_id"
	    "  FROM release WHERE environment = d.environment AND at <= d.answered_at"
	    "  ORDER BY id DESC LIMIT 1)))"
	    /* Which was live when a person asked for it, and is again: git may be slow. */
	    " AND NOT (d.cause NOT IN ('push', 'poll', 'job') AND r.commit_id = (SELECT commit_id FROM release"
	    "  WHERE environment = d.environment AND at <= d.requested_at"
	    "  ORDER BY id DESC LIMIT 1))",
	    DB_I64(d->id));

	if (d->is_action || d->is_rollback || is_unasked == 0 || !sim->was_queued[d->id] ||
	    strcmp(sim->queued_over[d->id], now->commit) == 0)
		return;
	if (!sim_uploads_is(sim_forge_index(sim, now->commit)) &&
	    sim_forge_index(sim, d->commit) < sim_forge_index(sim, now->commit))
		sim_fail(sim, __func__, "deployment %" PRId64 " of %.7s, over %.7s", d->id,
		    d->commit, now->commit);
}

static void
remember_places(struct sim *sim)
{
	const struct invariants of = rows_of(sim);

	if (sim->is_many && !sim->has_waited &&
	    invariants_number(&of, "SELECT COUNT(*) FROM work WHERE waits_for LIKE 'host:%'") > 0) {
		sim->has_waited = true;
		sim_note(sim, SIM_CLAIM_AWAITED);
	}
	for (size_t i = 0; i < seen.n; i++) {
		const struct look_deployment *d = &seen.deployments[i];

		if (d->state != DEPLOY_QUEUED || sim->was_queued[d->id])
			continue;
		sim->was_queued[d->id] = true;
		(void)text_copy(sim->queued_over[d->id], LIMIT_COMMIT,
		    look_environment(&seen, d->environment)->commit);
	}
}

/* In the commit that makes it active nothing of it has been handed out. */
static void
remember_beginnings(struct sim *sim)
{
	for (size_t i = 0; i < seen.n; i++) {
		const struct look_deployment *d = &seen.deployments[i];

		if (d->state == DEPLOY_QUEUED)
			sim->has_begun[d->id] = false; /* its run was bound to other settings */
		if (d->class != DEPLOY_CLASS_ACTIVE || sim->has_begun[d->id])
			continue;
		sim->has_begun[d->id] = true;
		(void)text_copy(sim->ran_before[d->id], LIMIT_COMMIT,
		    sim->targets[sim_environment(d->environment)].runs);
		if (d->is_action)
			continue;
		a_push_brings_up_nothing_that_was_rolled_back(
		    sim, d, sim_environment(d->environment));
		what_is_live_is_not_begun_again(sim, d);
		nobody_is_overtaken(sim, d);
		nothing_goes_back_unasked(sim, d);
	}
}

/* The only head that a poll may leave alone. */
static void
remember_first_polls(struct sim *sim)
{
	for (int e = 0; e < sim->n_environments; e++) {
		const struct look_environment *now = look_environment(&seen, sim_environments[e]);

		if (sim->first_polled[e][0] == '\0' && now != NULL)
			(void)text_copy(sim->first_polled[e], LIMIT_COMMIT, now->polled);
	}
}

/* Whatever was killed or undone: no row gets a number that another had. */
static void
no_number_is_given_again(struct sim *sim)
{
	const struct store_ids before = sim->ids;
	struct err err;

	sim_check_must(sim, store_ids_read(sim->eyes, &sim->ids, &err), &err);
	for (int i = 0; i < STORE_ID_COUNT; i++)
		if (sim->ids.last[i] < before.last[i])
			sim_fail(sim, __func__, "counter %d was %" PRId64 ", is %" PRId64, i,
			    before.last[i], sim->ids.last[i]);
}

void
sim_check_commit(struct sim *sim)
{
	const struct invariants of = rows_of(sim);

	no_number_is_given_again(sim);
	look(sim, sim->settled_below);
	somebody_has_looked(sim);
	remember_ways(sim);
	remember_beginnings(sim);
	remember_places(sim);
	remember_first_polls(sim);
	sim_locks_note(sim);
	sim_approvals_check(sim);
	sim_emergency_check(sim);
	sim_nag_check(sim);
	sim_pin_check(sim);
	sim_witness_check(sim);
	sim_notify_check(sim);
	sim_loans_check(sim);
	invariants_of_commit(&of);
	sim_runner_check(sim);
	sim_agents_check(sim);
	sim_remote_check(sim);
	sim_two_check(sim);
	an_end_stays(sim);
	what_lives_is_waited_for(sim);
	the_release_is_what_runs(sim);
	for (int e = 0; e < SIM_FLEETS && sim->has_waves; e++)
		sim_waves_check(sim, e, active_in(e));
	for (size_t i = 0; i < seen.n; i++)
		if (seen.deployments[i].class == DEPLOY_CLASS_FINAL &&
		    sim->ended_as[seen.deployments[i].id] == 0)
			look_at_end(sim, &seen.deployments[i]);
	while (sim->settled_below < SIM_DEPLOYMENTS && sim->ended_as[sim->settled_below] != 0)
		sim->settled_below++;
}

/* --- at other moments --- */

/* I1: what was acknowledged is stored, under its id or (a body that was replayed) its digest. */
void
sim_check_acknowledged(struct sim *sim, const char *source, const char *id, const uint8_t *digest)
{
	const struct invariants of = rows_of(sim);
	int64_t n = invariants_number(&of,
	    "SELECT COUNT(*) FROM inbox WHERE source = $1 AND (id = $2 OR digest = $3)",
	    DB_TEXT(source), DB_TEXT(id), digest != NULL ? DB_BLOB(digest, 32) : DB_NULL);

	if (n == 0 && strcmp(id, sim->cursed) == 0 &&
	    invariants_number(&of, "SELECT COUNT(*) FROM audit WHERE outcome = 'put aside'") > 0) {
		sim->was_quarantined = true;
		sim_note(sim, SIM_PUT_ASIDE);
	} else if (n == 0) {
		sim_fail(sim, "what_is_acknowledged_is_stored", "%s %s", source, id);
	}
}

/* No two programs on one target, at their gate or behind it, but for what drains there. */
void
sim_check_targets(struct sim *sim)
{
	int n[SIM_ENVIRONMENTS] = { 0 };

	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim_two_counts(&sim->processes[i]) &&
		    ++n[sim->processes[i].environment] >
			1 - sim_agents_going(sim->processes[i].environment))
			sim_fail(sim, "one_program_on_a_target", "two in %s",
			    sim_environments[sim->processes[i].environment]);
}

/* The run is on disk before anything of it runs.  (STOPPING: a cancel came in the same commit.) */
void
sim_check_gate(struct sim *sim, const struct sim_process *process)
{
	const struct invariants of = rows_of(sim);
	int64_t n;

	if (process->program == PROGRAM_DRAIN) {
		sim_drain_check_gate(sim, process);
		return;
	}
	n = invariants_number(&of,
	    "SELECT COUNT(*) FROM run r JOIN work d ON d.id = r.deployment AND d.run = r.id"
	    " WHERE r.id = $1 AND r.pid <> 0 AND r.ended_at = 0 AND d.state IN"
	    " ('RUNNING', 'STOPPING', 'ROLLING_BACK')",
	    DB_I64(process->run));

	sim_check_targets(sim);
	if (n != 1)
		sim_fail(sim, "a_gate_opens_for_what_is_recorded", "run %" PRId64, process->run);
}

/* I13: nothing begins where what runs is not known, but for who confirmed it since, or has let its
 * waves go on, or back. */
void
sim_check_known(struct sim *sim, int64_t deployment)
{
	const struct invariants of = rows_of(sim);
	int64_t n = invariants_number(&of,
	    "SELECT COUNT(*) FROM work d JOIN environment e ON e.name = d.environment"
	    " WHERE d.id = $1 AND e.unknown_since <> 0 AND NOT EXISTS (SELECT 1 FROM audit a"
	    " WHERE a.deployment = d.id AND ((d.waves > 0 AND a.action = 'cancel_requested')"
	    " OR a.outcome IN ('confirmed', 'approved', 'resumed')) AND a.seq >"
	    " (SELECT MAX(u.seq) FROM audit u WHERE u.action = 'state_unknown'"
	    " AND u.environment = d.environment))",
	    DB_I64(deployment));

	if (n != 0)
		sim_fail(
		    sim, "no_run_begins_where_nothing_is_known", "deployment %" PRId64, deployment);
}

static void
check_image(struct sim *sim, const struct effect_run *order, const char *commit, const char *image,
    bool may_be_unknown)
{
	char made[LIMIT_IMAGE];

	sim_image_of(commit, made);
	if (strcmp(image, made) != 0 && !(may_be_unknown && image[0] == '\0'))
		sim_fail(sim, "an_order_names_the_recorded_image",
		    "run %" PRId64 ": %.7s is %.14s, and was %.14s", order->run, commit, image,
		    made);
}

/* A deployment's image is yet to be made; what was live before, and goes back, has the one that its
 * script said.  One that is rolled back may not have come that far. */
void
sim_check_images(struct sim *sim, const struct effect_run *order)
{
	bool is_back = order->program == PROGRAM_ROLLBACK;

	if (is_back || order->program == PROGRAM_DRAIN)
		check_image(sim, order, order->commit, order->image, false);
	else if (order->wave[0] != '\0' && order->image[0] != '\0')
		check_image(sim, order, order->commit, order->image, false);
	else if (order->image[0] != '\0')
		sim_fail(sim, "a_deployment_is_ordered_by_commit", "run %" PRId64, order->run);
	check_image(sim, order, order->previous, order->previous_image, is_back);
	if (is_back && order->image[0] != '\0')
		sim_note(sim, SIM_IMAGE_CAME_BACK);
}

/* What runs is what was shown and confirmed; and nothing of an order is anybody's but by its list.
 * What was live before comes back by any. */
void
sim_check_binding(struct sim *sim, const struct effect_run *order)
{
	const struct invariants of = rows_of(sim);
	const char *confirmed = sim->works[order->deployment].confirmed_list;
	char digest[FINGERPRINT_DIGEST];
	char *list = sim_run_list(sim, sim_environment(order->environment));
	/* An action ships nothing: what it is bound to is its client's (decide_action.h). */
	bool is_back = (order->program == PROGRAM_ROLLBACK && order->binding[0] == '\0') ||
	    order->program == PROGRAM_ACTION;

	(void)fingerprint_of_order(list, order->source, order->tree, digest);
	free(list);
	if (!is_back && strcmp(order->binding, digest) != 0)
		sim_fail(sim, "what_runs_is_what_was_shown", "run %" PRId64, order->run);
	/* What has changed since may have been approved: that is looked at where it begins. */
	if (!is_back && confirmed[0] != '\0' && strcmp(confirmed, digest) != 0 &&
	    invariants_number(
		&of, "SELECT approvers = '' FROM work WHERE id = $1", DB_I64(order->deployment)))
		sim_fail(sim, "what_runs_is_what_was_confirmed", "run %" PRId64, order->run);
}

/* --- at rest --- */

/* I8: the chat shows what the rows say, and these say the truth. */
static void
the_chat_shows(struct sim *sim, const struct look_deployment *d, int64_t row)
{
	struct db_rows rows = { 0 };
	const struct sim_post *post = NULL;
	char text[LIMIT_MESSAGE * 2] = "";
	int64_t chat = 0, remote_id = 0;
	struct err err;

	if (row == 0)
		return;
	sim_check_must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT chat, remote_id, head || foot FROM message WHERE id = $1", DB_I64(row)),
	    &err);
	if (db_next(&rows)) {
		chat = db_col_i64(&rows, 0);
		remote_id = db_col_i64(&rows, 1);
		(void)text_copy(text, sizeof(text), db_col_text(&rows, 2));
	}
	sim_check_must(sim, db_rows_end(&rows, &err), &err);
	if (chat == 0 || !sim_chat_is_reachable(sim, chat)) /* 0: its row is gone, as it may be */
		return;
	/* A group that moved keeps what was said in it, under ids that mean nothing any more: of a
	 * row's posts the newest counts, but one that points at a newer one, or came behind what
	 * had overtaken it, and a kill right behind that.  Where people have deleted that, an older
	 * one may be a copy whose sending was not answered. */
	for (size_t i = 0; i < sim->n_posts; i++)
		if (remote_id == 0 ?
			sim->posts[i].row == row &&
			    strcmp(sim->posts[i].text, CHAT_SAID_BELOW) != 0 &&
			    (post == NULL || !sim->posts[i].is_unanswered) :
			sim->posts[i].chat == chat && sim->posts[i].remote_id == remote_id)
			post = &sim->posts[i];
	if (remote_id == 0 && post != NULL && post->is_deleted)
		return;
	if (post == NULL || strcmp(post->text, text) != 0)
		sim_fail(sim, __func__,
		    "deployment %" PRId64 " (%s), message %" PRId64 " in %" PRId64 ": %s", d->id,
		    deploy_flow_name(d->state), row, chat, post == NULL ? "not there" : post->text);
}

static void
every_chat_was_told(struct sim *sim)
{
	for (size_t i = 0; i < seen.n; i++) {
		the_chat_shows(sim, &seen.deployments[i], seen.deployments[i].message);
		the_chat_shows(sim, &seen.deployments[i], seen.deployments[i].also_message);
	}
}

/* I1: longer than anybody would send it again. */
static void
what_was_acknowledged_stays(struct sim *sim)
{
	char id[24];

	for (size_t i = 0; i < sim->n_updates; i++) {
		(void)snprintf(id, sizeof(id), "%" PRId64, sim->updates[i].id);
		if (sim->updates[i].is_acknowledged && !sim->updates[i].is_dropped &&
		    sim->now - sim->updates[i].at < SIM_UPDATE_KEPT_MS)
			sim_check_acknowledged(sim, "telegram", id, NULL);
	}
}

/* A lock's end deploys what it has ended in the queue. */
#define NOT_OF_A_LOCK " AND detail NOT LIKE 'waits for the end of %'"
#define GIVEN_UP      /* A push that was given up may be delivered again. */ \
	" AS asked WHERE n > 1 + (SELECT COUNT(*) FROM message" \
	" WHERE (instr(head, 'git does not show ') > 0 AND instr(head, requester) > 0)" \
	" OR instr(head, 'git''s answer could not be handled') > 0)"

/* I1: each request has a name of its own. */
static void
one_request_is_one_deployment(struct sim *sim)
{
	const struct invariants of = rows_of(sim);
	int64_t id = 0;

	for (size_t i = 0; i < sim->n_deliveries && id == 0; i++)
		id = invariants_number(&of,
		    "SELECT COALESCE(MAX(id), 0) FROM (SELECT MAX(id) AS id, requester,"
		    " COUNT(*) AS n FROM work WHERE requester LIKE 'git___:' || $1 || '(%'"
		    " AND id > $2 AND cause = 'push'" NOT_OF_A_LOCK
		    " GROUP BY requester, environment, commit_id)" GIVEN_UP,
		    DB_TEXT(sim->deliveries[i].login), DB_I64(sim->deliveries[i].last_work));
	if (id == 0)
		id = invariants_number(&of,
		    "SELECT COALESCE(MAX(id), 0) FROM (SELECT MAX(id) AS id, requester,"
		    " COUNT(*) AS n FROM work WHERE requester <> 'git'"
		    /* What polling found is no request, whoever is named as its pusher later. */
		    " AND cause NOT IN ('poll', 'push')"
		    /* These have many, and a person may have pushed a commit in two runs. */
		    " AND requester NOT LIKE 'workflow:%' AND requester NOT LIKE 'token:%'"
		    " AND requester NOT LIKE 'git___:mona(%'"
		    /* A run that asks anew does so by the same person. */
		    " AND action <> 'open-gate'" NOT_OF_A_LOCK
		    " GROUP BY requester, CASE WHEN cause = 'job' THEN environment || commit_id"
		    " ELSE '' END)" GIVEN_UP);
	if (id != 0)
		sim_fail(sim, __func__, "deployment %" PRId64 " is another's twin", id);
}

/* A push whose delivery was lost is found, as long as git is asked now and then. */
static void
no_push_is_lost(struct sim *sim)
{
	const struct settings *settings = sim_settings_get(sim->loaded);

	for (int e = 0; e < sim->n_environments && settings->poll_repository_seconds > 0; e++)
		if (settings_environment(settings, sim_environments[e]) != NULL &&
		    strcmp(sim->first_polled[e], sim->commits[sim->head[sim_branch(e)]]) != 0 &&
		    strcmp(look_environment(&seen, sim_environments[e])->seen,
			sim->commits[sim->head[sim_branch(e)]]) != 0)
			sim_fail(sim, __func__, "%s: seen %.7s, head %.7s", sim_environments[e],
			    look_environment(&seen, sim_environments[e])->seen,
			    sim->commits[sim->head[sim_branch(e)]]);
}

static void
nothing_lives(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim->processes[i].phase != SIM_ENDED)
			sim_fail(sim, __func__, "run %" PRId64, sim->processes[i].run);
}

static void
files_hold(struct sim *sim, const struct invariants *of)
{
	if (!sim_server_project(sim))
		sim_fail(sim, "the_audit_verifies", "a projection could not be written");
	invariants_of_files(of,
	    &(struct invariants_files){
		sim_server_path(), sim_server_audit_path(), sim_server_environments_path() });
}

void
sim_check_rest(struct sim *sim)
{
	const struct invariants of = rows_of(sim);

	sim_check_commit(sim);
	look(sim, 1);
	invariants_of_rest(&of);
	nothing_lives(sim);
	sim_agents_check_rest(sim);
	sim_drain_check_rest(sim);
	sim_locks_check_rest(sim);
	sim_approvals_check_rest(sim);
	sim_told_check_rest(sim);
	sim_emergency_check_rest(sim);
	sim_actions_check_rest(sim);
	sim_cloudflare_check_rest(sim);
	sim_witness_check_rest(sim);
	sim_jobs_check_rest(sim);
	sim_rules_check_rest(sim);
	sim_pipelines_check_rest(sim);
	sim_loans_check_rest(sim);
	sim_ci_check_rest(sim);
	no_push_is_lost(sim);
	every_chat_was_told(sim);
	what_was_acknowledged_stays(sim);
	one_request_is_one_deployment(sim);
	files_hold(sim, &of);
}
