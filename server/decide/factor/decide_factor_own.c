/* decide_factor_own.c - one's own second factor: begun in the chat, shown by the page.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_factor_own.h"

#include <inttypes.h>

#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/factor/decide_factor.h"
#include "decide/factor/decide_lacks.h"
#include "decide/tell/decide_whom.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/qr.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_dedupe.h"

#define CONFIRM_MS (24 * 3600 * INT64_C(1000))
#define SHOWN_KEY  48

#define NOTHING_WAITS \
	"No second factor waits to be shown, or it was shown already: begin with /2fa in our private chat."

/* --- it is made, and shown --- */

/* What somebody else has made on the server was shown there. */
static bool
is_begun(const struct tx *tx, const struct factor *factor)
{
	return decide_factor_is_pending(tx, factor) && factor->proven_at == 0 &&
	    factor->made_by == factor->person;
}

static void
say_where(struct tx *tx, const struct update *update)
{
	const char *base = settings_text(tx->settings, SETTING_PUBLIC_URL);
	struct message as = { .address = update->address, .is_silent = true, .is_answer = true };
	struct chat_text text = CHAT_TEXT_EMPTY;
	char link[LIMIT_LINK + 32];

	text_setf(link, "%s%sconsole/", base, text_ends(base, "/") ? "" : "/");
	buttons_add_link(&as.buttons, "🖥 Open", link, true);
	chat_text_add(&text,
	    "🔐 Second factor begun: the console shows its QR code, once and within 10 minutes. Scan that with your authenticator app, then write /2fa confirm and its six digits here. Somebody else confirms that it is you. On another device /console opens it.");
	(void)decide_send_as(tx, &as, &text);
}

void
decide_factor_own_begin(struct tx *tx, const struct update *update)
{
	struct factor before = decide_factor_of(tx, update->person);
	struct factor_secret secret;
	struct err err;

	if (before.proven_at != 0 && decide_factor_is_pending(tx, &before)) {
		(void)decide_sendf(tx, &update->address,
		    "🔐 Your second factor is made, and counts when another admin has confirmed it, or root on the server: deploybot 2fa confirm %lld",
		    (long long)update->person);
		return;
	}
	if (!row_factor_make(tx, update->person, update->person, &secret, &err)) {
		(void)decide_sendf(
		    tx, &update->address, "🔐 No second factor was made: %s.", err.text);
		return;
	}
	crypto_wipe(&secret, sizeof(secret));
	decide_factor_audit(tx, update, AUDIT_CODE_FACTOR_MADE, update->person);
	say_where(tx, update);
}

bool
decide_factor_own_waits(struct tx *tx, int64_t person)
{
	struct factor factor = decide_factor_of(tx, person);

	return is_begun(tx, &factor);
}

/* Who takes over a session later on does not read it. */
static bool
is_first(struct tx *tx, const struct factor *factor)
{
	char key[SHOWN_KEY];

	text_setf(key, "%" PRId64 "/%" PRId64, factor->person, factor->made_at);
	return row_dedupe_add(tx, "factor", key, NULL);
}

static void
put_row(void *ctx, const char *row)
{
	json_out_str(ctx, row);
}

/* Where there is no QR code of it, it is typed. */
static void
put_secret(struct tx *tx, int64_t person, const struct factor_secret *secret, struct json_out *json)
{
	char text[TOTP_SECRET_TEXT], fours[TOTP_SECRET_TEXT + 8], uri[TOTP_URI];

	totp_secret_text(secret->totp, text);
	text_setf(fours, "%.4s %.4s %.4s %.4s %.4s %.4s %.4s %.4s", text, text + 4, text + 8,
	    text + 12, text + 16, text + 20, text + 24, text + 28);
	factor_secret_uri(tx->settings, person, secret, uri);
	json_put_str(json, "secret", fours);
	json_put_str(json, "uri", uri);
	json_put_open(json, "qr", '[');
	qr_rows(uri, put_row, json);
	json_out_end(json);
	crypto_wipe(text, sizeof(text));
	crypto_wipe(fours, sizeof(fours));
	crypto_wipe(uri, sizeof(uri));
}

static void
show(struct tx *tx, const struct api_request *api, const struct factor *factor,
    struct json_out *json)
{
	struct factor_secret secret = { 0 };
	struct err err;

	if (!row_factor_open(tx, factor->person, &secret, &err))
		decide_refusef(tx, 409, "It cannot be read: %s", err.text);
	else if (!is_first(tx, factor))
		decide_refusef(tx, 404, NOTHING_WAITS);
	else {
		put_secret(tx, factor->person, &secret, json);
		json_put_time(json, "ends", factor->made_at + DECIDE_FACTOR_PENDING_MS);
		decide_factor_audit(tx, &api->from, AUDIT_CODE_FACTOR_SHOWN, factor->person);
		decide_answer(tx,
		    "Shown, this once. It counts when its code was given in the chat, and somebody else has confirmed it.");
	}
	crypto_wipe(&secret, sizeof(secret));
}

void
decide_factor_own_show(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	struct factor factor = decide_factor_of(tx, api->from.person);

	if (decide_is_too_fast(tx, &api->from, "2fa", false))
		return;
	if (!api->from.is_page) {
		decide_audit_denied(
		    tx, &api->from, AUDIT_CODE_DENIED, "2fa", "", "not by the page");
		decide_refusef(tx, 403, "Not shown: only a session of the console has it.");
	} else if (is_begun(tx, &factor)) {
		show(tx, api, &factor, json);
	} else {
		decide_refusef(tx, 404, NOTHING_WAITS);
	}
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
decide_factor_own_prove(struct tx *tx, const struct update *update, const char *code)
{
	struct factor factor = decide_factor_of(tx, update->person);
	struct factor_secret secret;
	struct err err;

	if (!is_begun(tx, &factor)) {
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
	ask_others(tx, update, &factor);
}

void
decide_factor_own_confirm(
    struct tx *tx, const struct update *update, int64_t person, int64_t made_at)
{
	struct factor factor = decide_factor_of(tx, person);
	char what[LIMIT_LINE];

	text_setf(what, "2FA of telegram:%" PRId64, person);
	if (!decide_factor_is_pending(tx, &factor) || factor.proven_at == 0 ||
	    factor.made_at != made_at) {
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
