/* perform_pin_message.c - pins a message of ours in its chat, or unpins it.  Side: loop. */
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
	const struct effect_pin_message *pin = &effect->u.pin_message;
	struct message_sent *said = &effect->result->u.message_sent;

	if (failure == NULL) {
		effect_free(effect);
		return;
	}
	if (failure[0] != '\0')
		log_warning("the status of chat %lld could not be %s: %s", (long long)pin->chat,
		    pin->is_off ? "unpinned" : "pinned", failure);
	(void)text_copy(said->failure, sizeof(said->failure), failure);
	perform_report(effect);
}

/* AGAIN: what is pinned is pinned once more, without a sound. */
void
perform_pin_message(struct perform *perform, struct effect *effect)
{
	telegram_pin(telegram_sender(perform->telegram), &effect->u.pin_message, on_ended, effect);
}
