/* perform_leave_chat.c - leaves a group that the settings do not know.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"

#include "lib/log.h"
#include "telegram/telegram.h"

/* NULL: the program ends.  Whatever the failure was: whoever speaks to us there again has it tried
 * again. */
static void
on_ended(void *ctx, const char *failure)
{
	struct effect *effect = ctx;

	if (failure == NULL) {
		effect_free(effect);
		return;
	}
	if (failure[0] == '\0')
		log_info("left chat %lld, which is not in ALLOWED_CHATS",
		    (long long)effect->u.leave_chat.chat);
	else
		log_warning("chat %lld is not in ALLOWED_CHATS, and could not be left: %s",
		    (long long)effect->u.leave_chat.chat, failure);
	perform_report(effect);
}

/* AGAIN: to leave what was left changes nothing. */
void
perform_leave_chat(struct perform *perform, struct effect *effect)
{
	telegram_leave(
	    telegram_sender(perform->telegram), effect->u.leave_chat.chat, on_ended, effect);
}
