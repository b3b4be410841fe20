/* perform_say.c - sends a message, or edits it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "telegram/telegram.h"

struct saying {
	struct perform *perform;
	struct effect *effect;
};

/* NULL: the program ends; the row stays, and is said after the start. */
static void
on_said(void *ctx, const struct said *said)
{
	struct saying *saying = ctx;
	struct perform *perform = saying->perform;
	struct effect *effect = saying->effect;

	free(saying);
	if (said == NULL) {
		effect_free(effect);
		return;
	}
	effect->result->u.said = *said;
	perform_report(perform, effect);
}

static void
fail(struct perform *perform, struct effect *effect)
{
	struct said *said = &effect->result->u.said;

	said->message = effect->u.say.message.id;
	(void)text_copy(said->failure, sizeof(said->failure), "not sent: memory is short");
	perform_report(perform, effect);
}

void
perform_say(struct perform *perform, struct effect *effect)
{
	struct saying *saying = malloc(sizeof(*saying));

	if (saying == NULL) {
		fail(perform, effect);
		return;
	}
	*saying = (struct saying){ perform, effect };
	if (telegram_say(telegram_sender(perform->telegram), &effect->u.say.message, on_said, saying))
		return;
	free(saying);
	fail(perform, effect);
}

/* Telegram has no key for a send: one that a crash cut off may appear twice.  An edit may not. */
void
again_say(struct perform *perform, struct effect *effect)
{
	perform_say(perform, effect);
}
