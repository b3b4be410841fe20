/* chat_deployment.c - the texts of a deployment's message.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat/chat_deployment_inside.h"
#include "chat/chat_hold.h"
#include "deployment/run_verdict.h"
#include "lib/text.h"

/* What is over sooner needs no bar, and a bar that is full at once says nothing. */
#define LEAST_ESTIMATE_MS 5000

typedef void say_fn(struct chat_text *text, const struct chat_deployment *about);

static say_fn say_requested, say_queued, say_in_progress, say_live, say_failed, say_rolled_back,
    say_rollback_failed, say_refused, say_cancelled, say_expired, say_superseded;

/*
 * What each state says, and whether it rings: a phone makes a sound for a message that is sent and
 * for no edit.  Whoever is looking anyway needs none.  FAILS and ALARMS go before all else.
 *	SILENT	progress, starts, answers; what somebody else has ended rings for who asked
 *	ASKS	the question is a message of its own, and rings
 *	FAILS	rings when it happens; not for whom has cancelled it themselves
 *	ENDS	rings where it was confirmed, or ran longer than NOTIFY_AFTER_SECONDS
 *	ALARMS	rings
 */
enum rings { SILENT, ASKS, FAILS, ENDS, ALARMS };

/* clang-format off */
#define WORDS(W) \
	W(REQUESTED,             say_requested,            SILENT) \
	W(AWAITING_CONFIRMATION, chat_deployment_question, ASKS) \
	W(AWAITING_APPROVAL,     chat_deployment_approval, ASKS) \
	W(QUEUED,                say_queued,               SILENT) \
	W(RUNNING,               say_in_progress,          SILENT) \
	W(STOPPING,              say_in_progress,          SILENT) \
	W(VERIFYING,             say_in_progress,          SILENT) \
	W(ROLLING_BACK,          say_in_progress,          FAILS) \
	W(VERIFYING_ROLLBACK,    say_in_progress,          SILENT) \
	W(LIVE,                  say_live,                 ENDS) \
	W(FAILED,                say_failed,               FAILS) \
	W(ROLLED_BACK,           say_rolled_back,          ALARMS) \
	W(ROLLBACK_FAILED,       say_rollback_failed,      ALARMS) \
	W(DONE,                  chat_action_end,          ENDS) \
	W(REFUSED,               say_refused,              SILENT) \
	W(CANCELLED,             say_cancelled,            SILENT) \
	W(EXPIRED,               say_expired,              SILENT) \
	W(SUPERSEDED,            say_superseded,           SILENT)
/* clang-format on */

static say_fn *const say[] = {
#define W(name, words, rings) [DEPLOY_##name] = words,
	WORDS(W)
#undef W
};

static const enum rings rings_of[] = {
#define W(name, words, rings) [DEPLOY_##name] = rings,
	WORDS(W)
#undef W
};

/* A state without words is an error of the compiler. */
enum {
#define W(name, words, rings) HAS_WORDS_##name,
	WORDS(W)
#undef W
};
#define S(name, row, word, class) _Static_assert(HAS_WORDS_##name >= 0, "it has words");
DEPLOY_STATES(S)
#undef S

static void
add_unprobed(struct chat_text *text, const struct deployment *deployment)
{
	if (deployment->urls[0] == '\0')
		chat_text_add(
		    text, "\nNo health check configured: success means the script exited with 0.");
}

/* What is known to run there when a deployment came to nothing. */
static void
add_still_runs(struct chat_text *text, const struct chat_deployment *about)
{
	if (environment_is_in_doubt(about->environment)) {
		chat_deployment_doubt(text, about->environment, AS_BEFORE);
		return;
	}
	chat_text_add(text, "%s", about->deployment->environment);
	if (about->environment->current.id == 0) {
		chat_text_add(text, " has no release yet");
		return;
	}
	if (about->deployment->why == DEPLOY_WHY_SCRIPT &&
	    run_verdict_is_unreachable(about->deployment->detail))
		chat_text_add(text, ": %.7s was not replaced; whether it still runs is not known",
		    about->environment->current.commit);
	else
		chat_text_add(text, " still runs %.7s", about->environment->current.commit);
}

static void
say_requested(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_first(text, FIRST_ASKS_GIT, deployment->environment);
	chat_text_ref(text, "", deployment->ref);
	chat_text_add(text, " …");
}

const char *
chat_ordinal(size_t n, char out[24])
{
	static const char *const ends[] = { "th", "st", "nd", "rd" };

	(void)snprintf(out, 24, "%zu%s", n, ends[n % 100 / 10 != 1 && n % 10 < 4 ? n % 10 : 0]);
	return out;
}

void
chat_deployment_work(
    struct chat_text *text, const char *before, const struct deployment *deployment)
{
	const char *verb = deployment_is_rollback(deployment) ? "roll" : "deploy";
	bool waits = deployment->state == DEPLOY_AWAITING_APPROVAL;

	chat_text_outside(text, before,
	    deployment->trigger == TRIGGER_CHAT ? deployment->requester :
						  deployment_starter(deployment));
	if (deployment_is_action(deployment)) {
		chat_deployment_commit(text, waits ? " wants to do " : " does ", deployment);
		return;
	}
	chat_text_add(text, waits ? " wants to %s" : " %ss", verb);
	chat_text_commit(text,
	    deployment->is_forward		   ? " forward to " :
		deployment_is_rollback(deployment) ? " back to " :
						     " ",
	    deployment->commit);
}

/* What keeps it from starting now. */
static void
add_what_it_waits_for(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment, *ahead = about->ahead;
	char target[LIMIT_ENVIRONMENT];

	if (strcmp(deployment->waits_for, "slot") == 0)
		chat_text_add(text,
		    "\nwaits: as many deployments are in progress as may be; " MARK_CODE
		    "/queue" MARK_CODE " shows which");
	else if (ahead == NULL && about->environment->unknown_since != 0)
		chat_text_add(text,
		    "\nqueued: what runs there is not known; ▶️ Start queue of %s, in its message, ends that",
		    deployment->environment);
	else if (ahead == NULL)
		return;
	else if (ahead->environment[0] == '\0' || strchr(deployment->waits_for, ':') != NULL) {
		if (ahead->environment[0] == '\0')
			chat_text_add(text, "\nwaits for other work");
		else
			chat_text_add(text, "\nwaits for #%lld of %s", (long long)ahead->id,
			    deployment_target(ahead, target));
		if (strchr(deployment->waits_for, ':') != NULL)
			chat_text_outside(text, ", which holds ", deployment->waits_for);
	} else {
		chat_text_add(text, "\nstarts after #%lld: ", (long long)ahead->id);
		chat_deployment_work(text, "", ahead);
		if (ahead->started_at != 0)
			chat_text_duration(text, ", since ", about->at - ahead->started_at);
		if (deployment_stands_first(deployment) && ahead->started_at != 0 &&
		    deployment_may_be_cancelled(ahead))
			chat_text_add(text, "\n" MARK_CODE "/cancel %s" MARK_CODE " stops #%lld",
			    ahead->environment, (long long)ahead->id);
	}
}

static void
say_queued(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	char ordinal[24], target[LIMIT_ENVIRONMENT];

	if (deployment->is_asked_anew) {
		chat_deployment_question(text, about);
		return;
	}
	chat_text_add(text, "%s%s in " MARK_BOLD "%s" MARK_BOLD,
	    chat_first_rows[FIRST_QUEUED].before, chat_ordinal(about->position, ordinal),
	    deployment_target(deployment, target));
	chat_deployment_what(text, chat_first_rows[FIRST_QUEUED].behind, deployment);
	chat_deployment_requester(text, deployment);
	add_what_it_waits_for(text, about);
	if (!deployment_stands_first(deployment))
		chat_hold_lines(text, about->holds, about->at);
	chat_deployment_draining(text, about);
	chat_deployment_note(text, deployment);
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

static void
add_in_progress(struct chat_text *text, const struct deployment *deployment)
{
	switch (deployment->state) {
	case DEPLOY_VERIFYING:
		chat_text_add(text, "\n🩺 checking health");
		break;
	case DEPLOY_ROLLING_BACK:
		chat_deployment_previous(text, "\n↩️ rolling back to ", deployment);
		break;
	case DEPLOY_VERIFYING_ROLLBACK:
		chat_deployment_previous(text, "\n🩺 checking the health of ", deployment);
		break;
	default:
		break;
	}
}

static void
say_in_progress(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (deployment_is_action(deployment)) {
		chat_action_progress(text, about);
		return;
	}
	chat_first(text, chat_first_of(about), deployment->environment);
	chat_deployment_what(text, "", deployment);
	chat_deployment_requester(text, deployment);
	chat_deployment_why(text, "\n", deployment, "", WHY_IN_STORY);
	add_unprobed(text, deployment);
	chat_deployment_failed_step(text, about);
	chat_deployment_steps(text, about);
	add_in_progress(text, deployment);
	chat_deployment_draining(text, about);
	chat_deployment_note(text, deployment);
}

static void
say_live(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_deployment_first(text, about);
	chat_deployment_past_migration(text, about);
	add_what_stays_old(text, about);
	chat_deployment_warnings(text, about, WARNINGS_SHOWN);
	chat_deployment_requester(text, deployment);
	chat_deployment_missing(text, deployment);
	if (about->block != NULL && deployment_is_rollback(deployment)) {
		chat_text_commit(text, "\n", about->block->commit);
		chat_text_add(text, " is blocked: a push does not deploy it again; ");
		chat_text_add(text, MARK_CODE "/deploy %s %.7s" MARK_CODE " asks first.",
		    deployment->environment, about->block->commit);
	}
	add_unprobed(text, deployment);
	chat_deployment_note(text, deployment);
	chat_deployment_took(text, about);
	chat_deployment_folded(text, about);
}

/* A release of the commit that was live already: nothing else ran before, nor runs now. */
static bool
is_same_again(const struct deployment *deployment)
{
	return strcmp(deployment->commit, deployment->previous) == 0;
}

/* The sentence that a bad end must never leave in doubt: what runs there now. */
static void
add_what_runs(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const char *environment = deployment->environment;
	bool is_target = deployment_is_back_to_target(deployment);
	bool is_unhealthy = deployment->why == DEPLOY_WHY_UNHEALTHY;
	char previous[32];

	chat_text_add(text, "\n" MARK_BOLD);
	(void)snprintf(previous, sizeof(previous), "%.*s", is_target ? 31 : 7,
	    is_target ? "what ran before deploybot" : deployment->previous);
	if (deployment->state == DEPLOY_ROLLED_BACK && is_same_again(deployment)) {
		chat_text_add(
		    text, "%s runs its earlier release of %s again", environment, previous);
	} else if (deployment->state == DEPLOY_ROLLED_BACK) {
		chat_text_add(text, "%s is NOT running %.7s; %s %s%s", environment,
		    deployment->commit, is_target ? "it is back to" : "it runs", previous,
		    is_target ? "" : " again");
		if (strcmp(about->environment->current.commit, deployment->previous) == 0 &&
		    about->environment->current.subject[0] != '\0')
			chat_text_quoted(
			    text, ": ", about->environment->current.subject, CHAT_FIRST_SUBJECT);
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED &&
	    chat_deployment_is_unknown(about)) {
		chat_text_add(text,
		    "%s may be DOWN: what rolling back from %.7s to %s left is not known",
		    environment, deployment->commit, previous);
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED && about->rollback_not_started) {
		chat_text_add(text,
		    "%s may be DOWN: %s%.7s is still there%s: rolling back to %s did not begin to change anything",
		    environment, is_unhealthy ? "" : "what came up of ", deployment->commit,
		    is_unhealthy ? ", unhealthy" : "", previous);
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED && about->run_end == RUN_FAILED) {
		chat_text_add(text,
		    "%s may be DOWN: the rollback from %.7s to %s failed: what runs is not known",
		    environment, deployment->commit, previous);
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED) {
		chat_text_add(text, "%s is DOWN: %s is back, and is not healthy%s", environment,
		    previous, is_unhealthy ? " either" : "");
	} else if (about->n_barriers > 0) {
		chat_text_add(text, "%s may be broken: %s%.7s was left running", environment,
		    deployment->why == DEPLOY_WHY_UNHEALTHY ? "" : "what is up of ",
		    deployment->commit);
	} else if (deployment->target_changed) {
		chat_text_add(text, "%s may be broken: its state is unknown", environment);
	} else if (deployment_migration(deployment) != MIGRATION_NONE) {
		chat_deployment_migration_failed(text, about);
	} else {
		add_still_runs(text, about); /* that nothing was changed stands in the first line */
	}
	chat_text_add(text, MARK_BOLD);
}

/* Which commit it was about, and why it came to that. */
static void
add_bad_reason(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	/* Somebody wanted that: who and where stands in the first line. */
	if (deployment->state == DEPLOY_FAILED && chat_first_of(about) == FIRST_STOPPED) {
		chat_text_commit(text, deployment_is_rollback(deployment) ? "rollback to " : "",
		    deployment->commit);
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
	chat_text_add(
	    text, MARK_CODE "/deploy %s" MARK_CODE " asks first.", deployment->environment);
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

static void
say_failed(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (deployment_is_action(deployment)) {
		chat_action_end(text, about);
		return;
	}
	chat_deployment_first(text, about);
	add_what_runs(text, about);
	if (deployment->target_changed)
		chat_deployment_next_step(text, about->environment, deployment);
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
			"Nothing was rolled back: it may still be running, here or elsewhere." :
			deployment->why == DEPLOY_WHY_INTERRUPTED ?
			"Something may have been changed there, and nothing was rolled back." :
			deployment_is_rollback(deployment) ?
			"Something was changed there." :
			"Something was changed there, and nothing was rolled back.");
		if (about->environment->current.id != 0)
			chat_text_commit(text, "", about->environment->current.commit);
		else
			chat_text_add(text, "none");
		chat_deployment_behind_migration(text, about);
		chat_deployment_past_migration(text, about);
	} else if (deployment_migration(deployment) != MIGRATION_NONE) {
		chat_text_add(text, "\nLook at the database, then deploy a newer commit. ");
		chat_text_add(text,
		    "This one is blocked: no push deploys it, and " MARK_CODE "/deploy %s" MARK_CODE
		    " of it asks first, then migrates again.",
		    deployment->environment);
	}
	chat_deployment_requester(text, deployment);
	add_unprobed(text, deployment);
	chat_deployment_steps(text, about);
	chat_deployment_took(text, about);
}

static void
say_rolled_back(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_deployment_first(text, about);
	chat_deployment_behind_migration(text, about);
	add_what_runs(text, about);
	chat_text_add(text, "\n");
	chat_deployment_commit(text, "", deployment);
	add_what_stays_old(text, about);
	chat_deployment_warnings(text, about, WARNINGS_SHOWN);
	chat_deployment_requester(text, deployment);
	chat_deployment_why(text, "\n", deployment, "", WHY_IN_STORY);
	chat_deployment_failed_step(text, about);
	add_tail(text, about);
	chat_deployment_application_log(text, about);
	add_unprobed(text, deployment);
	if (!is_same_again(deployment))
		add_blocked(text, deployment);
	chat_deployment_note(text, deployment);
	chat_deployment_took(text, about);
}

static void
say_rollback_failed(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_deployment_first(text, about);
	chat_deployment_behind_migration(text, about);
	add_what_runs(text, about);
	chat_deployment_next_step(text, about->environment, deployment);
	chat_text_add(text, "\n");
	add_bad_reason(text, about);
	chat_deployment_failed_step(text, about);
	add_tail(text, about);
	chat_deployment_application_log(text, about);
	chat_deployment_warnings(text, about, WARNINGS_SHOWN);
	chat_deployment_requester(text, deployment);
	add_unprobed(text, deployment);
	chat_deployment_took(text, about);
}

static void
say_refused(struct chat_text *text, const struct chat_deployment *about)
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
	chat_deployment_commit(text, "\n", deployment);
	chat_text_add(text, ": %s", how);
	if (deployment->detail[0] != '\0' && deployment->state != DEPLOY_CANCELLED)
		chat_text_outside(text, "\n", deployment->detail);
}

static void
say_cancelled(struct chat_text *text, const struct chat_deployment *about)
{
	add_not_begun(text, about, "cancelled before it began");
}

static void
say_expired(struct chat_text *text, const struct chat_deployment *about)
{
	if (about->approvals != NULL)
		chat_deployment_expired(text, about);
	else
		add_not_begun(text, about,
		    "nobody confirmed it in time. Nothing was started: ask for it again.");
}

static void
say_superseded(struct chat_text *text, const struct chat_deployment *about)
{
	chat_deployment_first(text, about);
	chat_deployment_commit(text, "\n", about->deployment);
}

bool
chat_deployment(const struct chat_deployment *about, struct message *ret)
{
	const struct deployment *deployment = about->deployment;
	struct chat_text text;

	chat_text_init(&text);
	say[deployment->state](&text, about);
	ret->head = chat_text_take(&text);
	ret->live_run = 0;
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_ACTIVE) {
		ret->live_run = deployment->run;
		ret->live_since = deployment->started_at;
		ret->live_estimate_ms =
		    about->estimate_ms < LEAST_ESTIMATE_MS ? 0 : about->estimate_ms;
	}
	return ret->head != NULL;
}

/* Whoever asked for it need not be looking. */
static bool
is_cancelled_by_another(const struct deployment *deployment)
{
	return deployment->why == DEPLOY_WHY_CANCELLED && deployment->cancelled_by != 0 &&
	    deployment->cancelled_by != deployment->requested_by &&
	    deployment->trigger == TRIGGER_CHAT &&
	    deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL;
}

bool
chat_deployment_rings(const struct deployment *deployment, int64_t notify_after_ms, int64_t at)
{
	bool is_long = deployment->confirmed_by != 0 || deployment->approvers[0] != '\0' ||
	    (deployment->started_at != 0 && at - deployment->started_at > notify_after_ms);

	switch (rings_of[deployment->state]) {
	case SILENT: /* who asked waits for somebody else's answer */
		return deployment->why == DEPLOY_WHY_REJECTED ||
		    is_cancelled_by_another(deployment) ||
		    (deployment->why == DEPLOY_WHY_UNAPPROVED &&
			deployment->trigger == TRIGGER_CHAT);
	case ASKS:
	case ALARMS:
		return true;
	case ENDS:
		return is_long;
	case FAILS:
		break;
	}
	return deployment->why != DEPLOY_WHY_CANCELLED || is_cancelled_by_another(deployment) ||
	    (is_long && deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL);
}

bool
chat_deployment_is_alarm(enum deploy_state state)
{
	return rings_of[state] == FAILS || rings_of[state] == ALARMS;
}

size_t
chat_deployment_rings_before(enum deploy_state state)
{
	return deploy_flow_class(state) == DEPLOY_CLASS_FINAL ? CHAT_RINGS_MAX - 1 :
								CHAT_RINGS_MAX - 2;
}

#define ROLLING_BEFORE \
	": " CHAT_SAID_ROLLING /* as the version before said it, behind the subject */

/* Where a line that rang says it: in front of the first quote, or last as it was. */
static const char *
find_rolling(const char *said)
{
	const char *at = strstr(said, CHAT_ROLLING), *old = NULL;

	if (at != NULL && memchr(said, '"', (size_t)(at - said)) == NULL)
		return at + strlen(CHAT_ROLLING) - strlen(CHAT_SAID_ROLLING);
	for (at = said; (at = strstr(at, ROLLING_BEFORE)) != NULL; at++)
		old = at + strlen(": "); /* a subject may say so, too */
	return old;
}

bool
chat_deployment_rolled(
    struct chat_text *text, const struct deployment *deployment, const char *said)
{
	const char *at = find_rolling(said);

	if (at == NULL)
		return false;
	chat_text_init(text);
	chat_text_add(text, "%.*s%s%s", (int)(at - said), said,
	    deployment->state == DEPLOY_ROLLED_BACK ? "rolled back to " : "NOT rolled back to ",
	    at + strlen(CHAT_SAID_ROLLING));
	return true;
}

/* Somebody has to do something now, and must know what from the ring alone. */
static bool
is_for_hands(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	bool is_migrated = deployment_migration(deployment) != MIGRATION_NONE;

	switch (deployment->state) {
	case DEPLOY_ROLLING_BACK:
	case DEPLOY_ROLLBACK_FAILED:
		return true;
	case DEPLOY_FAILED:
		return !deployment_is_action(deployment) &&
		    (deployment->target_changed || is_migrated);
	case DEPLOY_ROLLED_BACK:
		return is_migrated;
	case DEPLOY_LIVE: /* a person's rollback, on the database of what it left */
		return about->behind != NULL && about->behind->n > 0;
	default:
		return false;
	}
}

char *
chat_deployment_ring(const struct chat_deployment *about, bool is_brief)
{
	const struct deployment *deployment = about->deployment;
	struct chat_text text;

	chat_text_init(&text);
	if (is_brief && !is_for_hands(about)) {
		chat_deployment_first(&text, about);
		if (deployment_is_action(deployment) && deployment->state == DEPLOY_FAILED &&
		    chat_first_of(about) != FIRST_STOPPED)
			chat_deployment_why(&text, " (", deployment, ")", WHY_IN_STORY);
		return chat_text_take(&text);
	}
	switch (deployment->state) {
	case DEPLOY_REFUSED:
		say_refused(&text, about);
		break;
	case DEPLOY_EXPIRED:
		say_expired(&text, about);
		break;
	case DEPLOY_CANCELLED:
		say_cancelled(&text, about);
		break;
	case DEPLOY_ROLLING_BACK:
		chat_deployment_first(&text, about);
		break;
	case DEPLOY_ROLLED_BACK: /* its first line says why */
		chat_deployment_first(&text, about);
		chat_deployment_behind_migration(&text, about);
		add_what_runs(&text, about);
		break;
	case DEPLOY_ROLLBACK_FAILED:
		chat_deployment_first(&text, about);
		chat_deployment_behind_migration(&text, about);
		add_what_runs(&text, about);
		chat_deployment_why(&text, " (", deployment, ")", WHY_IN_STORY);
		chat_deployment_next_step(&text, about->environment, deployment);
		break;
	default:
		chat_deployment_first(&text, about);
		if (deployment->state == DEPLOY_LIVE) {
			chat_deployment_past_migration(&text, about);
			break;
		}
		if (!deployment_is_action(deployment))
			add_what_runs(&text, about);
		if (chat_first_of(about) != FIRST_STOPPED) /* who stopped it stands there */
			chat_deployment_why(&text, " (", deployment, ")", WHY_IN_STORY);
		/* A migration that failed stands in the first line, where nothing else happened. */
		if (deployment->target_changed || deployment_migration(deployment) == MIGRATION_RAN)
			chat_deployment_behind_migration(&text, about);
		if (deployment->state == DEPLOY_FAILED && deployment->target_changed &&
		    !deployment_is_action(deployment))
			chat_deployment_next_step(&text, about->environment, deployment);
		break;
	}
	return chat_text_take(&text);
}

void
chat_deployment_turn(struct chat_text *text, const struct deployment *deployment, bool is_next)
{
	char target[LIMIT_ENVIRONMENT];

	chat_text_init(text);
	chat_first(
	    text, is_next ? FIRST_IS_NEXT : FIRST_YOUR_TURN, deployment_target(deployment, target));
	chat_deployment_what(text, "", deployment);
	chat_text_add(text, "%s", is_next ? "\nIt starts by itself." : "\nIt was queued.");
}

void
chat_deployment_given(
    struct chat_text *text, const struct deployment *deployment, const char *what, const char *who)
{
	char target[LIMIT_ENVIRONMENT];

	chat_text_init(text);
	chat_first(text, FIRST_GIVEN, deployment_target(deployment, target));
	chat_text_add(text, "%s", what);
	chat_text_outside(text, "", who);
	chat_deployment_what(text, " — ", deployment);
}

/* What its message begins with. */
static void
add_sign(struct chat_text *text, const struct deployment *deployment)
{
	static const struct environment none;
	const struct chat_deployment about = { .deployment = deployment, .environment = &none };
	const char *before = chat_first_rows[chat_first_of(&about)].before;

	chat_text_add(text, "%.*s", (int)strcspn(before, " "), before);
}

void
chat_deployment_live(struct chat_text *text, const struct chat_history *is)
{
	if (is->serves)
		chat_text_since(text, "● live since ", &is->clock, is->since, is->at);
	else if (is->until != 0)
		chat_text_ago(text, "was live until ", is->until, is->at);
	else
		chat_text_since(text, "went live ", &is->clock, is->since, is->at);
	chat_text_add(text, "%s, release %lld", is->is_left ? ", then rolled back" : "",
	    (long long)is->release);
}

void
chat_deployment_line(
    struct chat_text *text, const struct deployment *deployment, const struct chat_history *is)
{
	char brief[100];

	if (is->serves)
		chat_text_add(text, "✅"); /* also where a rollback brought it */
	else if (is->is_left)
		chat_text_add(text, "↩️");
	else
		add_sign(text, deployment);
	chat_text_add(text, " #%lld ", (long long)deployment->id);
	if (deployment->client[0] != '\0')
		chat_text_add(text, "%s ", deployment->client);
	chat_deployment_commit(text, "", deployment);
	chat_text_add(text, "\n    %s",
	    deployment->is_forward		   ? "roll forward, " :
		deployment_is_rollback(deployment) ? "rollback, " :
						     "");
	if (is->release != 0)
		chat_deployment_live(text, is);
	else
		chat_text_add(text, "%s", deploy_flow_word(deployment->state));
	if (deployment->why == DEPLOY_WHY_REFUSED && deployment->detail[0] != '\0') {
		(void)text_copy(brief, sizeof(brief), deployment->detail);
		chat_text_outside(text, ": ", brief);
	} else if (deployment->why != DEPLOY_WHY_NONE)
		chat_text_add(text, " (%s)", deploy_flow_why_word(deployment->why));
	chat_text_outside(text, " · ", deployment->requester);
	if (deployment_confirmer(deployment)[0] != '\0')
		chat_text_outside(text, ", confirmed by ", deployment_confirmer(deployment));
	chat_text_ago(text, " · ", deployment->requested_at, is->at);
	if (deployment->approvers[0] != '\0')
		chat_text_outside(text, ", approved by ", deployment->approvers);
	if (deployment->exception[0] != '\0')
		chat_text_outside(text, "\n    ⚠️ in a freeze: ", deployment->exception);
	chat_deployment_emergency(text, "\n    ", deployment);
}
