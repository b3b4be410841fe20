/* perform_delete_message.c - deletes a message of ours, or one with a token.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"

#include "lib/log.h"
#include "lib/text.h"
#include "telegram/telegram.h"

/* NULL: the program ends. */
static void
on_ended(void *ctx, const char *failure)
{
	struct effect *effect = ctx;
	struct message_sent *said = &effect->result->u.message_sent;

	if (failure == NULL) {
		effect_free(effect);
		return;
	}
	if (failure[0] != '\0')
		log_warning("a message %s could not be deleted: %s",
		    effect->subject != 0 ? "that was sent anew" : "with a secret", failure);
	(void)text_copy(said->failure, sizeof(said->failure), failure);
	perform_report(effect);
}

/* AGAIN: what is gone is deleted. */
void
perform_delete_message(struct perform *perform, struct effect *effect)
{
	const struct effect_delete_message *delete = &effect->u.delete_message;

	telegram_delete(
	    telegram_sender(perform->telegram), delete->chat, delete->remote_id, on_ended, effect);
}
