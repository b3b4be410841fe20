/* decide_login.c - /login: a token typed in private, wrong ones, and the message that it stood in.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_login.h"

#include <inttypes.h>

#include "chat/chat_command.h"
#include "decide/decide_chat.h"
#include "decide/factor/decide_factor.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_session.h"
#include "decide/who/decide_token.h"
#include "decide/who/decide_principal.h"
#include "decide/tell/decide_whom.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "store/row_stranger.h"

#define TRIES	5
#define LOCK_MS (24 * 3600 * INT64_C(1000))

void
decide_login_deleted(
    struct tx *tx, const struct effect_delete_message *deleted, const char *failure)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (failure[0] == '\0')
		return;
	chat_text_outside(&text,
	    "🔐 Delete it yourself: a message with a token or code is still in this chat, because Telegram would not delete it: ",
	    failure);
	(void)decide_send(tx, &(struct chat_address){ .chat = deleted->chat }, &text);
}

static bool
is_login(const struct update *update)
{
	struct chat_command typed;

	return update->refusal == UPDATE_REFUSED_NONE && chat_command_parse(update->text, &typed) &&
	    strcmp(typed.word, "login") == 0;
}

bool
decide_login_astray(struct tx *tx, const struct update *update)
{
	if (update->token[0] == '\0' || !update->is_private || update->kind != UPDATE_TEXT ||
	    is_login(update))
		return false;
	if (decide_is_too_fast(tx, update, "login", false))
		return true;
	decide_chat_unwrite(tx, update);
	(void)decide_sendf(tx, &update->address,
	    "🔐 Nothing done: that looks like a token, so your message is deleted. " MARK_CODE
	    "/login <token>" MARK_CODE " logs in.");
	return true;
}

/* --- wrong --- */

/* Counted while it is locked: each more of them says nothing new. */
static void
note_locked(struct tx *tx, const struct update *update)
{
	char user[PRINCIPAL_TEXT];

	row_stranger_audit(tx, "telegram: login while locked out", 1,
	    decide_user(tx, update->person, user),
	    &(struct audit_entry){
		.code = AUDIT_CODE_LOGIN_FAILED,
		.user = user,
		.outcome = "denied",
	    },
	    (const char *const[]){ "reason", "locked out", "name", update->name, NULL });
}

static bool
is_locked(struct tx *tx, const struct update *update)
{
	if (tx->at >= row_login_try_get(tx, update->person).locked_until)
		return false;
	decide_chat_unwrite(tx, update);
	note_locked(tx, update);
	return true;
}

static void
count_failure(
    struct tx *tx, const struct update *update, const struct token *token, const char *why)
{
	struct login_try tries = row_login_try_get(tx, update->person);

	if (tx->at - tries.since >= ROW_LOGIN_TRY_MS)
		tries = (struct login_try){ .since = tx->at };
	tries.failures++;
	decide_token_audit(tx, update, AUDIT_CODE_LOGIN_FAILED, token, why);
	if (tries.failures >= TRIES) {
		tries = (struct login_try){ .since = tx->at, .locked_until = tx->at + LOCK_MS };
		decide_token_audit(
		    tx, update, AUDIT_CODE_LOGIN_LOCKED, token, "five wrong tokens in an hour");
	}
	row_login_try_put(tx, update->person, &tries);
}

static void
refuse(struct tx *tx, const struct update *update, const struct token *token, const char *why)
{
	count_failure(tx, update, token, why);
	(void)decide_sendf(tx, &update->address,
	    "🔐 Not logged in: the token is unknown, revoked or has ended. Your message is deleted.");
}

/* Two have it: which of them should not is not known. */
static void
block(struct tx *tx, const struct update *update, struct token *token)
{
	decide_token_audit(
	    tx, update, AUDIT_CODE_TOKEN_BLOCKED, token, "another account tried to log in with it");
	decide_token_revoke(tx, token, "another account tried to log in with it");
	decide_factor_tell(tx, token->person,
	    "🔐 Token blocked: " MARK_BOLD "%s" MARK_BOLD
	    " belongs to %s, and %s tried to log in with it. Somebody else has it: deploybot token add makes another.",
	    token->name, decide_whose_here(tx, token->person),
	    decide_whose_here(tx, update->person));
	refuse(tx, update, token, "the token of another account");
}

/* --- right --- */

static void
begin(struct tx *tx, const struct update *update, struct token *token)
{
	char until[ZONE_DATE], idle[TEXT_DURATION_SIZE], role[ROLE_TEXT];
	bool has_own = decide_has_own_role(tx, update->person);

	token->person = update->person;
	token->used_at = tx->at;
	row_token_save(tx, token);
	decide_session_begin(tx, update, token);
	(void)decide_sendf(tx, &update->address,
	    "🔐 Logged in as " MARK_BOLD "%s" MARK_BOLD
	    " until %s; ends after %s without use.\n%sNobody approves by a token. " MARK_CODE
	    "/logout" MARK_CODE " ends it. Your message with the token is deleted.",
	    row_token_role_text(token, role),
	    zone_date_text(tx->settings->zone, row_token_end(tx->settings, token).at - 1, until),
	    text_duration(idle, tx->settings->session_timeout_ms),
	    has_own ? "You keep your own role. " : "");
}

void
decide_login(struct tx *tx, const struct update *update)
{
	struct token token;
	const char *why;

	if (is_locked(tx, update))
		return;
	decide_chat_unwrite(tx, update);
	token = row_token_find(tx, update->token);
	why = decide_token_fault(tx, &token);
	if (why != NULL)
		refuse(tx, update, &token, why);
	else if (token.person != 0 && token.person != update->person)
		block(tx, update, &token);
	else
		begin(tx, update, &token);
}
