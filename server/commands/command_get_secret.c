/* command_get_secret.c - /get_secret <name>: a secret of Vault's for who asks, in private.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/work/decide_loan_ask.h"
#include "lib/text.h"

void
command_get_secret(struct tx *tx, const struct update *update, const struct request *request)
{
	char typed[LIMIT_REF], words[1][LIMIT_REF];

	if (!decide_may_somewhere(tx, update, POLICY_SECRET, ""))
		return;
	(void)request_words(request_get(request, COMMANDS_TEXT, typed), 1, words);
	if (!update->is_private || decide_is_answered(update)) {
		decide_answer_no(tx, update);
		(void)decide_sendf(tx, &update->address,
		    "🔐 /get_secret works in our private chat only; on the server it is " MARK_CODE
		    "deploybot secret get <name>" MARK_CODE ".");
	} else if (words[0][0] == '\0') {
		command_secrets(tx, update, request);
	} else {
		const char *what_for = request_behind(typed, 1);

		decide_loan_in_chat(tx, update, words[0],
		    what_for + (text_starts_ci(what_for, "for ") ? strlen("for ") : 0));
	}
}
