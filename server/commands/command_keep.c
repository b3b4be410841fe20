/* command_keep.c - the lock's owner keeps it: whoever asked for its end is notified.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/hold/decide_hold_change.h"
#include "decide/decide_reply.h"
#include "store/row_hold.h"

static void
say_kept(struct tx *tx, const struct hold *lock)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_STAYS_LOCKED, lock->target);
	chat_text_outside(&text, ": ", lock->by);
	chat_text_add(&text, " keeps it.");
	(void)decide_send(tx, &lock->asked, &text);
}

void
command_keep(struct tx *tx, const struct update *update, const struct request *request)
{
	struct hold lock = row_hold_get(tx, request_number(request, "hold"));

	if (lock.id == 0 || lock.person != update->person) {
		decide_expired(tx, update);
		return;
	}
	if (!decide_may(tx, update, POLICY_LOCK, lock.target))
		return;
	decide_toastf(tx, update, false, "%s stays locked.", lock.target);
	decide_hold_answered(tx, &lock, true, ", kept by ", lock.by);
	if (lock.asked.chat != lock.address.chat)
		say_kept(tx, &lock);
}
