/* handle_application_log_read.c - a target said what its application logged, or why it does not.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_allowed.h"
#include "decide/view/decide_application_log.h"
#include "decide/decide_reply.h"
#include "handlers/handlers.h"

/* Rights may have changed while it was read. */
void
handle_application_log_read(struct tx *tx, const struct event *event)
{
	const struct effect_application_log *want = &tx->effect->u.application_log;
	const struct application_log_read *found = &event->u.application_log_read;
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (!decide_is_allowed(tx, want->person, POLICY_LOG, want->environment) ||
	    !decide_shows_application_log(tx, want->environment, want->address.chat))
		return;
	chat_first(&text, found->is_read ? FIRST_LOG_READ : FIRST_NO_LOG, want->environment);
	if (found->is_read)
		chat_text_lines(&text, found->text);
	else
		chat_text_outside(&text, "", found->text);
	(void)decide_send(tx, &want->address, &text);
}
