/* command_unlock.c - /unlock <environment>: ends one's own lock, or another person's.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/hold/decide_hold.h"
#include "decide/hold/decide_hold_around.h"
#include "decide/hold/decide_hold_change.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"

/* One's own needs no more than the right to lock.  Whether another's is there makes no difference
 * to what is said, or it would be to who may not see it. */
static enum policy_action
action_of(struct tx *tx, const struct update *update, const char *target)
{
	struct hold lock = decide_lock(tx, target);

	return lock.person != update->person &&
		decide_is_allowed_somewhere(tx, update->person, POLICY_UNLOCK) ?
	    POLICY_UNLOCK :
	    POLICY_LOCK;
}

/* Who asked for it elsewhere, and its owner, who did not do it. */
static void
say_unlocked(struct tx *tx, const struct update *update, const struct hold *lock, size_t waiting)
{
	bool is_owner = lock->person == update->person;
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_UNLOCKED, lock->target);
	chat_text_outside(&text, " by ", update->name);
	if (!is_owner)
		chat_text_outside(&text, ", who ended the lock of ", lock->by);
	chat_text_add(&text, ".");
	decide_hold_add_end(tx, lock->target, waiting, &text);
	decide_hold_say(tx, lock, update->kind == UPDATE_PRESS ? NULL : update, !is_owner, &text);
	if (update->kind == UPDATE_PRESS)
		decide_toastf(tx, update, false, "%s is unlocked.", lock->target);
	if (lock->asked_at != 0 && lock->asked.chat != lock->address.chat)
		(void)decide_send_firstf(
		    tx, &lock->asked, FIRST_UNLOCKED, lock->target, ", as you asked.");
}

void
command_unlock(struct tx *tx, const struct update *update, const struct request *request)
{
	enum policy_action action = action_of(tx, update, request->target);
	const struct environment_settings *settings = decide_where(tx, update, action, request);
	struct hold lock;
	size_t waiting;

	if (settings == NULL)
		return;
	lock = decide_lock(tx, settings->name);
	if (lock.id == 0) {
		decide_answer_no(tx, update);
		if (update->kind == UPDATE_PRESS)
			decide_expired(tx, update);
		else
			(void)decide_send_firstf(
			    tx, &update->address, FIRST_IS_NOT_LOCKED, settings->name, ".");
		return;
	}
	if (lock.person != update->person && !decide_may(tx, update, POLICY_UNLOCK, settings->name))
		return;
	waiting = decide_hold_waiting(tx, lock.target);
	decide_hold_end(tx, &lock, update, "ended");
	say_unlocked(tx, update, &lock, waiting);
}
