/* command_lock.c - /lock <environment> [30m|2h|3d] [reason]: one person holds the wheel.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_hold.h"
#include "commands/commands.h"
#include "decide/hold/decide_hold.h"
#include "decide/hold/decide_hold_around.h"
#include "decide/hold/decide_hold_change.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "lib/text.h"
#include "lib/when.h"

#define LOCK_MOST_MS (30 * 24 * 3600 * INT64_C(1000))

/* What their lock was until now. */
static void
say_before(struct chat_text *text, const struct hold *before, const struct holds *in)
{
	if (before->id == 0)
		return;
	chat_hold_until(text, "; was ", before->until, in);
	chat_text_some(text, ": ", before->reason);
}

static void
say_locked(
    struct tx *tx, const struct update *update, const struct hold *lock, const struct hold *before)
{
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct holds holds;

	decide_holds(tx, lock->target, &holds);
	chat_first(&text, before->id != 0 ? FIRST_LOCK_CHANGED : FIRST_LOCKED, lock->target);
	chat_text_outside(&text, " by ", lock->by);
	chat_hold_until(&text, ", ", lock->until, &holds);
	chat_text_some(&text, ": ", lock->reason);
	say_before(&text, before, &holds);
	chat_text_outside(&text, "\nOnly ", lock->by);
	chat_text_add(&text,
	    " deploys there now; %s, rollbacks are still allowed. " MARK_CODE "/unlock %s" MARK_CODE
	    " ends it.",
	    decide_hold_pushes_text(tx, lock->target), lock->target);
	decide_hold_add_work(tx, lock->target, &text);
	decide_hold_say(tx, lock, update, false, &text);
}

static bool
read_time(struct tx *tx, const struct update *update, const char *text, struct hold *lock)
{
	struct err err;
	const struct settings *clock = settings_clock(tx->settings, lock->target);
	enum when when = when_read(&text, clock->zone, tx->at, &lock->until, &err);

	text_set(lock->reason, text);
	if (when != WHEN_WRONG && lock->until <= tx->at + LOCK_MOST_MS)
		return true;
	decide_answer_no(tx, update);
	(void)decide_send_firstf(tx, &update->address, FIRST_NOT_LOCKED, lock->target, ": %s.",
	    when == WHEN_WRONG ? err.text : "a lock lasts 30 days at most");
	return false;
}

void
command_lock(struct tx *tx, const struct update *update, const struct request *request)
{
	const struct environment_settings *settings =
	    decide_where(tx, update, POLICY_LOCK, request);
	struct hold lock = {
		.kind = HOLD_LOCK, .person = update->person, .request = update->message
	};
	struct hold before;

	if (settings == NULL)
		return;
	text_set(lock.target, settings->name);
	lock.address = decide_home(tx, update, settings->name);
	text_set(lock.by, update->name);
	if (!read_time(tx, update, request_text(request, COMMANDS_TEXT), &lock))
		return;
	if (!decide_may_lock(tx, update, request, settings->name))
		return;
	before = decide_lock(tx, settings->name);
	lock.asked_at = before.asked_at;
	lock.asked = before.asked;
	decide_hold_begin(tx, &lock);
	say_locked(tx, update, &lock, &before);
}
