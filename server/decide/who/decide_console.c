/* decide_console.c - sessions of the console: how one is opened, who asks by it, and how it ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_console.h"

#include "decide/decide_due.h"
#include "decide/decide_reply.h"
#include "decide/factor/decide_factor.h"
#include "decide/who/decide_principal.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/row_dedupe.h"

#define MINUTE_MS  (60 * INT64_C(1000))
#define OF_PERSON  5 /* sessions */
#define CODE_MS	   (2 * MINUTE_MS)
#define IDLE_MS	   (30 * MINUTE_MS)
#define LAST_MS	   (12 * 60 * MINUTE_MS)
#define CODE_BYTES ((API_LOGIN - 1) / 2)

static bool
is_on(const struct tx *tx)
{
	return tx->settings->console && settings_text(tx->settings, SETTING_PUBLIC_URL) != NULL &&
	    settings_text(tx->settings, SETTING_AUTH_TOKEN_SECRET) != NULL;
}

/* Whoever has the bot's token can sign initData as anybody: with another one those sessions end. */
static void
put_bot(struct tx *tx, char ret[ROW_CONSOLE_BOT])
{
	const char *token = tx->settings->telegram_bot_token;
	uint8_t digest[CRYPTO_SHA256_SIZE];
	struct err err;

	ret[0] = '\0';
	if (crypto_sha256(token, strlen(token), digest, &err))
		text_hex(ret, digest, (ROW_CONSOLE_BOT - 1) / 2);
	else
		tx_fail(tx, err.code, "%s", err.text);
}

static void
audit(struct tx *tx, const struct console_session *session, enum audit_code code, const char *why)
{
	decide_audit(tx, code, decide_user_here(tx, session->person), NULL, "ok",
	    (const char *const[]){ "name", session->name, "session",
		session->bot[0] != '\0' ? "console, by initData" : "console, by a link",
		why != NULL ? "reason" : NULL, why, NULL });
}

/* --- how it ends --- */

int64_t
decide_console_until(const struct console_session *session)
{
	int64_t idle = session->used_at + IDLE_MS;

	return idle < session->ends_at ? idle : session->ends_at;
}

/* NULL: it goes on. */
static const char *
why_it_ends(struct tx *tx, const struct console_session *session)
{
	char bot[ROW_CONSOLE_BOT];

	if (!is_on(tx))
		return "CONSOLE is false";
	if (!decide_has_own_role(tx, session->person))
		return "they have no role of their own any more";
	if (tx->at >= session->ends_at)
		return "12 hours are over";
	if (tx->at >= decide_console_until(session))
		return "it was not used";
	put_bot(tx, bot);
	return session->bot[0] != '\0' && strcmp(session->bot, bot) != 0 ?
	    "TELEGRAM_BOT_TOKEN is another" :
	    NULL;
}

void
decide_console_end(struct tx *tx, const struct console_session *session, const char *why)
{
	row_console_drop(tx, session);
	audit(tx, session, AUDIT_CODE_LOGOUT, why);
}

int64_t
decide_console_leave(struct tx *tx, const struct update *update, const char *why)
{
	struct console_session session;
	int64_t n = 0;

	while ((session = row_console_idlest(tx, update->person)).person != 0) {
		decide_console_end(tx, &session, why);
		n++;
	}
	return n;
}

void
decide_console_leaked(struct tx *tx, const struct update *update)
{
	struct console_session session = row_console_find(tx, update->token);

	if (session.person == 0)
		return;
	row_console_drop(tx, &session);
	audit(tx, &session, AUDIT_CODE_TOKEN_LEAKED, "typed in a chat");
	decide_factor_tell(tx, session.person,
	    "🔐 Console session ended: the token of %.60s was typed in a chat. " MARK_CODE
	    "/console" MARK_CODE " in our private chat opens another.",
	    session.name);
}

int64_t
decide_console_look(struct tx *tx)
{
	struct console_session session = { 0 };
	int64_t next = INT64_MAX;

	while ((session = row_console_next(tx, session.mac)).person != 0) {
		const char *why = why_it_ends(tx, &session);

		if (why != NULL)
			decide_console_end(tx, &session, why);
		else if (decide_console_until(&session) < next)
			next = decide_console_until(&session);
	}
	return next;
}

/* --- how it is opened --- */

void
decide_console_link(struct tx *tx, const struct update *update)
{
	const char *base = settings_text(tx->settings, SETTING_PUBLIC_URL);
	char code[API_LOGIN];
	uint8_t drawn[CODE_BYTES];

	/* Over /v1 a program would read it. */
	if (!update->is_private || update->address.chat != update->person)
		(void)decide_sendf(tx, &update->address,
		    "🔐 No link here: " MARK_CODE "/console" MARK_CODE
		    " works in our private chat only.");
	else if (!is_on(tx))
		(void)decide_sendf(tx, &update->address,
		    "There is no console here: whoever runs the server sets CONSOLE=true.");
	else if (!decide_has_own_role(tx, update->person))
		(void)decide_sendf(tx, &update->address,
		    "🔐 No link: the console needs a role of your own, and a login by token lends one.");
	else {
		tx_draw(tx, drawn, sizeof(drawn));
		text_hex(code, drawn, sizeof(drawn));
		row_console_put_code(tx, update->person, update->name, code, tx->at + CODE_MS);
		(void)decide_sendf(tx, &update->address,
		    "🔐 Open the console, within 2 minutes and once:\n%s%sconsole/#code=%s\n"
		    "Whoever opens it acts as you: give it to nobody.",
		    base, text_ends(base, "/") ? "" : "/", code);
		crypto_wipe(code, sizeof(code));
		crypto_wipe(drawn, sizeof(drawn));
	}
}

static void
make_room(struct tx *tx, int64_t person, int64_t most)
{
	struct console_session idlest;

	while (row_console_count(tx, person) >= most &&
	    (idlest = row_console_idlest(tx, person)).person != 0)
		decide_console_end(tx, &idlest, "another one took its place");
}

static void
begin(struct tx *tx, struct console_session *session, struct json_out *json)
{
	char token[TOKEN_SESSION_TEXT], until[TEXT_TIME_SIZE];
	uint8_t drawn[TOKEN_BYTES];

	session->began_at = session->used_at = session->proof_at = tx->at;
	session->ends_at = tx->at + LAST_MS;
	make_room(tx, session->person, OF_PERSON);
	make_room(tx, 0, SESSIONS_KNOWN);
	tx_draw(tx, drawn, sizeof(drawn));
	token_session_text(drawn, token);
	row_console_add(tx, session, token);
	json_put_str(json, "token", token);
	json_put_str(json, "until", text_time_ms(until, session->ends_at));
	crypto_wipe(drawn, sizeof(drawn));
	crypto_wipe(token, sizeof(token));
	audit(tx, session, AUDIT_CODE_LOGIN, NULL);
	decide_due(tx, TIMER_SESSIONS, decide_console_until(session));
	decide_answer(tx, "Logged in.");
}

/* Anybody at Telegram can have initData: who has no role is counted as a stranger is. */
static void
refuse(struct tx *tx, const struct update *from, int status, const char *why)
{
	if (from->person > 0)
		decide_audit_denied(tx, from, AUDIT_CODE_LOGIN_FAILED, "console", "", why);
	decide_refusef(tx, status, "Not logged in: %s.", why);
}

void
decide_console_open(struct tx *tx, struct api_request *api, struct json_out *json)
{
	struct update *from = &api->from;
	struct console_session session = { 0 };
	const char *hash = request_text(&api->request, "hash");

	if (!api->is_network || !is_on(tx)) {
		decide_refusef(tx, 404, "There is no console here.");
		return;
	}
	if (hash[0] != '\0')
		put_bot(tx, session.bot);
	else
		from->person =
		    row_console_take_code(tx, request_text(&api->request, "login"), from->name);
	session.person = from->person;
	text_set(session.name, from->name);
	if (session.person <= 0)
		refuse(tx, from, 401,
		    "the link was used, or is older than 2 minutes; /console in our private chat gives another");
	else if (!decide_has_own_role(tx, session.person))
		refuse(tx, from, 403, "you have no role of your own here");
	else if (hash[0] != '\0' && !row_dedupe_add(tx, "init-data", hash, NULL))
		refuse(tx, from, 401, "this page was opened already; open it anew in Telegram");
	else
		begin(tx, &session, json);
}

/* --- who asks by it --- */

bool
decide_console_enter(struct tx *tx, struct api_request *api, struct console_session *ret)
{
	const char *why;

	*ret = row_console_find(tx, api->from.token);
	why = ret->person == 0 ? "there is none" : why_it_ends(tx, ret);
	if (why != NULL) {
		if (ret->person != 0)
			decide_console_end(tx, ret, why);
		decide_refusef(tx, 401,
		    "The session has ended: %s. /console in our private chat opens another.", why);
		return false;
	}
	api->from.person = ret->person;
	api->from.is_page = true;
	text_setf(api->from.name, "%.50s (by the page)", ret->name);
	tx->who.id = 0;
	if (tx->at - ret->used_at >= MINUTE_MS) {
		ret->used_at = tx->at;
		row_console_save(tx, ret);
	}
	return true;
}

void
decide_console_prove(struct tx *tx, struct console_session *session)
{
	session->proof_at = tx->at;
	row_console_save(tx, session);
}
