/* command_sessions.c - /sessions: who is logged in, by a token or at the console, until when.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_console.h"
#include "decide/who/decide_session.h"

#define SHOWN 30

static void
add_line(struct tx *tx, const struct session *session, struct chat_text *text)
{
	struct token token = row_token_get(tx, session->token);
	char role[ROLE_TEXT];
	const struct chat_clock clock = decide_clock(tx, "");

	chat_text_outside(text, "\n" MARK_BOLD, session->name);
	chat_text_add(
	    text, MARK_BOLD " as %s, by token %s", row_token_role_text(&token, role), token.name);
	chat_text_since(text, ", since ", &clock, session->began_at, tx->at);
	chat_text_since(text, ", until ", &clock, row_session_end(tx, session, &token), tx->at);
}

static void
add_console(struct tx *tx, const struct console_session *session, struct chat_text *text)
{
	const struct chat_clock clock = decide_clock(tx, "");

	chat_text_outside(text, "\n" MARK_BOLD, session->name);
	chat_text_add(text, MARK_BOLD " at the console");
	chat_text_since(text, ", since ", &clock, session->began_at, tx->at);
	chat_text_since(text, ", until ", &clock, decide_console_until(session), tx->at);
}

void
command_sessions(struct tx *tx, const struct update *update, UNUSED const struct request *request)
{
	struct session session = { 0 };
	struct console_session console = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;
	bool sees_all;
	size_t n = 0;

	if (!decide_may_as(tx, update, POLICY_GREET, "", "sessions"))
		return;
	if (!update->is_private) {
		(void)decide_sendf(
		    tx, &update->address, "🔐 /sessions works in our private chat only.");
		return;
	}
	sees_all = decide_is_allowed(tx, update->person, POLICY_TOKEN, POLICY_ALL);
	chat_text_add(&text, "🔐 Logged in:");
	while ((session = row_session_next(tx, session.person)).person != 0)
		if ((sees_all || session.person == update->person) && n++ < SHOWN)
			add_line(tx, &session, &text);
	while ((console = row_console_next(tx, console.mac)).person != 0)
		if ((sees_all || console.person == update->person) && n++ < SHOWN)
			add_console(tx, &console, &text);
	if (n == 0)
		chat_text_add(&text, sees_all ? " nobody." : " you are not.");
	if (n > SHOWN)
		chat_text_add(&text, "\nand %zu more", n - SHOWN);
	(void)decide_send(tx, &update->address, &text);
}
