/* decide_lost.c - who loses a right by an upgrade is named, once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_lost.h"

#include "chat/chat_text.h"
#include "decide/decide_reply.h"
#include "policy/policy.h"
#include "store/row_ended.h"

#define ROLES_NAMED  10
#define PEOPLE_NAMED 5

/* "telegram:50, local:games and 3 more" */
static void
add_members(struct tx *tx, size_t role, struct buf *out)
{
	const struct roles *roles = tx->settings->roles;
	char user[PRINCIPAL_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < roles->member_count; i++)
		if (roles->member[i].role == role &&
		    policy_is_in_force(&roles->member[i], tx->at) && n++ < PEOPLE_NAMED)
			buf_addf(out, "%s%s", n > 1 ? ", " : "",
			    decide_user(tx, roles->member[i].person, user));
	if (n > PEOPLE_NAMED)
		buf_addf(out, " and %zu more", n - PEOPLE_NAMED);
	if (n == 0)
		buf_adds(out, "nobody now");
}

/* Of the words that can stand in a grant. */
static void
add_actions(uint32_t set, struct buf *out)
{
	const char *before = "";

	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
		if ((set & POLICY_ACTION_BIT(i)) != 0) {
			buf_addf(out, "%s%s", before, policy_action_rows[i].word);
			before = ", ";
		}
}

/* Returns how many roles have lost something. */
static size_t
add_roles(struct tx *tx, struct buf *out)
{
	const struct roles *roles = tx->settings->roles;
	char text[ROLE_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < roles->count; i++) {
		const struct role *role = &roles->role[i];

		if (role->unreached == 0 || n++ >= ROLES_NAMED)
			continue;
		buf_addf(out, "\n" MARK_BOLD "%s" MARK_BOLD " (%s): ",
		    role_id_text(role->application, role->name, text), role->setting);
		add_actions(role->unreached, out);
		buf_adds(out, ": ");
		add_members(tx, i, out);
		tx_log(tx, LOG_LEVEL_WARNING,
		    "role %s: %s names what is the server's, which it does not give any more", text,
		    role->setting);
	}
	if (n > ROLES_NAMED)
		buf_addf(out, "\nand %zu more roles", n - ROLES_NAMED);
	return n;
}

/* Names that were enough, and what else an admin has to write anew. */
static void
add_warnings(const struct settings *s, struct chat_text *text)
{
	for (size_t i = 0; i < s->warned_count && i < ROLES_NAMED; i++) {
		chat_text_outside(text, "\n⚠️ ", s->warned[i].file);
		chat_text_outside(text, ": ", s->warned[i].reason);
	}
}

void
decide_lost(struct tx *tx)
{
	const struct settings_ids *admins = &tx->settings->admins;
	CLEANUP(buf_done) struct buf roles = buf_make(LIMIT_MESSAGE);
	size_t n;

	if (!row_ended_by_upgrade(tx))
		return;
	n = add_roles(tx, &roles) + tx->settings->warned_count;
	for (size_t i = 0; n > 0 && i < admins->count; i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;

		chat_text_add(&text,
		    "🔐 Rights have ended with this version: tokens, second factors and the server's own audit are given by the settings file alone, on all targets.%s",
		    buf_text(&roles));
		if (roles.size > 0)
			chat_text_add(&text,
			    "\nWho shall keep them needs a role there: " MARK_CODE
			    "ROLE_<NAME>_MAY=token:*/*" MARK_CODE ".");
		add_warnings(tx->settings, &text);
		(void)decide_send(tx, &(struct chat_address){ .chat = admins->id[i] }, &text);
	}
	tx_check(tx, &roles);
}
