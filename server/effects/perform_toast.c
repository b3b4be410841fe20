/* perform_toast.c - answers a press of a button; worth nothing when it is late.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"

#include "lib/log.h"
#include "telegram/telegram.h"

/* NULL: the program ends. */
static void
on_ended(void *ctx, const char *failure)
{
	struct effect *effect = ctx;

	if (failure == NULL) {
		effect_free(effect);
		return;
	}
	if (failure[0] != '\0')
		log_debug("a press was not answered: %s", failure);
	perform_report(effect);
}

/* AGAIN: it may still wait for its answer; one that is too late is refused and harmless. */
void
perform_toast(struct perform *perform, struct effect *effect)
{
	telegram_toast(telegram_sender(perform->telegram), &effect->u.toast, on_ended, effect);
}
