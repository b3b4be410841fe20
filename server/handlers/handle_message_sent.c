/* handle_message_sent.c - a message was sent, or can never be.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "decide/decide_chat.h"
#include "decide/decide_pin.h"
#include "handlers/handlers.h"
#include "store/row_effect.h"
#include "store/row_message.h"

void
handle_message_sent(struct tx *tx, const struct event *event)
{
	const struct message_sent *sent = &event->u.message_sent;
	CLEANUP(message_done) struct message message = row_message_get(tx, sent->message);

	if (sent->new_chat != 0) {
		decide_pin_move(tx, sent->chat, sent->new_chat);
		decide_chat_move(tx, sent->chat, sent->new_chat);
		row_effect_send(tx, sent->message);
	} else if (sent->thread_gone) {
		row_message_forget_thread(tx, sent->message);
		row_effect_send(tx, sent->message);
	} else if (sent->failure[0] != '\0') {
		tx_log(tx, LOG_LEVEL_ERROR,
		    "message %" PRId64 " to chat %" PRId64 " cannot be delivered: %s",
		    sent->message, message.address.chat, sent->failure);
	} else {
		row_message_sent(tx, sent->message, sent->chat, sent->remote_id);
		if (sent->remote_id != message.remote_id && sent->chat == message.address.chat)
			decide_pin_sent(tx, sent->message, sent->remote_id);
	}
}
