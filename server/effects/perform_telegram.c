/* perform_telegram.c - what is one call of Telegram: send, edit, delete, pin, leave, answer a press.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"

#include "lib/log.h"
#include "lib/text.h"
#include "telegram/telegram.h"

void
perform_sent(struct effect *effect, const char *failure)
{
	struct message_sent *said = &effect->result->u.message_sent;

	if (failure == NULL) {
		effect_free(effect);
		return;
	}
	text_set(said->failure, failure);
	perform_report(effect);
}

/* Telegram's final no; "": it was done. */
static bool
is_no(const char *failure)
{
	return failure != NULL && failure[0] != '\0';
}

/* --- a message --- */

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

/* AGAIN: Telegram has no key for a send, and one that a crash cut off may appear twice, which the
 * second says (store_message_mark_twice()).  An edit may not. */
void
perform_send_message(struct perform *perform, struct effect *effect)
{
	telegram_message_send(
	    telegram_sender(perform->telegram), &effect->u.send_message.message, on_said, effect);
}

void
perform_change(struct perform *perform, struct effect *effect)
{
	telegram_message_change(
	    telegram_sender(perform->telegram), &effect->u.send_message.message);
}

static void
on_deleted(void *ctx, const char *failure)
{
	const struct effect *effect = ctx;

	if (is_no(failure))
		log_warning("a message %s could not be deleted: %s",
		    effect->subject != 0 ? "that was sent anew" : "with a secret", failure);
	perform_sent(ctx, failure);
}

/* AGAIN: what is gone is deleted. */
void
perform_delete_message(struct perform *perform, struct effect *effect)
{
	const struct effect_delete_message *delete = &effect->u.delete_message;

	telegram_delete(telegram_sender(perform->telegram), delete->chat, delete->remote_id,
	    on_deleted, effect);
}

static void
on_pinned(void *ctx, const char *failure)
{
	const struct effect_pin_message *pin = &((const struct effect *)ctx)->u.pin_message;

	if (is_no(failure))
		log_warning("the status of chat %lld could not be %s: %s", (long long)pin->chat,
		    pin->is_off ? "unpinned" : "pinned", failure);
	perform_sent(ctx, failure);
}

/* AGAIN: what is pinned is pinned once more, without a sound. */
void
perform_pin_message(struct perform *perform, struct effect *effect)
{
	telegram_pin(telegram_sender(perform->telegram), &effect->u.pin_message, on_pinned, effect);
}

/* --- a chat, a press --- */

/* Whatever the failure was: whoever speaks to us there again has it tried again. */
static void
on_left(void *ctx, const char *failure)
{
	const struct effect_leave_chat *leave = &((const struct effect *)ctx)->u.leave_chat;

	if (is_no(failure))
		log_warning("chat %lld is not in ALLOWED_CHATS, and could not be left: %s",
		    (long long)leave->chat, failure);
	else if (failure != NULL)
		log_info("left chat %lld, which is not in ALLOWED_CHATS", (long long)leave->chat);
	perform_sent(ctx, failure);
}

/* AGAIN: to leave what was left changes nothing. */
void
perform_leave_chat(struct perform *perform, struct effect *effect)
{
	telegram_leave(
	    telegram_sender(perform->telegram), effect->u.leave_chat.chat, on_left, effect);
}

static void
on_toasted(void *ctx, const char *failure)
{
	if (is_no(failure))
		log_debug("a press was not answered: %s", failure);
	perform_sent(ctx, failure);
}

/* AGAIN: it may still wait for its answer; one that is too late is refused and harmless. */
void
perform_toast(struct perform *perform, struct effect *effect)
{
	telegram_toast(telegram_sender(perform->telegram), &effect->u.toast, on_toasted, effect);
}
