/* chat_deployment_first.c - which beginning it has, and the first line of one that has ended.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_inside.h"

#include "lib/text.h"

/* A step's first word, and what is said when it was the last. */
static const struct {
	const char *step;
	enum chat_first first;
} failed_steps[] = {
	{ "preflight", FIRST_PREFLIGHT_FAILED },
	{ "git", FIRST_FETCH_FAILED },
	{ "build", FIRST_BUILD_FAILED },
	{ "push", FIRST_PUSH_FAILED },
	{ "image", FIRST_IMAGE_FAILED },
	{ "pull", FIRST_PULL_FAILED },
	{ "hook", FIRST_HOOK_FAILED },
	{ "start", FIRST_START_FAILED },
};

/* An action was begun, and nothing says how it went. */
static bool
is_lost(const struct deployment *deployment)
{
	return deployment_is_action(deployment) && deployment->why == DEPLOY_WHY_INTERRUPTED;
}

static bool
is_untouched(const struct deployment *deployment)
{
	return !deployment_is_action(deployment) && !deployment->target_changed &&
	    deployment_migration(deployment) == MIGRATION_NONE;
}

/* Its target is as it was, so that this is all there is to say; of an action nobody knows more. */
static bool
is_stopped(const struct deployment *deployment)
{
	return (deployment->why == DEPLOY_WHY_CANCELLED &&
		   (deployment_is_action(deployment) || is_untouched(deployment))) ||
	    (deployment->why == DEPLOY_WHY_ELSEWHERE && deployment_is_gate(deployment));
}

static enum chat_first
failed(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const char *step = chat_deployment_last_step(about);

	if (is_lost(deployment) && !deployment_is_loan(deployment))
		return FIRST_UNKNOWN_END;
	if (is_stopped(deployment))
		return FIRST_STOPPED;
	if (deployment_is_action(deployment))
		return deployment_is_loan(deployment) ? FIRST_NOT_LENT : FIRST_FAILED;
	if (deployment->why == DEPLOY_WHY_LEFT)
		return FIRST_LEFT;
	if (deployment->target_changed)
		return deployment_is_left_down(deployment, about->environment) ? FIRST_LEFT_DOWN :
		    chat_deployment_is_to_hosts(about) ? FIRST_HOSTS_HALF_WAY :
		    deployment_is_rollback(deployment) ? FIRST_BACK_DOWN :
							 FIRST_HALF_WAY;
	if (deployment_migration(deployment) == MIGRATION_FAILED ||
	    deployment_migration(deployment) == MIGRATION_NOT_STARTED)
		return FIRST_MIGRATION_FAILED;
	if (deployment_migration(deployment) == MIGRATION_STOPPED ||
	    deployment_migration(deployment) == MIGRATION_CUT)
		return FIRST_MIGRATION_CUT;
	if (about->environment->is_down) /* as before */
		return deployment_is_rollback(deployment) ? FIRST_BACK_DOWN : FIRST_STAYS_DOWN;
	if (deployment_is_rollback(deployment))
		return FIRST_BACK_FAILED;
	for (size_t i = 0; i < COUNT(failed_steps); i++) {
		size_t size = strlen(failed_steps[i].step);

		if (about->run_end == RUN_FAILED && text_starts(step, failed_steps[i].step) &&
		    (step[size] == '\0' || step[size] == ' '))
			return failed_steps[i].first;
	}
	return FIRST_FAILED;
}

/* The end that is reported left it so. */
bool
chat_deployment_is_unknown(const struct chat_deployment *about)
{
	return about->environment->unknown_since != 0 &&
	    about->environment->unknown_since == about->deployment->ended_at;
}

/* Killed behind its start: nothing has ended what that began, beside what serves. */
bool
chat_deployment_is_left(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (deployment->state != DEPLOY_FAILED || !is_untouched(deployment) ||
	    !about->newest.is_killed)
		return false;
	for (size_t i = 0; i < about->n_steps; i++)
		if (strcmp(about->steps[i].name, "start") == 0)
			return true;
	return false;
}

/* By the newest probe: behind a rollback that ran to its end, whose release is not healthy either,
 * or behind one that failed. */
static bool
is_seen_down(const struct chat_deployment *about)
{
	return deployment_is_looked_down(about->deployment) ||
	    (!deployment_is_looked_well(about->deployment) && !about->rollback_not_started &&
		!chat_deployment_is_unknown(about) && about->run_end != RUN_FAILED);
}

/* Of a deployment, a person's rollback, or one forward. */
static enum chat_first
of_program(const struct deployment *deployment, enum chat_first deploys, enum chat_first back,
    enum chat_first forward)
{
	return deployment->is_forward	       ? forward :
	    deployment_is_rollback(deployment) ? back :
						 deploys;
}

static enum chat_first
asked(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (deployment->confirmed_by != 0 && !deployment_is_action(deployment))
		return FIRST_CONFIRMED;
	if (deployment->changed[0] != '\0')
		return deployment_is_action(deployment) ? FIRST_NOT_DONE_YET :
		    deployment->answered_at != 0	? FIRST_NOT_STARTED :
							  FIRST_ASKED_ANEW;
	return chat_first_of_question(deployment, chat_deployment_is_to_hosts(about));
}

enum chat_first
chat_first_of_question(const struct deployment *deployment, bool is_to_hosts)
{
	return deployment_is_gate(deployment)	? FIRST_ASKS_GATE :
	    deployment_is_pipeline(deployment)	? FIRST_ASKS_PIPELINE :
	    deployment_is_action(deployment)	? FIRST_ASKS_ACTION :
	    deployment_is_rollback(deployment)	? of_program(deployment, FIRST_ASKS_DEPLOY,
						      FIRST_ASKS_BACK, FIRST_ASKS_FORWARD) :
	    deployment_is_emergency(deployment) ? FIRST_ASKS_EMERGENCY :
	    is_to_hosts				? FIRST_ASKS_HOSTS :
	    deployment->is_again		? FIRST_ASKS_AGAIN :
						  FIRST_ASKS_DEPLOY;
}

static enum chat_first
awaits(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (about->approvals != NULL && about->approvals->is_reminder)
		return deployment_is_rollback(deployment) ? FIRST_BACK_AWAITS :
		    deployment_is_loan(deployment)	  ? FIRST_LOAN_AWAITS :
							    FIRST_STILL_AWAITS;
	return deployment->changed[0] != '\0' ?
	    FIRST_AWAITS_ANEW :
	    deployment_is_loan(deployment) ?
	    FIRST_AWAITS_LOAN :
	    of_program(deployment, FIRST_AWAITS_APPROVAL, FIRST_AWAITS_BACK, FIRST_AWAITS_FORWARD);
}

static enum chat_first
refused(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	return deployment->why == DEPLOY_WHY_REJECTED		    ? FIRST_REJECTED :
	    deployment->why == DEPLOY_WHY_CI			    ? FIRST_NOT_PASSED :
	    deployment_runs_already(deployment, about->environment) ? FIRST_RUNS_ALREADY :
	    deployment_is_action(deployment)			    ? FIRST_NOT_DONE :
	    deployment_is_rollback(deployment)			    ? FIRST_NOT_BACK :
								      FIRST_NOT_DEPLOYED;
}

static enum chat_first
runs(const struct deployment *deployment)
{
	if (deployment_is_gate(deployment))
		return FIRST_GATE_OPEN;
	if (deployment_is_loan(deployment)) /* why Vault does not make it yet */
		return deployment->detail[0] != '\0' ? FIRST_WAITS_VAULT : FIRST_LENDS;
	return deployment_is_action(deployment) ?
	    FIRST_DOES :
	    of_program(deployment, FIRST_DEPLOYS, FIRST_GOES_BACK, FIRST_GOES_FORWARD);
}

static enum chat_first
done(const struct chat_deployment *about)
{
	static const enum chat_first lent[] = {
		[CHAT_LOAN_NONE] = FIRST_LENT,
		[CHAT_LOAN_LENT] = FIRST_LENT,
		[CHAT_LOAN_REVOKING] = FIRST_REVOKING,
		[CHAT_LOAN_REVOKED] = FIRST_REVOKED,
		[CHAT_LOAN_ENDED] = FIRST_WAS_LENT,
		[CHAT_LOAN_ENDED_BADLY] = FIRST_WAS_LENT_BADLY,
	};

	return deployment_is_loan(about->deployment) ?
	    lent[about->since != NULL ? about->since->loan : CHAT_LOAN_NONE] :
	    about->deployment->cancelled_by != 0 ? FIRST_DONE_ANYWAY :
						   FIRST_DONE;
}

static enum chat_first
gate_ended(const struct deployment *gate)
{
	if (gate->why == DEPLOY_WHY_ELSEWHERE)
		return gate->state == DEPLOY_CANCELLED ? FIRST_GATE_PASSED : FIRST_GATE_LET_GO;
	return gate->state == DEPLOY_DONE     ? FIRST_GATE_DONE :
	    gate->state == DEPLOY_CANCELLED   ? FIRST_GATE_CANCELLED :
	    gate->state == DEPLOY_EXPIRED     ? FIRST_GATE_EXPIRED :
	    gate->why == DEPLOY_WHY_REJECTED  ? FIRST_GATE_REJECTED :
	    gate->state == DEPLOY_REFUSED     ? FIRST_GATE_REFUSED :
	    gate->why == DEPLOY_WHY_CANCELLED ? FIRST_GATE_STOPPED :
						FIRST_GATE_FAILED;
}

/* A gate that was skipped is said as all that is. */
static bool
is_ended_gate(const struct deployment *deployment)
{
	return deployment_is_gate(deployment) && deployment->state != DEPLOY_SUPERSEDED &&
	    deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL;
}

static bool
is_stopped_back(const struct chat_deployment *about)
{
	return about->deployment->why == DEPLOY_WHY_CANCELLED;
}

/* Of one that is live: hosts of its environment do not run it. */
static bool
is_on_some(const struct chat_deployment *about)
{
	struct host_share now = chat_deployment_share(about, about->deployment->commit);

	if (about->waves == NULL || deployment_is_rollback(about->deployment))
		return false;
	return chat_deployment_is_to_hosts(about) ?
	    now.n < now.all :
	    about->waves->hosts.current < about->waves->hosts.all;
}

static enum chat_first
live(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (about->since != NULL && about->since->is_left)
		return FIRST_WAS_ROLLED_BACK;
	if (about->since != NULL && about->since->until != 0)
		return FIRST_WAS_LIVE;
	if (is_on_some(about))
		return FIRST_LIVE_SOME;
	return of_program(deployment,
	    deployment->urls[0] != '\0'		   ? FIRST_LIVE :
		chat_deployment_is_to_hosts(about) ? FIRST_LIVE_HOSTS :
						     FIRST_LIVE_UNCHECKED,
	    FIRST_LIVE_BACK, FIRST_LIVE_FORWARD);
}

/* Of one that brings what is live to hosts that do not run it: all others go on.  COUNT: what is
 * said of any other. */
static enum chat_first
of_hosts(const struct chat_deployment *about)
{
	if (!chat_deployment_is_to_hosts(about))
		return CHAT_FIRST_COUNT;
	switch (about->deployment->state) {
	case DEPLOY_RUNNING:
	case DEPLOY_VERIFYING:
		return FIRST_DEPLOYS_HOSTS;
	case DEPLOY_ROLLING_BACK:
		return is_stopped_back(about) ? CHAT_FIRST_COUNT : FIRST_HOSTS_RETURN;
	case DEPLOY_ROLLED_BACK:
		return is_stopped_back(about) ? FIRST_HOSTS_STOPPED : FIRST_HOSTS_RETURNED;
	case DEPLOY_ROLLBACK_FAILED:
		return FIRST_HOSTS_DOWN;
	default:
		return CHAT_FIRST_COUNT;
	}
}

enum chat_first
chat_first_of(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	enum chat_first first = of_hosts(about);

	if (is_ended_gate(deployment))
		return gate_ended(deployment);
	if (first != CHAT_FIRST_COUNT)
		return first;
	switch (deployment->state) {
	case DEPLOY_REQUESTED:
		return FIRST_ASKS_GIT;
	case DEPLOY_AWAITING_CONFIRMATION:
		return asked(about);
	case DEPLOY_AWAITING_APPROVAL:
		return awaits(about);
	case DEPLOY_QUEUED:
		return strcmp(deployment->waits_for, "ci") == 0 ? FIRST_WAITS_CI : FIRST_QUEUED;
	case DEPLOY_RUNNING:
		return runs(deployment);
	case DEPLOY_STOPPING:
		return deployment_is_action(deployment) ?
		    FIRST_STOPS_ACTION :
		    of_program(deployment, FIRST_STOPS, FIRST_STOPS_BACK, FIRST_STOPS_FORWARD);
	case DEPLOY_VERIFYING:
		return of_program(
		    deployment, FIRST_VERIFIES, FIRST_VERIFIES_BACK, FIRST_VERIFIES_FORWARD);
	case DEPLOY_BAKING:
	case DEPLOY_PAUSED:
		return deployment->state == DEPLOY_BAKING ? FIRST_BAKES : FIRST_PAUSED;
	case DEPLOY_ROLLING_BACK: /* it rings: why, in the place of that it does */
		return about->deployment->why == DEPLOY_WHY_CANCELLED ? FIRST_RETURNS_STOPPED :
		    about->deployment->why == DEPLOY_WHY_UNHEALTHY    ? FIRST_RETURNS_UNWELL :
									FIRST_RETURNS_FAILED;
	case DEPLOY_VERIFYING_ROLLBACK:
		return FIRST_LOOKS_BACK;
	case DEPLOY_LIVE:
		return live(about);
	case DEPLOY_FAILED:
		return failed(about);
	case DEPLOY_DONE:
		return done(about);
	case DEPLOY_ROLLED_BACK:
		return deployment->why == DEPLOY_WHY_CANCELLED ? FIRST_RETURNED_STOPPED :
								 FIRST_RETURNED;
	case DEPLOY_ROLLBACK_FAILED:
		return is_seen_down(about) ? FIRST_DOWN : FIRST_MAY_BE_DOWN;
	case DEPLOY_REFUSED:
		return refused(about);
	case DEPLOY_CANCELLED:
		return FIRST_CANCELLED;
	case DEPLOY_EXPIRED:
		return about->approvals != NULL ? FIRST_NOT_APPROVED : FIRST_NOT_CONFIRMED;
	case DEPLOY_SUPERSEDED:
		return deployment->why == DEPLOY_WHY_ELSEWHERE ? FIRST_CLOSED : FIRST_SKIPPED;
	case DEPLOY_STATE_COUNT:
		break;
	}
	abort();
}

/* What is said of each end behind its subject. */
static void
add_rest(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const char *step = chat_deployment_last_step(about);

	switch (deployment->state) {
	case DEPLOY_LIVE:
		if (deployment->subject[0] != '\0')
			chat_text_named(text, " ", COMMIT_OF(deployment));
		break;
	case DEPLOY_REFUSED:
		if (deployment->subject[0] != '\0' && deployment->commit[0] != '\0' &&
		    !deployment_is_gate(deployment))
			chat_text_named(text, " ", COMMIT_OF(deployment));
		break;
	case DEPLOY_FAILED:
		if (chat_first_of(about) == FIRST_LEFT_DOWN)
			chat_deployment_why(text, " (", deployment, ")", WHY_BRIEF);
		if (is_stopped(deployment)) {
			chat_text_some(text, " in ", step);
			chat_text_some(
			    text, deployment_is_gate(deployment) ? ", " : " ", deployment->detail);
		}
		break;
	case DEPLOY_CANCELLED: /* by whom */
		chat_text_some(text, " ", deployment->detail);
		break;
	case DEPLOY_ROLLED_BACK:
	case DEPLOY_ROLLING_BACK:
		chat_deployment_why(text, " (", deployment, ")", WHY_BRIEF);
		break;
	default:
		break;
	}
}

/* Its outcome alone would be read as a deployment's. */
static bool
is_unbegun_rollback(const struct deployment *deployment)
{
	return deployment_is_rollback(deployment) &&
	    (deployment->state == DEPLOY_EXPIRED || deployment->state == DEPLOY_CANCELLED ||
		deployment->why == DEPLOY_WHY_REJECTED);
}

/* What it is quoted for: a lock screen ends within the subject. */
static const char *
before_subject(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (deployment_is_undone(deployment, about->steps, about->n_steps))
		return ", nothing of it runs: ";
	if (deployment->state == DEPLOY_FAILED && is_untouched(deployment))
		return about->environment->is_down		? ", still may be DOWN: " :
		    environment_is_in_doubt(about->environment) ? ", state unknown: " :
		    chat_deployment_is_left(about)		? ", what it left is not known: " :
								  ", nothing was changed: ";
	if (chat_first_of(about) == FIRST_LEFT_DOWN)
		return deployment_is_rollback(deployment) ? ", rollback failed: " :
		    deployment->previous[0] == '\0'	  ? ", nothing to roll back to: " :
							    ", not rolled back: ";
	if (chat_first_of(about) == FIRST_HALF_WAY && about->n_barriers > 0)
		return ", not rolled back: ";
	if (chat_first_of(about) == FIRST_BACK_DOWN)
		return ", may be DOWN: ";
	if (chat_first_of(about) == FIRST_MIGRATION_FAILED && deployment->previous[0] != '\0')
		return ", old one serves: ";
	if (deployment->state == DEPLOY_ROLLING_BACK)
		return ": ";
	if (deployment->state == DEPLOY_ROLLED_BACK && !chat_deployment_is_to_hosts(about))
		return " from ";
	if (deployment->state == DEPLOY_ROLLED_BACK)
		return ": ";
	return !is_unbegun_rollback(deployment) ? " " :
	    deployment->is_forward		? ", roll forward to " :
						  ", roll back to ";
}

/* Which of its hosts are, where others answer. */
static void
add_down_on(struct chat_text *text, const struct chat_deployment *about)
{
	const char *on = about->deployment->look.down_on;
	enum chat_first first = chat_first_of(about);

	if (on[0] == '\0' || (first != FIRST_LEFT_DOWN && first != FIRST_DOWN))
		return;
	chat_text_outside(text, " on ", on);
	chat_text_add(text, first == FIRST_DOWN ? "," : "");
}

/* On how many hosts, where that is not all there is to its environment. */
static void
add_hosts(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	struct host_share now = chat_deployment_share(about, deployment->previous);
	enum chat_first first = chat_first_of(about);
	long long current = about->waves != NULL ? (long long)about->waves->hosts.current : 0;

	if (deployment->state == DEPLOY_ROLLED_BACK && chat_deployment_is_to_hosts(about)) {
		chat_text_add(text, ", %lld of %lld run ", (long long)now.n, (long long)now.all);
		chat_text_named(text, "", COMMIT_OF(deployment));
	} else if (deployment->state == DEPLOY_ROLLED_BACK && now.unknown > 0) {
		chat_text_add(text, ", %lld host%s unknown,", (long long)now.unknown,
		    now.unknown == 1 ? "" : "s");
	} else if (first == FIRST_HOSTS_RETURN) {
		chat_text_add(text, ", the others run on");
	} else if ((first == FIRST_LIVE || first == FIRST_LIVE_SOME || first == FIRST_LIVE_HOSTS) &&
	    chat_deployment_is_to_hosts(about)) {
		now = chat_deployment_share(about, deployment->commit);
		chat_text_add(text, " on %lld more host%s, %lld of %lld run it", current,
		    current == 1 ? "" : "s", (long long)now.n, (long long)now.all);
	} else if (first == FIRST_LIVE_SOME) {
		chat_text_add(
		    text, " on %lld of %lld hosts", current, (long long)about->waves->hosts.all);
	}
}

/* Of what is live: a green line would be read as that all is as it should be. */
static void
add_warned(struct chat_text *text, const struct chat_deployment *about)
{
	bool is_rollback = deployment_is_rollback(about->deployment);
	long long n = chat_deployment_count_warnings(about);
	size_t old = 0;

	if (about->deployment->state != DEPLOY_LIVE)
		return;
	if (is_rollback && about->since == NULL && about->deployment->urls[0] == '\0')
		chat_text_add(text, " (not checked)");
	for (size_t i = 0; i < about->n_steps; i++)
		old += deployment_stays_old(about->steps[i].name) != NULL;
	if (old > 0)
		chat_text_add(
		    text, ", %zu on %s release", old, is_rollback ? "another" : "the old");
	if (n > 0)
		chat_text_add(text, ", %lld warning%s", n, n == 1 ? "" : "s");
	if (old > 0 || n > 0)
		chat_text_add(text, ":");
}

void
chat_deployment_first(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_first(text, chat_first_of(about), deployment_target_here(deployment));
	add_hosts(text, about);
	add_warned(text, about);
	if (deployment->state == DEPLOY_LIVE && deployment_is_rollback(deployment)) {
		if (deployment->subject[0] != '\0')
			chat_text_quoted(text, " to ", deployment->subject, CHAT_FIRST_SUBJECT);
		chat_text_named(
		    text, deployment->subject[0] != '\0' ? " " : " to ", COMMIT_OF(deployment));
		return;
	}
	add_down_on(text, about);
	if (is_ended_gate(deployment)) {
		chat_text_named(text, " ", COMMIT_OF(deployment));
		chat_text_some(text, ", ", about->run);
		if (deployment->subject[0] != '\0')
			chat_text_quoted(text, " ", deployment->subject, CHAT_FIRST_SUBJECT);
		add_rest(text, about);
		return;
	}
	if (deployment->state == DEPLOY_ROLLING_BACK && !chat_deployment_is_to_hosts(about))
		chat_deployment_previous(text, ", rolling back to ", deployment);
	if (deployment->state == DEPLOY_SUPERSEDED)
		chat_text_outside(text, ", ",
		    deployment->detail[0] != '\0' ? deployment->detail :
						    "replaced by a newer commit");
	else if (deployment->subject[0] != '\0' && !deployment_is_pipeline(deployment) &&
	    !deployment_is_loan(deployment))
		chat_text_quoted(
		    text, before_subject(about), deployment->subject, CHAT_FIRST_SUBJECT);
	else if (deployment_is_action(deployment) || deployment->commit[0] != '\0')
		chat_deployment_commit(text, before_subject(about), deployment);
	add_rest(text, about);
}
