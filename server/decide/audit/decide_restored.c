/* decide_restored.c - what a restored database has again: logins end, the admins are sent the rest.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/audit/decide_restored.h"

#include "decide/decide_reply.h"
#include "decide/who/decide_session.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "store/row_factor.h"
#include "store/row_peer.h"
#include "store/row_token.h"

#define NAMED 20 /* of each kind, in one message */

static void
add_more(struct chat_text *text, size_t n, const char *where)
{
	if (n > NAMED)
		chat_text_add(text, "\nand %zu more: %s", n - NAMED, where);
}

/* Also one that is not valid now: a file that is missing on a new machine comes back. */
static size_t
add_tokens(struct tx *tx, struct chat_text *text)
{
	CLEANUP(freep) struct token *all = mem_new(ROW_TOKEN_LIST, sizeof(*all));
	char role[ROLE_TEXT], until[ZONE_DATE];
	size_t n_all = row_token_list(tx, all), n = 0;

	for (size_t i = 0; i < n_all; i++) {
		const struct token *token = &all[i];

		if (token->ended_at != 0 || token->expires_at <= tx->at || n++ >= NAMED)
			continue;
		if (n == 1)
			chat_text_add(text,
			    "\nTokens, " MARK_CODE "deploybot token revoke NAME" MARK_CODE ":");
		chat_text_add(text, "\n" MARK_CODE "%s" MARK_CODE ": role %s, made by %s, until %s",
		    token->name, row_token_role_text(token, role),
		    decide_user_here(tx, token->made_by),
		    zone_date_text(tx->settings->zone, token->expires_at - 1, until));
	}
	add_more(text, n, MARK_CODE "deploybot token list" MARK_CODE);
	return n;
}

static size_t
add_factors(struct tx *tx, struct chat_text *text)
{
	size_t n = 0;

	for (int64_t person = 0; (person = row_factor_next(tx, person)) != 0;) {
		if (n++ >= NAMED)
			continue;
		if (n == 1)
			chat_text_add(text,
			    "\nSecond factors, " MARK_CODE "deploybot 2fa reset ID" MARK_CODE
			    "; their recovery codes, " MARK_CODE "deploybot 2fa codes ID" MARK_CODE
			    ":");
		chat_text_add(text, "\n%s", decide_user_here(tx, person));
	}
	add_more(text, n, "ask who has one");
	return n;
}

static size_t
add_agents(struct tx *tx, struct chat_text *text)
{
	struct peer page[ROW_PEER_PAGE];
	char after[CRYPTO_CA_IDENTITY] = "";
	size_t n = 0, got = tx->settings->link.address == NULL ? 0 : ROW_PEER_PAGE;

	while (got == ROW_PEER_PAGE) {
		got = row_peer_list(tx, after, page, ROW_PEER_PAGE);
		for (size_t i = 0; i < got; i++) {
			if (page[i].revoked_at != 0 || n++ >= NAMED)
				continue;
			if (n == 1)
				chat_text_add(text,
				    "\nAgents, " MARK_CODE "deploybot agent revoke NAME" MARK_CODE
				    " or " MARK_CODE "move NAME KEY" MARK_CODE ":");
			chat_text_add(text, "\n" MARK_CODE "%s" MARK_CODE ": key %.12s…",
			    peer_name(&page[i]), page[i].digest);
		}
		if (got > 0)
			text_set(after, page[got - 1].identity);
	}
	add_more(text, n, MARK_CODE "deploybot agent list" MARK_CODE);
	return n;
}

static void
tell(struct tx *tx, int64_t admin)
{
	struct message as = { .address.chat = admin, .is_alarm = true };
	struct chat_text text = CHAT_TEXT_EMPTY;
	size_t n;

	chat_text_add(&text,
	    "🔐 This database was restored from a backup: what was revoked, reset or made anew since then is valid again as it was. All logins have ended. Revoke and reset again what was:");
	n = add_tokens(tx, &text);
	n += add_agents(tx, &text);
	n += add_factors(tx, &text);
	if (n > 0)
		(void)decide_send_as(tx, &as, &text);
	else
		buf_done(&text.buf);
}

void
decide_restored(struct tx *tx)
{
	const struct settings_ids *admins = &tx->settings->admins;

	decide_sessions_end(tx, "the database was restored from a backup");
	for (size_t i = 0; i < admins->count; i++)
		tell(tx, admins->id[i]);
}
