/* sim_factor.c - codes of second factors: who types which, where; and what needs one.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Which code is right, and which was spent, is known here without the program's rows; what needs
 * one, by the table of sim_settings.c.
 */
#include "tests/sim/sim_inside.h"

#include <liboath/oath.h>

#include "lib/crypto.h"
#include "lib/seal.h"
#include "lib/totp.h"
#include "store/row_button.h"
#include "store/row_factor.h"
#include "store/row_pad.h"
#include "types/action.h"

#define MEANT	 5 /* digits of six: the last one completes a code */
#define RECOVERY 3 /* codes of each person */
#define RECOVER	 "/2fa recover "

static sim_fn somebody_types, somebody_asks, settings_come;

/* --- secrets --- */

static void
secret_of(int64_t person, uint8_t ret[TOTP_SECRET])
{
	memset(ret, (int)person, TOTP_SECRET);
}

static void
code_of(int64_t person, int64_t at_ms, char ret[TOTP_DIGITS + 1])
{
	uint8_t secret[TOTP_SECRET];

	secret_of(person, secret);
	sim_must(oath_totp_generate((const char *)secret, TOTP_SECRET, (time_t)(at_ms / 1000),
		     TOTP_STEP_S, 0, TOTP_DIGITS, ret) == OATH_OK,
	    "a code");
}

static void
recovery_of(int64_t person, int n, uint8_t ret[TOTP_RECOVERY])
{
	memset(ret, (int)person, TOTP_RECOVERY);
	ret[0] = (uint8_t)n;
}

static void
add_recovery(struct db *db, int64_t person, const struct factor_secret *secret)
{
	uint8_t code[TOTP_RECOVERY], mac[CRYPTO_SHA256_SIZE];
	char hex[CRYPTO_SHA256_HEX];
	struct err err;

	for (int n = 0; n < RECOVERY; n++) {
		CLEANUP(crypto_hmac_key_freep)
		struct crypto_hmac_key *key =
		    crypto_hmac_key_new(secret->recovery, sizeof(secret->recovery), &err);
		CLEANUP(crypto_hmac_dropp)
		struct crypto_hmac *hmac = crypto_hmac_begin(key, &err);

		recovery_of(person, n, code);
		sim_must(crypto_hmac_add(hmac, code, sizeof(code), &err) &&
			crypto_hmac_finish(hmac, mac, &err),
		    "a recovery code");
		text_hex(hex, mac, sizeof(mac));
		sim_must(db_run(db, &err, "INSERT INTO recovery (person, mac) VALUES ($1, $2)",
			     DB_I64(person), DB_TEXT(hex)),
		    "a recovery code");
	}
}

/* SIM_SECOND has none. */
void
sim_factor_begin(const char *template, const struct settings *settings)
{
	static const int64_t people[] = { SIM_ADMIN, SIM_OTHER, SIM_STAGING, SIM_LEAD };
	struct err err;
	struct db *db = db_open(template, 0, &err);

	sim_must(db != NULL && settings->totp_keys != NULL, "the template");
	for (size_t i = 0; i < COUNT(people); i++) {
		struct factor_secret secret = { 0 };
		uint8_t nonce[SEAL_NONCE] = { (uint8_t)people[i] };
		char place[40], sealed[SEAL_TEXT];

		secret_of(people[i], secret.totp);
		(void)snprintf(place, sizeof(place), "factor/%" PRId64, people[i]);
		sim_must(seal_close(settings->totp_keys, place, nonce, &secret, sizeof(secret),
			     sealed, &err) &&
			db_run(db, &err,
			    "INSERT INTO factor (person, sealed, made_at, made_by, enrolled_at)"
			    " VALUES ($1, $2, 1, 0, 1)",
			    DB_I64(people[i]), DB_TEXT(sealed)),
		    "a second factor");
		add_recovery(db, people[i], &secret);
	}
	db_close(db);
}

/* --- what people type --- */

/* The right one, that of a moment ago, the one before, or just digits. */
void
sim_factor_draw_code(struct sim *sim, int64_t person, char ret[TOTP_DIGITS + 1])
{
	uint32_t how = sim_draw(sim, 8);

	code_of(person, sim->now - (how == 6 ? TOTP_STEP_S * INT64_C(1000) : 0), ret);
	if (how == 7 && sim->n_spent > 0)
		(void)text_copy(ret, TOTP_DIGITS + 1, sim->spent[sim->n_spent - 1].code);
	else if (how == 5)
		(void)text_copy(ret, TOTP_DIGITS + 1, "314159");
}

static void
press_key(struct sim *sim, int64_t person, const struct sim_post *pad, char digit)
{
	for (size_t b = 0; b < pad->buttons.n; b++)
		if (pad->buttons.at[b].label[0] == digit && pad->buttons.at[b].label[1] == '\0')
			sim_chat_press_button(sim, person, pad->chat, &pad->buttons.at[b]);
}

/* In a group none is taken. */
static void
somebody_recovers(struct sim *sim, int64_t person)
{
	char line[64] = RECOVER, *code = line + strlen(RECOVER);
	uint8_t bytes[TOTP_RECOVERY];

	recovery_of(person, (int)sim_draw(sim, RECOVERY + 1), bytes);
	totp_recovery_text(bytes, code);
	sim_chat_type_in(sim, person, sim_one_in(sim, 8) ? SIM_TEAM : person, line);
	if (sim_one_in(sim, 2))
		sim_chat_type(sim, person, line);
}

void
sim_factor_somebody_resets(struct sim *sim)
{
	static const int64_t by[] = { SIM_ADMIN, SIM_ADMIN, SIM_OTHER, SIM_STAGING };
	static const int64_t of[] = { SIM_LEAD, SIM_LEAD, SIM_STAGING, SIM_OTHER };
	char line[32];

	(void)snprintf(line, sizeof(line), "/2fa reset %" PRId64, of[sim_draw(sim, COUNT(of))]);
	sim_chat_type(sim, by[sim_draw(sim, COUNT(by))], line);
}

static void
somebody_types(struct sim *sim, int64_t index, int64_t b)
{
	const struct sim_post *pad = &sim->posts[index];
	char code[TOTP_DIGITS + 1], line[96];

	(void)b;
	if (pad->buttons.n == 0 || sim_one_in(sim, 12))
		return; /* nobody does, or it was closed */
	if (sim_one_in(sim, 10)) {
		somebody_recovers(sim, pad->chat);
		return;
	}
	sim_factor_draw_code(sim, pad->chat, code);
	for (const char *c = code; *c != '\0'; c++) {
		press_key(sim, pad->chat, pad, *c);
		if (sim_one_in(sim, 40))
			press_key(sim, SIM_STRANGER, pad, *c);
	}
	if (!sim_one_in(sim, 4))
		return;
	(void)snprintf(line, sizeof(line),
	    "APPROVE: reload-nginx solo nonce=%016x ts=%" PRId64 " otp=%s", sim_draw(sim, 1 << 30),
	    sim->now / 1000, code);
	sim_chat_type_in(sim, pad->chat, SIM_TEAM, line);
}

static void
settings_come(struct sim *sim, int64_t variant, UNUSED int64_t b)
{
	sim_server_reload(sim, (int)variant);
}

/* The settings ask whether it is meant; when git answers they do not: both need a code for it. */
void
sim_factor_question_falls_away(struct sim *sim)
{
	sim_server_reload(sim, SIM_ASKS_AND_NEEDS_CODE);
	sim_later(sim, 0, 3000, somebody_asks, 0, 0);
	sim_later(sim, 0, 3000 + sim_delay(sim, 1, 8000), settings_come, SIM_NEEDS_CODE, 0);
}

static void
somebody_asks(struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	sim_chat_type(sim, SIM_ADMIN, "/deploy staging");
}

/* A message was sent: is it a pad? */
void
sim_factor_shown(struct sim *sim, const struct sim_post *post)
{
	if (!text_starts(post->text, "🔐 Code for ") || post->buttons.n == 0)
		return;
	sim_note(sim, SIM_CODE_ASKED);
	sim_later(sim, 0, sim_delay(sim, 500, 60000), somebody_types, post - sim->posts, 0);
	if (sim_one_in(sim, 3))
		sim_later(sim, 0, sim_delay(sim, 500, 90000), somebody_types, post - sim->posts, 0);
}

/* --- around a decision --- */

/* Six digits behind "otp=". */
static bool
code_of_line(const struct update *said, char ret[TOTP_DIGITS + 1])
{
	const char *otp = strstr(said->text, " otp=");

	if (said->kind != UPDATE_TEXT || !text_starts(said->text, "APPROVE: ") || otp == NULL)
		return false;
	(void)text_copy(ret, TOTP_DIGITS + 1, otp + strlen(" otp="));
	return totp_is_code(ret);
}

/* The pad's digits with this one behind them; what it was for is what is said then. */
static bool
code_of_pad(struct tx *tx, const struct update *said, struct sim_before *ret)
{
	struct button_row button = row_button_get(tx, said->button);
	char key[LIMIT_REF];
	struct pad pad;

	if (said->kind != UPDATE_PRESS || strcmp(button.request.action, "digit") != 0)
		return false;
	row_pad_get(tx, said->person, &pad);
	(void)request_get(&button.request, "key", key);
	if (pad.message == 0 || pad.message != button.message || strlen(pad.digits) != MEANT ||
	    strlen(key) != 1)
		return false;
	(void)snprintf(ret->code, sizeof(ret->code), "%.5s%.1s", pad.digits, key);
	ret->kept = pad.update;
	(void)text_copy(ret->kept.callback, sizeof(ret->kept.callback), said->callback);
	return true;
}

/* One of theirs; what an open pad was for is what is said then. */
static bool
code_of_recovery(struct tx *tx, const struct update *said, struct sim_before *ret)
{
	uint8_t code[TOTP_RECOVERY], theirs[TOTP_RECOVERY];
	struct pad pad;

	if (said->kind != UPDATE_TEXT || !said->is_private || !text_starts(said->text, RECOVER) ||
	    !totp_recovery_parse(said->text + strlen(RECOVER), code))
		return false;
	recovery_of(said->person, code[0], theirs);
	if (code[0] >= RECOVERY || memcmp(code, theirs, sizeof(code)) != 0)
		return false;
	(void)text_copy(ret->code, sizeof(ret->code), "-");
	ret->step = -2 - code[0];
	row_pad_get(tx, said->person, &pad);
	ret->is_by_pad = pad.message != 0;
	ret->kept = pad.update;
	return true;
}

/* -1: it is none of theirs, of about now. */
static int64_t
step_of(int64_t person, int64_t at_ms, const char *code)
{
	char right[TOTP_DIGITS + 1];

	for (int i = -1; i <= 1; i++) {
		code_of(person, at_ms + i * TOTP_STEP_S * INT64_C(1000), right);
		if (strcmp(right, code) == 0)
			return at_ms / 1000 / TOTP_STEP_S + i;
	}
	return -1;
}

/* Of an update that comes again nothing is. */
static bool
is_spent(const struct sim *sim, int64_t person, int64_t step, int64_t by)
{
	for (size_t i = 0; i < sim->n_spent; i++)
		if (sim->spent[i].person == person && sim->spent[i].step == step &&
		    sim->spent[i].by != by)
			return true;
	return false;
}

static int64_t
last_reset(struct sim *sim, struct tx *tx)
{
	int64_t at;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&at, tx->db, &err, "SELECT COALESCE(MAX(reset_at), 0) FROM factor"), &err);
	return at;
}

/* One that was reset ends then, or when it was said. */
static bool
has_factor(struct sim *sim, struct tx *tx, int64_t person)
{
	int64_t n;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&n, tx->db, &err,
		"SELECT COUNT(*) FROM factor WHERE person = $1 AND (reset_at = 0 OR reset_at > $2)",
		DB_I64(person), DB_I64(tx->at)),
	    &err);
	return n > 0;
}

void
sim_factor_before(struct sim *sim, struct tx *tx, struct sim_before *ret)
{
	const struct update *said = ret->said;

	if (said == NULL || tx->event->kind != EVENT_UPDATE)
		return;
	ret->reset_until = last_reset(sim, tx);
	ret->is_by_recovery = code_of_recovery(tx, said, ret);
	if (!ret->is_by_recovery) {
		ret->is_by_pad = code_of_pad(tx, said, ret);
		if (!ret->is_by_pad && !code_of_line(said, ret->code))
			return;
		ret->step = step_of(said->person, tx->at, ret->code);
	}
	ret->has_code = ret->step != -1 && has_factor(sim, tx, said->person) &&
	    !is_spent(sim, said->person, ret->step, said->id);
	if (ret->is_by_pad && ret->has_code)
		ret->said = &ret->kept;
}

/* --- what is done with it --- */

/* What OPA is asked about first is asked behind it, or has its place. */
#define STATE \
	"CASE WHEN state = 'REQUESTED' AND EXISTS (SELECT 1 FROM opa o WHERE o.work = work.id" \
	" AND o.is_to_ask <> 0) THEN 'AWAITING_CONFIRMATION' ELSE state END"

static bool
needs_code(const struct tx *tx, const struct db_rows *work)
{
	return sim_settings_needs_code(tx->event->context.settings, db_col_text(work, 1),
	    db_col_text(work, 2), sim_environment(db_col_text(work, 3)));
}

/* Is it asked about, so that the answer is what needs the code? */
static bool
is_asked_about(const struct tx *tx, const struct db_rows *work)
{
	const struct environment_settings *settings =
	    settings_environment(tx->event->context.settings, db_col_text(work, 3));
	const struct action *action = action_find(db_col_text(work, 2));

	if (action != NULL)
		return action->asks == ACTION_ASKS_ALWAYS ||
		    strcmp(db_col_text(work, 6), "AWAITING_CONFIRMATION") == 0; /* it is busy */
	return strcmp(db_col_text(work, 1), "rollback") == 0 ||
	    (settings != NULL && settings->confirm);
}

/* What the sender has asked for, or confirmed, with this. */
static void
check_work(struct sim *sim, struct tx *tx, const struct sim_before *before, const struct db_rows *w)
{
	int64_t id = db_col_i64(w, 0), confirmed_by = db_col_i64(w, 4);
	bool is_new = id > before->last_work;
	bool is_confirmed = confirmed_by == before->said->person &&
	    (is_new || sim_before_confirmer(before, id) != confirmed_by);

	if (!is_new && !is_confirmed)
		return;
	if (db_col_i64(w, 5) != 0) { /* its question needs none again */
		if (is_new && !before->has_code)
			sim_fail(sim, "an_emergency_needs_a_code", "deployment %" PRId64, id);
		sim->works[id].is_cleared = true;
		return;
	}
	if (!needs_code(tx, w) || before->has_code) {
		sim->works[id].is_cleared = true;
		return;
	}
	sim->works[id].is_code_due |= is_new;
	if (is_confirmed || !is_asked_about(tx, w))
		sim_fail(sim, "nothing_that_needs_a_code_is_done_without_one",
		    "deployment %" PRId64 " by %" PRId64 ": %s", id, before->said->person,
		    before->said->text);
}

static void
spend(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	struct sim_spent *spent = &sim->spent[sim->n_spent];
	int64_t by = tx->event->u.update->id;

	if (!before->has_code)
		sim_fail(sim, "a_code_is_right_and_spent_once", "update %" PRId64 " of %" PRId64,
		    by, tx->factor_of);
	for (size_t i = 0; i < sim->n_spent; i++)
		if (sim->spent[i].by == by)
			return;
	assert(sim->n_spent < COUNT(sim->spent));
	*spent = (struct sim_spent){ tx->factor_of, before->step, by, "" };
	(void)text_copy(spent->code, sizeof(spent->code), before->code);
	sim->n_spent++;
	sim_note(sim, before->is_by_recovery ? SIM_RECOVERED : SIM_CODE_TAKEN);
}

/* What stood before: what the same update approves anew was meant with this code. */
static void
nothing_of_theirs_is_approved(struct sim *sim, struct tx *tx)
{
	int64_t n;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&n, tx->db, &err,
		"SELECT COUNT(*) FROM approval a JOIN work w ON w.id = a.work"
		" WHERE a.person = $1 AND a.voided_at = 0 AND a.at <> $2"
		" AND w.state IN ('AWAITING_APPROVAL', 'QUEUED')",
		DB_I64(tx->factor_of), DB_I64(tx->at)),
	    &err);
	if (n > 0)
		sim_fail(sim, "who_uses_a_recovery_code_approves_nothing",
		    "%" PRId64 " of %" PRId64, n, tx->factor_of);
}

static void
check_reset(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	if (last_reset(sim, tx) <= before->reset_until)
		return;
	if (!before->has_code ||
	    sim_settings_role(tx->event->context.settings, before->said->person, 0, tx->at) !=
		SIM_MAY_ALL)
		sim_fail(sim, "a_reset_needs_an_admins_code", "by %" PRId64, before->said->person);
	sim_note(sim, SIM_FACTOR_RESET);
}

void
sim_factor_after(struct sim *sim, struct tx *tx, const struct sim_before *before)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	if (before->said == NULL || tx->failed || tx->answer.is_duplicate)
		return;
	if (tx->factor_of != 0)
		spend(sim, tx, before);
	else if (before->code[0] != '\0')
		sim_note(sim, SIM_CODE_REFUSED);
	if (tx->factor_of != 0 && before->is_by_recovery)
		nothing_of_theirs_is_approved(sim, tx);
	if (tx->event->kind == EVENT_UPDATE)
		check_reset(sim, tx, before);
	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, program, action, environment, confirmed_by, emergency <> '', " STATE
		" FROM work"
		" WHERE ended_at = 0 AND cause NOT IN ('push', 'poll', 'job') AND id > $2 AND requested_by = $1"
		" UNION SELECT id, program, action, environment, confirmed_by, emergency <> '',"
		" " STATE " FROM work"
		" WHERE ended_at = 0 AND confirmed_by = $1",
		DB_I64(before->said->person), DB_I64(before->last_work)),
	    &err);
	while (db_next(&rows))
		check_work(sim, tx, before, &rows);
}

/* Whatever the settings were between: it needed one when it was asked for, and does now. */
void
sim_factor_check_begun(struct sim *sim, struct tx *tx, int64_t id)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;

	sim_check_must(sim,
	    db_query(&rows, tx->db, &err,
		"SELECT id, program, action, environment FROM work WHERE id = $1", DB_I64(id)),
	    &err);
	if (db_next(&rows) && sim->works[id].is_code_due && !sim->works[id].is_cleared &&
	    needs_code(tx, &rows))
		sim_fail(
		    sim, "nothing_that_needs_a_code_begins_without_one", "deployment %" PRId64, id);
}
