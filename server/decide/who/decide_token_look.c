/* decide_token_look.c - tokens that are over, or will be with who made them: recorded, and said.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_token_look.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chat/chat_text.h"
#include "decide/decide_reply.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/zone.h"
#include "store/row_dedupe.h"
#include "store/row_token.h"

#define WEEK_MS (7 * 24 * 3600 * INT64_C(1000))
#define NAMED	10 /* in one message */

/* What the admins are sent of several tokens. */
struct notice {
	size_t n;
	struct buf lines;
};

static void
begin(struct notice *notice)
{
	notice->n = 0;
	buf_init(&notice->lines, LIMIT_MESSAGE);
}

/* The line of one more; NULL: as many are named as a message has lines for. */
static struct buf *
add_line(struct notice *notice, const struct token *token)
{
	if (notice->n++ >= NAMED)
		return NULL;
	buf_addf(&notice->lines, "\n" MARK_CODE "%s" MARK_CODE ": ", token->name);
	return &notice->lines;
}

/* what: of one and of several. */
static void
tell_admins(
    struct tx *tx, struct notice *notice, const char *sign, const char *one, const char *several)
{
	const struct settings_ids *admins = &tx->settings->admins;

	for (size_t i = 0; notice->n > 0 && i < admins->count; i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;

		chat_text_add(&text, "%s %zu %s:%s", sign, notice->n,
		    notice->n == 1 ? one : several, buf_text(&notice->lines));
		if (notice->n > NAMED)
			chat_text_add(&text, "\nand %zu more", notice->n - NAMED);
		chat_text_add(&text,
		    "\nWho stays makes another: " MARK_CODE
		    "deploybot token add NAME --role ROLE --expires 90d" MARK_CODE
		    "; all are in " MARK_CODE "deploybot token list" MARK_CODE ".");
		(void)decide_send(tx, &(struct chat_address){ .chat = admins->id[i] }, &text);
	}
	buf_done(&notice->lines);
}

/* --- one token --- */

/* A bare name was enough once.  With a file that is not read nobody knows which role it was. */
static void
find_application(struct tx *tx, struct token *token)
{
	const struct roles *roles = tx->settings->roles;
	size_t found;

	if (token->application[0] != *ROLE_OF_UNKNOWN || tx->settings->refused_count > 0)
		return;
	switch (roles_named(roles, token->role, &found)) {
	case ROLES_ONE_ELSEWHERE:
		tx_log(tx, LOG_LEVEL_WARNING,
		    "token %s: its role %s is the one of %s, whatever else is called so from now on",
		    token->name, token->role, roles->role[found - 1].application);
		/* fall through */
	case ROLES_ONE:
		memcpy(token->application, roles->role[found - 1].application,
		    sizeof(token->application));
		break;
	case ROLES_SEVERAL:
		text_setf(token->application, ROLE_OF_SEVERAL);
		break;
	case ROLES_NONE: /* of the main file: what an application calls so later is another */
		token->application[0] = '\0';
		break;
	}
	row_token_save(tx, token);
}

/* Of those that nobody has revoked, and whose last day has not come. */
static bool
is_unexpected(enum token_fault fault)
{
	return fault != TOKEN_GOOD && fault != TOKEN_EXPIRED;
}

static void
note_fault(struct tx *tx, struct token *token, enum token_fault fault, struct notice *over)
{
	char role[ROLE_TEXT];
	struct buf *line;

	if (fault == token->fault || token->ended_at != 0) /* what has ended stays so */
		return;
	token->fault = fault;
	token->ended_at = token_fault_rows[fault].is_for_good ? tx->at : 0;
	row_token_save(tx, token);
	if (fault == TOKEN_GOOD)
		return;
	decide_audit(tx, AUDIT_CODE_TOKEN_ENDED, "system", NULL, "ok",
	    (const char *const[]){
		"token", token->name, "reason", token_fault_rows[fault].what, NULL });
	line = is_unexpected(fault) ? add_line(over, token) : NULL;
	if (line != NULL)
		buf_addf(line, "%s (role %s, made by %s)", token_fault_rows[fault].login,
		    row_token_role_text(token, role), decide_user_here(tx, token->made_by));
}

/* Once for each end. */
static void
note_end(
    struct tx *tx, const struct token *token, const struct policy_end *end, struct notice *soon)
{
	char key[80], date[ZONE_DATE], role[ROLE_TEXT];
	struct buf *line;

	if (end->by == POLICY_ENDS_ITSELF || end->at - tx->at > WEEK_MS)
		return;
	text_setf(key, "token/%" PRId64 "/%" PRId64, token->id, end->at);
	line = row_dedupe_add(tx, "access", key, NULL) ? add_line(soon, token) : NULL;
	if (line == NULL)
		return;
	(void)row_token_role_text(token, role);
	(void)zone_date_text(tx->settings->zone, end->at - 1, date);
	if (end->by == POLICY_ENDS_WITH_MAKER)
		buf_addf(line, "with %s, who made it: their role %s ends with %s",
		    decide_user_here(tx, token->made_by), role, date);
	else
		buf_addf(line, "with its role %s, which ends with %s", role, date);
}

/* Returns when it ends; INT64_MAX: it has. */
static int64_t
look_at(struct tx *tx, struct token *token, struct notice *over, struct notice *soon)
{
	struct policy_end end;
	enum token_fault fault;

	find_application(tx, token);
	fault = row_token_fault(tx->settings, token, tx->at);
	note_fault(tx, token, fault, over);
	if (fault != TOKEN_GOOD)
		return INT64_MAX;
	end = row_token_end(tx->settings, token);
	note_end(tx, token, &end, soon);
	return end.at;
}

int64_t
decide_token_look(struct tx *tx)
{
	CLEANUP(freep) struct token *all = mem_new(ROW_TOKEN_LIST, sizeof(*all));
	int64_t next = INT64_MAX;
	struct notice over, soon;
	size_t n = 0;

	begin(&over);
	begin(&soon);
	if (tx->settings->auth_token_secret != NULL)
		n = row_token_list(tx, all);
	for (size_t i = 0; i < n; i++) {
		int64_t end = look_at(tx, &all[i], &over, &soon);

		if (end < next)
			next = end;
	}
	tx_check(tx, &over.lines);
	tx_check(tx, &soon.lines);
	tell_admins(tx, &over, "🔐", "token is not valid any more", "tokens are not valid any more");
	tell_admins(tx, &soon, "⏳", "token ends within a week", "tokens end within a week");
	return next;
}
