/* command_keep.c - the lock's owner keeps it: who asked is told.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/decide_where.h"
#include "store/row_hold.h"

static void
say_kept(struct chat_text *text, const struct hold *lock)
{
	chat_text_init(text);
	chat_text_add(text, "🔒 " MARK_BOLD "%s" MARK_BOLD ": stays locked: ", lock->target);
	chat_text_outside(text, "", lock->by);
	chat_text_add(text, " keeps it.");
}

void
command_keep(struct tx *tx, const struct update *update, const struct request *request)
{
	struct hold lock = row_hold_get(tx, request_number(request, "hold"));
	CLEANUP(message_done) struct message message = { 0 };
	struct chat_text text;

	if (lock.id == 0 || lock.person != update->person) {
		decide_expired(tx, update);
		return;
	}
	if (!decide_may(tx, update, POLICY_LOCK, lock.target))
		return;
	decide_toastf(tx, update, false, "%s stays locked.", lock.target);
	say_kept(&text, &lock);
	message.head = chat_text_take(&text);
	(void)decide_send_keyboard(
	    tx, update, request, &message); /* in the place of the question */
	if (lock.asked.chat == lock.address.chat)
		return;
	say_kept(&text, &lock);
	(void)decide_send(tx, &lock.asked, &text);
}
