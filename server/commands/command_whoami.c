/* command_whoami.c - /whoami: shows a person's id, and a group's, so that nobody needs another bot.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "store/row_rate_limit.h"

#define WHOAMI_EVERY_MS (60 * INT64_C(1000))

void
command_whoami(struct tx *tx, const struct update *update, const struct chat_command *command)
{
	enum policy_role role = policy_role(tx->settings, update->person);
	char who[64], chat[160] = "";

	(void)command; /* takes no argument */
	if (role == POLICY_STRANGER && !update->is_private) {
		(void)decide_may(tx, update, POLICY_STATUS, "");
		return;
	}
	(void)snprintf(
	    who, sizeof(who), "whoami:%" PRId64 ":%" PRId64, update->person, update->address.chat);
	if (!row_rate_limit_take(tx, who, 1, WHOAMI_EVERY_MS))
		return;
	if (!update->is_private)
		(void)snprintf(chat, sizeof(chat),
		    "\nThis chat's id is " MARK_CODE "%" PRId64 MARK_CODE "%s.",
		    update->address.chat,
		    update->address.chat == tx->settings->telegram_chat_id ?
			": deployments are reported here" :
			", for TELEGRAM_CHAT_ID");
	(void)decide_sendf(tx, &update->address,
	    "Your Telegram id is " MARK_CODE "%" PRId64 MARK_CODE "; your role here: " MARK_BOLD
	    "%s" MARK_BOLD ".%s%s",
	    update->person, policy_role_word(role),
	    role == POLICY_STRANGER ?
		"\nAn admin adds the id to ADMIN_TELEGRAM_IDS or STAGING_TELEGRAM_IDS." :
		"",
	    chat);
}
