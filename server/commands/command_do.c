/* command_do.c - /do [action] [target] [job]: no deployment; where words are missing buttons ask.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/work/decide_do.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "lib/text.h"

/* What was typed, in lower case; "" where there is none.  Behind the name of a pipeline stands what
 * it asks for, as it was typed. */
struct words {
	char action[LIMIT_REF];
	char target[LIMIT_REF];
	char argument[LIMIT_REF];
};

/* A button's target stands in its request, as those of other commands. */
static bool
read_words(const struct request *request, struct words *ret)
{
	bool has_target = request->target[0] != '\0';
	char value[LIMIT_REF], words[3][LIMIT_REF];
	size_t n = has_target ? 2 : 3;
	bool is_whole = request_words(request_get(request, COMMANDS_TEXT, value), n, words);
	const struct action *action = action_find(words[0]);

	text_set(ret->action, words[0]);
	text_set(ret->target, has_target ? request->target : words[1]);
	text_set(ret->argument, words[n - 1]);
	if (is_whole || action == NULL || action->argument != ACTION_TAKES_PIPELINE)
		return is_whole;
	text_setf(ret->argument, "%.40s %.200s", words[n - 1], request_behind(value, n));
	return true;
}

/* --- buttons --- */

/* action NULL: anything there. */
static bool
may_on(struct tx *tx, const struct update *update, const struct action *action,
    const struct client_settings *client)
{
	bool may = false;

	for (size_t a = 0; a < ACTION_COUNT; a++)
		may |= (action == NULL || action == &action_table[a]) &&
		    decide_do_allows(tx, update->person, &action_table[a], client);
	return may;
}

static bool
may_somewhere(struct tx *tx, const struct update *update, const struct action *action)
{
	for (size_t i = 0; i < tx->settings->client_count; i++)
		if (may_on(tx, update, action, &tx->settings->clients[i]))
			return true;
	return false;
}

/* Each client where they may do something, or that action. */
static void
add_clients(struct tx *tx, const struct update *update, const struct action *action,
    struct chat_text *text, struct message *message)
{
	const struct settings *s = tx->settings;
	char words[LIMIT_REF];
	size_t n = 0;

	for (size_t i = 0; i < s->client_count; i++) {
		const struct client_settings *client = &s->clients[i];

		if (!may_on(tx, update, action, client))
			continue;
		text_setf(words, "%s%s%s", action != NULL ? action->name : "",
		    action != NULL ? " " : "", client->id);
		chat_text_code(text, n++ == 0 ? "" : " ", client->id);
		if (strcmp(client->name, client->id) != 0)
			chat_text_outside(text, " ", client->name);
		decide_do_choice(tx, update, words, client->name, message);
	}
}

static void
add_actions(struct tx *tx, const struct update *update, const struct client_settings *client,
    struct chat_text *text, struct message *message)
{
	char words[LIMIT_REF];
	size_t n = 0;

	for (size_t a = 0; a < ACTION_COUNT; a++) {
		if (!decide_do_allows(tx, update->person, &action_table[a], client))
			continue;
		text_setf(words, "%s %s", action_table[a].name, client->id);
		chat_text_code(text, n++ == 0 ? "" : "\n", action_table[a].name);
		chat_text_add(text, " — %s", action_table[a].help);
		decide_do_choice(tx, update, words, action_table[a].name, message);
	}
	if (n == 0)
		chat_text_add(text, "nothing that you may: an admin can grant do");
}

/* --- what is meant --- */

/* Nothing is left to choose (NULL: not chosen yet): it is asked about at once.  What is begun
 * without a question is not. */
static bool
do_the_one(struct tx *tx, const struct update *update, const struct action *action,
    const struct client_settings *client)
{
	const struct settings *s = tx->settings;
	const struct client_settings *on = NULL;
	const struct action *one = NULL;
	size_t n = 0;

	for (size_t i = 0; i < s->client_count; i++)
		for (size_t a = 0; a < ACTION_COUNT; a++) {
			if ((client != NULL && client != &s->clients[i]) ||
			    (action != NULL && action != &action_table[a]) ||
			    !decide_do_allows(tx, update->person, &action_table[a], &s->clients[i]))
				continue;
			on = &s->clients[i];
			one = &action_table[a];
			n++;
		}
	if (n != 1 || one->asks != ACTION_ASKS_ALWAYS)
		return false;
	(void)decide_do(tx, update, one, on->id, "", DO_ASKS);
	return true;
}

static void
ask_client(
    struct tx *tx, const struct update *update, const struct action *action, const char *wrong)
{
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	if (wrong[0] != '\0')
		decide_do_no_client(tx, update->person, wrong, &text);
	if (decide_do_none(tx, update->person, &text))
		;
	else if (may_somewhere(tx, update, action))
		chat_text_add(&text, "❓ " MARK_BOLD "/do%s%s" MARK_BOLD ": to which client? ",
		    action != NULL ? " " : "", action != NULL ? action->name : "");
	else if (action != NULL)
		chat_text_add(&text,
		    "You may not " MARK_CODE "%s" MARK_CODE
		    " on any client: ask an admin. /whoami says what you may.",
		    action->name);
	else
		decide_do_list(tx, update->person, "", NULL, false, &text);
	add_clients(tx, update, action, &text, &message);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}

static void
ask_action(struct tx *tx, const struct update *update, const struct client_settings *client)
{
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	chat_text_add(&text, "❓ " MARK_BOLD "%s" MARK_BOLD ": what?\n", client->as.name);
	add_actions(tx, update, client, &text, &message);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}

/* Nothing was named: of one client alone nobody is asked which. */
static void
ask_anything(struct tx *tx, const struct update *update)
{
	const struct settings *s = tx->settings;
	const struct client_settings *one = NULL;
	size_t n = 0;

	for (size_t i = 0; i < s->client_count; i++)
		if (may_on(tx, update, NULL, &s->clients[i]) && n++ == 0)
			one = &s->clients[i];
	if (n == 1)
		ask_action(tx, update, one);
	else
		ask_client(tx, update, NULL, "");
}

static void
say_no_action(struct tx *tx, const struct update *update, const char *name, const char *target)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	decide_do_list(tx, update->person, name,
	    decide_do_client(tx, update->person, decide_do_id(target)), false, &text);
	(void)decide_send(tx, &update->address, &text);
}

static void
do_to_client(struct tx *tx, const struct update *update, const struct action *action,
    const struct words *words)
{
	const char *id = decide_do_id(words->target);

	if (id[0] == '\0' && do_the_one(tx, update, action, NULL))
		return;
	if (id[0] == '\0' || decide_do_client(tx, update->person, id) == NULL)
		ask_client(tx, update, action, id);
	else
		(void)decide_do(tx, update, action, id, words->argument, DO_ASKS);
}

/* "production migrate" is what is typed where one is meant; buttons ask for the environment. */
void
command_do_there(
    struct tx *tx, const struct update *update, const struct request *request, bool is_requested)
{
	const struct environment_settings *settings;
	struct request where = *request;
	char text[LIMIT_REF];
	struct words words;

	(void)read_words(request, &words);
	text_set(where.target, words.target);
	text_setf(text, "%.40s %.200s", words.action, words.argument);
	request_drop(&where, COMMANDS_TEXT);
	request_add(&where, COMMANDS_TEXT, text);
	settings = decide_where(tx, update, POLICY_DO, &where);
	if (settings != NULL)
		(void)decide_do(tx, update, action_find(words.action), settings->name,
		    words.argument, is_requested ? DO_IS_REQUESTED : DO_ASKS);
}

/* As many of the words as it takes are offered. */
static void
say_too_much(struct tx *tx, const struct update *update, const struct words *words)
{
	struct message message = { 0 };
	struct request fewer = request_of("do", "");
	char line[LIMIT_REF], label[LIMIT_BUTTON];
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	text_setf(line, "%.40s %.100s", words->action, words->target);
	text_setf(label, "/do %.24s %.28s", words->action, words->target);
	request_add(&fewer, COMMANDS_TEXT, line);
	decide_once_button(tx, update, &fewer, label, &message.buttons);
	chat_text_add(&text,
	    "Too much after /do. Usage: " MARK_CODE
	    "/do [action] [client or environment] [job]" MARK_CODE);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}

void
command_do(struct tx *tx, const struct update *update, const struct request *request)
{
	struct words words;
	bool is_whole = read_words(request, &words);
	const struct action *action = action_find(words.action);
	const struct client_settings *client =
	    decide_do_client(tx, update->person, decide_do_id(words.action));

	if (!decide_is_allowed_somewhere(tx, update->person, POLICY_DO)) {
		(void)decide_may_somewhere(
		    tx, update, POLICY_DO, action != NULL ? action->name : "");
	} else if (!is_whole && (action != NULL || client != NULL)) {
		say_too_much(tx, update, &words);
	} else if (words.action[0] == '\0') {
		if (!do_the_one(tx, update, NULL, NULL))
			ask_anything(tx, update);
	} else if (action == NULL && client != NULL && words.target[0] == '\0') {
		if (!do_the_one(tx, update, NULL, client))
			ask_action(tx, update, client);
	} else if (action == NULL) {
		say_no_action(tx, update, words.action, words.target);
	} else if (action->target == ACTION_ON_CLIENT) {
		do_to_client(tx, update, action, &words);
	} else {
		command_do_there(tx, update, request, false);
	}
}
