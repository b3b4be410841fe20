/* handle_said.c - a message was sent, or can never be.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "handlers/handlers.h"
#include "store/row_effect.h"
#include "store/row_message.h"

void
handle_said(struct tx *tx, const struct event *event)
{
	const struct said *said = &event->u.said;
	CLEANUP(message_done) struct message message = row_message_get(tx, said->message);

	if (said->new_chat != 0) {
		row_message_move_chat(tx, said->chat, said->new_chat);
		row_effect_say(tx, said->message);
	} else if (said->thread_gone) {
		row_message_forget_thread(tx, said->message);
		row_effect_say(tx, said->message);
	} else if (said->failure[0] != '\0') {
		tx_log(tx, LOG_LEVEL_ERROR,
		    "message %" PRId64 " to chat %" PRId64 " cannot be delivered: %s",
		    said->message, message.place.chat, said->failure);
	} else {
		row_message_sent(tx, said->message, said->chat, said->remote_id);
	}
}
