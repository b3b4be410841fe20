/* command_help.c - /start, /help: what the requester's role may do.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"

/* Of the table itself: commands.c, which has it with its functions, calls this file. */
static const struct {
	enum policy_action action;
	const char *usage;
	const char *help;
} table[] = {
#define COMMAND(word, most, action, usage, help) { POLICY_##action, usage, help },
#include "commands/commands.def"
#undef COMMAND
};

static void
say_help(struct tx *tx, const struct update *update, const char *greeting)
{
	enum policy_role role = policy_role(tx->settings, update->person);
	struct chat_text text;

	/* In a group a stranger's hello is a denial like any other. */
	if (role == POLICY_STRANGER && !update->is_private) {
		(void)decide_may(tx, update, POLICY_STATUS, "");
		return;
	}
	chat_text_init(&text);
	chat_text_add(&text, "%s", greeting);
	if (role == POLICY_STRANGER)
		chat_text_add(&text,
		    "You have no role here yet. Send an admin the id that " MARK_CODE
		    "/whoami" MARK_CODE " shows.\n");
	else
		chat_text_add(
		    &text, "You may, as " MARK_BOLD "%s" MARK_BOLD ":\n", policy_role_word(role));
	for (size_t i = 0; i < COUNT(table); i++) {
		bool everywhere = policy_decide(role, table[i].action, "").is_allowed;

		if (everywhere || policy_decide(role, table[i].action, "staging").is_allowed)
			chat_text_add(&text, MARK_CODE "%s" MARK_CODE " — %s%s\n", table[i].usage,
			    table[i].help, everywhere ? "" : " (staging)");
	}
	if (role != POLICY_STRANGER) {
		chat_text_add(&text, "\nEnvironments:");
		for (size_t i = 0; i < tx->settings->environment_count; i++)
			chat_text_add(&text, " " MARK_CODE "%s" MARK_CODE,
			    tx->settings->environments[i].name);
	}
	(void)decide_send(tx, &update->address, &text);
}

void
command_help(struct tx *tx, const struct update *update, const struct chat_command *command)
{
	(void)command; /* takes no argument */
	say_help(tx, update, "");
}

void
command_start(struct tx *tx, const struct update *update, const struct chat_command *command)
{
	(void)command; /* takes no argument */
	say_help(tx, update, "👋 I deploy releases, check their health and roll bad ones back.\n\n");
}
