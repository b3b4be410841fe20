/* command_help.c - /start, /help: what the requester's role may do.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "commands/commands.h"
#include "decide/decide_allowed.h"
#include "decide/decide_do.h"
#include "decide/decide_first_admin.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/decide_where.h"
#include "decide/decide_who.h"

#define PLACES_SHOWN	   3 /* behind a command */
#define ENVIRONMENTS_SHOWN 40
#define CLIENTS_SHOWN	   10

/* Of the table itself: commands.c, which has it with its functions, calls this file. */
static const struct row {
	const char *word;
	enum policy_action action;
	const char *usage;
	const char *help;
} table[] = {
#define COMMAND(word, action, target, argument, when, cost, usage, help) \
	{ #word, POLICY_##action, usage, help },
#define PRESSED(word, when, cost)
#include "commands/commands.def"
#undef COMMAND
#undef PRESSED
};

/* Where one may do it: nothing behind what one may everywhere. */
static void
add_places(
    struct tx *tx, const struct update *update, enum policy_action action, struct chat_text *text)
{
	size_t n = 0, count = tx->settings->environment_count;

	for (size_t i = 0; i < count; i++)
		n += decide_is_allowed(
		    tx, update->person, action, tx->settings->environments[i].name);
	if (n == count || policy_action_rows[action].who == POLICY_BY_ANYONE)
		return;
	for (size_t i = 0, shown = 0; i < count && shown < PLACES_SHOWN; i++) {
		const char *name = tx->settings->environments[i].name;

		if (decide_is_allowed(tx, update->person, action, name))
			chat_text_add(text, "%s%s", shown++ == 0 ? " (" : ", ", name);
	}
	if (n > PLACES_SHOWN)
		chat_text_add(text, " and %zu more", n - PLACES_SHOWN);
	if (n > 0)
		chat_text_add(text, ")");
}

static void
add_environments(struct tx *tx, const struct update *update, struct chat_text *text)
{
	struct principal who = decide_who(tx, update->person);
	size_t n = 0;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const char *name = tx->settings->environments[i].name;

		if (policy_sees(tx->settings, who, name, tx->at) && n++ < ENVIRONMENTS_SHOWN)
			chat_text_add(text, "%s " MARK_CODE "%s" MARK_CODE,
			    n == 1 ? "\nEnvironments:" : "", name);
	}
	if (n > ENVIRONMENTS_SHOWN)
		chat_text_add(text, " and %zu more: /status", n - ENVIRONMENTS_SHOWN);
}

/* What they may do to each; whoever approves there may do nothing. */
static void
add_clients(struct tx *tx, const struct update *update, struct chat_text *text)
{
	size_t n = 0;

	for (size_t i = 0; i < tx->settings->client_count; i++) {
		const struct client_settings *client = &tx->settings->clients[i];
		const char *before = ":";

		if (!decide_sees(tx, update->person, client->as.name) || n++ >= CLIENTS_SHOWN)
			continue;
		chat_text_code(text, n == 1 ? "\nClients:\n" : "\n", client->id);
		if (strcmp(client->name, client->id) != 0)
			chat_text_outside(text, " ", client->name);
		for (size_t a = 0; a < ACTION_COUNT; a++) {
			if (!decide_do_allows(tx, update->person, &action_table[a], client))
				continue;
			chat_text_add(text, "%s %s", before, action_table[a].name);
			before = ",";
		}
	}
	if (n > CLIENTS_SHOWN)
		chat_text_add(
		    text, "\nand %zu more: " MARK_CODE "/do" MARK_CODE, n - CLIENTS_SHOWN);
}

/* Without what they may nowhere. */
static void
add_usage(struct tx *tx, const struct update *update, const char *usage, struct chat_text *text)
{
	const char *emergency = strstr(usage, " [emergency ");
	size_t size =
	    emergency != NULL && !decide_is_allowed(tx, update->person, POLICY_EMERGENCY, "") ?
	    (size_t)(emergency - usage) :
	    strlen(usage);

	chat_text_add(text, MARK_CODE "%.*s" MARK_CODE, (int)size, usage);
}

static void
add_row(struct tx *tx, const struct update *update, const struct row *row, struct chat_text *text)
{
	add_usage(tx, update, row->usage, text);
	chat_text_add(text, " — %s", row->help);
	add_places(tx, update, row->action, text);
	chat_text_add(text, "\n");
}

static void
say_help(struct tx *tx, const struct update *update, const char *greeting)
{
	bool is_stranger = decide_is_stranger(tx, update->person);
	struct principal who = decide_who(tx, update->person);
	char roles[LIMIT_LINE], ended[LIMIT_LINE];
	struct chat_text text;

	/* In a group a stranger's hello is a denial like any other. */
	if (is_stranger && !update->is_private) {
		(void)decide_may(tx, update, POLICY_TALK, "");
		return;
	}
	chat_text_init(&text);
	chat_text_add(&text, "%s", greeting);
	if (is_stranger)
		chat_text_add(&text,
		    "You have no role here yet. Send an admin the id that " MARK_CODE
		    "/whoami" MARK_CODE " shows.\n");
	else
		chat_text_add(&text, "You may, as " MARK_BOLD "%s" MARK_BOLD ":\n",
		    policy_roles_text(tx->settings, who, tx->at, roles, sizeof(roles)));
	if (policy_ended_text(tx->settings, who, tx->at, ended, sizeof(ended))[0] != '\0')
		chat_text_add(&text, "Your access has ended: %s.\n", ended);
	for (size_t i = 0; i < COUNT(table); i++)
		if (decide_is_allowed(tx, update->person, table[i].action, ""))
			add_row(tx, update, &table[i], &text);
	if (!is_stranger) {
		add_environments(tx, update, &text);
		add_clients(tx, update, &text);
	}
	(void)decide_send(tx, &update->address, &text);
}

#define PREFIX_LEAST 3

/* Of one command that they may give, or of all that begin so, with buttons that do it: what is
 * missing is asked for then.  False: there is none. */
static bool
say_one(struct tx *tx, const struct update *update, const char *typed)
{
	CLEANUP(message_done) struct message message = { 0 };
	const struct request below = { .message = 0 };
	const char *word = typed[0] == '/' ? typed + 1 : typed;
	bool is_prefix = strlen(word) >= PREFIX_LEAST;
	struct chat_text text;
	size_t n = 0;

	chat_text_init(&text);
	for (size_t i = 0; i < COUNT(table); i++) {
		const struct request as = request_of(table[i].word, "");
		char label[LIMIT_BUTTON];

		if (!decide_is_allowed(tx, update->person, table[i].action, "") ||
		    (strcasecmp(table[i].word, word) != 0 &&
			!(is_prefix && strncasecmp(table[i].word, word, strlen(word)) == 0)))
			continue;
		n++;
		add_row(tx, update, &table[i], &text);
		(void)snprintf(label, sizeof(label), "/%s", table[i].word);
		decide_once_button(tx, update, &as, label, &message.buttons);
	}
	if (n == 0) {
		buf_done(&text.buf);
		return false;
	}
	if (!decide_is_stranger(tx, update->person))
		add_environments(tx, update, &text);
	message.head = chat_text_take(&text);
	(void)decide_send_keyboard(tx, update, &below, &message);
	return true;
}

void
command_help(struct tx *tx, const struct update *update, const struct request *request)
{
	char typed[LIMIT_REF];

	if (request_get(request, "word", typed)[0] == '\0' || !say_one(tx, update, typed))
		say_help(tx, update, "");
}

void
command_start(struct tx *tx, const struct update *update, const struct request *request)
{
	char typed[LIMIT_REF];

	if (update->is_private &&
	    decide_first_admin_opens(tx, update, request_get(request, "text", typed)))
		return;
	say_help(tx, update, "👋 I deploy releases, check their health and roll bad ones back.\n\n");
}
