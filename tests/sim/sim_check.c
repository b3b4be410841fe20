/* sim_check.c - what holds in the simulated world after every commit, and what when all is at rest.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * What rows and files alone can show stands in tests/faults/invariants.c; here they are held
 * against the simulated world, never against what the program has in memory.  I1 to I14 are the
 * names of docs/TESTING.md.
 */
#include "store/row_button.h"
#include "tests/faults/invariants.h"
#include "tests/sim/sim_inside.h"

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

static void
must(struct sim *sim, bool ok, const struct err *err)
{
	if (!ok)
		sim_fail(sim, "the_oracle_can_look", "%s", err->text);
}

static void
look(struct sim *sim, int64_t from)
{
	struct err err;

	must(sim, look_at(&seen, sim->eyes, from, &err), &err);
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

		if (process->phase == SIM_ENDED)
			continue;
		if (d == NULL || d->id != process->deployment || d->run != process->run)
			sim_fail(sim, __func__, "run %" PRId64 " of deployment %" PRId64,
			    process->run, process->deployment);
	}
}

/* I11: the current release passed its gate, and is what its target runs. */
static void
the_release_is_what_runs(struct sim *sim)
{
	for (int e = 0; e < SIM_ENVIRONMENTS; e++) {
		const struct look_environment *now = look_environment(&seen, sim_environments[e]);

		if (now->release != 0 &&
		    !(now->has_urls ? sim->has_passed : sim->has_word)[now->deployment])
			sim_fail(sim, __func__, "release %" PRId64 " of %s passed nothing",
			    now->release, sim_environments[e]);
		if (active_in(e) == NULL && !now->is_down && !now->is_unknown &&
		    strcmp(now->commit, sim->targets[e].runs) != 0)
			sim_fail(sim, __func__, "%s is said to run %.7s and runs %.7s",
			    sim_environments[e], now->commit, sim->targets[e].runs);
	}
}

/* --- at the moment of an end --- */

/* What the end claims about the target is so in this moment: no program runs. */
static void
an_end_tells_the_truth(struct sim *sim, const struct look_deployment *d)
{
	int environment = sim_environment(d->environment);
	const struct sim_target *target = &sim->targets[environment];
	const struct look_environment *now = look_environment(&seen, d->environment);
	const char *claim = target->runs;

	if (active_in(environment) != NULL)
		return; /* the next one began with this end, and may have changed it already */
	if (d->state == DEPLOY_LIVE)
		claim = d->commit;
	else if (d->state == DEPLOY_ROLLED_BACK)
		claim = d->previous;
	else if (d->state == DEPLOY_FAILED && !d->target_changed && d->started_at != 0)
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

static void
look_at_end(struct sim *sim, const struct look_deployment *d)
{
	const struct invariants of = rows_of(sim);

	sim->ended_as[d->id] = (uint8_t)(d->state + 1);
	sim->totals->ends[d->state]++;
	sim_trace(sim, "  deployment %" PRId64 " has ended: %s", d->id, deploy_flow_name(d->state));
	invariants_of_end(&of, d);
	an_end_tells_the_truth(sim, d);
	a_release_passed_its_gate(sim, d);
}

/* Whoever says that they looked has put right what they found. */
static void
somebody_has_looked(struct sim *sim)
{
	for (int e = 0; e < SIM_ENVIRONMENTS; e++) {
		const struct look_environment *now = look_environment(&seen, sim_environments[e]);

		if (sim->was_unknown[e] && !now->is_unknown &&
		    now->release == sim->had_release[e]) {
			sim_note(sim, SIM_LOOKED);
			(void)text_copy(sim->targets[e].runs, LIMIT_COMMIT, now->commit);
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

static void
remember_release(struct sim *sim, int e, const struct look_environment *now)
{
	int commit = sim_forge_index(sim, now->commit);
	bool is_rollback = false;

	for (size_t i = 0; i < seen.n; i++)
		if (seen.deployments[i].id == now->deployment)
			is_rollback = seen.deployments[i].is_rollback ||
			    seen.deployments[i].state == DEPLOY_ROLLED_BACK;
	assert(commit >= 0 && sim->n_way[e] < SIM_DEPLOYMENTS);
	sim->walked[e] = now->release;
	sim->came_back[e] = is_rollback;
	if (is_rollback)
		go_back(sim, e, commit);
	else
		sim->way[e][sim->n_way[e]++] = commit;
	sim->was_fled[e][commit] = false;
	for (int i = 0; !is_rollback && i < commit; i++)
		sim->was_fled[e][i] = false; /* it contains them */
}

static void
remember_ways(struct sim *sim)
{
	for (size_t i = 0; i < seen.n; i++) {
		const struct look_deployment *d = &seen.deployments[i];
		int e = sim_environment(d->environment);

		if (d->state == DEPLOY_ROLLED_BACK && sim->ended_as[d->id] == 0 &&
		    strcmp(d->commit, d->previous) != 0)
			sim->was_fled[e][sim_forge_index(sim, d->commit)] = true;
	}
	for (int e = 0; e < SIM_ENVIRONMENTS; e++) {
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

/* "/rollback" without a number asks about an earlier release that was not left, and no other. */
static void
a_rollback_goes_back(struct sim *sim, struct tx *tx, int e)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	size_t n = sim->n_way[e];
	int to, now;
	struct err err;

	must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT d.commit_id FROM deployment d JOIN environment e ON e.name = d.environment"
		" WHERE d.environment = $1 AND d.asker = $2 AND d.program = 'rollback'"
		" AND e.current_release = $3 AND e.is_down = 0 AND e.unknown_since = 0",
		DB_TEXT(sim_environments[e]), DB_TEXT(tx->event->u.update->name),
		DB_I64(sim->walked[e])),
	    &err);
	if (!db_next(&rows) || sim->is_astray[e])
		return;
	if (sim->came_back[e])
		sim_note(sim, SIM_ROLLED_BACK_TWICE);
	to = sim_forge_index(sim, db_col_text(&rows, 0));
	now = sim->way[e][n - 1];
	while (n > 0 && sim->way[e][n - 1] != to)
		n--;
	if (n == 0 || to == now || sim->was_fled[e][to])
		sim_fail(sim, __func__, "%s is asked to go from %.7s to %.7s", sim_environments[e],
		    sim->commits[now], db_col_text(&rows, 0));
}

/* A confirmation, or a push, starts one deployment of a commit; a second one is asked for so. */
static void
what_is_live_is_not_begun_again(struct sim *sim, const struct look_deployment *d)
{
	const struct look_environment *now = look_environment(&seen, d->environment);

	if (!d->is_rollback && !d->is_again && !now->is_down && !now->is_unknown &&
	    strcmp(now->commit, d->commit) == 0)
		sim_fail(sim, __func__, "deployment %" PRId64 " of %.7s in %s", d->id, d->commit,
		    d->environment);
}

/* In the commit that makes it active nothing of it has been handed out. */
static void
remember_beginnings(struct sim *sim)
{
	for (size_t i = 0; i < seen.n; i++) {
		const struct look_deployment *d = &seen.deployments[i];

		if (d->class != DEPLOY_CLASS_ACTIVE || sim->has_begun[d->id])
			continue;
		sim->has_begun[d->id] = true;
		a_push_brings_up_nothing_that_was_rolled_back(
		    sim, d, sim_environment(d->environment));
		what_is_live_is_not_begun_again(sim, d);
		(void)text_copy(sim->ran_before[d->id], LIMIT_COMMIT,
		    sim->targets[sim_environment(d->environment)].runs);
	}
}

/* The only head that a poll may leave alone. */
static void
remember_first_polls(struct sim *sim)
{
	for (int e = 0; e < SIM_ENVIRONMENTS; e++) {
		const struct look_environment *now = look_environment(&seen, sim_environments[e]);

		if (sim->first_polled[e][0] == '\0' && now != NULL)
			(void)text_copy(sim->first_polled[e], LIMIT_COMMIT, now->polled);
	}
}

void
sim_check_commit(struct sim *sim)
{
	const struct invariants of = rows_of(sim);

	look(sim, sim->settled_below);
	somebody_has_looked(sim);
	remember_ways(sim);
	remember_beginnings(sim);
	remember_first_polls(sim);
	invariants_of_commit(&of);
	an_end_stays(sim);
	what_lives_is_waited_for(sim);
	the_release_is_what_runs(sim);
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

/* No two programs on one target, at their gate or behind it. */
void
sim_check_targets(struct sim *sim)
{
	int n[SIM_ENVIRONMENTS] = { 0 };

	for (size_t i = 0; i < sim->n_processes; i++)
		if (sim->processes[i].phase != SIM_ENDED && ++n[sim->processes[i].environment] > 1)
			sim_fail(sim, "one_program_on_a_target", "two in %s",
			    sim_environments[sim->processes[i].environment]);
}

/* The run is on disk before anything of it runs.  (STOPPING: a cancel came in the same commit.) */
void
sim_check_gate(struct sim *sim, const struct sim_process *process)
{
	const struct invariants of = rows_of(sim);
	int64_t n = invariants_number(&of,
	    "SELECT COUNT(*) FROM run r JOIN deployment d ON d.id = r.deployment AND d.run = r.id"
	    " WHERE r.id = $1 AND r.pid <> 0 AND r.ended_at = 0 AND d.state IN"
	    " ('RUNNING', 'STOPPING', 'ROLLING_BACK')",
	    DB_I64(process->run));

	sim_check_targets(sim);
	if (n != 1)
		sim_fail(sim, "a_gate_opens_for_what_is_recorded", "run %" PRId64, process->run);
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
 * script said.  One that is taken back may not have come that far. */
void
sim_check_images(struct sim *sim, const struct effect_run *order)
{
	bool is_back = order->program == PROGRAM_ROLLBACK;

	if (is_back)
		check_image(sim, order, order->commit, order->image, false);
	else if (order->image[0] != '\0')
		sim_fail(sim, "a_deployment_is_ordered_by_commit", "run %" PRId64, order->run);
	check_image(sim, order, order->previous, order->previous_image, is_back);
	if (is_back && order->image[0] != '\0')
		sim_note(sim, SIM_IMAGE_CAME_BACK);
}

/* --- around each decision --- */

/* Everything that a deployment of this environment is, as a number. */
static uint64_t
fingerprint(struct sim *sim, struct tx *tx, int environment)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
	struct err err;

	must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id || state || run FROM deployment WHERE environment = $1 ORDER BY id",
		DB_TEXT(sim_environments[environment])),
	    &err);
	while (db_next(&rows))
		for (const char *c = db_col_text(&rows, 0); *c != '\0'; c++)
			hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
	return hash;
}

/* Is the button another person's, or an admin's alone? */
static bool
is_not_theirs(struct tx *tx, const struct update *update, enum sim_role role, int *ret_environment)
{
	struct button_row button = row_button_get(tx, update->button);
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t requested_by = 0;
	bool is_chat = false, is_confirming;
	struct err err;

	*ret_environment = -1;
	if (button.id[0] == '\0')
		return true;
	if (button.verb == BUTTON_LOOKED) {
		*ret_environment = sim_environment(button.environment);
		return button.chat != update->address.chat || !button.is_open ||
		    role != SIM_MAY_ALL;
	}
	if (!db_query(&rows, tx->db, &err,
		"SELECT environment, asked_by, cause = 'chat' FROM deployment WHERE id = $1",
		DB_I64(button.deployment)) ||
	    !db_next(&rows))
		return true;
	*ret_environment = sim_environment(db_col_text(&rows, 0));
	requested_by = db_col_i64(&rows, 1);
	is_chat = db_col_i64(&rows, 2) != 0;
	is_confirming = button.verb == BUTTON_CONFIRM || button.verb == BUTTON_DECLINE;
	return button.chat != update->address.chat || !button.is_open ||
	    (is_confirming && requested_by != update->person &&
		!row_button_is_requester(tx, button.deployment, update->person) &&
		((is_chat && !row_button_is_shared(tx, button.deployment)) || role != SIM_MAY_ALL));
}

void
sim_check_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	const struct update *update = tx->event->kind == EVENT_UPDATE ? tx->event->u.update : NULL;
	int pressed = -1;
	enum sim_role role;

	*ret = (struct sim_before){ .why = "" };
	if (update == NULL)
		return;
	role = sim_settings_role(tx->event->context.settings, update->person);
	ret->is_guarded[0] = role == SIM_NOBODY;
	ret->is_guarded[1] = role != SIM_MAY_ALL;
	ret->why = "no role";
	if (update->kind == UPDATE_PRESS && is_not_theirs(tx, update, role, &pressed)) {
		ret->is_guarded[0] = ret->is_guarded[1] = true;
		ret->why = "not their button";
	}
	for (int e = 0; e < SIM_ENVIRONMENTS; e++)
		if (ret->is_guarded[e])
			ret->of[e] = fingerprint(sim, tx, e);
}

/* `go` is said to the run that its deployment waits for, and to no other. */
static void
check_go(struct sim *sim, struct tx *tx)
{
	int64_t run = tx->event->u.run_started.run, n;
	struct err err;

	must(sim,
	    db_one_i64(&n, tx->db, &err,
		"SELECT COUNT(*) FROM deployment WHERE run = $1 AND state IN"
		" ('RUNNING', 'ROLLING_BACK')",
		DB_I64(run)),
	    &err);
	if (tx->answer.status == 200 && n != 1)
		sim_fail(sim, "a_gate_opens_for_what_is_awaited", "run %" PRId64, run);
}

void
sim_check_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	if (tx->event->kind == EVENT_RUN_STARTED)
		check_go(sim, tx);
	if (!db_in_transaction(tx->db))
		return; /* without memory SQLite undoes the whole batch: it is tried again */
	for (int e = 0; tx->event->kind == EVENT_UPDATE && e < SIM_ENVIRONMENTS; e++) {
		const char *text = tx->event->u.update->text;
		size_t size = strlen("/rollback ") + strlen(sim_environments[e]);
		char plain[48];

		(void)snprintf(plain, sizeof(plain), "/rollback %s", sim_environments[e]);
		if (strcmp(text, plain) == 0)
			a_rollback_goes_back(sim, tx, e);
		else if (text_starts(text, plain) && text[size] == ' ')
			sim->is_astray[e] = true; /* by a number, to wherever */
	}
	for (int e = 0; e < SIM_ENVIRONMENTS; e++)
		if (before->is_guarded[e] && fingerprint(sim, tx, e) != before->of[e])
			sim_fail(sim, "nobody_acts_without_a_role",
			    "update %" PRId64 " of %" PRId64 " changed %s (%s)",
			    tx->event->u.update->id, tx->event->u.update->person,
			    sim_environments[e], before->why);
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
	must(sim,
	    db_query(&rows, sim->eyes, &err,
		"SELECT chat, remote_id, head || foot FROM message WHERE id = $1", DB_I64(row)),
	    &err);
	if (db_next(&rows)) {
		chat = db_col_i64(&rows, 0);
		remote_id = db_col_i64(&rows, 1);
		(void)text_copy(text, sizeof(text), db_col_text(&rows, 2));
	}
	must(sim, db_rows_end(&rows, &err), &err);
	if (chat == 0 || !sim_chat_is_reachable(sim, chat)) /* 0: its row is gone, as it may be */
		return;
	/* A group that moved keeps what was said in it, under ids that mean nothing any more. */
	for (size_t i = 0; i < sim->n_posts; i++)
		if (remote_id == 0 ?
			sim->posts[i].row == row :
			sim->posts[i].chat == chat && sim->posts[i].remote_id == remote_id)
			post = &sim->posts[i];
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
		if (sim->updates[i].is_acknowledged)
			sim_check_acknowledged(sim, "telegram", id, NULL);
	}
}

/* I1: each request has a name of its own. */
static void
one_request_is_one_deployment(struct sim *sim)
{
	const struct invariants of = rows_of(sim);
	int64_t id = invariants_number(&of,
	    "SELECT COALESCE(MAX(id), 0) FROM (SELECT MAX(id) AS id,"
	    " COUNT(*) AS n FROM deployment WHERE asker <> 'git'"
	    /* A push that was given up may be delivered again, and is another commit then. */
	    " GROUP BY asker, CASE WHEN cause = 'push' THEN commit_id ELSE '' END) WHERE n > 1");

	if (id != 0)
		sim_fail(sim, __func__, "deployment %" PRId64 " is another's twin", id);
}

/* A push whose delivery was lost is found, as long as git is asked now and then. */
static void
no_push_is_lost(struct sim *sim)
{
	const struct settings *settings = sim_settings_get(sim->loaded);

	for (int e = 0; e < SIM_ENVIRONMENTS && settings->poll_repository_seconds > 0; e++)
		if (settings_environment(settings, sim_environments[e]) != NULL &&
		    strcmp(sim->first_polled[e], sim->commits[sim->head[e]]) != 0 &&
		    strcmp(look_environment(&seen, sim_environments[e])->seen,
			sim->commits[sim->head[e]]) != 0)
			sim_fail(sim, __func__, "%s: seen %.7s, head %.7s", sim_branches[e],
			    look_environment(&seen, sim_environments[e])->seen,
			    sim->commits[sim->head[e]]);
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
	no_push_is_lost(sim);
	every_chat_was_told(sim);
	what_was_acknowledged_stays(sim);
	one_request_is_one_deployment(sim);
	files_hold(sim, &of);
}
