/* command_ask.c - the locked-out person's button: its owner is asked to end the lock.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "chat/chat_hold.h"
#include "commands/commands.h"
#include "decide/hold/decide_hold.h"
#include "decide/decide_reply.h"
#include "store/row_hold.h"
#include "store/row_message.h"

#define ASK_EVERY_MS (3600 * INT64_C(1000))

/* Its owner's alone. */
static void
add_button(struct tx *tx, const struct hold *lock, struct request request, const char *label,
    struct buttons *buttons)
{
	struct button_row button = {
		.request = request,
		.chat = lock->address.chat,
		.person = lock->person,
	};

	row_button_show(tx, &button, label, buttons);
}

static void
ask(struct tx *tx, const struct update *update, const struct hold *lock)
{
	CLEANUP(message_done)
	struct message message = { .address = lock->address, .reply_to = lock->request };
	struct request unlock = request_of("unlock", lock->target);
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct holds holds;

	request_add_number(&unlock, "hold", lock->id);
	decide_holds(tx, lock->target, &holds);
	chat_first(&text, FIRST_UNLOCK_ASKED, lock->target);
	chat_text_outside(&text, "", update->name);
	chat_text_outside(&text, " asks ", lock->by);
	chat_text_add(&text, " to unlock it\n🔒 ");
	chat_hold(&text, lock, &holds, tx->at);
	message.head = chat_text_take(&text);
	add_button(tx, lock, unlock, "🔓 Unlock", &message.buttons);
	add_button(tx, lock, request_about("keep", "hold", lock->id), "🔒 Keep", &message.buttons);
	row_button_set_message(tx, &message.buttons, row_message_add(tx, &message));
	row_hold_asked(tx, lock->id, &update->address);
}

void
command_ask(struct tx *tx, const struct update *update, const struct request *request)
{
	struct hold lock = row_hold_get(tx, request_number(request, "hold"));

	if (lock.id == 0) {
		decide_expired(tx, update);
		return;
	}
	if (!decide_may(tx, update, POLICY_DEPLOY, lock.target))
		return;
	if (lock.asked_at != 0 && tx->at - lock.asked_at < ASK_EVERY_MS) {
		decide_toastf(tx, update, true, "%s was asked within the last hour.", lock.by);
		return;
	}
	ask(tx, update, &lock);
	decide_toastf(tx, update, false, "%s was asked.", lock.by);
}
