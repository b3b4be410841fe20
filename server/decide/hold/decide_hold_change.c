/* decide_hold_change.c - a lock or freeze begins or ends, and what follows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/hold/decide_hold_change.h"

#include <inttypes.h>

#include "decide/who/decide_allowed.h"
#include "decide/decide_due.h"
#include "decide/hold/decide_hold.h"
#include "decide/hold/decide_hold_around.h"
#include "decide/hold/decide_hold_repeat.h"
#include "decide/hold/decide_hold_windows.h"
#include "decide/hold/decide_hold_work.h"
#include "decide/git/decide_push.h"
#include "decide/queue/decide_ci.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_principal.h"
#include "lib/text.h"
#include "lib/window.h"
#include "store/row_button.h"
#include "store/row_chat.h"
#include "store/row_environment.h"
#include "store/row_hold.h"
#include "store/row_hold_repeat.h"
#include "store/row_queue.h"
#include "store/row_rate_limit.h"

#define QUESTIONS 32 /* to an owner: what becomes of one lock is said in the latest */

/* Of one person's in the team's chat: so many at once, then one each minute. */
#define COPIES	      10
#define COPY_EVERY_MS (60 * INT64_C(1000))

/* --- one environment --- */

/* git is asked once, for a push of this moment; what is live already is no news of it. */
static void
free_push(struct tx *tx, const struct environment_settings *settings, const char *pushed_by)
{
	struct environment environment;
	struct deployment head = { .program = PROGRAM_DEPLOY };
	struct announced_push push = { .until = 0 };

	row_environment_get(tx, settings->name, &environment);
	push.by_job = environment.waiting_commit[0] != '\0';
	text_set(push.after, push.by_job ? environment.waiting_commit : environment.seen_commit);
	text_set(head.commit, environment.seen_commit);
	row_environment_free_push(tx, settings->name);
	if (deployment_runs_already(&head, &environment))
		row_environment_set_seen(tx, settings->name, head.commit, "");
	if (settings->push_branch != NULL)
		decide_query_head(tx, settings, pushed_by, &push);
}

/* A newer head waits for the end of what others approve, or of what waits for CI. */
static bool
is_kept(struct tx *tx, const char *name)
{
	struct deployment push;

	if (row_deployment_push_approval(tx, name, &push)->approvers[0] != '\0')
		return true;
	return decide_ci_keeps(tx, row_deployment_get(tx, row_queue_push(tx, name), &push));
}

/* What holds it now, and what follows where that has changed. */
static void
refresh(struct tx *tx, const char *name)
{
	const struct environment_settings *settings = settings_environment(tx->settings, name);
	struct environment environment;
	struct holds holds;
	unsigned held;

	row_environment_get(tx, name, &environment);
	if (settings == NULL)
		return;
	decide_holds(tx, name, &holds);
	held = (hold_has(&holds, HOLD_LOCK) ? ENVIRONMENT_IS_LOCKED : 0) |
	    (hold_has(&holds, HOLD_FREEZE) ? ENVIRONMENT_IS_FROZEN : 0) |
	    (hold_has(&holds, HOLD_WITNESS) ? ENVIRONMENT_IS_UNWITNESSED : 0);
	if (held != (environment.held & ~ENVIRONMENT_IS_IN_WINDOW))
		row_environment_set_held(
		    tx, name, held | (environment.held & ENVIRONMENT_IS_IN_WINDOW));
	if (held != 0)
		decide_hold_pushes(tx, name);
	else if (environment.waiting_push[0] != '\0' && !is_kept(tx, name))
		free_push(tx, settings, environment.waiting_push);
}

static void
refresh_target(struct tx *tx, const char *target)
{
	const struct environment_settings *environment;
	size_t i = 0;

	while ((environment = decide_hold_covers(tx, target, &i)) != NULL)
		refresh(tx, environment->name);
}

/* --- when to look again --- */

/* Its own end, or before that the end of a role of its owner, or of what they act with. */
static int64_t
end_of(struct tx *tx, const struct hold *hold)
{
	const struct roles *roles = tx->settings->roles;
	int64_t due = hold->until == 0 ? INT64_MAX : hold->until;
	size_t n = 0, lent = decide_principal(tx, hold->person).lent;
	const struct role_member *member = roles_of(roles, hold->person, &n);

	for (size_t i = 0; i < n; i++)
		if (member[i].until > tx->at && member[i].until < due)
			due = member[i].until;
	if (lent != 0 && roles->role[lent - 1].until > tx->at && roles->role[lent - 1].until < due)
		due = roles->role[lent - 1].until;
	return due;
}

/* Where nothing holds, and nothing will, there is no timer. */
static void
look_at_next(struct tx *tx)
{
	int64_t due = INT64_MAX, change;
	bool is_any = false;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *e = &tx->settings->environments[i];

		is_any = is_any || e->freeze != NULL;
		(void)windows_have(e->freeze, e->of->zone, tx->at, &change);
		if (change != 0 && change < due)
			due = change;
	}
	change = row_hold_repeat_due(tx);
	is_any = is_any || change != 0;
	if (change != 0 && change < due)
		due = change;
	for (struct hold hold = row_hold_next(tx, 0); hold.id != 0;
	     hold = row_hold_next(tx, hold.id)) {
		is_any = true;
		if (end_of(tx, &hold) < due)
			due = end_of(tx, &hold);
	}
	if (is_any)
		decide_due(tx, TIMER_HOLDS, due);
}

/* --- it begins, it ends --- */

void
decide_hold_answered(
    struct tx *tx, const struct hold *lock, bool is_kept, const char *what, const char *person)
{
	const struct request keep = request_about("keep", "hold", lock->id);
	int64_t questions[QUESTIONS];
	size_t n = row_button_list_open(tx, keep.action, keep.target, questions, COUNT(questions));

	for (size_t i = 0; i < n; i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;

		chat_first(&text, is_kept ? FIRST_STAYS_LOCKED : FIRST_UNLOCKED, lock->target);
		chat_text_outside(&text, what, person);
		chat_text_add(&text, ".");
		decide_change(tx, questions[i], NULL, &text);
	}
	row_button_close(tx, keep.action, keep.target);
	row_button_close(tx, "unlock", lock->target);
}

/* What was asked of its owner, and the button that asks them. */
static void
close_buttons(
    struct tx *tx, const struct hold *lock, bool is_kept, const char *what, const char *person)
{
	const struct request ask = request_about("ask", "hold", lock->id);

	if (lock->kind != HOLD_LOCK)
		return;
	decide_hold_answered(tx, lock, is_kept, what, person);
	row_button_close(tx, ask.action, ask.target);
}

void
decide_hold_end(struct tx *tx, const struct hold *hold, const struct update *by, const char *why)
{
	row_hold_remove(tx, hold->id);
	close_buttons(tx, hold, false, by != NULL ? " by " : ": end of the lock of ",
	    by != NULL ? by->name : hold->by);
	decide_hold_audit(tx, hold, false, by != NULL ? by->person : 0, why);
	refresh_target(tx, hold->target);
	row_queue_look_held(tx);
	if (by != NULL)
		decide_due(tx, TIMER_HOLDS, tx->at + ROW_HOLD_REPEAT_MS);
}

/* To the machine (no chat), it is what they are answered. */
static void
send_copy(struct tx *tx, const struct chat_address *to, const struct chat_text *text)
{
	struct chat_text copy = CHAT_TEXT_EMPTY;

	buf_adds(&copy.buf, buf_text(&text->buf));
	(void)decide_send(tx, to, &copy);
}

/* Locks are never refused: without a limit one person's keep what deployments say from the team.
 * The next copy says what is true then. */
static bool
is_worth_a_copy(struct tx *tx, const struct update *by)
{
	return row_rate_limit_take(tx, COPIES, COPY_EVERY_MS, "hold:%" PRId64, by->person);
}

/* Is something that it covers reported there?  What no settings have is the main chat's. */
static bool
reports(struct tx *tx, int64_t chat, const char *target)
{
	const struct environment_settings *environment;
	size_t i = 0;

	while ((environment = decide_hold_covers(tx, target, &i)) != NULL)
		if (environment->of->telegram_chat_id == chat)
			return true;
	return chat == tx->settings->telegram_chat_id &&
	    (target[0] == '*' ||
		(strchr(target, '*') == NULL &&
		    settings_environment(tx->settings, target) == NULL));
}

/* All teams that it concerns, but for those who are told anyway. */
static void
send_teams(
    struct tx *tx, const struct hold *hold, const struct update *by, const struct chat_text *text)
{
	bool is_worth_it = false;
	size_t i_th = 0;
	int64_t chat;

	for (size_t i = 0; settings_next_chat(tx->settings, &i, &chat);) {
		const struct chat_address team = { .chat = row_chat_now(tx, chat) };

		if (team.chat == hold->address.chat ||
		    (by != NULL && team.chat == by->address.chat) ||
		    !reports(tx, chat, hold->target))
			continue;
		if (by != NULL && i_th++ == 0)
			is_worth_it = is_worth_a_copy(tx, by);
		if (by == NULL || is_worth_it)
			send_copy(tx, &team, text);
		else
			decide_hold_unsent(tx, chat, by->person, by->name);
	}
}

void
decide_hold_say(struct tx *tx, const struct hold *hold, const struct update *by, bool rings,
    struct chat_text *text)
{
	struct message message = { .address = hold->address,
		.is_silent = !rings,
		.is_answer = true,
		.reply_to = rings ? hold->request : 0 };

	if (by != NULL && by->address.chat != hold->address.chat)
		send_copy(tx, &by->address, text);
	send_teams(tx, hold, by, text);
	(void)decide_send_as(tx, &message, text);
}

static void
end_over(struct tx *tx, const struct hold *hold)
{
	bool is_over = hold->until != 0 && hold->until <= tx->at;
	bool has_left = hold->kind == HOLD_LOCK &&
	    settings_environment(tx->settings, hold->target) != NULL &&
	    !decide_is_allowed(tx, hold->person, POLICY_LOCK, hold->target);
	struct chat_text text = CHAT_TEXT_EMPTY;
	size_t waiting;

	if (!is_over && !has_left)
		return;
	waiting = decide_hold_waiting(tx, hold->target);
	decide_hold_end(tx, hold, NULL, is_over ? "expired" : "no grant");
	chat_first_held(
	    &text, hold->kind == HOLD_LOCK ? FIRST_UNLOCKED : FIRST_FREEZE_ENDED, hold->target);
	chat_text_outside(&text, is_over ? ": its time is over (" : ": no role lets ", hold->by);
	chat_text_add(&text, is_over ? ")." : " lock it any more.");
	decide_hold_add_end(tx, hold->target, waiting, &text);
	decide_hold_say(tx, hold, NULL, false, &text);
	if (hold->asked_at != 0 && hold->asked.chat != hold->address.chat)
		(void)decide_send_firstf(tx, &hold->asked, FIRST_UNLOCKED, hold->target,
		    ": the lock that you asked about has ended.");
}

/* Their own, in whose place it comes. */
static void
close_before(struct tx *tx, const struct hold *lock)
{
	struct hold before = decide_lock(tx, lock->target);

	if (lock->kind == HOLD_LOCK && before.id != 0 && before.person == lock->person)
		close_buttons(tx, &before, true, ", locked anew by ", lock->by);
}

void
decide_hold_begin(struct tx *tx, struct hold *hold)
{
	hold->at = tx->at;
	close_before(tx, hold);
	row_hold_add(tx, hold);
	decide_hold_audit(tx, hold, true, hold->person, "begun");
	for (struct hold other = row_hold_next(tx, 0); other.id != 0 && !tx->failed;
	     other = row_hold_next(tx, other.id))
		if (other.kind == HOLD_LOCK && strcmp(other.target, hold->target) == 0)
			end_over(tx, &other);
	refresh_target(tx, hold->target);
	/* Of the same person's before it something may have gone. */
	row_queue_look_held(tx);
	decide_due(tx, TIMER_HOLDS, end_of(tx, hold));
	decide_due(
	    tx, TIMER_HOLDS, tx->at + ROW_HOLD_REPEAT_MS); /* what they repeat is counted so long */
}

void
decide_holds_look(struct tx *tx)
{
	char name[LIMIT_ENVIRONMENT] = "";

	for (struct hold hold = row_hold_next(tx, 0); hold.id != 0 && !tx->failed;
	     hold = row_hold_next(tx, hold.id))
		end_over(tx, &hold);
	decide_hold_windows(tx, false);
	/* Without a witness all are held. */
	for (size_t i = 0; i < tx->settings->environment_count && !tx->failed; i++)
		if (tx->settings->environments[i].freeze != NULL ||
		    tx->settings->audit_witness_max_ms != 0)
			refresh(tx, tx->settings->environments[i].name);
	/* Also where a window has left the settings. */
	while (row_environment_next_held(tx, name))
		refresh(tx, name);
	decide_hold_windows(tx, true);
	decide_hold_repeats_say(tx);
	row_queue_look_held(tx);
	look_at_next(tx);
}
