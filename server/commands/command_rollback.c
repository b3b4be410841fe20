/* command_rollback.c - /rollback <environment> [release]: shows from → to, asks with one button.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "commands/commands.h"
#include "chat/chat_deployment.h"
#include "decide/queue/decide_barrier.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_end.h"
#include "decide/tell/decide_bake_buttons.h"
#include "decide/work/decide_bake_said.h"
#include "decide/git/decide_git.h"
#include "decide/hold/decide_hold.h"
#include "decide/decide_page.h"
#include "decide/queue/decide_previous.h"
#include "decide/queue/decide_full.h"
#include "decide/audit/decide_record.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"

#define RELEASES_SHOWN	8
#define OFFERED		4
#define SUBJECT_SHOWN	40
#define PAST_BARRIER_MS (10 * 60000) /* its button; it is offered again */

/* For so long a number may be meant as it was before releases were counted for each environment. */
#define RENUMBERED_MS (90 * 24 * 3600 * INT64_C(1000))

static void
add_release(struct chat_text *text, const struct release *release, int64_t at)
{
	chat_text_add(
	    text, "\n• release " MARK_CODE "%lld" MARK_CODE " ", (long long)release->number);
	chat_text_named(text, "", COMMIT_OF(release));
	chat_text_subject(text, " ", release->subject);
	chat_text_ago(text, ", ", release->at, at);
	if (release->left_by != 0)
		chat_text_add(text, ", rolled back");
	if (release->removed_at != 0)
		chat_text_ago(text, ", removed ", release->removed_at, at);
}

/* Of what is listed: does it run, as itself or brought back, or would it go forward? */
static void
add_beside(
    struct chat_text *text, const struct release *release, const struct environment *environment)
{
	const struct release *current = &environment->current;

	if (current->id == 0 || environment_is_in_doubt(environment))
		return;
	if (release->id == current->id)
		chat_text_add(text, ", live");
	else if (release->origin == current->origin)
		chat_text_add(text, ", live again as release %lld", (long long)current->number);
	else if (release->origin > current->origin)
		chat_text_add(text, ", newer than what runs: would go forward");
}

static void
say_possible(struct tx *tx, const struct update *update, const struct environment *environment,
    const char *wanted)
{
	struct release releases[RELEASES_SHOWN];
	size_t n = row_release_list(tx, environment->name, releases, RELEASES_SHOWN);
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_NOT_BACK, environment->name);
	if (wanted[0] != '\0') {
		chat_text_code(&text, " has no release ", wanted);
		chat_text_add(&text, ".");
	} else {
		chat_text_add(&text, " has no earlier release to roll back to.");
		if (environment->current.id != 0)
			chat_text_add(&text,
			    " It runs release %lld, and no older one is left that was not rolled back or removed.",
			    (long long)environment->current.number);
	}
	if (n > 0)
		chat_text_add(&text, " There are:");
	for (size_t i = 0; i < n; i++) {
		add_release(&text, &releases[i], tx->at);
		add_beside(&text, &releases[i], environment);
	}
	(void)decide_send(tx, &update->address, &text);
}

/* False: the number meant another release until lately, and both were named. */
static bool
is_one_release(
    struct tx *tx, const struct update *update, const char *environment, const char *wanted)
{
	struct release before =
	    row_release_renumbered(tx, environment, wanted, tx->at - RENUMBERED_MS);
	struct release now = row_release_find(tx, environment, wanted);
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (before.id == 0)
		return true;
	chat_first(&text, FIRST_NOT_BACK, environment);
	chat_text_code(&text, ": which release is ", wanted);
	chat_text_add(&text, "?");
	chat_text_ago(&text, " Since an upgrade ", before.renumbered_at, tx->at);
	chat_text_add(&text, " each environment counts its own.");
	if (now.id != 0) {
		chat_text_add(&text, "\nNow it is");
		add_release(&text, &now, tx->at);
	}
	chat_text_add(&text, "\nBefore it was what is now");
	add_release(&text, &before, tx->at);
	chat_text_add(
	    &text, "\nName its commit: " MARK_CODE "/rollback %s <commit>" MARK_CODE, environment);
	(void)decide_send(tx, &update->address, &text);
	return false;
}

/* "\n• release `3` …: /rollback staging aaaaaaa9" */
static void
add_longer(struct chat_text *text, const struct release *release, size_t digits, int64_t at)
{
	add_release(text, release, at);
	chat_text_add(text, ": " MARK_CODE "/rollback %s %.*s" MARK_CODE, release->environment,
	    (int)digits, release->commit);
}

/* False: another commit begins so too, and both were named with as many digits as they need. */
static bool
is_one_commit(
    struct tx *tx, const struct update *update, const struct release *to, const char *wanted)
{
	struct release twin = row_release_find_twin(tx, to, wanted);
	struct chat_text text = CHAT_TEXT_EMPTY;
	size_t same = strlen(wanted);

	if (twin.id == 0)
		return true;
	while (to->commit[same] == twin.commit[same])
		same++; /* they differ */
	chat_first(&text, FIRST_NOT_BACK, to->environment);
	chat_text_code(&text, ": which release is ", wanted);
	chat_text_add(&text, "? Two commits begin with that.");
	add_longer(&text, to, same + 1, tx->at);
	add_longer(&text, &twin, same + 1, tx->at);
	(void)decide_send(tx, &update->address, &text);
	return false;
}

/* "#7" is a deployment, as all messages number it: its release is meant, not the seventh. */
static const char *
of_deployment(
    struct tx *tx, const char *environment, const char *wanted, char number[sizeof("#") + 20])
{
	struct deployment deployment;
	int64_t id, release;

	if (wanted[0] != '#' || !text_to_i64(wanted + 1, 1, INT64_MAX, &id, NULL))
		return wanted;
	row_deployment_get(tx, id, &deployment);
	release = strcmp(deployment.environment, environment) == 0 ?
	    row_release_number(tx, &deployment) :
	    0;
	if (release == 0)
		return wanted;
	(void)snprintf(number, sizeof("#") + 20, "%lld", (long long)release);
	return number;
}

/* Each is named, and whoever may roll back is offered to be asked all the same. */
static void
refuse_past(struct tx *tx, const struct update *update, const struct release *to,
    const struct barrier *barriers, size_t n)
{
	struct message message = { .address = update->address, .is_silent = true };
	struct button_row row = {
		.request = request_of("rollback", to->environment),
		.chat = update->address.chat,
		.expires_at = tx->at + PAST_BARRIER_MS,
	};
	char label[LIMIT_BUTTON];
	struct chat_text text = CHAT_TEXT_EMPTY;

	request_add_number(&row.request, "release", to->number);
	request_add(&row.request, "past", "barrier");
	chat_first(&text, FIRST_NOT_BACK, to->environment); /* nothing happened */
	chat_text_named(&text, " → ", COMMIT_OF(to));
	chat_barriers(&text, barriers, n);
	if (decide_is_answered(update))
		chat_text_add(&text, "\nWhoever may can roll back all the same, in the chat.");
	else
		row_button_show(tx, &row,
		    chat_deployment_label(CHAT_PAST_BARRIER ":", to->environment, label),
		    &message.buttons);
	decide_answer_no(tx, update);
	(void)decide_send_as(tx, &message, &text);
}

/* --- several that one can roll back to --- */

/* What is chosen stands instead of the question that it was chosen below. */
static void
add_to(struct tx *tx, const struct update *update, const struct request *older,
    const struct release *to, struct buttons *keyboard)
{
	struct request request = request_of("rollback", to->environment);
	char label[LIMIT_BUTTON];
	struct chat_text subject = CHAT_TEXT_EMPTY;
	CLEANUP(freep) char *theirs = NULL;

	chat_text_theirs(&subject, "", to->subject);
	theirs = chat_text_take(&subject);
	if (theirs == NULL) {
		tx_fail(tx, ERR_LIMIT, "a label is too long");
		return;
	}
	text_setf(label, "↩️ to %s %.*s", commit_name_here(COMMIT_OF(to)),
	    (int)text_cut(theirs, strlen(theirs), SUBJECT_SHOWN), theirs);
	request_add_number(&request, "release", to->number);
	request_add_number(&request, "instead", request_get_number(older, DECIDE_OLDER));
	decide_once_button(tx, update, &request, label, keyboard);
}

/* What became of it, what would go, and what forbids it. */
static void
add_offered(struct tx *tx, const struct environment *environment, const struct release *to,
    struct chat_text *text)
{
	struct deployment rollback = { .program = PROGRAM_ROLLBACK, .to_release = to->id };
	struct deployment of;
	struct barrier barriers[BARRIERS_SHOWN];
	struct release gone[CHAT_GONE + 1];
	int64_t until;
	size_t n;

	row_deployment_get(tx, to->deployment, &of);
	until = row_release_until(tx, &of);
	text_set(rollback.environment, environment->name);
	text_set(rollback.commit, to->commit);
	add_release(text, to, tx->at);
	chat_text_some(text, " by ", FORGE_PERSON(to->by));
	if (until != 0)
		chat_text_ago(text, ", was live until ", until, tx->at);
	else
		chat_text_add(text, ", the last that went live");
	n = row_release_list_gone(tx, to, &environment->current, gone, COUNT(gone));
	chat_deployment_failed_since(text, "\n   ", row_deployment_failed_since(tx, to), tx->at);
	chat_text_add(text, "%s", n > 0 ? "\n   " : "");
	chat_deployment_gone(text, gone, n);
	if (row_release_migration_behind(tx, environment->name, 0, to).n > 0)
		chat_text_add(text, "\n   ⚠️ a migration since stays");
	chat_barriers(text, barriers, decide_list_barriers(tx, &rollback, barriers));
}

/* What [Older…] stands for. */
static void
offer(struct tx *tx, const struct update *update, const struct request *request,
    const struct environment *environment)
{
	struct message message = { 0 };
	struct release found[OFFERED];
	struct chat_text text = CHAT_TEXT_EMPTY;
	size_t n = decide_list_earlier(tx, environment, found, OFFERED);

	chat_first(&text, FIRST_ASKS_BACK, environment->name);
	chat_text_add(&text, " To which release:");
	if (environment_is_in_doubt(environment)) {
		chat_text_add(&text, "\nwhat runs is not known");
	} else {
		chat_text_named(&text, "\nlive: ", COMMIT_OF(&environment->current));
		chat_text_subject(&text, " ", environment->current.subject);
		chat_text_ago(&text, ", ", environment->current.at, tx->at);
	}
	for (size_t i = 0; i < n; i++) {
		add_offered(tx, environment, &found[i], &text);
		add_to(tx, update, request, &found[i], &message.buttons);
	}
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
	decide_toastf(tx, update, false, "Listed below.");
}

/* What stands under a release is about that, and what stands under a trouble is for that. */
static bool
is_still_so(struct tx *tx, const struct update *update, const struct request *request,
    const struct environment *environment)
{
	int64_t from = request_get_number(request, "from");
	bool is_over = request_get_number(request, DECIDE_TROUBLE) != 0 &&
	    !environment_is_in_doubt(environment);
	char what[64] = "This trouble is over";

	if (!is_over && (from == 0 || from == environment->current.number))
		return true;
	if (!is_over)
		text_setf(what, "Release %lld is not live any more", (long long)from);
	decide_toastf(tx, update, true, "%s: %s runs %s. To roll that back: /rollback %s", what,
	    environment->name, commit_name_here(COMMIT_OF(&environment->current)),
	    environment->name);
	return false;
}

/* What was left comes back: a deployment, for grants, codes, approvals, locks and freezes. */
static bool
may_go_forward(struct tx *tx, const struct update *update, const struct release *to)
{
	struct request deploy = request_of("deploy", to->environment);

	request_add(&deploy, "ref", to->commit);
	return decide_may(tx, update, POLICY_DEPLOY, to->environment) &&
	    decide_may_now(tx, update, &deploy, to->environment, false);
}

static void
ask(struct tx *tx, const struct update *update, const struct environment *environment,
    const struct release *to, bool is_past, const char *without)
{
	struct deployment deployment;
	struct effect_git_query query = { .kind = GIT_QUERY_SETTINGS };
	struct barrier barriers[BARRIERS_SHOWN];
	char number[24];
	const char *facts[] = { "trigger", NULL, "program", "rollback", "release", number, "name",
		update->name, NULL, NULL, NULL, NULL, NULL };
	size_t n, n_facts = 8;

	decide_requested(tx, update, PROGRAM_ROLLBACK, to->environment, &deployment);
	facts[1] = decide_record_trigger(&deployment);
	deployment.to_release = to->id;
	deployment.is_forward = to->origin > environment->current.origin;
	if (deployment.is_forward && !may_go_forward(tx, update, to))
		return;
	deployment.source = to->source;
	text_set(deployment.commit, to->commit);
	text_set(deployment.image, to->image);
	text_set(deployment.ref, to->commit);
	text_set(deployment.subject, to->subject);
	n = decide_list_barriers(tx, &deployment, barriers);
	if (n > 0 && !is_past) {
		refuse_past(tx, update, to, barriers, n);
		return;
	}
	deployment.is_past_barrier = n > 0;
	text_set(deployment.without, without);
	row_deployment_add(tx, &deployment);
	tx->answer.work = deployment.id;
	text_setf(number, "%lld", (long long)to->number);
	decide_audit_fact(facts, &n_facts, "past", n > 0 ? barriers[0].reason : "");
	decide_audit_fact(facts, &n_facts, "without", without);
	decide_audit_request(
	    tx, &deployment, update->person, AUDIT_CODE_DEPLOY_REQUESTED, "requested", facts);
	text_set(query.environment, to->environment);
	text_set(query.requested_by, update->name);
	decide_git_query(tx, &query, deployment.id); /* its answer is shown */
	if (update->kind == UPDATE_PRESS && !decide_is_answered(update))
		decide_toastf(tx, update, false, "Asking below.");
}

/* Their own question is closed by the one that they chose instead. */
static void
leave_question(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment before;

	row_deployment_get(tx, request_get_number(request, "instead"), &before);
	if (before.state != DEPLOY_AWAITING_CONFIRMATION || before.confirmed_by != 0 ||
	    before.requested_by != update->person || !deployment_is_rollback(&before) ||
	    row_button_is_shared(tx, before.id))
		return;
	text_set(before.detail, "another release was chosen");
	before.why = DEPLOY_WHY_ELSEWHERE;
	(void)decide_step(tx, &before, DEPLOY_ON_SUPERSEDE, NULL);
}

/* What is pressed is about what is live, or there is nothing to bring back. */
static void
say_not_at_once(struct tx *tx, const struct update *update, const struct request *request,
    const struct deployment *active)
{
	const char *name = active->environment;

	if (request_get_number(request, "from") != 0) {
		decide_toastf(tx, update, true, "%s is %s in %s: /rollback %s rolls that back",
		    commit_name_here(COMMIT_OF(active)), deploy_flow_word(active->state), name,
		    name);
		return;
	}
	decide_answer_no(tx, update);
	(void)decide_send_firstf(tx, &update->address, FIRST_NOT_BACK, name,
	    ": what %s has no release that it could be rolled back to. " MARK_CODE
	    "/cancel %s" MARK_CODE " gives it up where it is.",
	    active->state == DEPLOY_PAUSED ? "is paused" : "bakes", name);
}

/* What bakes there, or is paused, is what somebody who names no release rolls back: at once. */
static bool
ends_bake(
    struct tx *tx, const struct update *update, const struct request *request, const char *name)
{
	struct deployment active;

	row_deployment_active(tx, name, &active);
	if (!deployment_is_baking(&active) && request_get_number(request, DECIDE_BAKE) != 0) {
		decide_expired(tx, update);
		return true;
	}
	if (!deployment_is_baking(&active) || request_text(request, "release")[0] != '\0' ||
	    request_get_number(request, DECIDE_OLDER) != 0)
		return false;
	if (request_get_number(request, "from") != 0 || !deployment_can_roll_back(&active)) {
		say_not_at_once(tx, update, request, &active);
		return true;
	}
	if (!decide_bake_is_meant(tx, update, request, &active))
		return true;
	tx->answer.work = active.id;
	(void)decide_cancel(tx, &active, update); /* a rule has it */
	if (update->kind == UPDATE_PRESS && !decide_is_answered(update))
		decide_toastf(tx, update, false, "Rolling back…");
	else
		(void)decide_send_firstf(tx, &update->address, FIRST_STOPS_NOW, name,
		    "%s: it is rolled back.", commit_name_here(COMMIT_OF(&active)));
	return true;
}

void
command_rollback(struct tx *tx, const struct update *update, const struct request *request)
{
	const struct environment_settings *settings =
	    decide_where(tx, update, POLICY_ROLLBACK, request);
	const char *name = settings != NULL ? settings->name : "";
	char past[LIMIT_REF], without[LIMIT_REF];
	const char *wanted = request_text(request, "release");
	struct environment environment;
	struct release to;
	char number[sizeof("#") + 20];

	if (settings == NULL || decide_is_refused(tx, update, name) ||
	    ends_bake(tx, update, request, name) || decide_is_full(tx, update, name, name, true) ||
	    !is_one_release(tx, update, name, wanted))
		return;
	wanted = of_deployment(tx, name, wanted, number);
	row_environment_get(tx, name, &environment);
	if (!is_still_so(tx, update, request, &environment))
		return;
	if (request_get_number(request, DECIDE_OLDER) != 0) {
		offer(tx, update, request, &environment);
		return;
	}
	to = wanted[0] != '\0' ? row_release_find(tx, name, wanted) :
				 decide_choose_earlier(tx, &environment);
	if (to.id == 0)
		say_possible(tx, update, &environment, wanted);
	else if (!is_one_commit(tx, update, &to, wanted))
		return;
	else if (strcmp(to.commit, environment.current.commit) == 0 &&
	    !environment_is_in_doubt(&environment))
		(void)decide_send_firstf(tx, &update->address, FIRST_RUNS_ALREADY, name,
		    " " MARK_CODE "%s" MARK_CODE ", so it is not rolled back to.",
		    commit_name_here(COMMIT_OF(&to)));
	else {
		leave_question(tx, update, request);
		ask(tx, update, &environment, &to, request_get(request, "past", past)[0] != '\0',
		    request_get(request, "without", without));
	}
}
