/* chat_deployment_end.c - the texts of one that has ended: what runs now, and why.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include "chat/chat_status.h"
#include "lib/mem.h"
#include "lib/text.h"
/* What is known to run there when a deployment came to nothing. */
static void
add_still_runs(struct chat_text *text, const struct chat_deployment *about)
{
	if (environment_is_in_doubt(about->environment)) {
		chat_deployment_doubt(
		    text, about->environment, ", as before: nothing was changed; ");
		return;
	}
	chat_text_add(text, "%s", about->deployment->environment);
	if (about->environment->current.id == 0) {
		chat_text_add(text, " has no release yet");
		if (deployment_is_undone(about->deployment, about->steps, about->n_steps))
			chat_text_add(text, ": what had been started of %s was ended again",
			    commit_name_here(COMMIT_OF(about->deployment)));
		return;
	}
	if (about->deployment->why == DEPLOY_WHY_SCRIPT && about->newest.is_unreachable)
		chat_text_add(text, ": %s was not replaced; whether it still runs is not known",
		    commit_name_here(COMMIT_OF(&about->environment->current)));
	else
		chat_text_add(text, " still runs %s",
		    commit_name_here(COMMIT_OF(&about->environment->current)));
}

static void
add_what_was_left(struct chat_text *text, const struct chat_deployment *about)
{
	if (chat_deployment_is_left(about))
		chat_text_add(
		    text, "; what was started there may run on, until the next deployment");
}

/* A release replaces one service: who reads "runs" is not to think that all of them do. */
static void
add_what_stays_old(struct chat_text *text, const struct chat_deployment *about)
{
	const char *before = deployment_is_rollback(about->deployment) ||
		about->deployment->state == DEPLOY_ROLLED_BACK ?
	    "\n⚠️ " MARK_BOLD "still on another release: " MARK_BOLD :
	    "\n⚠️ " MARK_BOLD "still on the old release: " MARK_BOLD;

	for (size_t i = 0; i < about->n_steps; i++) {
		const char *service = deployment_stays_old(about->steps[i].name);

		if (service == NULL)
			continue;
		chat_text_outside(text, before, service);
		before = ", ";
	}
}

/* Where, and what came with it: the first question behind "live". */
static void
add_links(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->since != NULL)
		return; /* it may be live no more */
	chat_text_some(text, "\n🌐 ", about->site);
	chat_text_some(text, "\n🔗 ", about->link);
}

void
chat_deployment_end_live(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_deployment_first(text, about);
	if (about->environment->current.deployment == deployment->id)
		chat_left_hosts(text, about->left, about->n_left, 0);
	chat_deployment_waves(text, about);
	chat_deployment_past_migration(text, about);
	add_what_stays_old(text, about);
	chat_deployment_warnings(text, about, WARNINGS_SHOWN);
	chat_deployment_promotion(text, about);
	chat_deployment_requester(text, deployment);
	chat_deployment_missing(text, deployment);
	if (about->block != NULL && deployment_is_rollback(deployment)) {
		chat_text_named(text, "\n", COMMIT_OF(about->block));
		chat_text_add(text, " is blocked: a push does not deploy it again; ");
		chat_text_again(text, deployment->environment, COMMIT_OF(about->block));
		chat_text_add(text, " asks first.");
	}
	chat_deployment_unprobed(text, deployment);
	chat_deployment_note(text, deployment);
	add_links(text, about);
	chat_deployment_took(text, about);
	chat_deployment_folded(text, about);
}

/* Its host may have put it back, or have left it up. */
static const char *
what_it_left(const struct deployment *deployment)
{
	return deployment->why == DEPLOY_WHY_CANCELLED ? "was stopped, what it left is not known" :
							 "failed, what it left is not known";
}

/* What it failed to bring to some hosts is live on the others, which it has not touched. */
static void
add_what_hosts_run(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	struct host_share now = chat_deployment_share(about, deployment->commit);

	chat_text_add(text, "\n" MARK_BOLD "%s runs %s on %lld of %lld hosts",
	    deployment->environment, commit_name_here(COMMIT_OF(deployment)), (long long)now.n,
	    (long long)now.all);
	if (now.unknown > 0)
		chat_text_add(text, ", %lld %s unknown", (long long)now.unknown,
		    now.unknown == 1 ? "is" : "are");
	chat_text_add(text, MARK_BOLD ": no other host was touched");
}

/* What was live before runs again: on all hosts, or on how many of them. */
static void
add_back(struct chat_text *text, const struct chat_deployment *about, const char *previous)
{
	const struct deployment *deployment = about->deployment;
	const struct release *current = &about->environment->current;
	const char *environment = deployment->environment;
	const char *its = commit_name_here(COMMIT_OF(deployment));
	struct host_share now = chat_deployment_share(about, deployment->previous);
	bool is_target = deployment_is_back_to_target(deployment);

	if (now.unknown > 0) {
		chat_text_add(
		    text, "%s: %s %s", environment, previous, is_target ? "is back" : "runs again");
		if (!is_target)
			chat_text_add(
			    text, " on %lld of %lld hosts", (long long)now.n, (long long)now.all);
		chat_text_add(text, "; %lld %s unknown and may run %s", (long long)now.unknown,
		    now.unknown == 1 ? "is" : "are", its);
		return;
	}
	if (deployment_is_back_to_itself(deployment)) {
		chat_text_add(
		    text, "%s runs its earlier release of %s again", environment, previous);
		return;
	}
	chat_text_add(text, "%s is NOT running %s; %s %s%s", environment, its,
	    is_target ? "it is back to" : "it runs", previous, is_target ? "" : " again");
	if (strcmp(current->commit, deployment->previous) == 0 && current->subject[0] != '\0')
		chat_text_quoted(text, ": ", current->subject, CHAT_FIRST_SUBJECT);
}

/* The sentence that a bad end must never leave in doubt: what runs there now. */
static void
add_what_runs(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const char *environment = deployment->environment;
	bool is_target = deployment_is_back_to_target(deployment);
	bool is_unhealthy = deployment->why == DEPLOY_WHY_UNHEALTHY;
	enum chat_first first = chat_first_of(about);
	bool is_down = first == FIRST_DOWN || first == FIRST_LEFT_DOWN;
	const char *its = commit_name_here(COMMIT_OF(deployment)), *previous;

	if (chat_deployment_is_to_hosts(about) && deployment->target_changed) {
		add_what_hosts_run(text, about);
		return;
	}
	chat_text_add(text, "\n" MARK_BOLD);
	if (is_down || deployment->state == DEPLOY_ROLLBACK_FAILED)
		chat_text_add(text, "%s %s DOWN", environment, is_down ? "is" : "may be");
	if (is_down)
		chat_text_some(text, " on ", deployment->look.down_on);
	previous = is_target ? "what ran before deploybot" :
			       commit_name_here(deployment->previous_source, deployment->previous);
	if (deployment->state == DEPLOY_ROLLED_BACK) {
		add_back(text, about, previous);
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED &&
	    chat_deployment_is_unknown(about)) {
		chat_text_add(
		    text, ": what rolling back from %s to %s left is not known", its, previous);
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED && about->rollback_not_started) {
		/* Whose script failed may have been put back by its host. */
		chat_text_add(text, ": %s %s: rolling back to %s did not begin to change anything",
		    its, is_unhealthy ? "is still there, unhealthy" : what_it_left(deployment),
		    previous);
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED && about->run_end == RUN_FAILED) {
		chat_text_add(text, ": the rollback from %s to %s failed: what runs is not known",
		    its, previous);
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED) {
		chat_text_add(text, ": %s is back, and %s not healthy%s", previous,
		    is_down ? "is" : "was", is_unhealthy ? " either" : "");
	} else if (is_down && is_unhealthy) {
		chat_text_add(text, ": %s was left running, unhealthy", its);
	} else if (is_down) {
		chat_text_add(text, ": %s %s", its, what_it_left(deployment));
	} else if (about->n_barriers > 0) {
		chat_text_add(
		    text, "%s may be DOWN: %s %s", environment, its, what_it_left(deployment));
	} else if (deployment->target_changed) {
		chat_text_add(text, "%s may be DOWN: its state is unknown", environment);
	} else if (deployment_migration(deployment) != MIGRATION_NONE) {
		chat_deployment_migration_failed(text, about);
	} else {
		add_still_runs(text, about); /* that nothing was changed stands in the first line */
		add_what_was_left(text, about);
	}
	chat_text_add(text, MARK_BOLD);
	if (deployment->look.at == 0)
		return;
	chat_text_outside(text, "\n🩺 ",
	    deployment->look.said[0] != '\0' ? deployment->look.said : "answers healthy");
	chat_text_since(text, ", checked ", &about->clock, deployment->look.at, about->at);
}

/* Which commit it was about, and why it came to that. */
static void
add_bad_reason(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	/* Somebody wanted that: who and where stands in the first line. */
	if (deployment->state == DEPLOY_FAILED && chat_first_of(about) == FIRST_STOPPED) {
		chat_text_named(text, deployment_is_rollback(deployment) ? "rollback to " : "",
		    COMMIT_OF(deployment));
		chat_text_add(text, " was stopped");
		return;
	}
	chat_deployment_commit(
	    text, deployment_is_rollback(deployment) ? "rollback to " : "", deployment);
	if (deployment->state == DEPLOY_FAILED)
		chat_text_add(text, " failed");
	chat_deployment_why(text, "\n", deployment, "", WHY_IN_STORY);
}

static void
add_blocked(struct chat_text *text, const struct deployment *deployment)
{
	chat_text_add(text, "\nIt is blocked: a push does not deploy it again; ");
	chat_text_again(text, deployment->environment, COMMIT_OF(deployment));
	chat_text_add(text, " asks first.");
}

/* The last lines that say why; or where they are, of those that not everybody may read. */
static void
add_tail(struct chat_text *text, const struct chat_deployment *about)
{
	chat_deployment_tail(text, about, TAIL_FAILURE);
	if (about->is_tail_hidden)
		chat_text_add(text,
		    "\nIts last lines may have customers' data: " MARK_BOLD "Log" MARK_BOLD
		    " below shows them to who may read it.");
}

/* What ran before it serves, and somebody is needed all the same. */
static void
add_migration_step(struct chat_text *text, const struct chat_deployment *about)
{
	const char *name = about->deployment->environment;

	chat_text_add(
	    text, "\n1. " MARK_CODE "/status %s" MARK_CODE ": does it answer?\n2. ", name);
	chat_text_add(text, "Log below: look at the database, what of it is there?\n3. ");
	chat_text_add(text, MARK_CODE "/deploy %s" MARK_CODE ": a newer commit", name);
	chat_text_some(text, "\n📖 ", about->runbook);
}

/* A person wanted it so, and which host runs what is known. */
static void
add_left(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const char *name = deployment->environment;

	chat_deployment_why(text, "\n" MARK_BOLD, deployment, MARK_BOLD, WHY_WHOLE);
	chat_text_add(text, "\n");
	chat_deployment_commit(text, "", deployment);
	chat_text_add(text, " is not live; on record is ");
	if (about->environment->current.id != 0)
		chat_text_named(text, "", COMMIT_OF(&about->environment->current));
	else
		chat_text_add(text, "nothing");
	chat_text_add(text,
	    "\nPushes are queued until one release runs there: " MARK_CODE "/deploy %s" MARK_CODE
	    " or " MARK_CODE "/rollback %s" MARK_CODE
	    " asks first; or until ▶️ Resume queue of %s",
	    name, name, name);
	chat_deployment_requester(text, deployment);
	chat_deployment_steps(text, about);
	chat_deployment_took(text, about);
}

void
chat_deployment_end_failed(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (deployment_is_action(deployment)) {
		chat_action_end(text, about);
		return;
	}
	chat_deployment_first(text, about);
	if (deployment->why == DEPLOY_WHY_LEFT) {
		add_left(text, about);
		return;
	}
	add_what_runs(text, about);
	if (deployment->target_changed || environment_is_in_doubt(about->environment))
		chat_deployment_next_step(text, about->environment,
		    about->n_barriers > 0 ? NULL : about->back, about->runbook);
	else if (deployment_migration(deployment) != MIGRATION_NONE)
		add_migration_step(text, about);
	chat_text_add(text, "\n");
	add_bad_reason(text, about);
	add_tail(text, about);
	chat_deployment_application_log(text, about);
	chat_deployment_warnings(text, about, WARNINGS_SHOWN);
	chat_barriers(text, about->barriers, about->n_barriers);
	if (deployment->target_changed) {
		chat_text_add(text, "\n%s Last known release: ",
		    about->n_barriers > 0 ?
			"Something was changed there." :
			chat_deployment_is_unknown(about) ?
			"No rollback was started: it may still be running, here or elsewhere." :
			deployment->why == DEPLOY_WHY_INTERRUPTED ?
			"Something may have been changed there, and no rollback was started." :
			deployment_is_rollback(deployment) ?
			"Something was changed there." :
			"Something was changed there, and no rollback was started.");
		if (about->environment->current.id != 0)
			chat_text_named(text, "", COMMIT_OF(&about->environment->current));
		else
			chat_text_add(text, "none");
		chat_deployment_behind_migration(text, about);
		chat_deployment_past_migration(text, about);
	} else if (deployment_migration(deployment) != MIGRATION_NONE) {
		chat_text_add(text, "\nThis one is blocked: no push deploys it, and ");
		chat_text_again(text, deployment->environment, COMMIT_OF(deployment));
		chat_text_add(text, " asks first, then migrates again.");
	}
	chat_deployment_requester(text, deployment);
	chat_deployment_unprobed(text, deployment);
	chat_deployment_steps(text, about);
	chat_deployment_took(text, about);
}

void
chat_deployment_end_rolled_back(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_deployment_first(text, about);
	chat_deployment_behind_migration(text, about);
	add_what_runs(text, about);
	chat_deployment_waves(text, about);
	chat_text_add(text, "\n");
	chat_deployment_commit(text, "", deployment);
	add_what_stays_old(text, about);
	chat_deployment_warnings(text, about, WARNINGS_SHOWN);
	chat_deployment_requester(text, deployment);
	chat_deployment_why(text, "\n", deployment, "", WHY_IN_STORY);
	chat_deployment_failed_step(text, about);
	add_tail(text, about);
	chat_deployment_application_log(text, about);
	chat_deployment_unprobed(text, deployment);
	if (!deployment_is_back_to_itself(deployment))
		add_blocked(text, deployment);
	chat_text_some(text, "\n📖 ", about->runbook);
	chat_deployment_note(text, deployment);
	chat_deployment_took(text, about);
}

void
chat_deployment_end_rollback_failed(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_deployment_first(text, about);
	chat_deployment_behind_migration(text, about);
	add_what_runs(text, about);
	chat_deployment_waves(text, about);
	chat_deployment_next_step(text, about->environment, about->back, about->runbook);
	chat_text_add(text, "\n");
	add_bad_reason(text, about);
	chat_deployment_failed_step(text, about);
	add_tail(text, about);
	chat_deployment_application_log(text, about);
	chat_deployment_warnings(text, about, WARNINGS_SHOWN);
	chat_deployment_requester(text, deployment);
	chat_deployment_unprobed(text, deployment);
	chat_deployment_took(text, about);
}

/* What its messages said to do is not to be done any more. */
void
chat_deployment_over(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const struct release *now = &about->environment->current;
	CLEANUP(freep) struct deployment *ended = mem_copy(deployment, sizeof(*ended));
	struct chat_deployment then = *about;
	enum chat_first was;
	bool is_since = now->at >= deployment->ended_at;

	then.deployment = ended;
	if (deployment_is_looked_well(ended)) /* it answered again before that */
		ended->look.at = 0;
	was = chat_first_of(&then);
	chat_first(text, FIRST_OVER, deployment->environment);
	chat_text_named(text, now->id != 0 ? "" : "it is not known to be down", COMMIT_OF(now));
	chat_text_add(text, "%s", now->id != 0 && !is_since ? " is live again" : "");
	if (is_since)
		chat_text_since(text, " is live since ", &about->clock, now->at, about->at);
	chat_left_hosts(text, about->left, about->n_left, 0);
	chat_text_add(text, "\nIt %s: ",
	    was == FIRST_DOWN || was == FIRST_LEFT_DOWN ? "was DOWN" :
		was == FIRST_LEFT			? "was not live" :
							  "may have been DOWN");
	chat_deployment_commit(text, "", deployment);
	chat_deployment_why(text, ": ", deployment, "", WHY_BRIEF);
	chat_deployment_requester(text, deployment);
	chat_deployment_took(text, about);
}

void
chat_deployment_end_refused(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (deployment->why == DEPLOY_WHY_REJECTED) {
		chat_deployment_rejected(text, about);
		return;
	}
	chat_deployment_first(text, about);
	if (deployment_runs_already(deployment, about->environment))
		chat_text_add(text, ", so it is not %s again",
		    deployment_is_rollback(deployment) ? "rolled back" : "deployed");
	chat_text_outside(text, "\n", deployment->detail);
	if (deployment->why == DEPLOY_WHY_CI)
		chat_text_add(text,
		    "\nPassed there since? Try again, or " MARK_CODE "/deploy %s" MARK_CODE ".",
		    deployment->environment);
	if (deployment->why == DEPLOY_WHY_CI && deployment_is_by_request(deployment))
		chat_text_add(text,
		    " " MARK_CODE "/deploy %s emergency <why>" MARK_CODE " goes past CI.",
		    deployment->environment);
	if (about->answer != NULL && about->answer->n_possible > 0) {
		chat_text_add(text, "\nPossible:");
		for (size_t i = 0; i < about->answer->n_possible; i++) {
			const struct git_name *possible = &about->answer->possible[i];

			chat_text_code(text, "\n• ", possible->name);
			if (possible->about[0] != '\0')
				chat_text_theirs(text, " ", possible->about);
		}
	}
}

static void
add_not_begun(struct chat_text *text, const struct chat_deployment *about, const char *how)
{
	const struct deployment *deployment = about->deployment;

	chat_deployment_first(text, about);
	if (deployment->subject[0] != '\0' && deployment->commit[0] != '\0')
		chat_text_named(text, "\n", COMMIT_OF(deployment)); /* its subject stands above */
	else
		chat_deployment_commit(text, "\n", deployment);
	chat_text_add(text, ": %s", how);
	if (deployment->detail[0] != '\0' && deployment->state != DEPLOY_CANCELLED)
		chat_text_outside(text, "\n", deployment->detail);
}

void
chat_deployment_end_cancelled(struct chat_text *text, const struct chat_deployment *about)
{
	add_not_begun(text, about,
	    about->deployment->why == DEPLOY_WHY_ELSEWHERE ?
		"its job has ended well at its forge, and nobody here had said yes" :
		"cancelled before it began");
}

void
chat_deployment_end_expired(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->approvals != NULL)
		chat_deployment_expired(text, about);
	else
		add_not_begun(text, about,
		    "nobody confirmed it in time. Nothing was started: ask for it again.");
}

void
chat_deployment_end_superseded(struct chat_text *text, const struct chat_deployment *about)
{
	chat_deployment_first(text, about);
	chat_deployment_commit(text, "\n", about->deployment);
}
