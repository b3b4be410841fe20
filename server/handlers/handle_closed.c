/* handle_closed.c - results that do nothing but close their effect.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_login.h"
#include "decide/tell/decide_notify.h"
#include "decide/tell/decide_pin.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_tell.h"
#include "decide/audit/decide_witness.h"
#include "handlers/handlers.h"

/* Only a run's exit record ends it: that its end was asked for decides nothing. */
void
handle_stop_sent(UNUSED struct tx *tx, UNUSED const struct event *event)
{
}

/* A toast that came too late is no failure. */
void
handle_toasted(UNUSED struct tx *tx, UNUSED const struct event *event)
{
}

/* The toast said that it is sent: whoever waits is notified that it is not. */
void
handle_documented(struct tx *tx, const struct event *event)
{
	const struct effect_document *document = &tx->effect->u.document;
	const char *failure = event->u.message_sent.failure;
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (failure[0] == '\0')
		return;
	chat_text_outside(&text, chat_first_rows[FIRST_LOG_NOT_SENT].before,
	    document->caption[0] != '\0' ? document->caption : "the log");
	chat_text_outside(&text, ": ", failure);
	(void)decide_send(tx, &document->address, &text);
}

void
handle_message_deleted(struct tx *tx, const struct event *event)
{
	const struct effect_delete_message *deleted = &tx->effect->u.delete_message;

	if (tx->effect->subject != 0)
		decide_tell_copy_stays(tx, deleted, event->u.message_sent.failure);
	else
		decide_login_deleted(tx, deleted, event->u.message_sent.failure);
}

void
handle_message_pinned(struct tx *tx, const struct event *event)
{
	decide_pin_pinned(tx, &tx->effect->u.pin_message, event->u.message_sent.failure);
}

/* One that stays is found at the next start. */
void
handle_upload_purged(UNUSED struct tx *tx, UNUSED const struct event *event)
{
}

void
handle_chat_left(UNUSED struct tx *tx, UNUSED const struct event *event)
{
}

void
handle_witnessed(struct tx *tx, const struct event *event)
{
	decide_witness_answered(tx, &tx->effect->u.witness, &event->u.witnessed);
}

void
handle_notified(struct tx *tx, const struct event *event)
{
	decide_notify_said(tx, &event->u.notified);
}

/* Who did not get it asks once more. */
void
handle_certificate_signed(UNUSED struct tx *tx, UNUSED const struct event *event)
{
}

void
handle_run_purged(UNUSED struct tx *tx, UNUSED const struct event *event)
{
}
