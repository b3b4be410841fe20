/* chat_deployment.c - the texts of a deployment's message.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment.h"

#include <stdio.h>
#include <stdlib.h>

#include "chat/chat_deployment_inside.h"
#include "chat/chat_hold.h"
#include "lib/text.h"

typedef void say_fn(struct chat_text *text, const struct chat_deployment *about);

static say_fn say_requested, say_awaiting_approval, say_queued, say_in_progress, say_live,
    say_failed, say_rolled_back, say_rollback_failed, say_done, say_refused, say_cancelled,
    say_expired, say_superseded;

/*
 * What each state says, and whether it rings: a phone makes a sound for a message that is sent and
 * for no edit.  Whoever is looking anyway needs none.
 *	SILENT	progress, starts, answers
 *	ASKS	the question is a message of its own, and rings
 *	FAILS	rings when it happens; not for whom has cancelled it
 *	ENDS	rings where it was confirmed, or ran longer than NOTIFY_AFTER_SECONDS
 *	ALARMS	rings
 */
enum rings { SILENT, ASKS, FAILS, ENDS, ALARMS };

/* clang-format off */
#define WORDS(W) \
	W(REQUESTED,             say_requested,            SILENT) \
	W(AWAITING_CONFIRMATION, chat_deployment_question, ASKS) \
	W(AWAITING_APPROVAL,     say_awaiting_approval,    ASKS) \
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
	W(DONE,                  say_done,                 ENDS) \
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
add_detail(struct chat_text *text, const struct deployment *deployment)
{
	const char *why = deploy_flow_why_word(deployment->why);

	if (why[0] == '\0' && deployment->detail[0] == '\0')
		return;
	chat_text_add(
	    text, "\n%s%s", why, why[0] != '\0' && deployment->detail[0] != '\0' ? ": " : "");
	chat_text_outside(text, "", deployment->detail);
}

/* Of a rollback that failed by itself the detail is its own, and the word is what it was for.  One
 * whose script succeeded has added what came after it. */
static void
add_rollback_detail(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (about->run_end == RUN_SUCCEEDED || deployment_is_rollback(deployment) ||
	    deployment->detail[0] == '\0') {
		add_detail(text, deployment);
		return;
	}
	chat_text_add(text, "\n%s%sthe rollback: ", deploy_flow_why_word(deployment->why),
	    deployment->why != DEPLOY_WHY_NONE ? "; " : "");
	chat_text_outside(text, "", deployment->detail);
}

static void
add_took_and_audit(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_text_add(text, "\n" MARK_ITALIC);
	if (deployment->started_at > 0) {
		chat_text_duration(text, "took ", about->at - deployment->started_at);
		chat_text_add(text, " · ");
	}
	chat_text_add(
	    text, "audit %s" MARK_ITALIC, about->audit_head != NULL ? about->audit_head : "-");
}

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
	chat_text_add(text, "%s", about->deployment->environment);
	if (about->environment->current.id == 0) {
		chat_text_add(text, " has no release yet");
		return;
	}
	chat_text_add(text, " still runs %.7s", about->environment->current.commit);
}

static void
say_requested(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_text_add(
	    text, "🔎 " MARK_BOLD "%s" MARK_BOLD ": asking git for ", deployment->environment);
	chat_text_code(text, "", deployment->ref);
	chat_text_add(text, " …");
}

static void
say_awaiting_approval(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_add(text, "✋ Awaiting approval: " MARK_BOLD "%s" MARK_BOLD " ← ",
	    about->deployment->environment);
	chat_deployment_commit(text, "", about->deployment);
	chat_deployment_requester(text, about->deployment);
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
	chat_text_outside(text, before,
	    deployment->trigger == TRIGGER_CHAT ? deployment->requester :
						  deployment_starter(deployment));
	if (deployment_is_action(deployment)) {
		chat_text_add(text, " runs an action");
		return;
	}
	chat_text_commit(text,
	    deployment->is_forward		   ? " rolls forward to " :
		deployment_is_rollback(deployment) ? " rolls back to " :
						     " deploys ",
	    deployment->commit);
}

/* What keeps it from starting now. */
static void
add_what_it_waits_for(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment, *ahead = about->ahead;

	if (strcmp(deployment->waits_for, "slot") == 0)
		chat_text_add(text,
		    "\nwaits: as many deployments are in progress as may be; " MARK_CODE
		    "/queue" MARK_CODE " shows which");
	else if (ahead == NULL && about->environment->unknown_since != 0)
		chat_text_add(text, "\nqueued until somebody has looked at the target");
	else if (ahead == NULL)
		return;
	else if (strcmp(ahead->environment, deployment->environment) != 0) {
		if (ahead->environment[0] == '\0')
			chat_text_add(text, "\nwaits for other work, which holds ");
		else
			chat_text_add(text, "\nwaits for #%lld of %s, which holds ",
			    (long long)ahead->id, ahead->environment);
		chat_text_outside(text, "", deployment->waits_for);
	} else {
		chat_text_add(text, "\nbehind #%lld: ", (long long)ahead->id);
		chat_deployment_work(text, "", ahead);
		if (ahead->started_at != 0)
			chat_text_duration(text, ", since ", about->at - ahead->started_at);
	}
}

static void
say_queued(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	char ordinal[24];

	if (deployment->is_asked_anew) {
		chat_deployment_question(text, about);
		return;
	}
	chat_text_add(text, "⏳ Queued: %s in " MARK_BOLD "%s" MARK_BOLD,
	    chat_ordinal(about->position, ordinal), deployment->environment);
	chat_deployment_commit(text, " ← ", deployment);
	chat_deployment_requester(text, deployment);
	add_what_it_waits_for(text, about);
	if (!deployment_is_rollback(deployment))
		chat_hold_lines(text, about->holds, about->at);
	chat_deployment_note(text, deployment);
}

static void
add_steps(struct chat_text *text, const struct chat_deployment *about)
{
	static const char *const last[] = {
		[RUN_OPEN] = "\n▸ ",
		[RUN_SUCCEEDED] = "\n✓ ",
		[RUN_FAILED] = "\n✗ ",
	};

	for (size_t i = 0; i < about->n_steps; i++) {
		bool is_last = i + 1 == about->n_steps;

		if (deployment_is_note(about->steps[i].name))
			continue;
		chat_text_outside(
		    text, is_last ? last[about->run_end] : "\n✓ ", about->steps[i].name);
		if (!is_last)
			chat_text_duration(text, " ", about->steps[i + 1].at - about->steps[i].at);
	}
}

/* A release replaces one service: who reads "runs" is not to think that all of them do. */
static void
add_what_stays_old(struct chat_text *text, const struct chat_deployment *about)
{
	const char *before = deployment_is_rollback(about->deployment) ?
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

/* The release that it is rolled back to: a commit's first digits, or what has none. */
static void
add_previous(struct chat_text *text, const char *before, const struct deployment *deployment)
{
	if (deployment_is_back_to_target(deployment))
		chat_text_add(text, "%swhat ran before deploybot", before);
	else
		chat_text_commit(text, before, deployment->previous);
}

static void
add_in_progress(struct chat_text *text, const struct deployment *deployment)
{
	switch (deployment->state) {
	case DEPLOY_VERIFYING:
		chat_text_add(text, "\n🩺 checking health");
		break;
	case DEPLOY_ROLLING_BACK:
		add_previous(text, "\n↩️ rolling back to ", deployment);
		break;
	case DEPLOY_VERIFYING_ROLLBACK:
		add_previous(text, "\n🩺 checking the health of ", deployment);
		break;
	default:
		break;
	}
}

static void
add_progress(struct chat_text *text, const struct deployment *deployment)
{
	bool is_failed = deployment->state == DEPLOY_ROLLING_BACK ||
	    deployment->state == DEPLOY_VERIFYING_ROLLBACK;

	chat_text_add(text, "%s" MARK_BOLD "%s" MARK_BOLD " %s ",
	    deployment->is_forward				? "↪️ Rolling forward " :
		is_failed || deployment_is_rollback(deployment) ? "↩️ Rolling back " :
		deployment->state == DEPLOY_STOPPING		? "✋ Stopping " :
								  "🚀 Deploying ",
	    deployment->environment, is_failed ? "from" : "←");
	chat_deployment_commit(text, "", deployment);
}

static void
say_in_progress(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	add_progress(text, deployment);
	chat_deployment_requester(text, deployment);
	add_detail(text, deployment);
	add_unprobed(text, deployment);
	add_steps(text, about);
	add_in_progress(text, deployment);
	chat_deployment_note(text, deployment);
}

static void
say_live(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_text_add(text, "✅ " MARK_BOLD "%s runs" MARK_BOLD " ", deployment->environment);
	chat_deployment_commit(text, "", deployment);
	add_what_stays_old(text, about);
	chat_text_add(text, "\nrelease %lld", (long long)about->release);
	if (deployment_is_rollback(deployment))
		chat_text_add(text, ", rolled %s", deployment->is_forward ? "forward" : "back");
	chat_deployment_image(text, ", ", deployment);
	chat_deployment_requester(text, deployment);
	chat_deployment_missing(text, deployment);
	if (about->block != NULL && deployment_is_rollback(deployment)) {
		chat_text_commit(text, "\n", about->block->commit);
		chat_text_add(text, " is blocked: a push does not deploy it again; ");
		chat_text_add(text, MARK_CODE "/deploy %s %.7s" MARK_CODE " asks first.",
		    deployment->environment, about->block->commit);
	}
	add_unprobed(text, deployment);
	add_steps(text, about);
	chat_deployment_note(text, deployment);
	add_took_and_audit(text, about);
}

/* A release of the commit that was live already: nothing else ran before, nor runs now. */
static bool
is_same_again(const struct deployment *deployment)
{
	return strcmp(deployment->commit, deployment->previous) == 0;
}

/* The end that is reported left it so. */
static bool
is_unknown_now(const struct chat_deployment *about)
{
	return about->environment->unknown_since != 0 &&
	    about->environment->unknown_since == about->deployment->ended_at;
}

/* The sentence that a bad end must never leave in doubt: what runs there now. */
static void
add_bad_headline(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	const char *environment = deployment->environment;
	bool is_target = deployment_is_back_to_target(deployment);
	char previous[32];

	(void)snprintf(previous, sizeof(previous), "%.*s", is_target ? 31 : 7,
	    is_target ? "what ran before deploybot" : deployment->previous);
	if (deployment->state == DEPLOY_ROLLED_BACK && is_same_again(deployment)) {
		chat_text_add(text,
		    "↩️ Rolled back: " MARK_BOLD "%s runs its earlier release of %s again",
		    environment, previous);
	} else if (deployment->state == DEPLOY_ROLLED_BACK) {
		chat_text_add(text,
		    "↩️ Rolled back: " MARK_BOLD "%s is NOT running %.7s; %s %s%s", environment,
		    deployment->commit, is_target ? "it is back to" : "it runs", previous,
		    is_target ? "" : " again");
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED && is_unknown_now(about)) {
		chat_text_add(text,
		    "🔥 " MARK_BOLD
		    "%s may be DOWN: what rolling back from %.7s to %s left is not known",
		    environment, deployment->commit, previous);
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED && about->rollback_not_started) {
		chat_text_add(text,
		    "🔥 " MARK_BOLD "%s may be DOWN: the rollback from %.7s to %s did not start",
		    environment, deployment->commit, previous);
	} else if (deployment->state == DEPLOY_ROLLBACK_FAILED) {
		chat_text_add(text, "🔥 " MARK_BOLD "%s is DOWN: neither %.7s nor %s is healthy",
		    environment, deployment->commit, previous);
	} else if (deployment->target_changed) {
		chat_text_add(text, "❌ Failed: " MARK_BOLD "%s may be broken: its state is unknown",
		    environment);
	} else {
		chat_text_add(text, "❌ Failed: " MARK_BOLD);
		add_still_runs(text, about);
		chat_text_add(text, "; nothing was changed");
	}
	chat_text_add(text, MARK_BOLD);
}

/* Which commit it was about, and why it came to that. */
static void
add_bad_reason(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_deployment_commit(
	    text, deployment_is_rollback(deployment) ? "rollback to " : "", deployment);
	if (deployment->state == DEPLOY_FAILED)
		chat_text_add(text, " failed");
	if (deployment->state == DEPLOY_ROLLBACK_FAILED)
		add_rollback_detail(text, about);
	else
		add_detail(text, deployment);
}

static void
say_failed(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	add_bad_headline(text, about);
	chat_text_add(text, "\n");
	add_bad_reason(text, about);
	if (deployment->target_changed) {
		chat_text_add(text, "\n%s Last known release: ",
		    is_unknown_now(about) ?
			"Nothing was rolled back: it may still be running on another machine." :
			"The target was changed, and no rollback is possible.");
		if (about->environment->current.id != 0)
			chat_text_commit(text, "", about->environment->current.commit);
		else
			chat_text_add(text, "none");
	}
	chat_deployment_requester(text, deployment);
	add_unprobed(text, deployment);
	add_steps(text, about);
	add_took_and_audit(text, about);
}

static void
say_rolled_back(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	add_bad_headline(text, about);
	chat_text_add(text, "\n");
	chat_deployment_commit(text, "", deployment);
	chat_deployment_requester(text, deployment);
	add_detail(text, deployment);
	add_unprobed(text, deployment);
	if (!is_same_again(deployment)) {
		chat_text_add(text, "\nIt is blocked: a push does not deploy it again; ");
		chat_text_add(
		    text, MARK_CODE "/deploy %s" MARK_CODE " asks first.", deployment->environment);
	}
	add_took_and_audit(text, about);
}

static void
say_rollback_failed(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	add_bad_headline(text, about);
	chat_text_add(text, "\n");
	add_bad_reason(text, about);
	chat_deployment_requester(text, deployment);
	add_unprobed(text, deployment);
	chat_text_add(text, "\nCheck the target, then ");
	chat_text_add(text,
	    MARK_CODE "/deploy %s" MARK_CODE " or " MARK_CODE "/rollback %s" MARK_CODE ".",
	    deployment->environment, deployment->environment);
	add_took_and_audit(text, about);
}

static void
say_done(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_add(text, "🔧 Done: " MARK_BOLD "%s" MARK_BOLD, about->deployment->environment);
	chat_deployment_requester(text, about->deployment);
	add_steps(text, about);
	add_took_and_audit(text, about);
}

static void
say_refused(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (deployment_runs_already(deployment, about->environment)) {
		chat_text_commit(text, "🚫 ", deployment->commit);
		chat_text_add(text, " runs in " MARK_BOLD "%s" MARK_BOLD " already: not %s again",
		    deployment->environment,
		    deployment_is_rollback(deployment) ? "rolled back" : "deployed");
	} else {
		chat_text_add(text, "🚫 %s: not %s", deployment->environment,
		    deployment_is_rollback(deployment) ? "rolled back" : "deployed");
		if (deployment->commit[0] != '\0')
			chat_text_commit(text, " ", deployment->commit);
	}
	chat_text_outside(text, "\n", deployment->detail);
	if (about->answer != NULL && about->answer->n_possible > 0) {
		chat_text_add(text, "\nPossible:");
		for (size_t i = 0; i < about->answer->n_possible; i++) {
			const struct git_name *possible = &about->answer->possible[i];

			chat_text_code(text, "\n• ", possible->name);
			if (possible->about[0] != '\0')
				chat_text_outside(text, " ", possible->about);
		}
	}
}

static void
add_not_begun(struct chat_text *text, const struct chat_deployment *about, const char *how)
{
	const struct deployment *deployment = about->deployment;

	chat_text_add(text, "%s: %s — ", deployment->environment, how);
	chat_deployment_commit(text, "", deployment);
	if (deployment->detail[0] != '\0')
		chat_text_outside(text, "\n", deployment->detail);
}

static void
say_cancelled(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_add(text, "✖️ ");
	add_not_begun(text, about, "cancelled before it began");
}

static void
say_expired(struct chat_text *text, const struct chat_deployment *about)
{
	chat_text_add(text, "⌛ ");
	add_not_begun(text, about, "nobody confirmed it in time");
}

static void
say_superseded(struct chat_text *text, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	chat_text_add(text, "⏭️ " MARK_BOLD "%s" MARK_BOLD, deployment->environment);
	chat_text_outside(text, ": ",
	    deployment->detail[0] != '\0' ? deployment->detail : "replaced by a newer commit");
	chat_deployment_commit(text, " — ", deployment);
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
		ret->live_estimate_ms = about->estimate_ms;
	}
	return ret->head != NULL;
}

bool
chat_deployment_rings(const struct deployment *deployment, int64_t notify_after_ms, int64_t at)
{
	bool is_long = deployment->confirmed_by != 0 ||
	    (deployment->started_at != 0 && at - deployment->started_at > notify_after_ms);

	switch (rings_of[deployment->state]) {
	case SILENT:
		return false;
	case ASKS:
	case ALARMS:
		return true;
	case ENDS:
		return is_long;
	case FAILS:
		break;
	}
	return deployment->why != DEPLOY_WHY_CANCELLED ||
	    (is_long && deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL);
}

size_t
chat_deployment_rings_before(enum deploy_state state)
{
	return deploy_flow_class(state) == DEPLOY_CLASS_FINAL ? CHAT_RINGS_MAX - 1 :
								CHAT_RINGS_MAX - 2;
}

/* Why, in brackets: "(unhealthy: HTTP 500)". */
static void
add_why(struct chat_text *text, const struct deployment *deployment)
{
	const char *why = deploy_flow_why_word(deployment->why);

	if (why[0] == '\0' && deployment->detail[0] == '\0')
		return;
	chat_text_add(
	    text, " (%s%s", why, why[0] != '\0' && deployment->detail[0] != '\0' ? ": " : "");
	chat_text_outside(text, "", deployment->detail);
	chat_text_add(text, ")");
}

char *
chat_deployment_ring(const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	struct chat_text text;

	chat_text_init(&text);
	if (deployment->state == DEPLOY_LIVE) {
		chat_text_add(
		    &text, "✅ " MARK_BOLD "%s runs" MARK_BOLD " ", deployment->environment);
		chat_deployment_commit(&text, "", deployment);
	} else if (deployment->state == DEPLOY_ROLLING_BACK) {
		chat_text_add(
		    &text, "❌ Failed: " MARK_BOLD "%s" MARK_BOLD " ", deployment->environment);
		chat_deployment_commit(&text, "", deployment);
		add_why(&text, deployment);
		chat_text_commit(&text, ": rolling back to ", deployment->previous);
	} else {
		add_bad_headline(&text, about);
		add_why(&text, deployment);
	}
	return chat_text_take(&text);
}

void
chat_deployment_turn(struct chat_text *text, const struct deployment *deployment, bool is_next)
{
	chat_text_init(text);
	chat_text_add(text, "%s" MARK_BOLD "%s" MARK_BOLD,
	    is_next ? "⏳ You are next in " : "🚀 It is your turn: ", deployment->environment);
	chat_deployment_commit(text, is_next ? ": " : " ← ", deployment);
}

void
chat_deployment_given(
    struct chat_text *text, const struct deployment *deployment, const char *what, const char *who)
{
	chat_text_init(text);
	chat_text_add(text, "🤝 " MARK_BOLD "%s" MARK_BOLD ": %s", deployment->environment, what);
	chat_text_outside(text, "", who);
	chat_deployment_commit(text, " — ", deployment);
}

static const char *
sign_of(enum deploy_state state)
{
	switch (state) {
	case DEPLOY_LIVE:
		return "✅";
	case DEPLOY_ROLLED_BACK:
		return "↩️";
	case DEPLOY_ROLLBACK_FAILED:
		return "🔥";
	case DEPLOY_FAILED:
		return "❌";
	default:
		return deploy_flow_class(state) == DEPLOY_CLASS_ACTIVE ? "🚀" : "▫️";
	}
}

void
chat_deployment_line(
    struct chat_text *text, const struct deployment *deployment, int64_t release, int64_t at)
{
	char brief[100];

	chat_text_add(text, "%s ", sign_of(deployment->state));
	chat_deployment_commit(text, "", deployment);
	chat_text_add(text, "\n    %s%s",
	    deployment->is_forward		   ? "roll forward, " :
		deployment_is_rollback(deployment) ? "rollback, " :
						     "",
	    deploy_flow_word(deployment->state));
	if (release != 0)
		chat_text_add(text, ", release %lld", (long long)release);
	if (deployment->why == DEPLOY_WHY_REFUSED && deployment->detail[0] != '\0') {
		(void)text_copy(brief, sizeof(brief), deployment->detail);
		chat_text_outside(text, ": ", brief);
	} else if (deployment->why != DEPLOY_WHY_NONE)
		chat_text_add(text, " (%s)", deploy_flow_why_word(deployment->why));
	chat_text_outside(text, " · ", deployment->requester);
	if (deployment_confirmer(deployment)[0] != '\0')
		chat_text_outside(text, ", confirmed by ", deployment_confirmer(deployment));
	chat_text_ago(text, " · ", deployment->requested_at, at);
	if (deployment->exception[0] != '\0')
		chat_text_outside(text, "\n    ⚠️ in a freeze: ", deployment->exception);
}
