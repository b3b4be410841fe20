/* command_whoami.c - /whoami: tells anyone their id, so that the first admin needs no other bot.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "store/row_guard.h"

#define WHOAMI_EVERY_MS (60 * INT64_C(1000))

void
command_whoami(struct tx *tx, const struct update *update, const struct chat_command *command)
{
	enum policy_role role = policy_role(tx->settings, update->person);
	char who[64];

	(void)command; /* takes no argument */
	if (role == POLICY_STRANGER && !update->is_private) {
		(void)decide_may(tx, update, POLICY_STATUS, "");
		return;
	}
	(void)snprintf(who, sizeof(who), "whoami:%" PRId64, update->person);
	if (!row_bucket_take(tx, who, 1, WHOAMI_EVERY_MS))
		return;
	(void)decide_sayf(tx, &update->place,
	    "Your Telegram id is " MARK_CODE "%" PRId64 MARK_CODE "; your role here: " MARK_BOLD
	    "%s" MARK_BOLD ".%s",
	    update->person, policy_role_word(role),
	    role == POLICY_STRANGER ?
		"\nAn admin adds the id to ADMIN_TELEGRAM_IDS or STAGING_TELEGRAM_IDS." :
		"");
}
