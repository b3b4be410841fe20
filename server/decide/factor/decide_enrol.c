/* decide_enrol.c - a second factor is made, confirmed and reset, asked for on the machine.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_enrol.h"

#include <inttypes.h>

#include "decide/factor/decide_factor.h"
#include "decide/decide_limit.h"
#include "decide/factor/decide_lacks.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_principal.h"
#include "decide/tell/decide_whom.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "types/principal.h"

#define RECOVERY_CODES 10

static void
put_secret(struct tx *tx, int64_t person, const struct factor_secret *secret, struct json_out *json)
{
	char text[TOTP_SECRET_TEXT], uri[TOTP_URI];

	totp_secret_text(secret->totp, text);
	factor_secret_uri(tx->settings, person, secret, uri);
	json_put_str(json, "secret", text);
	json_put_str(json, "uri", uri);
	crypto_wipe(text, sizeof(text));
	crypto_wipe(uri, sizeof(uri));
}

static void
add(struct tx *tx, const struct update *update, int64_t person, struct json_out *json)
{
	struct factor factor = decide_factor_of(tx, person);
	struct factor_secret secret;
	struct err err;

	if (factor.enrolled_at != 0) {
		decide_refusef(tx, 409,
		    "telegram:%" PRId64
		    " has a second factor: reset it first, with deploybot 2fa reset %" PRId64,
		    person, person);
		return;
	}
	if (!decide_has_own_role(tx, person)) {
		decide_refusef(tx, 409,
		    "telegram:%" PRId64 " has no role here: a second factor would be for nothing",
		    person);
		return;
	}
	if (!row_factor_make(tx, person, update->person, &secret, &err)) {
		decide_refusef(tx, 409, "no second factor was made: %s", err.text);
		return;
	}
	put_secret(tx, person, &secret, json);
	crypto_wipe(&secret, sizeof(secret));
	decide_factor_audit(tx, update, AUDIT_CODE_FACTOR_MADE, person);
	decide_answer(tx, "Made. It counts when a code of it was given, within 10 minutes.");
}

static void
put_recovery(
    struct tx *tx, int64_t person, const struct factor_secret *secret, struct json_out *json)
{
	uint8_t code[TOTP_RECOVERY];
	char text[TOTP_RECOVERY_TEXT];

	json_put_open(json, "recovery", '[');
	for (int i = 0; i < RECOVERY_CODES; i++) {
		tx_draw(tx, code, sizeof(code));
		row_factor_add_recovery(tx, person, secret, code);
		totp_recovery_text(code, text);
		json_out_str(json, text);
	}
	json_out_end(json);
	crypto_wipe(code, sizeof(code));
	crypto_wipe(text, sizeof(text));
}

static void
confirm(struct tx *tx, const struct update *update, int64_t person, const char *code,
    struct json_out *json)
{
	struct factor factor = decide_factor_of(tx, person);
	struct factor_secret secret;
	struct err err;

	if (!decide_factor_is_pending(tx, &factor)) {
		decide_refusef(tx, 409,
		    "there is no new second factor of telegram:%" PRId64
		    " to confirm: deploybot 2fa add makes one",
		    person);
		return;
	}
	if (!row_factor_open(tx, person, &secret, &err)) {
		decide_refusef(tx, 409, "it cannot be read: %s", err.text);
		return;
	}
	if (factor.proven_at == 0 || code[0] != '\0')
		factor.last_step = totp_match(secret.totp, tx->at / 1000, code);
	if (factor.last_step < 0) {
		decide_refusef(tx, 409,
		    "that is not its code: is the clock of the telephone right, and this machine's?");
	} else {
		factor.enrolled_at = tx->at;
		row_factor_save(tx, &factor);
		put_recovery(tx, person, &secret, json);
		decide_factor_audit(tx, update, AUDIT_CODE_FACTOR_ENROLLED, person);
		decide_factor_tell(tx, person,
		    "🔐 Second factor: %s has one now. It was %s on the server.",
		    decide_whose_here(tx, person), factor.proven_at != 0 ? "confirmed" : "made");
		decide_answer(tx, "Confirmed: it counts from now on.");
	}
	crypto_wipe(&secret, sizeof(secret));
}

/* Of who was confirmed by a button, or has used theirs up: those of before count no more. */
static void
make_codes(struct tx *tx, const struct update *update, int64_t person, struct json_out *json)
{
	struct factor factor = decide_factor_of(tx, person);
	struct factor_secret secret;
	struct err err;

	if (factor.enrolled_at == 0) {
		decide_refusef(tx, 409, "telegram:%" PRId64 " has no second factor", person);
		return;
	}
	if (!row_factor_open(tx, person, &secret, &err)) {
		decide_refusef(tx, 409, "it cannot be read: %s", err.text);
		return;
	}
	row_factor_drop_recovery(tx, person);
	put_recovery(tx, person, &secret, json);
	crypto_wipe(&secret, sizeof(secret));
	decide_factor_audit(tx, update, AUDIT_CODE_FACTOR_CODES, person);
	decide_factor_tell(tx, person,
	    "🔐 %s: ten new recovery codes on the server; not meant? /2fa reset %" PRId64,
	    decide_whose_here(tx, person), person);
	decide_answer(
	    tx, "Made: those of before count no more. The person and the admins are notified.");
}

static void
reset(struct tx *tx, const struct update *update, int64_t person)
{
	struct factor factor = decide_factor_of(tx, person);

	if (factor.person == 0) {
		decide_refusef(tx, 409, "telegram:%" PRId64 " has no second factor", person);
		return;
	}
	decide_factor_reset(tx, update, person);
	decide_answer(tx,
	    "Reset: it ends when the admins have been sent that, or in 10 minutes; then root or another admin makes another: deploybot 2fa add.");
}

/* What it is for is asked for again, wherever that was. */
static void
recover(struct tx *tx, const struct update *update, int64_t person, const char *code)
{
	char why[LIMIT_LINE];

	if (decide_factor_recover(tx, update, person, code, why))
		decide_answer(tx,
		    "Recovery code taken: codes of the app are accepted again; the admins are notified. Is the telephone lost? Then deploybot 2fa reset, and add.");
	else
		decide_refusef(tx, 409, "not accepted: %s", why);
}

/* --- who may --- */

/* With the code that they gave when they made it. */
static bool
goes_on(struct tx *tx, const struct update *from, int64_t person, const char *word)
{
	return strcmp(word, "confirm") == 0 && from->person != person &&
	    row_factor_get(tx, person).made_by == from->person;
}

/* False: it was answered, or a code comes first. */
static bool
may(struct tx *tx, const struct api_request *api, int64_t person)
{
	const struct update *from = &api->from;
	const char *word = api->request.action;
	char what[LIMIT_LINE];

	if (strcmp(word, "recover") == 0 && from->person == person)
		return true; /* what they give is a code */
	text_setf(what, "2FA %s of %" PRId64, word, person);
	if (!decide_factor_may(tx, from, what))
		return false;
	if (principal_is_root(from->person))
		return true;
	return decide_factor_gives_code(tx, from, person, what) &&
	    (goes_on(tx, from, person, word) || !decide_lacks_factor_for(tx, from, what));
}

/* Where who asks gave none, what stands there is of the new one: as it was before they had to. */
static const char *
first_code(const struct tx *tx, const struct api_request *api)
{
	return api->first[0] != '\0' || tx->factor_of != 0 ? api->first : api->code;
}

void
decide_enrol(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	int64_t person = request_get_number(&api->request, "person");
	const char *word = api->request.action;

	if (decide_is_too_fast(tx, &api->from, "2fa", false) || !may(tx, api, person))
		return;
	if (strcmp(word, "add") == 0)
		add(tx, &api->from, person, json);
	else if (strcmp(word, "confirm") == 0)
		confirm(tx, &api->from, person, first_code(tx, api), json);
	else if (strcmp(word, "codes") == 0)
		make_codes(tx, &api->from, person, json);
	else if (strcmp(word, "reset") == 0)
		reset(tx, &api->from, person);
	else if (strcmp(word, "recover") == 0)
		recover(tx, &api->from, person, api->recovery);
	else
		decide_refusef(tx, 409, "expected add, codes, confirm, recover or reset");
}
