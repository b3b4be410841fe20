/* chat_deployment.c - which text and which sound a state has; what has not ended.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment.h"

#include <stdio.h>

#include "chat/chat_deployment_bake.h"
#include "chat/chat_deployment_inside.h"
#include "chat/chat_hold.h"
#include "chat/chat_runner.h"
#include "lib/text.h"

/* What is over sooner needs no bar, and a bar that is full at once says nothing. */
#define LEAST_ESTIMATE_MS 5000

typedef void say_fn(struct chat_text *text, const struct chat_deployment *about);

static say_fn say_requested, say_queued, say_in_progress, say_baking;

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
	W(REQUESTED,             say_requested,                       SILENT) \
	W(AWAITING_CONFIRMATION, chat_deployment_question,            ASKS) \
	W(AWAITING_APPROVAL,     chat_deployment_approval,            ASKS) \
	W(QUEUED,                say_queued,                          SILENT) \
	W(RUNNING,               say_in_progress,                     SILENT) \
	W(STOPPING,              say_in_progress,                     SILENT) \
	W(VERIFYING,             say_in_progress,                     SILENT) \
	W(BAKING,                say_baking,                          SILENT) \
	W(PAUSED,                say_baking,                          ALARMS) \
	W(ROLLING_BACK,          say_in_progress,                     FAILS) \
	W(VERIFYING_ROLLBACK,    say_in_progress,                     SILENT) \
	W(LIVE,                  chat_deployment_end_live,            ENDS) \
	W(FAILED,                chat_deployment_end_failed,          FAILS) \
	W(ROLLED_BACK,           chat_deployment_end_rolled_back,     ALARMS) \
	W(ROLLBACK_FAILED,       chat_deployment_end_rollback_failed, ALARMS) \
	W(DONE,                  chat_action_end,                     ENDS) \
	W(REFUSED,               chat_deployment_end_refused,         SILENT) \
	W(CANCELLED,             chat_deployment_end_cancelled,       SILENT) \
	W(EXPIRED,               chat_deployment_end_expired,         SILENT) \
	W(SUPERSEDED,            chat_deployment_end_superseded,      SILENT)
/* clang-format on */

static say_fn *const say[] = {
#define W(name, words, rings) [DEPLOY_##name] = (words),
	WORDS(W)
#undef W
};

static const enum rings rings_of[] = {
#define W(name, words, rings) [DEPLOY_##name] = (rings),
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
say_requested(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_first(text, FIRST_ASKS_GIT, deployment->environment);
	chat_deployment_ref(text, "", deployment);
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
	    FORGE_PERSON(deployment_is_by_request(deployment) ? deployment->requester :
								deployment_starter(deployment)));
	if (deployment_is_action(deployment)) {
		chat_deployment_commit(text,
		    deployment_is_gate(deployment) || deployment_is_loan(deployment) ?
			waits ? " wants " : " has " :
			deployment_is_pipeline(deployment) ? waits ? " wants to run " : " runs " :
			waits				   ? " wants to do " :
							     " does ",
		    deployment);
		return;
	}
	chat_text_add(text, waits ? " wants to %s" : " %ss", verb);
	chat_text_named(text,
	    deployment->is_forward		   ? " forward to " :
		deployment_is_rollback(deployment) ? " back to " :
						     " ",
	    COMMIT_OF(deployment));
}

/* What keeps it from starting now. */
static void
add_what_it_waits_for(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment, *ahead = about->ahead;
	char line[LIMIT_LINE];

	if (strcmp(deployment->waits_for, "slot") == 0)
		chat_text_add(text,
		    "\nwaits: as many deployments are in progress as may be; " MARK_CODE
		    "/queue" MARK_CODE " shows which");
	else if (strcmp(deployment->waits_for, "runner") == 0 && about->newest.gone.at != 0)
		chat_text_since(text,
		    chat_runner_gone(about->newest.gone.name, "\nwaits: its runner", line),
		    &about->clock, about->newest.gone.at, about->at);
	else if (ahead == NULL && about->environment->unknown_since != 0)
		chat_text_add(text,
		    "\nqueued: what runs there is not known; ▶️ Resume queue of %s, in its message, ends that",
		    deployment->environment);
	else if (ahead == NULL)
		return;
	else if (ahead->environment[0] == '\0' || strchr(deployment->waits_for, ':') != NULL) {
		if (ahead->environment[0] == '\0')
			chat_text_add(text, "\nwaits for other work");
		else
			chat_text_add(text, "\nwaits for #%lld of %s", (long long)ahead->id,
			    deployment_target_here(ahead));
		if (text_starts(deployment->waits_for, "pipeline:"))
			chat_text_add(text, ": one at a time");
		else if (strchr(deployment->waits_for, ':') != NULL)
			chat_text_outside(text, ", which holds ", deployment->waits_for);
	} else {
		chat_text_add(text, "\nstarts after #%lld: ", (long long)ahead->id);
		chat_deployment_work(text, "", ahead);
		if (about->newest.paused != NULL) {
			chat_text_add(text, "; it is paused");
			if (about->bake != NULL && about->bake->ahead != NULL)
				chat_deployment_bake(text, about->bake->ahead);
			chat_deployment_paused(
			    text, ahead, about->newest.paused, &about->clock, about->at);
			return;
		}
		if (about->bake != NULL && about->bake->ahead != NULL) {
			chat_text_add(text, "; it is %s", deploy_flow_word(ahead->state));
			chat_deployment_bake(text, about->bake->ahead);
		} else if (ahead->started_at != 0)
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

	if (deployment->wait.is_asked_anew) {
		chat_deployment_question(text, about);
		return;
	}
	if (chat_first_of(about) == FIRST_WAITS_CI)
		chat_first(text, FIRST_WAITS_CI, deployment_target(deployment, target));
	else
		chat_text_add(text, "%s%s%s" MARK_BOLD "%s" MARK_BOLD "%s",
		    chat_first_rows[FIRST_QUEUED].before,
		    about->position == 0 ? "" : chat_ordinal(about->position, ordinal),
		    about->position == 0 ? "" : " in ", /* a pipeline stands in none */
		    deployment_target(deployment, target), chat_first_rows[FIRST_QUEUED].behind);
	chat_deployment_what(text, "", deployment);
	chat_deployment_promotion(text, about);
	chat_deployment_requester(text, deployment);
	chat_deployment_before(text, about);
	add_what_it_waits_for(text, about);
	chat_text_some(text, deployment_is_action(deployment) ? "\n" : "\nCI: ", about->touches);
	if (!deployment_stands_first(deployment))
		chat_hold_lines(text, about->holds, about->at);
	chat_deployment_draining(text, about);
	chat_deployment_note(text, deployment);
}

static void
add_in_progress(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	switch (deployment->state) {
	case DEPLOY_VERIFYING:
		chat_text_add(text, "\n🩺 checking health");
		break;
	case DEPLOY_ROLLING_BACK:
		if (chat_deployment_is_to_hosts(about))
			chat_text_add(text, "\n↩️ its hosts get back what they ran");
		else
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
	if (deployment->state == DEPLOY_ROLLING_BACK) { /* it rings: what is wrong comes first */
		chat_deployment_first(text, about);
	} else {
		chat_first(text, chat_first_of(about), deployment->environment);
		chat_deployment_what(text, "", deployment);
	}
	chat_deployment_promotion(text, about);
	chat_deployment_requester(text, deployment);
	chat_deployment_why(text, "\n", deployment, "", WHY_IN_STORY);
	chat_deployment_unprobed(text, deployment);
	if (deployment->state == DEPLOY_RUNNING || deployment->state == DEPLOY_VERIFYING)
		chat_deployment_before(text, about);
	chat_deployment_failed_step(text, about);
	chat_deployment_waves(text, about);
	chat_deployment_steps(text, about);
	add_in_progress(text, about);
	chat_deployment_draining(text, about);
	chat_deployment_note(text, deployment);
}

static void
say_baking(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	bool is_paused = deployment->state == DEPLOY_PAUSED && about->bake != NULL;

	chat_first(text, chat_first_of(about), deployment->environment);
	if (is_paused) /* by whom or why comes first: that alone a lock screen shows */
		chat_text_some(text, ", ", about->bake->is.why);
	chat_deployment_what(text, is_paused ? "\n" : " ", deployment);
	if (about->bake != NULL)
		chat_deployment_bake(text, about->bake);
	chat_deployment_requester(text, deployment);
	chat_deployment_waves(text, about);
	if (about->bake != NULL && about->bake->is.is_prolonged)
		chat_text_add(text, "\nprolonged once: how it is was not known at its end");
	if (about->bake != NULL && deployment->state == DEPLOY_BAKING &&
	    !about->bake->is.is_to_pause)
		chat_text_some(text, "\nnot known: ", about->bake->is.why);
	if (deployment->state == DEPLOY_PAUSED)
		chat_deployment_ways(text, "\nIt serves, and is not live: ", deployment);
	chat_deployment_draining(text, about);
	chat_deployment_note(text, deployment);
}

/* Its run at a forge waits for nothing here any more: who wants to know why looks there. */
static bool
has_never_begun_elsewhere(const struct deployment *work)
{
	return deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL && work->started_at == 0 &&
	    (deployment_is_gate(work) || deployment_is_pipeline(work));
}

/* What says for whom it is. */
static bool
is_asked_for(const struct deployment *work)
{
	return deploy_flow_class(work->state) == DEPLOY_CLASS_OPEN || work->state == DEPLOY_QUEUED;
}

bool
chat_deployment(const struct chat_deployment *about, struct message *ret)
{
	const struct deployment *deployment = about->deployment;
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (about->is_over)
		chat_deployment_over(&text, about);
	else
		say[deployment->state](&text, about);
	if (has_never_begun_elsewhere(deployment))
		chat_text_some(&text, "\n", about->touches);
	else if (deployment_is_loan(deployment) && !is_asked_for(deployment))
		chat_text_some(&text, "\nfor ", about->run);
	ret->head = chat_text_take(&text);
	ret->live_run = 0;
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_ACTIVE &&
	    !deployment_is_baking(deployment)) {
		ret->live_run = deployment->run;
		ret->live_since = deployment->started_at;
		ret->live_estimate_ms =
		    about->estimate_ms < LEAST_ESTIMATE_MS ? 0 : about->estimate_ms;
	}
	return ret->head != NULL;
}

/* Whoever asked for it need not be looking; of a gate nobody here has. */
static bool
is_cancelled_by_another(const struct deployment *deployment)
{
	return deployment->why == DEPLOY_WHY_CANCELLED && deployment->cancelled_by != 0 &&
	    !deployment_is_of_rule(deployment) &&
	    deployment->cancelled_by != deployment->requested_by &&
	    deployment_is_by_request(deployment) &&
	    deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL;
}

bool
chat_deployment_rings(const struct deployment *deployment, int64_t notify_after_ms, int64_t at)
{
	bool is_long = deployment->confirmed_by != 0 || deployment->approvers[0] != '\0' ||
	    (deployment->started_at != 0 && at - deployment->started_at > notify_after_ms);

	/* What nobody here has said yes to, or does not end any more. */
	if (deployment_is_gate(deployment) && deployment->why == DEPLOY_WHY_ELSEWHERE)
		return deployment->state != DEPLOY_SUPERSEDED;
	switch (rings_of[deployment->state]) {
	case SILENT: /* who asked waits for somebody else's answer */
		return deployment->why == DEPLOY_WHY_REJECTED || deployment->why == DEPLOY_WHY_CI ||
		    is_cancelled_by_another(deployment) ||
		    (deployment->why == DEPLOY_WHY_UNAPPROVED &&
			deployment_is_by_request(deployment));
	case ASKS:
	case ALARMS:
		return true;
	case ENDS: /* who has to do something with a loan is sent a message by itself */
		return is_long && !deployment_is_loan(deployment);
	case FAILS:
		break;
	}
	if (deployment_is_action(deployment) && deployment->cancelled_by != 0)
		return is_cancelled_by_another(deployment); /* it ends at once */
	if (deployment->why == DEPLOY_WHY_LEFT)
		return false; /* a person looked at it, and wanted that */
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
