/* commands.c - finds the command and hands it on.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/decide_where.h"
#include "lib/clean.h"
#include "lib/text.h"
#include "store/row_hold.h"
#include "store/row_message.h"

/* The typed ones stand first. */
static const struct command table[] = {
#define LIMITED false
#define ALWAYS	true
#define COMMAND(word, action, target, argument, when, cost, usage, help) \
	{ #word, POLICY_##action, COMMAND_##target, argument, when, cost, usage, help, \
		command_##word },
#define PRESSED(word, when, cost)
#include "commands/commands.def"
#undef COMMAND
#undef PRESSED
#define COMMAND(word, ...)
#define PRESSED(name, when, tenths) \
	{ .word = #name, .argument = "", .is_always = when, .cost = tenths, .run = command_##name },
#include "commands/commands.def"
#undef COMMAND
#undef PRESSED
};

size_t
commands_count(void)
{
	size_t n = 0;

	while (n < COUNT(table) && table[n].usage != NULL)
		n++;
	return n;
}

const struct command *
commands_get(size_t i)
{
	assert(i < commands_count());
	return &table[i];
}

static const struct command *
find(const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].word, word) == 0)
			return &table[i];
	return NULL;
}

static void
hint_unknown(struct tx *tx, const struct update *update, const char *word)
{
	const char *names[COUNT(table)];
	const char *near;

	decide_answer_no(tx, update);
	if (!decide_may(tx, update, POLICY_TALK, ""))
		return;
	for (size_t i = 0; i < commands_count(); i++)
		names[i] = table[i].word;
	near = text_nearest(word, names, commands_count());
	if (near != NULL)
		(void)decide_sendf(
		    tx, &update->address, "I don't know /%s. Did you mean /%s?", word, near);
	else
		(void)decide_sendf(
		    tx, &update->address, "I don't know /%s. /help lists what you may do.", word);
}

bool
commands_is_always(const char *word)
{
	const struct command *command = find(word, COUNT(table));

	return command != NULL && command->is_always;
}

/* What is counted of it: a typo is no denial. */
static const char *
outcome_of(struct tx *tx, const struct update *update, const struct command *command,
    const char *environment)
{
	if (decide_is_allowed(tx, update->person, command->action, environment))
		return "taken";
	return !decide_is_stranger(tx, update->person) && environment[0] != '\0' &&
		(settings_environment(tx->settings, environment) == NULL ||
		    !policy_sees(
			tx->settings, principal_of_person(update->person), environment, tx->at)) ?
	    "refused" :
	    "denied";
}

/* All that stands behind those words, as one line; false: that is too long. */
static bool
add_text(const struct chat_command *typed, size_t used, struct request *ret)
{
	char line[LIMIT_REF];

	if (used >= typed->n_arguments)
		return true;
	if (strlen(typed->rest[used]) >= COMMANDS_TEXT_MAX)
		return false;
	request_add(ret, COMMANDS_TEXT,
	    clean_line(line, sizeof(line), typed->rest[used], strlen(typed->rest[used])));
	return true;
}

/* The words as a request; false: there are more of them than it takes. */
static bool
read_request(struct tx *tx, const struct update *update, const struct command *command,
    const struct chat_command *typed, struct request *ret)
{
	size_t used = 0;

	*ret = request_of(command->word, "");
	if (command->target != COMMAND_NONE)
		used = decide_read_target(tx, update, typed, ret->target);
	if (strcmp(command->argument, COMMANDS_TEXT) == 0)
		return !typed->is_too_long && add_text(typed, used, ret);
	if (typed->n_arguments > used && command->argument[0] != '\0')
		request_add(ret, command->argument, typed->argument[used++]);
	return !typed->is_too_long && typed->n_arguments <= used;
}

/* False: their limit is used up. */
static bool
run_paid(struct tx *tx, const struct update *update, const struct command *command,
    const struct request *request)
{
	if (!decide_can_pay(tx, update, command->word, command->cost))
		return false;
	command->run(tx, update, request);
	decide_pay(tx, update, command->cost);
	return true;
}

static void
run(struct tx *tx, const struct update *update, const struct command *command,
    const struct request *request)
{
	const char *outcome = outcome_of(tx, update, command, request->target);

	if (strcmp(outcome, "taken") != 0)
		command->run(tx, update, request);
	else if (!run_paid(tx, update, command, request))
		outcome = "refused";
	tx_count_metric(tx, INCREMENT_COMMAND, command->word, outcome, "", 0);
}

/* A reply to what is answered by one: its text is why somebody deploys in a freeze, and then it is
 * the command that was denied.  False: it is none. */
static bool
take_reply(struct tx *tx, const struct update *update)
{
	struct button_row button = { 0 };
	char reason[COMMANDS_TEXT_MAX], ref[LIMIT_REF];
	struct request request;

	if (update->reply_to != 0)
		button = row_button_replied(tx, update->address.chat, update->reply_to);
	if (button.id[0] == '\0' || button.person != update->person ||
	    clean_line(reason, sizeof(reason), update->text, strlen(update->text))[0] == '\0')
		return false;
	row_button_close_keyboard(tx, button.message);
	if (!button.is_open) {
		(void)decide_sendf(tx, &update->address,
		    "⌛ %s: not deployed: that was more than 10 minutes ago. " MARK_CODE
		    "/deploy %s" MARK_CODE " asks again.",
		    button.request.target, button.request.target);
		return true;
	}
	request = request_of("deploy", button.request.target);
	request_add(&request, "ref", request_get(&button.request, "ref", ref));
	request_add(&request, "exception", reason);
	run(tx, update, find(request.action, commands_count()), &request);
	return true;
}

void
commands_handle(struct tx *tx, const struct update *update)
{
	commands_handle_because(tx, update, "");
}

void
commands_handle_because(struct tx *tx, const struct update *update, const char *reason)
{
	const struct command *command;
	struct chat_command typed;
	struct request request;

	if (!chat_command_parse(update->text, &typed)) {
		(void)take_reply(tx, update);
		return;
	}
	command = find(typed.word, commands_count());
	if (decide_is_too_fast(tx, update, typed.word, command != NULL && command->is_always))
		return;
	if (command == NULL) {
		tx_count_metric(tx, INCREMENT_COMMAND, "unknown", "refused", "", 0);
		hint_unknown(tx, update, typed.word);
		return;
	}
	if (!read_request(tx, update, command, &typed, &request)) {
		tx_count_metric(tx, INCREMENT_COMMAND, command->word, "refused", "", 0);
		decide_answer_no(tx, update);
		if (decide_may(tx, update, command->action, ""))
			(void)decide_sendf(tx, &update->address,
			    "Too much behind /%s. Usage: " MARK_CODE "%s" MARK_CODE, command->word,
			    command->usage);
		return;
	}
	if (command->action == POLICY_DEPLOY)
		request_add(&request, "exception", reason);
	run(tx, update, command, &request);
}

/* Of a question to the owner of a lock: that person's name; "" of any other. */
static void
name_of_owner(struct tx *tx, const struct button_row *button, char ret[LIMIT_PERSON])
{
	const struct request *request = &button->request; /* about it, or with it */
	int64_t about = request_number(request, "hold");
	struct hold lock =
	    row_hold_get(tx, about != 0 ? about : request_get_number(request, "hold"));

	(void)text_copy(
	    ret, LIMIT_PERSON, lock.id != 0 && lock.person == button->person ? lock.by : "");
}

/* What is typed, or stands under a command, may be had from that. */
static bool
is_theirs(struct tx *tx, const struct update *update, const struct button_row *button)
{
	const char *action = button->request.action;
	bool is_place = strcmp(action, "leave") == 0 || strcmp(action, "give") == 0;
	char owner[LIMIT_PERSON];

	if (button->person == 0 || button->person == update->person)
		return true;
	name_of_owner(tx, button, owner);
	if (owner[0] != '\0' && strcmp(action, "unlock") == 0 &&
	    decide_is_allowed(tx, update->person, POLICY_UNLOCK, button->request.target))
		return true;
	decide_audit_denied(
	    tx, update, action, button->request.target, "the button is another person's");
	if (owner[0] != '\0' || (!is_place && find(action, commands_count()) == NULL))
		decide_toastf(tx, update, true, "⛔ Only %s may press this.",
		    owner[0] != '\0' ? owner : "who asked");
	else
		decide_toastf(tx, update, true,
		    "⛔ Only who asked may press this. You may type /%s.",
		    is_place ? "queue" : action);
	return false;
}

/* Its message says what was chosen, and its keyboard is closed. */
static void
use_up(struct tx *tx, const struct update *update, const struct button_row *button,
    const struct command *command)
{
	CLEANUP(message_done) struct message message = { 0 };
	char value[LIMIT_REF];
	struct chat_text text;

	row_button_close_keyboard(tx, button->message);
	chat_text_init(&text);
	chat_text_add(&text, "👉 " MARK_CODE "/%s", command->word);
	chat_text_outside(&text, " ", button->request.target);
	if (request_get(&button->request, command->argument, value)[0] != '\0')
		chat_text_outside(&text, " ", value);
	chat_text_outside(&text, MARK_CODE ", ", update->name);
	message.head = chat_text_take(&text);
	row_message_change(tx, button->message, &message);
	decide_toastf(tx, update, false, "%s", button->request.target);
}

void
commands_press(struct tx *tx, const struct update *update, const struct button_row *button)
{
	const struct command *command = find(button->request.action, COUNT(table));
	struct request request = button->request;

	if (command == NULL) {
		tx_fail(tx, ERR_INVALID, "a button with the unknown action %s", request.action);
		return;
	}
	if (!is_theirs(tx, update, button))
		return;
	if (button->is_once && button->message != 0) {
		if (!decide_may(tx, update, command->action, request.target))
			return;
		use_up(tx, update, button, command);
		request.message = 0; /* that message has said its last */
	}
	if (command->usage != NULL && request_number(&request, "work") == 0)
		run(tx, update, command, &request);
	else
		(void)run_paid(tx, update, command, &request); /* they were told */
}
