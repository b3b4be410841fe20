/* decide_tell_buttons.c - what can be pressed below the messages about a deployment.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_deployment.h"
#include "decide/who/decide_allowed.h"
#include "decide/view/decide_application_log.h"
#include "decide/queue/decide_barrier.h"
#include "decide/work/decide_bake.h"
#include "decide/work/decide_left.h"
#include "decide/tell/decide_bake_buttons.h"
#include "decide/tell/decide_nag.h"
#include "decide/approval/decide_needs.h"
#include "decide/queue/decide_previous.h"
#include "decide/tell/decide_tell_inside.h"
#include "decide/tell/decide_trouble.h"
#include "decide/work/decide_loan_list.h"
#include "decide/work/decide_promotion.h"
#include "lib/text.h"
#include "store/row_action.h"
#include "store/row_approval.h"
#include "store/row_button.h"
#include "store/row_environment.h"
#include "store/row_loan.h"
#include "store/row_work_pipeline.h"
#include "store/row_run.h"

#define NOT_NOW	 "Not now"
#define FRESH_MS INT64_C(3600000) /* a release, or a failure; then its button is expired */

static void
add_answer(struct tx *tx, const struct deployment *deployment, const char *answer, int64_t chat,
    const char *label, struct buttons *buttons)
{
	struct request request = request_about("confirm", "work", deployment->id);

	request_add(&request, "answer", answer);
	row_button_show_for(tx, &request, chat, 0, label, buttons);
}

/* In private there is no button that its reader is denied. */
static bool
may_in(struct tx *tx, enum policy_action action, const struct deployment *deployment, int64_t chat)
{
	return chat < 0 || decide_is_allowed(tx, chat, action, deployment_target_here(deployment));
}

static void
add_log_of(struct tx *tx, const struct deployment *deployment, enum program program, int64_t chat,
    const char *label, struct buttons *buttons)
{
	int64_t run = may_in(tx, POLICY_LOG, deployment, chat) ?
	    row_run_newest(tx, deployment->id, program) :
	    0;
	const struct request request = request_about("log", "run", run);

	if (run != 0)
		row_button_show_for(tx, &request, chat, 0, label, buttons);
}

/* What went wrong stands in the log of the deployment, also when a rollback came after it. */
static void
add_log(struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	add_log_of(tx, deployment, deployment->program, chat, "📄 Log", buttons);
}

static void
add_rollback_log(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	if (deployment->program == PROGRAM_DEPLOY)
		add_log_of(tx, deployment, PROGRAM_ROLLBACK, chat, "📄 Rollback log", buttons);
}

/* The question is about one; the others are a press away. */
static void
add_older(struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	struct environment environment;
	struct request request;
	struct release earlier[2];

	row_environment_get(tx, deployment->environment, &environment);
	request = request_of("rollback", deployment->environment);
	if (!deployment_is_rollback(deployment) || deployment->confirmed_by != 0 ||
	    decide_list_earlier(tx, &environment, earlier, COUNT(earlier)) < COUNT(earlier) ||
	    !may_in(tx, POLICY_ROLLBACK, deployment, chat))
		return;
	request_add_number(&request, DECIDE_OLDER, deployment->id);
	row_button_show_for(tx, &request, chat, tx->at + FRESH_MS, "Older…", buttons);
}

/* Down, or it may be, behind a rollback by hand too: what its three lines say is a press away. */
static bool
is_trouble(struct tx *tx, const struct deployment *deployment)
{
	struct environment environment;

	row_environment_get(tx, deployment->environment, &environment);
	return environment_is_in_doubt(&environment) && !deployment_is_action(deployment) &&
	    (deployment->state == DEPLOY_ROLLBACK_FAILED || deployment->state == DEPLOY_FAILED);
}

/* Where it may not be shown: whoever has the grant is sent it in private.  Where nothing was rolled
 * back, the target is asked. */
static void
add_application_log(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	struct request request = request_about("logs", "work", deployment->id);
	char lines[LIMIT_APPLICATION_LOG];
	bool is_kept = row_run_application_log(tx, deployment->id, lines)[0] != '\0';

	if (deploy_flow_class(deployment->state) != DEPLOY_CLASS_FINAL ||
	    deployment->state == DEPLOY_LIVE || deployment_is_action(deployment) ||
	    is_trouble(tx, deployment) || /* add_way_out() has it */
	    (!is_kept &&
		(deployment->state == DEPLOY_ROLLED_BACK || !deployment->target_changed ||
		    !decide_can_ask_application_log(tx, deployment->environment))) ||
	    (chat > 0 && !decide_is_allowed(tx, chat, POLICY_LOG, deployment->environment)) ||
	    (is_kept && decide_shows_application_log(tx, deployment->environment, chat)))
		return;
	if (!is_kept)
		request = request_of("logs", deployment->environment);
	row_button_show_for(tx, &request, chat, 0, "📄 Application log", buttons);
}

bool
decide_tell_is_asked_in(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	return chat < 0 ? chat == decide_needs_chat(tx, deployment->environment) :
			  decide_needs_may(tx, deployment, chat, NULL) == NEEDS_MAY;
}

void
decide_tell_add_approval(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	bool is_theirs = chat > 0 && row_approval_is_of(tx, deployment->id, chat);
	bool may = deployment->state == DEPLOY_AWAITING_APPROVAL &&
	    decide_needs_may_in(tx, deployment, chat);
	const struct request approve = request_about("approve", "work", deployment->id);
	const struct request reject = request_about("reject", "work", deployment->id);
	const struct request back = request_about("unapprove", "work", deployment->id);
	const struct request newest = request_about("newest", "work", deployment->id);
	char label[LIMIT_BUTTON];

	if (may && !is_theirs)
		row_button_show_for(
		    tx, &approve, chat, 0, chat_deployment_approve(deployment, label), buttons);
	if (may)
		row_button_show_for(tx, &reject, chat, 0, "👎 Reject …", buttons);
	if (chat > 0 ? is_theirs : deployment->approvers[0] != '\0')
		row_button_show_for(tx, &back, chat, 0, "🙅 Withdraw my approval", buttons);
	if (deployment->state == DEPLOY_AWAITING_APPROVAL &&
	    !deployment_is_by_request(deployment) && deployment->note[0] != '\0')
		row_button_show_for(
		    tx, &newest, chat, 0, "⏭️ Ask for the newest instead", buttons);
}

/* A person may do what deploybot does not do by itself; they are asked, and read why not. */
static void
add_past_barrier(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	struct request request = request_of("rollback", deployment->environment);
	struct environment environment;
	struct barrier barriers[BARRIERS_SHOWN];
	char label[LIMIT_BUTTON];

	row_environment_get(tx, deployment->environment, &environment);
	if (!deployment_is_left_unhealthy(deployment) || environment.current.id == 0 ||
	    deployment_is_over(deployment, &environment) ||
	    decide_list_barriers(tx, deployment, barriers) == 0 ||
	    (chat > 0 && !decide_is_allowed(tx, chat, POLICY_ROLLBACK, deployment->environment)))
		return;
	request_add_number(&request, "release", environment.current.number);
	request_add(&request, "past", "barrier");
	row_button_show_for(tx, &request, chat, 0,
	    chat_deployment_label(CHAT_PAST_BARRIER ":", deployment->environment, label), buttons);
}

/* What answers its question with yes. */
static const char *
yes_of(struct tx *tx, const struct deployment *deployment, char out[LIMIT_BUTTON])
{
	struct promotion promotion;

	return promotion_is_own(
		   decide_promotion_of(tx, deployment, &promotion), deployment->environment) ?
	    chat_deployment_label("🚀 Deploy to hosts of", deployment->environment, out) :
	    chat_deployment_yes(deployment, out);
}

/* Nothing was touched, so that trying once more costs time alone; what CI refused may have passed
 * since. */
static void
add_again(struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	struct request request = request_of("deploy", deployment->environment);
	struct promotion promotion;
	bool is_by_ci = deployment->state == DEPLOY_REFUSED && deployment->why == DEPLOY_WHY_CI;

	if (!deployment_asks_git(deployment) || deployment->program != PROGRAM_DEPLOY ||
	    (deployment->state != DEPLOY_FAILED && !is_by_ci) || deployment->target_changed ||
	    deployment_migration(deployment) != MIGRATION_NONE ||
	    deployment->why == DEPLOY_WHY_CANCELLED ||
	    (chat > 0 && !decide_is_allowed(tx, chat, POLICY_DEPLOY, deployment->environment)))
		return;
	decide_promotion_of(tx, deployment, &promotion);
	if (promotion_is_own(&promotion, deployment->environment))
		request_add(&request, "ref", PROMOTION_FAILED);
	else if (promotion.from[0] != '\0')
		request_add(&request, "from", promotion.from);
	else
		request_add(&request, "ref", deployment->commit);
	row_button_show_for(tx, &request, chat, tx->at + FRESH_MS, "🔁 Try again", buttons);
}

/* It goes on without whom it could not reach: they are asked, and it says what that means. */
static void
add_without(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	struct request request = request_of("rollback", deployment->environment);
	struct environment environment;
	struct release to;
	char hosts[LIMIT_WITHOUT], label[LIMIT_BUTTON];

	row_environment_get(tx, deployment->environment, &environment);
	to = deployment_is_rollback(deployment) ?
	    row_release_get(tx, deployment->to_release) :
	    row_release_find(tx, deployment->environment, deployment->previous);
	if (deployment_is_over(deployment, &environment) ||
	    decide_left_silent(tx, deployment, hosts)[0] == '\0' || to.id == 0 ||
	    !may_in(tx, POLICY_ROLLBACK, deployment, chat))
		return;
	request_add_number(&request, "release", to.number);
	request_add(&request, "without", hosts);
	if (deployment->is_past_barrier)
		request_add(&request, "past", "barrier");
	row_button_show_for(tx, &request, chat, tx->at + FRESH_MS,
	    chat_deployment_label("🔁 Without", hosts, label), buttons);
}

/* What is seen to be bad in its first hour is fled with one press, and a question. */
static void
add_roll_back(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	struct request request = request_of("rollback", deployment->environment);
	struct environment environment;
	char label[LIMIT_BUTTON];

	if (deployment->state != DEPLOY_LIVE || deployment->program != PROGRAM_DEPLOY)
		return;
	row_environment_get(tx, deployment->environment, &environment);
	if (environment.current.deployment != deployment->id || environment.previous.id == 0 ||
	    tx->at >= environment.current.at + FRESH_MS ||
	    (chat > 0 && !decide_is_allowed(tx, chat, POLICY_ROLLBACK, deployment->environment)))
		return;
	request_add_number(&request, "from", environment.current.number);
	row_button_show_for(tx, &request, chat, environment.current.at + FRESH_MS,
	    chat_deployment_label(CHAT_ROLL_BACK, deployment->environment, label), buttons);
}

static void
add_way_out(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	struct barrier barriers[BARRIERS_SHOWN];
	/* One button says which it goes past. */
	bool is_barred = deployment_is_left_unhealthy(deployment) &&
	    decide_list_barriers(tx, deployment, barriers) > 0;

	if (is_trouble(tx, deployment))
		decide_trouble_buttons(tx, deployment->environment, chat, !is_barred, buttons);
}

/* Half migrated: somebody is needed, though what ran before it serves. */
static void
add_deploy(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	const struct request request = request_of("deploy", deployment->environment);
	char label[LIMIT_BUTTON];

	if (deployment->state != DEPLOY_FAILED || deployment->target_changed ||
	    deployment_migration(deployment) == MIGRATION_NONE || is_trouble(tx, deployment) ||
	    !may_in(tx, POLICY_DEPLOY, deployment, chat))
		return;
	row_button_show_for(tx, &request, chat, tx->at + FRESH_MS,
	    chat_deployment_label("🚀 Deploy to", deployment->environment, label), buttons);
}

/* In private for whom it ends. */
static void
add_seen(struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	const struct request seen = request_about("seen", "work", deployment->id);

	if ((deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL ||
		deployment->state == DEPLOY_PAUSED) &&
	    decide_nag_is_open(tx, deployment) &&
	    (chat < 0 || decide_is_allowed(tx, chat, POLICY_ROLLBACK, deployment->environment)))
		row_button_show_for(tx, &seen, chat, 0, CHAT_SEEN, buttons);
}

/* What has passed is not run again. */
static void
add_rerun(struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	const struct request rerun = request_about("rerun", "work", deployment->id);

	if (deployment->state == DEPLOY_FAILED && deployment_is_pipeline(deployment) &&
	    row_work_pipeline_get(tx, deployment->id).run != 0 &&
	    (chat < 0 ||
		decide_is_allowed_do(tx, chat, deployment->action, deployment->environment)))
		row_button_show_for(tx, &rerun, chat, 0, "🔁 Run failed jobs again", buttons);
}

/* As long as it may be used. */
static void
add_revoke(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	const struct request revoke = request_about("revoke", "work", deployment->id);

	if (deployment->state == DEPLOY_DONE && deployment_is_loan(deployment) &&
	    row_loan_get(tx, deployment->id).state == LOAN_GIVEN &&
	    (chat < 0 || decide_loan_may_end(tx, chat, deployment)))
		row_button_show_for(tx, &revoke, chat, 0, "✋ Revoke", buttons);
}

decide_tell_offer *const decide_tell_offers[] = { add_revoke, add_rerun, add_seen, add_without,
	add_past_barrier, add_again, add_roll_back, add_way_out, add_application_log, add_deploy,
	add_log, add_rollback_log, NULL };

/* Whoever asked can hand somebody a line, and is shown it when they want to. */
static void
add_line(struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	const struct request line = request_about("line", "work", deployment->id);
	const struct action *action = action_row_of(deployment->action);

	if (deployment->state == DEPLOY_AWAITING_APPROVAL && deployment->client[0] != '\0' &&
	    chat == deployment->address.chat && action != NULL && action_fits_line(action) &&
	    row_action_get(tx, deployment->id).is_requested)
		row_button_show_for(tx, &line, chat, 0, "📋 Show APPROVE line", buttons);
}

/* In private whoever may not answer a question reads it, and no more. */
static bool
may_answer_in(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	return chat < 0 || chat == deployment->requested_by ||
	    row_button_is_requester(tx, deployment->id, chat) ||
	    decide_is_allowed(tx, chat, POLICY_CONFIRM, deployment_target_here(deployment));
}

/* In private the page opens inside the chat, logged in; it believes no number but Telegram's.  A
 * group has no such button, but a link that does the same where the bot has a main app. */
static void
add_open(struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	const char *base = settings_text(tx->settings, SETTING_PUBLIC_URL);
	const char *main_app = tx->event->context.main_app;
	char link[LIMIT_LINK + 32];
	bool is_app;

	if (!tx->settings->console || base == NULL)
		return;
	is_app = chat > 0 && text_starts(base, "https://");
	if (is_app)
		text_setf(link, "%s%sconsole/", base, text_ends(base, "/") ? "" : "/");
	else if (chat < 0 && main_app[0] != '\0')
		text_setf(link, "https://t.me/%s?startapp=w%" PRId64, main_app, deployment->id);
	else
		text_setf(link, "%s%sconsole/#w%" PRId64, base, text_ends(base, "/") ? "" : "/",
		    deployment->id);
	buttons_add_link(buttons, "🖥 Open", link, is_app);
}

/* What a person has asked for need not wait for the end of what bakes there; a push does.  What is
 * paused does not end by itself; also where its own commit was asked for, and refused for that. */
static void
add_ahead(struct tx *tx, const struct deployment *work, int64_t chat, struct buttons *buttons)
{
	bool waits = decide_tell_is_question(work) ||
	    (work->state == DEPLOY_QUEUED && deployment_is_emergency(work));
	bool is_refused = work->state == DEPLOY_REFUSED && !deployment_is_action(work);
	struct deployment ahead;

	if (!deployment_is_by_request(work) ||
	    (!waits && !is_refused && work->state != DEPLOY_QUEUED))
		return;
	row_deployment_active(tx, work->environment, &ahead);
	if (ahead.state == DEPLOY_PAUSED ?
		!is_refused || strcmp(ahead.commit, work->commit) == 0 :
		waits && decide_bakes(tx, work) && ahead.state == DEPLOY_BAKING)
		decide_bake_end_buttons(tx, &ahead, chat, buttons);
}

struct buttons *
decide_tell_buttons(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *ret)
{
	/* Whoever asked for a loan may give it up, whatever else they may there. */
	bool gives_up = deployment_is_loan(deployment) && chat == deployment->requested_by;
	const struct request cancel =
	    request_about(gives_up ? "revoke" : "cancel", "work", deployment->id);
	char label[LIMIT_BUTTON];

	*ret = (struct buttons){ 0 };
	if ((deployment->state == DEPLOY_AWAITING_APPROVAL ||
		(deployment->state == DEPLOY_QUEUED && deployment->approvers[0] != '\0')) &&
	    decide_tell_is_asked_in(tx, deployment, chat))
		decide_tell_add_approval(tx, deployment, chat, ret);
	if (deployment->state == DEPLOY_QUEUED && deployment->wait.is_asked_anew &&
	    may_answer_in(tx, deployment, chat))
		add_answer(tx, deployment, "yes", chat, yes_of(tx, deployment, label), ret);
	if (deployment->state == DEPLOY_AWAITING_CONFIRMATION &&
	    may_answer_in(tx, deployment, chat)) {
		if (deployment->confirmed_by == 0)
			add_answer(tx, deployment, "yes", chat, yes_of(tx, deployment, label), ret);
		add_older(tx, deployment, chat, ret);
		add_answer(tx, deployment, "no", chat, NOT_NOW, ret);
	}
	if (deployment_is_baking(deployment))
		decide_bake_buttons(tx, deployment, chat, ret);
	else if (deployment_may_be_cancelled(deployment) &&
	    (gives_up || may_in(tx, POLICY_CANCEL, deployment, chat) ||
		deployment_is_own_place(deployment, chat)))
		row_button_show_for(tx, &cancel, chat, 0,
		    deployment_is_asked(deployment) ? NOT_NOW :
			deploy_flow_class(deployment->state) == DEPLOY_CLASS_ACTIVE ?
						      "✋ Stop" :
						      "✖️ Cancel",
		    ret);
	add_ahead(tx, deployment, chat, ret);
	add_line(tx, deployment, chat, ret);
	for (size_t i = 0; decide_tell_offers[i] != NULL; i++)
		decide_tell_offers[i](tx, deployment, chat, ret);
	add_open(tx, deployment, chat, ret);
	return ret;
}
