/* perform_send_message.c - sends a message, or edits it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"
#include "lib/log.h"
#include "telegram/telegram.h"

/* NULL: the program ends; the row stays, and is said after the start. */
static void
on_said(void *ctx, const struct message_sent *said)
{
	struct effect *effect = ctx;

	if (said == NULL) {
		effect_free(effect);
		return;
	}
	effect->result->u.message_sent = *said;
	effect->result->u.message_sent.chat = effect->u.send_message.message.address.chat;
	perform_report(effect);
}

/* AGAIN: Telegram has no key for a send, and one that a crash cut off may appear twice, which the
 * second says (store_message_mark_twice()).  An edit may not. */
void
perform_send_message(struct perform *perform, struct effect *effect)
{
	telegram_message_send(
	    telegram_sender(perform->telegram), &effect->u.send_message.message, on_said, effect);
}

void
perform_change(struct perform *perform, struct effect *effect)
{
	telegram_message_change(
	    telegram_sender(perform->telegram), &effect->u.send_message.message);
}
