/* command_whoami.c - /whoami: shows a person's id, and a group's, so that nobody needs another bot.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/factor/decide_factor.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_principal.h"
#include "lib/buf.h"
#include "lib/text.h"
#include "policy/policy_report.h"
#include "store/row_chat.h"
#include "store/row_rate_limit.h"

#define WHOAMI_EVERY_MS (60 * INT64_C(1000))

/* What each role grants. */
static void
add_lines(struct tx *tx, int64_t person, struct buf *out)
{
	const struct roles *roles = tx->settings->roles;
	size_t n = 0;
	const struct role_member *member = roles_of(roles, person, &n);

	for (size_t i = 0; i < n; i++) {
		const struct role *role = &roles->role[member[i].role];

		if (!policy_is_in_force(&member[i], tx->at))
			continue;
		buf_addf(out, "\n%s%s%s: ", role->name, role->application[0] != '\0' ? " of " : "",
		    role->application);
		policy_report_words(roles, role, out);
	}
}

/* What they may, and need a code for. */
static void
add_factor(struct tx *tx, int64_t person, struct buf *out)
{
	const struct settings *s = tx->settings;
	size_t n = 0;

	for (size_t i = 0; i < s->require_otp_count; i++)
		if (policy_asks_factor_of(
			s, &s->require_otp[i], decide_principal(tx, person), tx->at))
			buf_addf(out, "%s" MARK_CODE "%s" MARK_CODE,
			    n++ == 0 ? "\nNeeds a code of your second factor: " : ", ",
			    s->require_otp[i].text);
	if (n > 0)
		buf_adds(out,
		    decide_factor_of(tx, person).enrolled_at == 0 ?
			". You have none yet: " MARK_CODE "/2fa" MARK_CODE "." :
			".");
}

void
command_whoami(struct tx *tx, const struct update *update, UNUSED const struct request *request)
{
	struct principal person = decide_principal(tx, update->person);
	bool is_stranger = decide_is_stranger(tx, update->person);
	struct message as = { .address = update->address, .is_silent = true, .is_answer = true };
	char chat[160] = "", roles[LIMIT_LINE], id[24];
	struct chat_text text = CHAT_TEXT_EMPTY;
	CLEANUP(buf_done) struct buf lines = buf_make((size_t)16 * 1024);

	if (!decide_may_as(tx, update, POLICY_GREET, "", "whoami"))
		return;
	if (!row_rate_limit_take(tx, 1, WHOAMI_EVERY_MS, "whoami:%" PRId64 ":%" PRId64,
		update->person, update->address.chat))
		return;
	if (!update->is_private)
		text_setf(chat, "\nThis chat's id is " MARK_CODE "%" PRId64 MARK_CODE "%s.",
		    update->address.chat,
		    update->address.chat == row_chat_now(tx, tx->settings->telegram_chat_id) ?
			": deployments are reported here" :
			", for TELEGRAM_CHAT_ID");
	if (update->is_private) {
		add_lines(tx, update->person, &lines);
		add_factor(tx, update->person, &lines);
	}
	chat_text_add(&text,
	    "Your Telegram id is " MARK_CODE "%" PRId64 MARK_CODE "; your role here: " MARK_BOLD
	    "%s" MARK_BOLD ".%s%s%s",
	    update->person, policy_roles_text(tx->settings, person, tx->at, roles, sizeof(roles)),
	    is_stranger ?
		"\nAn admin adds the id to a role: STAGING_TELEGRAM_IDS, ROLE_<NAME>_IDS." :
		"",
	    chat, buf_text(&lines));
	text_setf(id, "%" PRId64, update->is_private ? update->person : update->address.chat);
	buttons_add_copy(
	    &as.buttons, update->is_private ? "📋 Copy your id" : "📋 Copy this chat's id", id);
	(void)decide_send_as(tx, &as, &text);
}
