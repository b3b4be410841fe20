/* decide_session.c - logins by a token: who has one, and how it ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_session.h"

#include "decide/decide_due.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_console.h"
#include "decide/who/decide_token_look.h"
#include "lib/text.h"

#define TOUCH_MS INT64_C(60000) /* a row is not written at each press */

void
decide_token_audit(struct tx *tx, const struct update *update, enum audit_code code,
    const struct token *token, const char *reason)
{
	const char *meta[] = { "name", update->name, NULL, NULL, NULL, NULL, NULL };
	size_t n = 2;

	decide_audit_fact(meta, &n, "token", token->id != 0 ? token->name : "");
	decide_audit_fact(meta, &n, "reason", reason);
	decide_audit(tx, code, decide_user_here(tx, update->person), NULL, "ok", meta);
}

static struct update *
update_of(const struct session *session, struct update *ret)
{
	*ret = (struct update){ .person = session->person };

	text_setf(ret->name, "%s", session->name);
	return ret;
}

static void
end(struct tx *tx, const struct session *session, const struct token *token, const char *why)
{
	struct update update;
	struct chat_text text = CHAT_TEXT_EMPTY;

	update_of(session, &update);
	row_session_drop(tx, session->person);
	decide_token_audit(tx, &update, AUDIT_CODE_LOGOUT, token, why);
	chat_text_add(&text,
	    "🔐 Logged out: your login by token " MARK_BOLD "%s" MARK_BOLD " has ended: %s.",
	    token->name, why);
	(void)decide_send(tx, &(struct chat_address){ .chat = session->person }, &text);
}

/* NULL: it goes on. */
static const char *
why_it_ends(struct tx *tx, const struct session *session, const struct token *token)
{
	enum token_fault fault = row_token_fault(tx->settings, token, tx->at);

	if (fault != TOKEN_GOOD)
		return token_fault_rows[fault].login;
	return tx->at >= row_session_end(tx, session, token) ? "it was not used" : NULL;
}

void
decide_session_begin(struct tx *tx, const struct update *update, const struct token *token)
{
	struct session session = {
		.person = update->person,
		.token = token->id,
		.began_at = tx->at,
		.used_at = tx->at,
	};

	if (decide_session_leave(tx, update))
		tx_log(tx, LOG_LEVEL_DEBUG, "a login takes the place of another");
	text_setf(session.name, "%s", update->name);
	row_session_put(tx, &session);
	decide_token_audit(tx, update, AUDIT_CODE_LOGIN, token, NULL);
	decide_sessions_look(tx);
}

bool
decide_session_leave(struct tx *tx, const struct update *update)
{
	struct session session = row_session_get(tx, update->person);
	struct token token = row_token_get(tx, session.token);

	if (session.person == 0)
		return false;
	row_session_drop(tx, session.person);
	decide_token_audit(tx, update, AUDIT_CODE_LOGOUT, &token, "at their word");
	return true;
}

void
decide_session_touch(struct tx *tx, int64_t person)
{
	struct session session = row_session_get(tx, person);
	int64_t each = tx->settings->session_timeout_ms / 4;
	struct token token;
	const char *why;

	if (session.person == 0)
		return;
	token = row_token_get(tx, session.token);
	why = why_it_ends(tx, &session, &token);
	if (why != NULL) {
		end(tx, &session, &token, why);
	} else if (tx->at - session.used_at >= (each < TOUCH_MS ? each : TOUCH_MS)) {
		session.used_at = tx->at;
		row_session_put(tx, &session);
	}
}

void
decide_sessions_look(struct tx *tx)
{
	int64_t next = decide_token_look(tx), console = decide_console_look(tx);
	struct session session = { 0 };

	next = console < next ? console : next;
	while ((session = row_session_next(tx, session.person)).person != 0) {
		struct token token = row_token_get(tx, session.token);
		const char *why = why_it_ends(tx, &session, &token);
		int64_t at = row_session_end(tx, &session, &token);

		if (why != NULL)
			end(tx, &session, &token, why);
		else if (at < next)
			next = at;
	}
	if (next != INT64_MAX)
		decide_due(tx, TIMER_SESSIONS, next);
}

void
decide_sessions_end(struct tx *tx, const char *why)
{
	struct session session = { 0 };

	while ((session = row_session_next(tx, session.person)).person != 0) {
		struct token token = row_token_get(tx, session.token);

		end(tx, &session, &token, why);
	}
}
