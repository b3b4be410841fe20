/* handle_message_sent.c - a message was sent, or can never be.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "decide/decide_chat.h"
#include "decide/tell/decide_pin.h"
#include "handlers/handlers.h"
#include "store/row_chat.h"
#include "store/row_effect.h"
#include "store/row_message.h"

/* Who never wrote to the bot, or has blocked it, gets nothing of it until they write: that is no
 * fault of the message, and stands in doctor.  Who wrote meanwhile is sent it again. */
static void
refused(struct tx *tx, const struct message_sent *sent, int64_t chat)
{
	bool is_closed = sent->is_closed;

	if (is_closed && !row_chat_note_refused(tx, sent->chat, tx->effect->ordered_at)) {
		if (!tx->failed)
			row_effect_send(tx, sent->message);
		return;
	}
	tx_log(tx, is_closed ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
	    "message %" PRId64 " to chat %" PRId64 " cannot be delivered: %s%s", sent->message,
	    chat, sent->failure,
	    is_closed ? "; nothing more is sent to them until they write to the bot" : "");
	row_message_refused(tx, sent->message);
}

/* One that is none of ours any more has moved: Telegram would say so each time that it is sent. */
static void
moved(struct tx *tx, const struct message_sent *sent)
{
	decide_pin_move(tx, sent->chat, sent->new_chat);
	if (decide_chat_move(tx, sent->chat, sent->new_chat))
		row_effect_send(tx, sent->message);
	else
		tx_log(tx, LOG_LEVEL_WARNING,
		    "message %" PRId64 " is not sent: its group %" PRId64 " became %" PRId64
		    ", and no setting names either",
		    sent->message, sent->chat, sent->new_chat);
}

void
handle_message_sent(struct tx *tx, const struct event *event)
{
	const struct message_sent *sent = &event->u.message_sent;
	CLEANUP(message_done) struct message message = { 0 };

	row_message_get(tx, sent->message, &message);
	if (sent->new_chat != 0) {
		moved(tx, sent);
	} else if (sent->thread_gone) {
		row_message_forget_thread(tx, sent->message);
		row_effect_send(tx, sent->message);
	} else if (sent->failure[0] != '\0') {
		refused(tx, sent, message.address.chat);
	} else {
		row_message_sent(tx, sent->message, sent->chat, sent->remote_id);
		if (sent->remote_id != message.remote_id && sent->chat == message.address.chat)
			decide_pin_sent(tx, sent->message, sent->remote_id);
	}
}
