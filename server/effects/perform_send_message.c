/* perform_send_message.c - sends a message, or edits it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"
#include "lib/log.h"
#include "telegram/telegram.h"

#define RETRY_MS 1000

/* NULL: the program ends; the row stays, and is said after the start. */
static void
on_said(void *ctx, const struct message_sent *said)
{
	struct effect *effect = ctx;

	if (said == NULL) {
		effect_free(effect);
		return;
	}
	effect->result->u.message_sent = *said;
	effect->result->u.message_sent.chat = effect->u.send_message.message.address.chat;
	perform_report(effect);
}

static void on_retry(struct loop_timer *timer, void *ctx);

/* Only Telegram's no is final.  That needs no memory: each waits in the effect that it is. */
static void
put_off(struct perform *perform, struct effect *effect)
{
	if (perform->unsent == NULL) {
		log_warning("memory is short: messages are sent later");
		loop_timer_init(&perform->unsent_timer, on_retry, perform);
		loop_timer_start(perform->loop, &perform->unsent_timer, RETRY_MS, 0);
	}
	effect->next = perform->unsent;
	perform->unsent = effect;
}

/* A chat has one out at a time: between chats there is no order to keep. */
static void
on_retry(UNUSED struct loop_timer *timer, void *ctx)
{
	struct perform *perform = ctx;
	struct effect *next, *effect = TAKE(perform->unsent);

	for (; effect != NULL; effect = next) {
		next = TAKE(effect->next);
		perform_send_message(perform, effect);
	}
}

/* AGAIN: Telegram has no key for a send, and one that a crash cut off may appear twice, which the
 * second says (store_message_mark_twice()).  An edit may not. */
void
perform_send_message(struct perform *perform, struct effect *effect)
{
	if (!telegram_message_send(telegram_sender(perform->telegram),
		&effect->u.send_message.message, on_said, effect))
		put_off(perform, effect);
}

void
perform_change(struct perform *perform, struct effect *effect)
{
	telegram_message_change(
	    telegram_sender(perform->telegram), &effect->u.send_message.message);
}

void
done_send_message(struct perform *perform)
{
	struct effect *effect = TAKE(perform->unsent), *next;

	if (effect != NULL)
		loop_timer_stop(&perform->unsent_timer);
	for (; effect != NULL; effect = next) {
		next = effect->next;
		effect_free(effect);
	}
}
