/* decide_tell.c - renders what the messages about a deployment say.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_tell.h"

#include <stdio.h>
#include <stdlib.h>

#include "chat/chat_deployment.h"
#include "chat/chat_text.h"
#include "decide/decide_action.h"
#include "decide/decide_application_log.h"
#include "decide/decide_asked.h"
#include "decide/decide_barrier.h"
#include "decide/decide_chat.h"
#include "decide/decide_git.h"
#include "decide/decide_hold.h"
#include "decide/decide_limit.h"
#include "decide/decide_nag.h"
#include "decide/decide_needs.h"
#include "decide/decide_ran.h"
#include "decide/decide_reply.h"
#include "decide/decide_tell_inside.h"
#include "decide/decide_where.h"
#include "lib/text.h"
#include "settings/settings_claims.h"
#include "store/row_approval.h"
#include "store/row_audit.h"
#include "store/row_binding.h"
#include "store/row_block.h"
#include "store/row_button.h"
#include "store/row_change.h"
#include "store/row_chat.h"
#include "store/row_claim.h"
#include "store/row_drain.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_message.h"
#include "store/row_queue.h"
#include "types/forge.h"

/* People who asked for the same elsewhere, and whose messages go on with it. */
#define OTHERS_MAX 8

/* Messages that ring for one work: CHAT_RINGS_MAX in the team's chat and where it was asked for,
 * and what asked for approvals. */
#define RINGS_MAX 16

/* Approvers who are asked in private, beside the chat in which all see it. */
#define ASKED_PRIVATELY 24
_Static_assert(2 * (ASKED_PRIVATELY + 1) <= ROW_APPROVAL_MESSAGES, "all are edited, reminders too");

/* Rows that its texts are made of. */
struct shown {
	struct environment environment;
	struct release to;
	struct release gone[CHAT_GONE + 1];
	struct git_change gone_commits[LIMIT_COMMITS];
	size_t position;
	struct deployment ahead; /* id 0: none */
	struct block block;
	struct block contained[LIMIT_BLOCKED];
	struct barrier barriers[BARRIERS_SHOWN];
	struct barrier past[BARRIERS_SHOWN];
	struct migration_behind behind;
	struct ran ran[RAN_SHOWN];
	char link[LIMIT_URL];
	char first[LIMIT_LINE];
	char list[FINGERPRINT_LIST_MAX];
	struct holds holds;
	struct decide_needs needs;
	struct approval_request request;
	struct chat_approvals approvals;
	struct step steps[LIMIT_STEPS];
	struct run_warnings warnings;
	char migration_at[SETTINGS_MIGRATION];
	char head[LIMIT_AUDIT_HEAD];
	char tail[LIMIT_TAIL];
	char failed_step[LIMIT_STEP];
	char application_log[LIMIT_APPLICATION_LOG];
	char touches[DECIDE_TOUCHES];
};

/* Of its commit; of what it left, where it is live. */
static bool
find_block(struct tx *tx, const struct deployment *deployment, struct block *ret)
{
	if (deployment->state != DEPLOY_LIVE)
		return row_block_find(tx, deployment->environment, deployment->commit, ret);
	return deployment_is_rollback(deployment) &&
	    row_block_list(tx, deployment->environment, ret, 1, NULL) == 1 &&
	    ret->at == deployment->ended_at;
}

/* Who asked for it, or of a push the team of its application, may not see what it waits for. */
static bool
is_hidden(struct tx *tx, const struct deployment *deployment, const struct deployment *ahead)
{
	char target[LIMIT_ENVIRONMENT];

	return deployment->trigger == TRIGGER_CHAT ?
	    !decide_sees(tx, deployment->requested_by, deployment_target(ahead, target)) :
	    settings_of(tx->settings, ahead->environment) !=
		settings_of(tx->settings, deployment->environment);
}

/* Where it stands in its queue, and behind what; or who has what it waits for. */
static void
find_position(struct tx *tx, const struct deployment *deployment, struct shown *shown)
{
	int64_t holder = row_claim_before(tx, deployment->waits_for, deployment->place);
	int64_t ids[ROW_QUEUE_LIST];
	size_t n = row_queue_list(tx, deployment->environment, ids);

	for (size_t i = 0; i < n && shown->position == 0; i++)
		shown->position = ids[i] == deployment->id ? i + 1 : 0;
	if (holder != 0)
		shown->ahead = row_deployment_get(tx, holder);
	else if (shown->position > 1)
		shown->ahead = row_deployment_get(tx, ids[shown->position - 2]);
	else
		shown->ahead = row_deployment_active(tx, deployment->environment);
	if (shown->ahead.id != 0 && is_hidden(tx, deployment, &shown->ahead))
		shown->ahead.environment[0] = '\0';
}

/* How it stands with its approvals. */
static void
find_approvals(struct tx *tx, const struct deployment *deployment, struct shown *shown)
{
	shown->request = row_approval_request(tx, deployment->id);
	(void)decide_needs_look(tx, deployment, &shown->needs);
	shown->approvals = (struct chat_approvals){
		.needed = shown->needs.needs.approvals,
		.n = shown->needs.n,
		.n_others = shown->needs.n_others,
		.because = shown->needs.needs.because,
		.is_unknown_requester = shown->needs.is_unknown_requester,
		.is_one_more = !tx->settings->approve_unknown_pusher,
		.roles = shown->needs.needs.approvers,
		.changes = shown->request.changes,
		.until = shown->request.asked_at + tx->settings->approval_timeout_ms,
	};
}

/* What one that has ended said: an action, or of a failure what tells why. */
static const char *
tail_of(struct tx *tx, const struct deployment *work, char ret[LIMIT_TAIL])
{
	ret[0] = '\0';
	if (work->run == 0 || deploy_flow_class(work->state) != DEPLOY_CLASS_FINAL)
		return ret;
	if (deployment_is_action(work))
		(void)row_run_tail(tx, work->run, ret);
	else if (work->state != DEPLOY_LIVE)
		(void)row_run_newest_tail(tx, work->id, ret);
	return ret;
}

/* What a release is rolled back for: the step in which its script failed, or its health.  Nothing
 * failed where somebody stopped it. */
static const char *
failed_step_of(struct tx *tx, const struct deployment *work, struct shown *shown)
{
	bool is_back = work->state == DEPLOY_ROLLING_BACK ||
	    work->state == DEPLOY_VERIFYING_ROLLBACK || work->state == DEPLOY_ROLLED_BACK ||
	    work->state == DEPLOY_ROLLBACK_FAILED;
	int64_t run;
	size_t n, last;

	if (!is_back || work->program != PROGRAM_DEPLOY || work->why == DEPLOY_WHY_CANCELLED)
		return "";
	if (work->why == DEPLOY_WHY_UNHEALTHY)
		return "health check";
	run = row_run_newest(tx, work->id, PROGRAM_DEPLOY);
	n = row_step_list(tx, run, shown->steps, LIMIT_STEPS);
	last = deployment_last_step(shown->steps, n);
	if (last == n)
		return "";
	(void)text_copy(shown->failed_step, LIMIT_STEP, shown->steps[last].name);
	return shown->failed_step;
}

/* What the application itself logged, of a release that failed. */
static const char *
application_log_of(struct tx *tx, const struct deployment *work, char ret[LIMIT_APPLICATION_LOG])
{
	ret[0] = '\0';
	if (deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL && !deployment_is_action(work) &&
	    work->state != DEPLOY_LIVE)
		(void)row_run_application_log(tx, work->id, ret);
	return ret;
}

static bool
is_question(const struct deployment *deployment)
{
	return deployment->state == DEPLOY_AWAITING_CONFIRMATION ||
	    deployment->state == DEPLOY_AWAITING_APPROVAL ||
	    (deployment->state == DEPLOY_QUEUED && deployment->is_asked_anew);
}

/* Since when something drains that its start would end; 0: there is none.  A release that drains
 * still is switched back to. */
static int64_t
find_draining(struct tx *tx, const struct deployment *deployment)
{
	struct drain drain = row_drain_open(tx, deployment->environment);

	return deployment_is_action(deployment) || deployment->target_changed ||
		deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL ||
		strcmp(drain.commit, deployment->commit) == 0 ?
	    0 :
	    drain.since;
}

/* A question, or an end, says it: what is between is about the run. */
static struct migration_behind
find_behind(struct tx *tx, const struct deployment *deployment, const struct release *to)
{
	if (!deployment_is_rollback(deployment) || to->id == 0 ||
	    (!is_question(deployment) &&
		deploy_flow_class(deployment->state) != DEPLOY_CLASS_FINAL))
		return (struct migration_behind){ 0 };
	return row_release_migration_behind(tx, deployment, to);
}

/* What a rollback rolls back, as its question says. */
static size_t
find_gone(struct tx *tx, const struct deployment *deployment, struct shown *shown)
{
	if (deployment->program != PROGRAM_ROLLBACK || deployment->is_forward ||
	    !is_question(deployment) || shown->to.id == 0)
		return 0;
	return row_release_list_gone(
	    tx, &shown->to, &shown->environment.current, shown->gone, COUNT(shown->gone));
}

#define FIRST_SHOWN 60 /* bytes of each */

static void
add_first(char ret[LIMIT_LINE], const char *what, size_t size)
{
	size_t used = strlen(ret);
	char more[FIRST_SHOWN + 8];

	(void)snprintf(more, sizeof(more), "%s%.*s%s", used > 0 ? ", " : "",
	    (int)text_cut(what, size, FIRST_SHOWN), what, size > FIRST_SHOWN ? "…" : "");
	(void)text_copy(ret + used, LIMIT_LINE - used, more);
}

/* Those of a list whose names have these words. */
static void
add_hooks(char ret[LIMIT_LINE], const char *list, const char *kind, const char *word)
{
	while (*list != '\0') {
		size_t name = strcspn(list, "= \n");

		if (text_starts(list, kind) && memmem(list, name, word, strlen(word)) != NULL)
			add_first(ret, list, name);
		list += strcspn(list, " \n");
		list += strspn(list, " \n");
	}
}

/* What may change a database before anything of the release starts, in its order; of hooks right
 * before the release those alone whose names say that. */
static const char *
list_first(const struct environment_settings *settings, const char *list, char ret[LIMIT_LINE])
{
	const char *command =
	    settings != NULL ? settings_text_for(settings, SETTING_MIGRATE_COMMAND) : NULL;

	ret[0] = '\0';
	add_hooks(ret, list, "pre-start/", "");
	if (command != NULL)
		add_first(ret, command, strlen(command));
	add_hooks(ret, list, "pre-deploy/", "migrat");
	return ret;
}

/* What the question about a deployment says besides, for whoever answers it on a phone. */
static void
add_question_facts(struct tx *tx, struct chat_deployment *about, struct shown *shown)
{
	const struct deployment *deployment = about->deployment;
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	const struct git_answer *answer = about->answer;

	if (about->n_gone > 0 && !environment_is_in_doubt(about->environment)) {
		(void)forge_link(settings_of(tx->settings, deployment->environment)->repository_url,
		    deployment->commit, about->environment->current.commit, shown->link);
		about->link = shown->link;
		about->gone_commits = shown->gone_commits;
		about->gone_count =
		    row_change_list_gone(tx, about->to, &about->environment->current,
			shown->gone_commits, LIMIT_COMMITS, &about->n_gone_commits);
	}
	if (deployment->program != PROGRAM_DEPLOY || !is_question(deployment) ||
	    deployment->commit[0] == '\0')
		return;
	/* What it warned of as it made what is live is most likely so still. */
	about->warnings =
	    row_deployment_warnings(tx, about->environment->current.deployment, &shown->warnings);
	about->ran = shown->ran;
	about->n_ran = decide_ran(tx, deployment, shown->ran);
	about->failed = answer != NULL ? decide_ran_failed(tx, deployment->environment, answer) : 0;
	about->first = list_first(settings,
	    answer != NULL && answer->binding != NULL ?
		answer->binding :
		row_binding_get(tx, deployment->id, shown->list),
	    shown->first);
	(void)forge_link(settings_of(tx->settings, deployment->environment)->repository_url,
	    answer != NULL && answer->has_base && answer->count > 0 ? answer->base : "",
	    deployment->commit, shown->link);
	about->link = shown->link;
}

/* The facts that its texts are made of; they stand in *shown. */
static struct chat_deployment
facts(struct tx *tx, const struct deployment *deployment, const struct git_answer *answer,
    struct shown *shown)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	bool is_blocked = find_block(tx, deployment, &shown->block);
	/* By its own row: its texts need them where what is asked for cannot be read, too. */
	bool is_approved = deployment->state == DEPLOY_AWAITING_APPROVAL ||
	    deployment->why == DEPLOY_WHY_UNAPPROVED;

	const char *failed_step = failed_step_of(tx, deployment, shown); /* its steps go again */
	struct chat_deployment about;

	shown->environment = row_environment_get(tx, deployment->environment);
	shown->to = row_release_get(tx, deployment->to_release);
	shown->behind = find_behind(tx, deployment, &shown->to);
	shown->position = 0;
	shown->ahead.id = 0;
	if (deployment->state == DEPLOY_QUEUED)
		find_position(tx, deployment, shown);
	shown->holds.n = 0;
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_OPEN ||
	    deploy_flow_class(deployment->state) == DEPLOY_CLASS_QUEUED)
		decide_holds(tx, deployment->environment, &shown->holds);
	if (is_approved)
		find_approvals(tx, deployment, shown);
	row_audit_head(tx, shown->head);
	about = (struct chat_deployment){
		.until = deployment_is_asked(deployment) ?
		    row_effect_timer_due(tx, TIMER_QUESTION, deployment->id) :
		    0,
		.n_urls = settings != NULL ? settings->health_url_count : 0,
		.deployment = deployment,
		.environment = &shown->environment,
		.to = deployment->to_release != 0 ? &shown->to : NULL,
		.gone = shown->gone,
		.n_gone = find_gone(tx, deployment, shown),
		.block = is_blocked ? &shown->block : NULL,
		.contained = shown->contained,
		.n_contained = is_question(deployment) ?
		    decide_list_contained(tx, deployment, shown->contained) :
		    0,
		.failed_step = failed_step,
		.steps = shown->steps,
		.n_steps = deployment->run != 0 ?
		    row_step_list(tx, deployment->run, shown->steps, LIMIT_STEPS) :
		    0,
		.warnings = row_deployment_warnings(tx, deployment->id, &shown->warnings),
		.run_end = row_run_end(tx, deployment->run),
		.touches = decide_action_touches(tx, deployment, shown->touches),
		.tail = tail_of(tx, deployment, shown->tail),
		.is_tail_private = decide_tail_is_private(tx, deployment),
		.application_log = application_log_of(tx, deployment, shown->application_log),
		.application_log_lines = settings != NULL ? (size_t)settings->failure_log_lines : 0,
		.barriers = shown->barriers,
		.n_barriers = is_question(deployment) ||
			(deployment_is_left_unhealthy(deployment) &&
			    shown->environment.unknown_since == 0) ?
		    decide_list_barriers(tx, deployment, shown->barriers) :
		    0,
		.past = shown->past,
		.n_past =
		    is_question(deployment) ? decide_list_past(tx, deployment, shown->past) : 0,
		.behind = &shown->behind,
		.estimate_ms = row_step_estimate(tx, deployment->environment, ""),
		.answer = answer,
		.can_roll_back = deployment_can_roll_back(deployment),
		.audit_head = shown->head,
		.holds = &shown->holds,
		.passed = decide_needs_passed(tx, deployment),
		.approvals = is_approved ? &shown->approvals : NULL,
		.position = shown->position,
		.ahead = shown->ahead.id != 0 ? &shown->ahead : NULL,
		.rollback_not_started = deployment->state == DEPLOY_ROLLBACK_FAILED &&
		    row_run_changed_nothing(tx, deployment->run),
		/* Where its run could not be swept it may have outlived that. */
		.migration_at = settings_migration_place(
				    tx->settings, deployment->environment, shown->migration_at) ||
			shown->environment.unknown_since != 0 ?
		    shown->migration_at :
		    NULL,
		.draining_since = find_draining(tx, deployment),
		.clock = decide_clock(tx, deployment->environment),
		.host = tx->settings->host,
		.at = tx->at,
	};
	add_question_facts(tx, &about, shown);
	return about;
}

/* Who reads it there: in private that person, where it was asked for who asked; elsewhere a team,
 * which has a chat of that environment. */
static int64_t
reader(const struct deployment *deployment, int64_t chat)
{
	if (chat > 0)
		return chat;
	return chat == deployment->address.chat && deployment->trigger == TRIGGER_CHAT ?
	    deployment->requested_by :
	    0;
}

static void
hide_tail(struct chat_deployment *shown)
{
	shown->is_tail_hidden = shown->tail[0] != '\0';
	shown->tail = "";
}

/* Its message in that chat, as it is now. */
static void
render(struct tx *tx, const struct chat_deployment *about, int64_t chat, struct message *ret)
{
	struct chat_deployment shown = *about;
	struct deployment work = *about->deployment;
	struct environment environment = *about->environment;
	struct holds holds = *about->holds;
	struct ran ran[RAN_SHOWN];
	size_t n_ran = 0;
	int64_t person = reader(&work, chat);

	for (size_t i = 0; i < about->n_ran; i++)
		if (person == 0 || decide_sees(tx, person, about->ran[i].environment))
			ran[n_ran++] = about->ran[i];
	shown.ran = ran;
	shown.n_ran = n_ran;
	if (person != 0) {
		decide_hide(tx, person, &work);
		decide_hide_holds(tx, person, about->deployment->environment, &holds);
	}
	if (strcmp(work.environment, about->deployment->environment) != 0)
		(void)text_copy(environment.name, sizeof(environment.name), work.environment);
	if (strcmp(work.client, about->deployment->client) != 0)
		shown.touches = "";
	if (!decide_shows_application_log(tx, about->deployment->environment, chat)) {
		if (about->is_tail_private)
			hide_tail(&shown);
		shown.application_log = "";
	}
	shown.deployment = &work;
	shown.environment = &environment;
	shown.holds = &holds;
	(void)chat_deployment(&shown, ret); /* without a head its row is refused */
	ret->buttons = decide_tell_buttons(tx, about->deployment, chat);
}

static void
tell_in(struct tx *tx, const struct chat_deployment *about, int64_t row)
{
	CLEANUP(message_done) struct message now = { 0 };
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return;
	now = row_message_get(tx, row);
	render(tx, about, now.address.chat, &message);
	message.address = now.address;
	row_message_change(tx, row, &message);
	if (deploy_flow_class(about->deployment->state) == DEPLOY_CLASS_FINAL)
		row_message_shows_head(tx, row, about->audit_head);
}

/* May one more sound be made for it in that chat, by coming to this state?  Not counted over all
 * chats: those of whoever asked would leave none for a team that is to hear it is down. */
static bool
may_ring(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	return (size_t)row_message_count_rings(tx, deployment->id, chat) <=
	    chat_deployment_rings_before(deployment->state);
}

/* A message of its own; an edit makes no sound.  asks: it is a question that nobody waits for. */
static int64_t
add_message(struct tx *tx, const struct chat_deployment *about, const struct chat_address *address,
    bool asks)
{
	const struct deployment *deployment = about->deployment;
	CLEANUP(message_done) struct message message = { 0 };

	render(tx, about, address->chat, &message);
	message.address = *address;
	message.is_silent = !asks || !may_ring(tx, deployment, address->chat) ||
	    !decide_may_ring_question(tx, deployment);
	message.rings_for = message.is_silent ? 0 : deployment->id;
	if (asks && address->chat == deployment->address.chat)
		message.reply_to = deployment->request;
	return row_message_add(tx, &message);
}

/* That it goes on, and no more: how it ends stands where it was asked for. */
static void
settle(struct tx *tx, const struct chat_deployment *about, int64_t row, const struct message *now)
{
	CLEANUP(message_done) struct message message = { 0 };
	struct chat_text text;

	chat_deployment_settled(&text, about->deployment);
	message.head = chat_text_take(&text);
	message.address = now->address;
	if (about->deployment->state == DEPLOY_QUEUED)
		decide_tell_add_approval(
		    tx, about->deployment, now->address.chat, &message.buttons);
	row_message_change(tx, row, &message);
}

/* Those in groups show each approval; a person's own is edited once, when it is settled, and when
 * they (acted; 0: nobody) have said yes or taken it back. */
static void
tell_approvers(struct tx *tx, const struct chat_deployment *about, int64_t acted)
{
	bool is_settled = about->deployment->state != DEPLOY_AWAITING_APPROVAL;
	int64_t rows[ROW_APPROVAL_MESSAGES];
	size_t n = row_approval_list_messages(tx, about->deployment->id, false, rows);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message now = row_message_get(tx, rows[i]);

		if (now.address.chat < 0 || (now.address.chat == acted && !is_settled) ||
		    deploy_flow_class(about->deployment->state) == DEPLOY_CLASS_FINAL)
			tell_in(tx, about, rows[i]);
		else if (is_settled)
			settle(tx, about, rows[i], &now);
	}
	if (deploy_flow_class(about->deployment->state) != DEPLOY_CLASS_FINAL)
		return;
	n = row_approval_list_messages(tx, about->deployment->id, true, rows);
	for (size_t i = 0; i < n; i++)
		tell_in(tx, about, rows[i]);
}

void
decide_tell(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, answer, &shown);
	int64_t others[OTHERS_MAX];
	size_t n;

	if (deployment->message == 0)
		deployment->message =
		    add_message(tx, &about, &deployment->address, is_question(deployment));
	else
		tell_in(tx, &about, deployment->message);
	tell_in(tx, &about, deployment->also_message);
	n = row_button_list_messages(tx, deployment->id, others, COUNT(others));
	for (size_t i = 0; i < n; i++)
		tell_in(tx, &about, others[i]);
	tell_approvers(tx, &about, 0);
}

void
decide_tell_approver(struct tx *tx, const struct deployment *deployment, int64_t person)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, NULL, &shown);

	tell_approvers(tx, &about, person);
}

void
decide_tell_listed(struct tx *tx, const struct deployment *deployment)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, NULL, &shown);
	int64_t rows[ROW_APPROVAL_MESSAGES];
	size_t n = row_approval_list_messages(tx, deployment->id, false, rows);

	for (size_t i = 0; i < n; i++)
		tell_in(tx, &about, rows[i]);
}

/* The question stands below; what stood for it says so. */
static void
leave_message(struct tx *tx, const struct deployment *deployment, int64_t row)
{
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return;
	message.head = chat_deployment_found(deployment);
	row_message_change(tx, row, &message);
}

void
decide_tell_question(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	leave_message(tx, deployment, deployment->message);
	deployment->message = 0;
	decide_tell(tx, deployment, answer);
}

void
decide_tell_team(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, answer, &shown);
	int64_t team = decide_chat_of(tx, deployment->environment);

	if (deployment->also_message == 0 && deployment->address.chat != team)
		deployment->also_message = add_message(
		    tx, &about, &(struct chat_address){ .chat = team }, is_question(deployment));
}

/* Its sounds are not those of the work: who approves is not who asked. */
static int64_t
ask_in(struct tx *tx, const struct chat_deployment *about, int64_t chat, bool rings)
{
	CLEANUP(message_done) struct message message = { 0 };

	render(tx, about, chat, &message);
	message.address.chat = chat;
	message.is_silent = !rings || !decide_may_ring_chat(tx, chat);
	if (chat == about->deployment->address.chat) {
		message.address = about->deployment->address;
		message.reply_to = about->deployment->request;
	}
	return row_message_add(tx, &message);
}

/* What was asked there before is asked below. */
static void
leave_approvers(struct tx *tx, const struct deployment *deployment)
{
	int64_t rows[ROW_APPROVAL_MESSAGES];
	size_t n = row_approval_list_messages(tx, deployment->id, false, rows);

	for (size_t i = 0; i < n; i++)
		leave_message(tx, deployment, rows[i]);
	row_approval_clear_messages(tx, deployment->id, false);
}

/* Who may approve it, and has written to the bot: it cannot write first. */
static void
ask_privately(struct tx *tx, const struct chat_deployment *about, int64_t chat, bool rings)
{
	const struct deployment *work = about->deployment;
	int64_t person = 0;

	for (int i = 0;
	     i < ASKED_PRIVATELY && (person = decide_needs_next(tx, work, person)) != 0;) {
		if (person == chat || person == work->address.chat ||
		    !row_chat_has_private(tx, person))
			continue;
		row_approval_add_message(tx, work->id, ask_in(tx, about, person, rings), false);
		i++;
	}
}

void
decide_tell_approvers(struct tx *tx, struct deployment *deployment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	int64_t chat = decide_needs_chat(tx, deployment->environment);
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, NULL, &shown);
	bool rings = decide_may_ring_approvers(tx, deployment);

	leave_approvers(tx, deployment);
	if (chat == deployment->address.chat) {
		leave_message(tx, deployment, deployment->message);
		deployment->message = ask_in(tx, &about, chat, rings);
	} else if (chat == decide_chat_of(tx, deployment->environment)) {
		leave_message(tx, deployment, deployment->also_message);
		deployment->also_message = ask_in(tx, &about, chat, rings);
	} else {
		row_approval_add_message(
		    tx, deployment->id, ask_in(tx, &about, chat, rings), false);
	}
	if (settings == NULL || settings->approval_chat == 0)
		ask_privately(tx, &about, chat, rings);
}

/* It says how that went on, too. */
static void
remind_in(
    struct tx *tx, const struct chat_deployment *about, int64_t chat, int64_t question, bool rings)
{
	CLEANUP(message_done)
	struct message message = {
		.address.chat = chat, .reply_row = question, .is_silent = !rings
	};
	struct chat_text text;

	chat_deployment_reminder(&text, about);
	message.head = chat_text_take(&text);
	decide_tell_add_approval(tx, about->deployment, chat, &message.buttons);
	row_approval_add_message(tx, about->deployment->id, row_message_add(tx, &message), false);
}

void
decide_tell_approvers_in(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, NULL, &shown);

	row_approval_add_message(tx, deployment->id, ask_in(tx, &about, chat, false), false);
}

/* Where it was asked: who was asked in private and has answered, or may not any more, is not
 * reminded. */
void
decide_tell_reminder(struct tx *tx, const struct deployment *deployment)
{
	int64_t chat = decide_needs_chat(tx, deployment->environment);
	int64_t question =
	    chat == deployment->address.chat ? deployment->message : deployment->also_message;
	int64_t rows[ROW_APPROVAL_MESSAGES];
	size_t n = row_approval_list_messages(tx, deployment->id, false, rows);
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, NULL, &shown);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message asked = row_message_get(tx, rows[i]);
		int64_t person = asked.address.chat;

		if (person == chat)
			question = rows[i];
		else if (decide_tell_is_asked_in(tx, deployment, person) &&
		    !row_approval_is_of(tx, deployment->id, person))
			remind_in(tx, &about, person, rows[i], decide_may_ring_chat(tx, person));
	}
	remind_in(tx, &about, chat, question, true);
}

static void
say_expired_in(struct tx *tx, const struct chat_deployment *about, int64_t chat, int64_t question)
{
	CLEANUP(message_done)
	struct message message = { .address.chat = chat, .reply_row = question, .is_silent = true };

	message.head = chat_deployment_ring(about, true);
	(void)row_message_add(tx, &message);
}

/* Nobody approved it in time: in each chat in which it was asked, but of whoever has approved it
 * or is rung as the requester, that is said once, without a sound: there is nothing left to do,
 * and the question on their lock screen stays as it was. */
static void
tell_expired(struct tx *tx, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	int64_t chat = decide_needs_chat(tx, deployment->environment);
	int64_t question =
	    chat == deployment->address.chat ? deployment->message : deployment->also_message;
	int64_t rows[ROW_APPROVAL_MESSAGES], said[ROW_APPROVAL_MESSAGES + 2];
	size_t n = row_approval_list_messages(tx, deployment->id, false, rows), n_said = 0;

	if (deployment->trigger == TRIGGER_CHAT)
		said[n_said++] = deployment->address.chat;
	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message asked = row_message_get(tx, rows[i]);
		int64_t person = asked.address.chat;
		bool is_said = row_approval_is_of(tx, deployment->id, person);

		if (person == chat)
			question = rows[i];
		for (size_t k = 0; k < n_said; k++)
			is_said = is_said || said[k] == person;
		if (is_said || person == chat)
			continue;
		said[n_said++] = person;
		say_expired_in(tx, about, person, rows[i]);
	}
	if (question != 0 && (deployment->trigger != TRIGGER_CHAT || chat != said[0]))
		say_expired_in(tx, about, chat, question);
}

/* It was not sent yet, and says what it has come to: then it rings when it is. */
static bool
rings_itself(struct tx *tx, const struct chat_deployment *about, const struct message *now)
{
	const struct deployment *work = about->deployment;

	return now->remote_id == 0 &&
	    (row_effect_ring(tx, now->id, work->id, chat_deployment_is_alarm(work->state)) ||
		now->rings_for == work->id);
}

/* An edit makes no sound, so what rings is a message of its own; where the one before was not sent
 * yet, because its chat has had its messages of a minute or Telegram is away, that one says the
 * end alone.  A team reads both: there the
 * story stands once, in the message that is edited, and this is its first line with the buttons.
 * Both are rows of one decision: after a crash each is sent, in whatever order, and neither needs
 * the other to be understood. */
static void
ring_in(struct tx *tx, const struct chat_deployment *about, int64_t row, int64_t reply_to)
{
	CLEANUP(message_done) struct message now = { 0 };
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return;
	now = row_message_get(tx, row);
	if (!may_ring(tx, about->deployment, now.address.chat) || rings_itself(tx, about, &now))
		return;
	message.head = chat_deployment_ring(about, now.address.chat < 0);
	message.address = now.address;
	message.reply_to = reply_to;
	message.reply_row = reply_to != 0 ? 0 : row;
	message.rings_for = about->deployment->id;
	message.is_alarm = chat_deployment_is_alarm(about->deployment->state);
	message.buttons = decide_tell_alarm_buttons(tx, about->deployment, now.address.chat);
	row = row_message_unsent_ring(tx, about->deployment->id, now.address.chat);
	if (row != 0)
		row_message_change(tx, row, &message);
	else
		row = row_message_add(tx, &message);
	if (decide_nag_is_open(tx, about->deployment))
		decide_nag_shown(tx, about->deployment->id, row);
}

/* The line that rang when it began to be rolled back says how that ended: an alarm that goes on
 * for ever is none. */
static void
tell_rolled(struct tx *tx, const struct deployment *deployment)
{
	int64_t rows[RINGS_MAX];
	size_t n = row_message_list_rings(tx, deployment->id, rows, COUNT(rows));

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message message = row_message_get(tx, rows[i]);
		struct chat_text text;

		if (message.head == NULL ||
		    !chat_deployment_rolled(&text, deployment, message.head))
			continue;
		free(message.head);
		message.head = chat_text_take(&text);
		row_message_change(tx, rows[i], &message);
	}
}

/* The team hears of what is bad; of the rest who asked. */
void
decide_ring(struct tx *tx, const struct deployment *deployment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	int64_t after_s = settings != NULL ? settings->notify_after_seconds : 0;
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, NULL, &shown);

	if (deployment->state == DEPLOY_ROLLED_BACK || deployment->state == DEPLOY_ROLLBACK_FAILED)
		tell_rolled(tx, deployment);
	if (deployment->state == DEPLOY_EXPIRED && deployment->why == DEPLOY_WHY_UNAPPROVED)
		tell_expired(tx, &about);
	if (deployment->state == DEPLOY_AWAITING_CONFIRMATION ||
	    deployment->state == DEPLOY_AWAITING_APPROVAL ||
	    !chat_deployment_rings(deployment, after_s * 1000, tx->at))
		return;
	ring_in(tx, &about, deployment->message, deployment->request);
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL &&
	    deployment->state != DEPLOY_LIVE && deployment->state != DEPLOY_REFUSED &&
	    deployment->state != DEPLOY_EXPIRED && deployment->state != DEPLOY_CANCELLED)
		ring_in(tx, &about, deployment->also_message, 0);
}

/* To who asked alone: a reply to the request.  Takes the text. */
static void
reply_requester(
    struct tx *tx, const struct deployment *deployment, bool rings, struct chat_text *text)
{
	CLEANUP(message_done) struct message message = { .address = deployment->address };

	message.is_silent = !rings || !may_ring(tx, deployment, deployment->address.chat);
	message.rings_for = message.is_silent ? 0 : deployment->id;
	message.reply_to = deployment->request;
	message.head = chat_text_take(text);
	(void)row_message_add(tx, &message);
}

/* It rings where the wait was long. */
void
decide_tell_turn(struct tx *tx, const struct deployment *deployment, bool is_next)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	int64_t patience_ms = settings != NULL ? settings->notify_after_seconds * INT64_C(1000) : 0;
	struct chat_text text;

	chat_deployment_turn(&text, deployment, is_next);
	reply_requester(tx, deployment, tx->at - deployment->queued_at > patience_ms, &text);
}

void
decide_tell_given(struct tx *tx, const struct deployment *from, const struct deployment *to)
{
	struct chat_text text;

	chat_deployment_given(&text, from, "your place went to ", to->requester);
	reply_requester(tx, from, false, &text);
	chat_deployment_given(&text, to, "you have the place of ", from->requester);
	reply_requester(tx, to, true, &text);
}

void
decide_tell_shared(struct tx *tx, struct deployment *question, const struct deployment *request,
    const struct git_answer *answer)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, question, answer, &shown);
	int64_t team = decide_chat_of(tx, question->environment), shows = 0;
	const char *other =
	    request->requested_by != question->requested_by ? request->requester : NULL;

	if (decide_asked_in(tx, question, &request->address) != 0)
		decide_asked_reply(tx, question, request, chat_deployment_shared(question, other));
	else
		shows = add_message(tx, &about, &request->address, false);
	if (shows != 0 && question->also_message == 0 && request->address.chat == team) {
		question->also_message = shows;
		shows = 0;
	}
	row_button_add_requester(tx, question->id, request->requested_by, shows);
	row_deployment_save(tx, question);
}
