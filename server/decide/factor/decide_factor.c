/* decide_factor.c - codes of the second factor: taken once, counted when wrong.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_factor.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/who/decide_allowed.h"
#include "decide/approval/decide_approval.h"
#include "decide/factor/decide_factor_inside.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_whom.h"
#include "lib/clean.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_grant_use.h"
#include "store/row_message.h"

#define MINUTE_MS    (60 * INT64_C(1000))
#define RESET_MS     (10 * MINUTE_MS)
#define PROVEN_MS    (24 * 60 * MINUTE_MS)
#define CLOCK_S	     20
#define TRIES	     5	/* between two waits */
#define FAILURES_MAX 50 /* without a success: NIST SP 800-63B allows 100 */

#define ROOT_DOES "root does it on the server, or another admin with theirs"

/* After the first five, the next, and so on; the last of them from then on. */
static const int wait_minutes[] = { 1, 5, 30, 60 };

static int64_t
send_to(struct tx *tx, int64_t person, const char *line)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_add(&text, "%s", line);
	return decide_send_as(tx, &(struct message){ .address = { .chat = person } }, &text);
}

/* The message to the first admin who is not `by`, or to whom there is. */
static int64_t
tell(struct tx *tx, int64_t person, int64_t by, const char *line)
{
	const struct settings_ids *admins = &tx->settings->admins;
	int64_t first = 0;

	if (person > 0)
		(void)send_to(tx, person, line);
	for (size_t i = 0; i < admins->count; i++) {
		int64_t message = admins->id[i] != person ? send_to(tx, admins->id[i], line) : 0;

		if (first == 0 && admins->id[i] != by)
			first = message;
	}
	return first;
}

void
decide_factor_tell(struct tx *tx, int64_t person, const char *fmt, ...)
{
	char line[LIMIT_LINE * 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args); /* cut is fine */
	va_end(args);
	(void)tell(tx, person, 0, line);
}

void
decide_factor_audit(
    struct tx *tx, const struct update *update, enum audit_code code, int64_t person)
{
	char whose[24];

	text_setf(whose, "%" PRId64, person);
	decide_audit(tx, code, decide_user_here(tx, update->person), NULL, "ok",
	    (const char *const[]){ "person", whose, "name", update->name, NULL });
}

bool
decide_factor_may(struct tx *tx, const struct update *update, const char *what)
{
	struct policy_decision decision =
	    decide_allowed(tx, update->person, POLICY_TWO_FA, POLICY_ALL);

	if (decision.verdict != POLICY_ALLOW) {
		decide_deny(tx, update, POLICY_TWO_FA, "", what, decision.reason);
		return false;
	}
	row_grant_use_note(tx, update->person, policy_action_word(POLICY_TWO_FA));
	return true;
}

/* --- whether there is one --- */

struct factor
decide_factor_of(struct tx *tx, int64_t person)
{
	struct factor factor = row_factor_get(tx, person);

	if (factor.reset_at == 0)
		return factor;
	if (tx->at < factor.reset_at && !row_message_is_sent(tx, factor.reset_message))
		return factor;
	row_factor_drop(tx, person);
	return (struct factor){ 0 };
}

void
decide_factor_reset(struct tx *tx, const struct update *update, int64_t person)
{
	struct factor factor = decide_factor_of(tx, person);
	char line[LIMIT_LINE * 2], by[LIMIT_PERSON];

	(void)clean_line(by, sizeof(by), update->name, strlen(update->name));
	text_setf(line,
	    "🔐 %s: second factor reset by %s. It ends within 10 minutes; their open approvals are withdrawn. Was it not them? deploybot audit shows who did it; deploybot 2fa add makes another.",
	    decide_whose_here(tx, person), by);
	decide_factor_audit(tx, update, AUDIT_CODE_FACTOR_RESET, person);
	decide_approval_withdraw_all(tx, update, person, "their second factor was reset");
	factor.reset_message = tell(tx, person, update->person, line);
	factor.reset_at = tx->at + RESET_MS;
	row_factor_save(tx, &factor);
}

bool
decide_factor_is_pending(const struct tx *tx, const struct factor *factor)
{
	return factor->person != 0 && factor->enrolled_at == 0 &&
	    tx->at < (factor->proven_at != 0 ? factor->proven_at + PROVEN_MS :
					       factor->made_at + DECIDE_FACTOR_PENDING_MS);
}

static bool
is_ready(struct tx *tx, const struct factor *factor, char why[LIMIT_LINE])
{
	char left[TEXT_DURATION_SIZE];

	if (factor->person < 0)
		(void)snprintf(why, LIMIT_LINE,
		    "you are a user of the machine, who has no second factor: an admin sets LOCAL_<USER>_IS=ID");
	else if (factor->enrolled_at == 0)
		(void)snprintf(why, LIMIT_LINE,
		    tx->settings->enrols_by_page ?
			"you have no second factor: /2fa in our private chat makes one" :
			"you have no second factor: root or another admin makes one, with deploybot 2fa add on the server");
	else if (factor->failures >= FAILURES_MAX)
		(void)snprintf(why, LIMIT_LINE,
		    "your second factor is closed after %d wrong codes, until it is reset",
		    FAILURES_MAX);
	else if (factor->locked_until > tx->at)
		(void)snprintf(why, LIMIT_LINE, "too many wrong codes: again in %s",
		    text_duration(left, factor->locked_until - tx->at));
	else
		return true;
	return false;
}

bool
decide_factor_is_ready(struct tx *tx, int64_t person, char why[LIMIT_LINE])
{
	struct factor factor = decide_factor_of(tx, person);
	struct factor_secret secret;
	struct err err;

	factor.person = person;
	if (!is_ready(tx, &factor, why))
		return false;
	if (row_factor_open(tx, person, &secret, &err)) {
		crypto_wipe(&secret, sizeof(secret));
		return true;
	}
	(void)snprintf(why, LIMIT_LINE,
	    "your second factor cannot be read now: an admin sees why in deploybot doctor");
	return false;
}

bool
decide_factor_gives_code(
    struct tx *tx, const struct update *update, int64_t person, const char *what)
{
	int64_t who = update->person;

	if (who > 0 && decide_factor_of(tx, who).enrolled_at != 0)
		return true;
	decide_deny(tx, update, POLICY_TWO_FA, "", what,
	    who <= 0	      ? "it needs a code of your own, and a role is no person: " ROOT_DOES :
		who == person ? "nobody does that for themselves without a code: " ROOT_DOES :
				"it needs a code of your own, and you have none: " ROOT_DOES);
	return false;
}

/* --- wrong --- */

static void
close_it(struct tx *tx, const struct update *update, char why[LIMIT_LINE])
{
	(void)snprintf(why, LIMIT_LINE,
	    "wrong code, the %dth in a row: your second factor is closed until it is reset",
	    FAILURES_MAX);
	decide_factor_audit(tx, update, AUDIT_CODE_FACTOR_CLOSED, update->person);
	decide_factor_tell(tx, update->person,
	    "🔐 Second factor closed: %s has typed %d wrong codes in a row, or somebody with their account.\n"
	    "deploybot 2fa reset %" PRId64
	    " on the server ends it; then deploybot 2fa add makes another.",
	    decide_whose_here(tx, update->person), FAILURES_MAX, update->person);
}

static void
lock_it(struct tx *tx, const struct update *update, struct factor *factor, char why[LIMIT_LINE])
{
	size_t n = (size_t)(factor->failures / TRIES) - 1;
	int minutes = wait_minutes[n < COUNT(wait_minutes) ? n : COUNT(wait_minutes) - 1];

	factor->locked_until = tx->at + minutes * MINUTE_MS;
	(void)snprintf(why, LIMIT_LINE, "wrong code, the %" PRId64 "th in a row: again in %d min",
	    factor->failures, minutes);
	decide_factor_audit(tx, update, AUDIT_CODE_FACTOR_LOCKED, update->person);
}

static void
count_failure(
    struct tx *tx, const struct update *update, struct factor *factor, char why[LIMIT_LINE])
{
	int64_t left = TRIES - (factor->failures + 1) % TRIES;

	factor->failures++;
	if (factor->failures >= FAILURES_MAX)
		close_it(tx, update, why);
	else if (left == TRIES)
		lock_it(tx, update, factor, why);
	else
		(void)snprintf(why, LIMIT_LINE, "wrong code: %" PRId64 " more %s before a wait",
		    left, left == 1 ? "try" : "tries");
	row_factor_save(tx, factor);
	decide_audit_denied(tx, update, AUDIT_CODE_CODE_WRONG, "code", "", "a wrong code");
}

/* --- right --- */

static void
accept(struct tx *tx, struct factor *factor, int64_t step)
{
	factor->last_step = step;
	factor->failures = 0;
	factor->locked_until = 0;
	row_factor_save(tx, factor);
	tx->factor_of = factor->person;
}

/* Then their codes are others than ours, which is no fault of theirs. */
static bool
is_clock_wrong(const struct tx *tx, char why[LIMIT_LINE])
{
	int64_t ahead = tx->event->context.clock_ahead_s;

	if (!tx->event->context.knows_clock || (ahead <= CLOCK_S && ahead >= -CLOCK_S))
		return false;
	(void)snprintf(why, LIMIT_LINE,
	    "the server's clock is %" PRId64
	    " s %s Telegram's: no code is taken, and none counted, until it is set right",
	    ahead < 0 ? -ahead : ahead, ahead < 0 ? "behind" : "ahead of");
	return true;
}

bool
decide_factor_take(
    struct tx *tx, const struct update *update, const char *code, char why[LIMIT_LINE])
{
	struct factor factor = decide_factor_of(tx, update->person);
	struct factor_secret secret;
	int64_t step;

	if (!decide_factor_is_ready(tx, update->person, why) || is_clock_wrong(tx, why) ||
	    !row_factor_open(tx, update->person, &secret, NULL))
		return false;
	step = totp_match(secret.totp, tx->at / 1000, code);
	crypto_wipe(&secret, sizeof(secret));
	if (step < 0)
		count_failure(tx, update, &factor, why);
	else if (step <= factor.last_step)
		(void)snprintf(why, LIMIT_LINE,
		    "this code, or a later one, was used already: wait for the next one");
	else
		accept(tx, &factor, step);
	return tx->factor_of == update->person;
}

bool
decide_factor_recover(struct tx *tx, const struct update *update, int64_t person, const char *text,
    char why[LIMIT_LINE])
{
	struct factor factor = decide_factor_of(tx, person);
	struct factor_secret secret;
	uint8_t code[TOTP_RECOVERY];
	bool is_taken;

	if (factor.failures >= FAILURES_MAX) {
		(void)snprintf(why, LIMIT_LINE,
		    "this second factor is closed after %d wrong codes, until it is reset",
		    FAILURES_MAX);
		return false;
	}
	if (factor.enrolled_at == 0 || !row_factor_open(tx, person, &secret, NULL)) {
		(void)snprintf(why, LIMIT_LINE,
		    "there is no second factor, or it cannot be read now: an admin resets it");
		return false;
	}
	is_taken =
	    totp_recovery_parse(text, code) && row_factor_take_recovery(tx, person, &secret, code);
	crypto_wipe(&secret, sizeof(secret));
	crypto_wipe(code, sizeof(code));
	if (!is_taken) {
		(void)snprintf(
		    why, LIMIT_LINE, "that is none of the recovery codes, or it was used already");
		decide_audit_denied(
		    tx, update, AUDIT_CODE_CODE_WRONG, "code", "", "a wrong recovery code");
		return false;
	}
	accept(tx, &factor, factor.last_step);
	decide_factor_audit(tx, update, AUDIT_CODE_FACTOR_RECOVERED, person);
	decide_approval_withdraw_all(tx, update, person, "they used a recovery code");
	decide_factor_tell(tx, person,
	    "🔐 Recovery code used: by %s, %" PRId64
	    " left. Not you, or not them? An admin ends that second factor: /2fa reset %" PRId64
	    ".",
	    decide_whose_here(tx, person), row_factor_count_recovery(tx, person), person);
	return true;
}

/* What a version before has shown in a chat goes there, and begins anew: who has seen it? */
static void
drop_picture(struct tx *tx, const struct factor *factor)
{
	struct effect effect = { .kind = EFFECT_DELETE_MESSAGE };

	effect.u.delete_message = (struct effect_delete_message){ factor->person, factor->picture };
	(void)row_effect_order(tx, &effect);
	row_factor_drop(tx, factor->person);
	(void)decide_sendf(tx, &(struct chat_address){ .chat = factor->person },
	    "🔐 Second factor not made: it is shown in chats no more, and your picture is deleted. /2fa begins anew.");
}

void
decide_factor_look(struct tx *tx)
{
	int64_t unreadable = row_factor_reseal(tx);
	struct factor factor = { 0 };

	while ((factor.person = row_factor_next(tx, factor.person)) != 0) {
		factor = row_factor_get(tx, factor.person);
		if (factor.picture != 0)
			drop_picture(tx, &factor);
	}
	if (unreadable > 0)
		tx_log(tx, LOG_LEVEL_ERROR,
		    "%" PRId64
		    " second factors cannot be read: is TOTP_KEY_FILE the one that they were made with? Without it each is reset: deploybot 2fa reset ID --as admin",
		    unreadable);
}
