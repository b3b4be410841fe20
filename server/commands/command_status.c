/* command_status.c - /status [environment]: says what is known, and asks all health URLs at once.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/decide_status.h"
#include "store/row_effect.h"
#include "store/row_message.h"

void
command_status(struct tx *tx, const struct update *update, const struct chat_command *command)
{
	const char *name = command->argument[0];
	CLEANUP(message_done)
	struct message message = {
		.address = update->address, .is_silent = true, .is_answer = true
	};
	struct effect *probe;
	int64_t row;

	if (!decide_may(tx, update, POLICY_STATUS, name))
		return;
	if (name[0] != '\0' && decide_environment(tx, update, name) == NULL)
		return;
	probe = decide_status_probe(tx, name);
	message.head = decide_status_text(tx, name, probe != NULL ? &probe->u.probe : NULL, NULL);
	message.foot = strdup("");
	if (message.head == NULL || message.foot == NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): CLEANUP frees it */
		effect_free(probe);
		tx_fail(tx, ERR_NOMEM, "no memory for /status");
		return;
	}
	decide_status_buttons(tx, name, update->address.chat, &message.buttons);
	row = row_message_add(tx, &message);
	if (probe == NULL)
		return;
	probe->u.probe.message = row;
	(void)row_effect_add(tx, probe);
}
