/* command_history.c - /history [environment]: the latest deployments.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment.h"
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"

#define SHOWN_OF_ONE  10
#define SHOWN_OF_EACH 3

static void
add_history(struct tx *tx, struct chat_text *text, const char *environment, size_t most)
{
	struct deployment latest[SHOWN_OF_ONE];
	size_t n = row_deployment_list(tx, environment, latest, most);

	chat_text_add(text, MARK_BOLD "%s" MARK_BOLD "\n", environment);
	if (n == 0)
		chat_text_add(text, "no deployments yet\n");
	for (size_t i = 0; i < n; i++) {
		int64_t release =
		    latest[i].state == DEPLOY_LIVE ? row_release_number(tx, &latest[i]) : 0;

		chat_deployment_line(text, &latest[i], release, tx->at);
		chat_text_add(text, "\n");
	}
}

void
command_history(struct tx *tx, const struct update *update, const struct chat_command *command)
{
	const char *name = command->argument[0];
	struct chat_text text;

	if (!decide_may(tx, update, POLICY_HISTORY, name))
		return;
	if (name[0] != '\0' && decide_environment(tx, update, name) == NULL)
		return;
	chat_text_init(&text);
	if (name[0] != '\0')
		add_history(tx, &text, name, SHOWN_OF_ONE);
	else
		for (size_t i = 0; i < tx->settings->environment_count; i++)
			add_history(tx, &text, tx->settings->environments[i].name, SHOWN_OF_EACH);
	(void)decide_send(tx, &update->address, &text);
}
