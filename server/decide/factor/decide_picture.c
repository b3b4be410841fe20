/* decide_picture.c - a second factor is made in the chat: a picture, a code, and somebody else's yes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_picture.h"

#include <inttypes.h>

#include "decide/factor/decide_factor.h"
#include "decide/factor/decide_lacks.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_whom.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_effect.h"

#define PICTURE_MS (120 * INT64_C(1000))
#define CONFIRM_MS (24 * 3600 * INT64_C(1000))

static void
order_deletion(struct tx *tx, int64_t person, int64_t remote_id, int64_t made_at)
{
	struct effect effect = { .kind = EFFECT_DELETE_MESSAGE };

	effect.u.delete_message = (struct effect_delete_message){ person, remote_id, made_at };
	(void)row_effect_order(tx, &effect);
}

void
decide_picture_drop(struct tx *tx, int64_t person, int64_t remote_id)
{
	struct factor factor = row_factor_get(tx, person);

	if (factor.picture == 0 || factor.picture != remote_id)
		return;
	order_deletion(tx, person, factor.picture, factor.made_at);
	factor.picture = 0;
	row_factor_save(tx, &factor);
}

void
decide_picture_begin(struct tx *tx, const struct update *update)
{
	struct factor before = decide_factor_of(tx, update->person);
	struct effect effect = { .kind = EFFECT_PICTURE };
	struct factor_secret secret;
	struct err err;

	if (before.proven_at != 0 && decide_factor_is_pending(tx, &before)) {
		(void)decide_sendf(tx, &update->address,
		    "🔐 Your second factor is made, and counts when another admin has confirmed it, or root on the server: deploybot 2fa confirm %lld",
		    (long long)update->person);
		return;
	}
	decide_picture_drop(tx, update->person, before.picture);
	if (!row_factor_make(tx, update->person, update->person, &secret, &err)) {
		(void)decide_sendf(
		    tx, &update->address, "🔐 No second factor was made: %s.", err.text);
		return;
	}
	crypto_wipe(&secret, sizeof(secret));
	decide_factor_audit(tx, update, AUDIT_CODE_FACTOR_MADE, update->person);
	effect.u.picture.person = update->person;
	effect.u.picture.made_at = tx->at;
	(void)row_effect_order(tx, &effect);
}

/* --- results --- */

/* Who has seen that picture is not known: it opens nothing. */
static void
forget(struct tx *tx, int64_t person, int64_t made_at, const char *what, const char *failure)
{
	if (row_factor_get(tx, person).made_at != made_at)
		return;
	row_factor_drop(tx, person);
	decide_factor_tell(tx, person,
	    "🔐 %s: no second factor: its picture could not be %s, so it does not count. " MARK_CODE
	    "/2fa" MARK_CODE " in our private chat makes another.",
	    decide_whose_here(tx, person), what);
	tx_log(tx, LOG_LEVEL_WARNING, "the picture of a second factor could not be %s: %s", what,
	    failure);
}

void
decide_picture_sent(
    struct tx *tx, const struct effect_picture *picture, int64_t remote_id, const char *failure)
{
	struct factor factor = row_factor_get(tx, picture->person);
	struct effect timer = { .kind = EFFECT_TIMER, .due = tx->at + PICTURE_MS };

	if (failure[0] != '\0' || remote_id == 0) {
		forget(tx, picture->person, picture->made_at, "sent", failure);
		return;
	}
	if (factor.made_at != picture->made_at || factor.proven_at != 0) {
		order_deletion(tx, picture->person, remote_id, picture->made_at);
		return;
	}
	factor.picture = remote_id;
	row_factor_save(tx, &factor);
	timer.u.timer.kind = TIMER_PICTURE;
	timer.u.timer.round = remote_id;
	text_setf(timer.u.timer.name, "%" PRId64, picture->person);
	(void)row_effect_order(tx, &timer);
}

void
decide_picture_deleted(
    struct tx *tx, const struct effect_delete_message *deleted, const char *failure)
{
	if (failure[0] != '\0')
		forget(tx, deleted->chat, deleted->made_at, "deleted", failure);
}

/* --- a code, and somebody else's yes --- */

static void
ask_admin(struct tx *tx, const struct update *update, int64_t admin, const struct factor *factor)
{
	struct message message = { .address = { .chat = admin } };
	struct button_row button = { .request = request_of("enrol", ""),
		.chat = admin,
		.person = admin,
		.expires_at = tx->at + CONFIRM_MS };
	struct chat_text text = CHAT_TEXT_EMPTY;

	request_add_number(&button.request, "person", factor->person);
	request_add_number(&button.request, "made", factor->made_at);
	row_button_show(tx, &button, "✅ Confirm their second factor", &message.buttons);
	chat_text_outside(&text, "🔐 Second factor to confirm: ", update->name);
	chat_text_add(&text, ", " MARK_CODE "telegram:%" PRId64 MARK_CODE ", made one in the chat ",
	    factor->person);
	chat_text_ago(&text, "", factor->made_at, tx->at);
	chat_text_add(&text, ". Ask them in another way whether they did, before you confirm it.");
	row_button_set_message(tx, &message.buttons, decide_send_as(tx, &message, &text));
}

/* Who has one: to confirm another's needs a code of one's own.  So never the person, who has none
 * yet: nobody says of themselves that it is they. */
static void
ask_others(struct tx *tx, const struct update *update, const struct factor *factor)
{
	const struct settings_ids *admins = &tx->settings->admins;
	struct message as = { .address = update->address, .is_silent = true, .is_answer = true };
	char line[LIMIT_COPY];
	struct chat_text text = CHAT_TEXT_EMPTY;
	size_t n = 0;

	for (size_t i = 0; i < admins->count; i++)
		if (decide_factor_of(tx, admins->id[i]).enrolled_at != 0) {
			ask_admin(tx, update, admins->id[i], factor);
			n++;
		}
	text_setf(line, "deploybot 2fa confirm %" PRId64, update->person);
	buttons_add_copy(&as.buttons, "📋 Copy the command", line);
	chat_text_add(&text, "🔐 Code accepted. Your second factor counts once %s: %s",
	    n > 0 ? "another admin has confirmed that it is you, or root on the server" :
		    "root has confirmed it on the server (no other admin has one yet)",
	    line);
	(void)decide_send_as(tx, &as, &text);
}

void
decide_picture_prove(struct tx *tx, const struct update *update, const char *code)
{
	struct factor factor = decide_factor_of(tx, update->person);
	struct factor_secret secret;
	struct err err;

	if (!decide_factor_is_pending(tx, &factor) || factor.proven_at != 0 ||
	    factor.made_by != update->person || !tx->settings->enrols_in_chat) {
		(void)decide_sendf(tx, &update->address,
		    "🔐 There is nothing to confirm: " MARK_CODE "/2fa" MARK_CODE
		    " shows your second factor.");
		return;
	}
	if (!row_factor_open(tx, update->person, &secret, &err)) {
		(void)decide_sendf(
		    tx, &update->address, "🔐 Not confirmed: it cannot be read: %s.", err.text);
		return;
	}
	factor.last_step = totp_match(secret.totp, tx->at / 1000, code);
	crypto_wipe(&secret, sizeof(secret));
	if (factor.last_step < 0) {
		(void)decide_sendf(tx, &update->address,
		    "🔐 Not confirmed: that is not its code. Is the clock of your telephone right?");
		return;
	}
	factor.proven_at = tx->at;
	row_factor_save(tx, &factor);
	decide_picture_drop(tx, update->person, factor.picture);
	ask_others(tx, update, &factor);
}

void
decide_picture_confirm(struct tx *tx, const struct update *update, int64_t person, int64_t made_at)
{
	struct factor factor = decide_factor_of(tx, person);
	char what[LIMIT_LINE];

	text_setf(what, "2FA of telegram:%" PRId64, person);
	if (!decide_factor_is_pending(tx, &factor) || factor.proven_at == 0 ||
	    factor.made_at != made_at || !tx->settings->enrols_in_chat) {
		decide_expired(tx, update);
		return;
	}
	if (!decide_factor_may(tx, update, what) ||
	    !decide_factor_gives_code(tx, update, person, what) ||
	    decide_lacks_factor_for(tx, update, what))
		return;
	factor.enrolled_at = tx->at;
	row_factor_save(tx, &factor);
	decide_factor_audit(tx, update, AUDIT_CODE_FACTOR_ENROLLED, person);
	decide_toastf(tx, update, false, "Confirmed.");
	decide_factor_tell(tx, person,
	    "🔐 Second factor: %s has one, confirmed by an admin. Recovery codes: " MARK_CODE
	    "deploybot 2fa codes %" PRId64 MARK_CODE " on the server shows ten, once.",
	    decide_whose_here(tx, person), person);
}
