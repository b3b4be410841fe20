/* commands.c - finds the command and hands it on.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"

#include "decide/decide_chat.h"
#include "decide/who/decide_allowed.h"
#include "decide/work/decide_do.h"
#include "decide/work/decide_upload.h"
#include "decide/factor/decide_factor_state.h"
#include "decide/decide_limit.h"
#include "decide/approval/decide_line.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/question/decide_which_log.h"
#include "decide/who/decide_principal.h"
#include "lib/clean.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_hold.h"
#include "types/action.h"

#define TALK_LEAST   4 /* letters of a word that is no command, to be near to one in talk */
#define PREFIX_LEAST 3
#define LABEL_WORDS  40

/* The typed ones stand first. */
static const struct command table[] = {
#define LIMITED false
#define ALWAYS	true
#define COMMAND(word, action, target, argument, when, cost, group, usage, help) \
	{ #word, POLICY_##action, COMMAND_##target, argument, when, cost, usage, help, \
		command_##word },
#include "commands/commands.def"
#define PRESSED(name, when, tenths) \
	{ .word = #name, \
		.argument = "", \
		.is_always = (when), \
		.cost = (tenths), \
		.run = command_##name },
#include "commands/commands.def"
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

bool
commands_is_always(const char *word)
{
	const struct command *command = find(word, COUNT(table));

	return command != NULL && command->is_always;
}

/* What it needs a grant for. */
static enum policy_action
action_named(const struct command *command, const struct request *request)
{
	assert(command != NULL);
	return command->action == POLICY_DEPLOY && request_text(request, "emergency")[0] != '\0' ?
	    POLICY_EMERGENCY :
	    command->action;
}

/* What is counted of it: a typo is no denial. */
static const char *
outcome_of(
    struct tx *tx, const struct update *update, enum policy_action action, const char *environment)
{
	if (environment[0] == '\0' ? decide_is_allowed_somewhere(tx, update->person, action) :
				     decide_is_allowed(tx, update->person, action, environment))
		return "taken";
	return !decide_is_stranger(tx, update->person) && environment[0] != '\0' &&
		(settings_environment(tx->settings, environment) == NULL ||
		    !policy_sees(
			tx->settings, decide_principal(tx, update->person), environment, tx->at)) ?
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

/* "emergency the shop is down" behind a deployment: how many words stand before that.  Without a
 * reason "-", and of one that is too long more than is taken: the command says what is missing. */
static size_t
read_emergency(const struct chat_command *typed, size_t used, struct request *ret)
{
	const char *behind = "";
	size_t n = chat_command_emergency(typed, used, &behind);
	char reason[LIMIT_REF];

	if (n < typed->n_arguments)
		request_add(ret, "emergency",
		    clean_line(reason, sizeof(reason), behind, strlen(behind))[0] != '\0' ? reason :
											    "-");
	return n;
}

/* Takes that a number, "/rollback 3", is no environment's name. */
static bool
is_number(const struct tx *tx, const struct command *command, const char *word)
{
	return (strcmp(command->argument, "release") == 0 ||
		   strcmp(command->argument, "lines") == 0) &&
	    word[0] != '\0' && strspn(word, "0123456789") == strlen(word) &&
	    settings_environment(tx->settings, word) == NULL;
}

/* The target, which may stand behind the number: how many of the words it took. */
static size_t
read_target(struct tx *tx, const struct update *update, const struct command *command,
    const struct chat_command *typed, struct request *ret)
{
	CLEANUP(freep) struct chat_command *behind = mem_copy(typed, sizeof(*behind));

	if (!is_number(tx, command, typed->argument[0]))
		return decide_read_target(tx, update, typed, ret);
	behind->n_arguments--;
	for (size_t i = 0; i < behind->n_arguments; i++) {
		(void)text_copy(behind->argument[i], LIMIT_REF, typed->argument[i + 1]);
		behind->rest[i] = typed->rest[i + 1];
	}
	behind->argument[behind->n_arguments][0] = '\0';
	behind->rest[behind->n_arguments] = NULL;
	request_add(ret, command->argument, typed->argument[0]);
	return 1 + decide_read_target(tx, update, behind, ret);
}

/* Its words from the n-th on. */
static struct chat_command *
words_behind(const struct chat_command *typed, size_t n)
{
	struct chat_command *behind = mem_copy(typed, sizeof(*behind));

	for (size_t i = 0; i < CHAT_COMMAND_WORDS; i++) {
		bool is_there = i + n < typed->n_arguments;

		(void)text_copy(
		    behind->argument[i], LIMIT_REF, is_there ? typed->argument[i + n] : "");
		behind->rest[i] = is_there ? typed->rest[i + n] : NULL;
	}
	behind->n_arguments -= n;
	return behind;
}

/* "staging production", as "production from staging": what is live where goes where.  How many
 * words it took. */
static size_t
read_promotion(struct tx *tx, const struct update *update, const struct chat_command *typed,
    struct request *ret)
{
	char from[REQUEST_TARGET];
	size_t used = decide_read_target(tx, update, typed, ret);
	CLEANUP(freep) struct chat_command *behind = words_behind(typed, used);

	text_set(from, ret->target);
	ret->target[0] = '\0';
	if (behind->n_arguments == 0)
		return used;
	*ret = request_of("deploy", ""); /* it is one, for codes, buttons and who is asked */
	request_add(ret, "from", from);
	return used + decide_read_target(tx, update, behind, ret);
}

/* "from staging" behind the target of a deployment; how many words that is. */
static size_t
read_from(struct tx *tx, const struct update *update, const struct chat_command *typed, size_t used,
    struct request *ret)
{
	CLEANUP(freep) struct chat_command *behind = NULL;
	struct request from;

	if (used + 2 > typed->n_arguments || !text_same_ci(typed->argument[used], "from"))
		return 0;
	behind = words_behind(typed, used + 1);
	from = request_of(ret->action, "");
	used = decide_read_target(tx, update, behind, &from);
	request_add(ret, "from", from.target);
	return 1 + used;
}

/* Are those words all of them?  Behind the last that is counted there may be more. */
static bool
are_all(const struct chat_command *typed, size_t n, size_t used)
{
	const char *last = used == CHAT_COMMAND_WORDS ? typed->rest[used - 1] : "";

	last += strcspn(last, " \t\r\n");
	return !typed->is_too_long && n <= used && last[strspn(last, " \t\r\n")] == '\0';
}

/* The words as a request; false: there are more of them than it takes. */
static bool
read_request(struct tx *tx, const struct update *update, const struct command *command,
    const struct chat_command *typed, struct request *ret)
{
	size_t used = 0, n = typed->n_arguments;

	*ret = request_of(command->word, "");
	if (strcmp(command->argument, "from") == 0)
		used = read_promotion(tx, update, typed, ret);
	else if (command->target != COMMAND_NONE)
		used = read_target(tx, update, command, typed, ret);
	if (strcmp(command->argument, COMMANDS_TEXT) == 0)
		return !typed->is_too_long && add_text(typed, used, ret);
	if (command->action == POLICY_DEPLOY)
		n = read_emergency(typed, used, ret);
	if (command->action == POLICY_DEPLOY && n > used)
		used += read_from(tx, update, typed, used, ret);
	if (request_text(ret, "from")[0] != '\0' || strcmp(command->argument, "from") == 0)
		return are_all(typed, n, used);
	if (n > used && command->argument[0] != '\0' && !is_number(tx, command, typed->argument[0]))
		request_add(ret, command->argument, typed->argument[used++]);
	return are_all(typed, n, used);
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
	const char *outcome =
	    outcome_of(tx, update, action_named(command, request), request->target);

	tx->request = request;
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
	char reason[COMMANDS_TEXT_MAX];
	struct request request;

	if (update->reply_to != 0)
		button = row_button_replied(tx, update->address.chat, update->reply_to);
	if (button.id[0] == '\0' || button.person != update->person ||
	    clean_line(reason, sizeof(reason), update->text, strlen(update->text))[0] == '\0')
		return false;
	if (strcmp(button.request.action, "reject") == 0) {
		request = button.request;
		request_drop(&request, "reason");
		request_add(&request, "reason", reason);
		/* cppcheck-suppress autoVariables ; handle_update() forgets it */
		tx->request = &request;
		command_reject(tx, update, &request);
	} else if (!button.is_open) {
		(void)decide_send_firstf(tx, &update->address, FIRST_TOO_LATE,
		    button.request.target,
		    "your reply came later than 10 minutes. " MARK_CODE "/deploy %s" MARK_CODE
		    " asks again.",
		    button.request.target);
	} else {
		request = request_of("deploy", button.request.target);
		text_set(request.arguments, button.request.arguments);
		request_add(&request, "exception", reason);
		run(tx, update, find(request.action, commands_count()), &request);
	}
	if (!decide_factor_is_wanted(tx)) /* else it is decided once more */
		row_button_close_keyboard(tx, button.message);
	return true;
}

/* --- what is no command --- */

/* Words that other programs have for ours, "" of none. */
static const char *
word_of_others(const char *word)
{
	static const char *const words[][2] = { { "restart", "do" }, { "reload", "do" },
		{ "run", "do" }, { "exec", "do" }, { "stop", "cancel" }, { "abort", "cancel" },
		{ "kill", "cancel" }, { "revert", "rollback" }, { "undo", "rollback" },
		{ "back", "rollback" }, { "release", "deploy" }, { "ship", "deploy" },
		{ "push", "deploy" }, { "redeploy", "deploy" }, { "state", "status" },
		{ "health", "status" }, { "list", "status" }, { "releases", "history" },
		{ "deployments", "history" }, { "menu", "help" }, { "commands", "help" },
		{ "me", "whoami" }, { "id", "whoami" } };

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i][0], word) == 0)
			return words[i][1];
	return "";
}

/* Of what they may do: what the word means elsewhere, what alone begins so, what is near. */
static const struct command *
find_near(struct tx *tx, const struct update *update, const char *word)
{
	const char *names[COUNT(table)], *near = NULL, *others = word_of_others(word);
	size_t n = 0, begun = 0;

	for (size_t i = 0; i < commands_count(); i++) {
		if (!decide_is_allowed_somewhere(tx, update->person, table[i].action) ||
		    (table[i].action == POLICY_DO && !decide_do_is_there(tx, update->person, "")))
			continue;
		if (strcmp(table[i].word, others) == 0)
			return &table[i];
		if (strlen(word) >= PREFIX_LEAST && text_starts(table[i].word, word) &&
		    begun++ == 0)
			near = table[i].word;
		names[n++] = table[i].word;
	}
	if (others[0] != '\0')
		return NULL; /* it means that, and that is not theirs */
	if (begun != 1)
		near = text_nearest(word, names, n);
	return near != NULL ? find(near, commands_count()) : NULL;
}

/* "restart" where one action alone that they may do begins so: that one, and of what stands behind
 * it what it can be done to. */
static bool
put_action(struct tx *tx, const struct update *update, const char *word, struct request *request)
{
	char words[LIMIT_REF], text[LIMIT_REF], first[1][LIMIT_REF] = { "" };
	const struct action *action = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ACTION_COUNT; i++)
		if (text_starts(action_table[i].name, word) &&
		    decide_do_is_there(tx, update->person, action_table[i].name) && n++ == 0)
			action = &action_table[i];
	if (n != 1)
		return false;
	(void)request_words(request_get(request, COMMANDS_TEXT, text), 1, first);
	if (action->target == ACTION_ON_CLIENT &&
	    decide_do_client(tx, update->person, decide_do_id(first[0])) == NULL)
		text[0] = '\0'; /* of an environment there is no such action */
	text_setf(words, "%s %.*s", action->name, COMMANDS_TEXT_MAX, text);
	words[strlen(words) - (text[0] == '\0')] = '\0';
	request_drop(request, COMMANDS_TEXT);
	request_add(request, COMMANDS_TEXT, words);
	return true;
}

/* What is typed behind it opens something. */
static bool
takes_code(const struct command *command)
{
	return strcmp(command->word, "2fa") == 0 || strcmp(command->word, "login") == 0 ||
	    strcmp(command->word, "start") == 0;
}

/* The same words behind the command that is meant; nothing where those are none of its.  A code is
 * repeated nowhere: buttons and messages are rows. */
static void
add_meant(struct tx *tx, const struct update *update, const struct command *command,
    const struct chat_command *typed, struct buttons *keyboard)
{
	static const struct chat_command none;
	struct request request;
	char words[LIMIT_REF] = "", label[LIMIT_BUTTON];

	if (takes_code(command) && typed->n_arguments > 0) {
		decide_chat_unwrite(tx, update);
		typed = &none;
	}
	if (!read_request(tx, update, command, typed, &request))
		return;
	if (strcmp(command->word, "do") == 0 && put_action(tx, update, typed->word, &request))
		(void)request_get(&request, COMMANDS_TEXT, words);
	else if (typed->n_arguments > 0)
		(void)clean_line(words, sizeof(words), typed->rest[0], strlen(typed->rest[0]));
	text_setf(label, "/%s%s%.*s", command->word, words[0] != '\0' ? " " : "",
	    (int)text_cut(words, strlen(words), LABEL_WORDS), words);
	decide_once_button(tx, update, &request, label, keyboard);
}

/* As many of the words as it takes are offered; of an emergency none, which would be another thing
 * without its reason. */
static void
say_too_much(struct tx *tx, const struct update *update, const struct command *command,
    const struct chat_command *typed)
{
	struct message message = { 0 };
	char value[LIMIT_REF], label[LIMIT_BUTTON];
	CLEANUP(freep) struct chat_command *fewer = mem_copy(typed, sizeof(*fewer));
	const char *behind;
	struct request request;
	struct chat_text text = CHAT_TEXT_EMPTY;
	bool is_emergency = chat_command_emergency(typed, 0, &behind) < typed->n_arguments;

	fewer->is_too_long = false;
	while (fewer->n_arguments > 0 && !read_request(tx, update, command, fewer, &request))
		fewer->argument[--fewer->n_arguments][0] = '\0';
	if (read_request(tx, update, command, fewer, &request) && !is_emergency) {
		(void)request_get(&request, command->argument, value);
		text_setf(label, "/%s%s%.24s%s%.12s", command->word,
		    request.target[0] != '\0' ? " " : "", request.target,
		    value[0] != '\0' ? " " : "", value);
		decide_once_button(tx, update, &request, label, &message.buttons);
	}
	chat_text_add(&text, "Too much after /%s. Usage: " MARK_CODE "%s" MARK_CODE, command->word,
	    command->usage);
	if (is_emergency && command->action == POLICY_ROLLBACK)
		chat_text_add(&text, "\n" COMMANDS_PAST_APPROVALS);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}

/* "/log" is two things to people.  False: it is not that, or they may read none. */
static bool
say_log(struct tx *tx, const struct update *update, const struct chat_command *typed)
{
	struct request request = request_of("logs", "");

	if (strcmp(typed->word, "log") != 0 ||
	    !decide_is_allowed_somewhere(tx, update->person, POLICY_LOG))
		return false;
	(void)decide_read_target(tx, update, typed, &request);
	decide_which_log(tx, update, &request);
	return true;
}

static void
say_unknown(struct tx *tx, const struct update *update, const struct chat_command *typed)
{
	struct message message = { 0 };
	const struct request help = request_of("help", "");
	const struct command *near;
	struct chat_text text = CHAT_TEXT_EMPTY;
	bool is_do;

	decide_answer_no(tx, update);
	if (!decide_may(tx, update, POLICY_TALK, "") || say_log(tx, update, typed))
		return;
	near = find_near(tx, update, typed->word);
	is_do = strcmp(word_of_others(typed->word), "do") == 0 &&
	    decide_is_allowed_somewhere(tx, update->person, POLICY_DO);
	chat_text_add(&text, "I don't know /%s. ", typed->word);
	if (near != NULL)
		chat_text_add(&text, "Did you mean /%s?", near->word);
	else if (!is_do || !decide_do_none(tx, update->person, &text))
		chat_text_add(&text, "/help lists what you may do.");
	if (near != NULL)
		add_meant(tx, update, near, typed, &message.buttons);
	else
		decide_once_button(tx, update, &help, "/help", &message.buttons);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}

/* What begins as a command, but for its slash.  False: it is talk. */
static bool
say_meant(struct tx *tx, const struct update *update)
{
	struct message message = { 0 };
	const struct command *near;
	struct chat_command typed;
	struct chat_text text = CHAT_TEXT_EMPTY;
	char line[LIMIT_TEXT_IN];

	if (!chat_command_guess(update->text, line, &typed) ||
	    typed.n_arguments == CHAT_COMMAND_WORDS)
		return false;
	near = find_near(tx, update, typed.word);
	if (near == NULL ||
	    (strlen(typed.word) < TALK_LEAST && strcmp(near->word, typed.word) != 0))
		return false;
	decide_answer_no(tx, update);
	add_meant(tx, update, near, &typed, &message.buttons);
	if (message.buttons.n == 0)
		return false;
	chat_text_add(&text, "Did you mean ");
	chat_text_code(&text, "", message.buttons.at[0].label);
	chat_text_add(&text, "? A command begins with a slash.");
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
	return true;
}

/* In private there is nobody else whom it may be meant for; a stranger's gets nothing. */
static void
answer_talk(struct tx *tx, const struct update *update)
{
	struct request help = request_of("help", "");
	char talk[LIMIT_REF];

	if (!update->is_private || decide_is_stranger(tx, update->person) ||
	    decide_is_too_fast(tx, update, help.action, false) || say_meant(tx, update))
		return;
	(void)clean_line(talk, sizeof(talk), update->text, strlen(update->text));
	request_add(&help, COMMANDS_TALK, talk[0] != '\0' ? talk : "-"); /* a picture */
	run(tx, update, find(help.action, commands_count()), &help);
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
		if (!decide_line(tx, update) && !take_reply(tx, update))
			answer_talk(tx, update);
		return;
	}
	command = find(typed.word, commands_count());
	if (decide_is_too_fast(tx, update, typed.word, command != NULL && command->is_always))
		return;
	if (command == NULL) {
		tx_count_metric(tx, INCREMENT_COMMAND, "unknown", "refused", "", 0);
		say_unknown(tx, update, &typed);
		return;
	}
	if (!read_request(tx, update, command, &typed, &request)) {
		tx_count_metric(tx, INCREMENT_COMMAND, command->word, "refused", "", 0);
		decide_answer_no(tx, update);
		if (decide_may_begin(tx, update, command->action, ""))
			say_too_much(tx, update, command, &typed);
		return;
	}
	if (update->file.id[0] != '\0')
		decide_upload_add(&request, &update->file, decide_is_answered(update));
	if (action_named(command, &request) == POLICY_DEPLOY) /* no freeze holds an emergency */
		request_add(&request, "exception", reason);
	run(tx, update, command, &request);
}

void
commands_request(struct tx *tx, const struct update *update, const struct request *request)
{
	const struct command *command = find(request->action, commands_count());

	assert(command != NULL);
	if (!decide_is_too_fast(tx, update, request->action, command->is_always))
		run(tx, update, command, request);
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
	bool is_place = strcmp(action, "leave") == 0 || strcmp(action, "give") == 0, may_type;
	const struct command *command;
	char owner[LIMIT_PERSON];

	if (button->person == 0 || button->person == update->person)
		return true;
	name_of_owner(tx, button, owner);
	if (owner[0] != '\0' && strcmp(action, "unlock") == 0 &&
	    decide_is_allowed(tx, update->person, POLICY_UNLOCK, button->request.target))
		return true;
	decide_audit_denied(tx, update, AUDIT_CODE_DENIED_BUTTON, action, button->request.target,
	    "the button is another person's");
	command = find(action, commands_count());
	may_type = is_place ||
	    (command != NULL && decide_is_allowed_somewhere(tx, update->person, command->action));
	if (owner[0] != '\0' || !may_type)
		decide_toastf(tx, update, true, "⛔ Only %s may press this.",
		    owner[0] != '\0' ? owner : "who asked");
	else
		decide_toastf(tx, update, true,
		    "⛔ Only who asked may press this. You may type /%s.",
		    is_place ? "queue" : action);
	return false;
}

/* Where it is: of a button of some work, that work's environment. */
static const char *
target_of(struct tx *tx, const struct request *request, char ret[REQUEST_TARGET])
{
	int64_t work = request_number(request, "work");
	struct deployment of;

	row_deployment_get(tx, work, &of);
	(void)text_copy(ret, REQUEST_TARGET, work != 0 ? of.environment : request->target);
	return ret;
}

/* Its message says what was chosen, and its keyboard is closed. */
static void
use_up(struct tx *tx, const struct update *update, const struct button_row *button,
    const struct command *command)
{
	char value[LIMIT_REF], target[REQUEST_TARGET];
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_button_close_keyboard(tx, button->message);
	chat_text_outside(&text, "", update->name);
	chat_text_add(&text, ": " MARK_CODE "/%s", command->word);
	(void)target_of(tx, &button->request, target);
	chat_text_some(&text, " ", target);
	chat_text_some(&text, " from ", request_text(&button->request, "from"));
	if (strcmp(command->argument, "from") != 0 &&
	    request_get(&button->request, command->argument, value)[0] != '\0')
		chat_text_outside(&text, " ", value);
	chat_text_add(&text, MARK_CODE);
	decide_change(tx, button->message, NULL, &text);
	if (!tx->is_toasted)
		decide_toastf(tx, update, false, "%s", target);
}

void
commands_press(struct tx *tx, const struct update *update, const struct button_row *button)
{
	const struct command *command = find(button->request.action, COUNT(table));
	struct request request = button->request;
	bool is_used_up = button->is_once && button->message != 0;
	char target[REQUEST_TARGET];

	if (command == NULL) {
		tx_fail(tx, ERR_INVALID, "a button with the unknown action %s", request.action);
		return;
	}
	if (!is_theirs(tx, update, button))
		return;
	/* cppcheck-suppress autoVariables ; handle_update() forgets it */
	tx->request = &request;
	if (is_used_up &&
	    !decide_may_begin(
		tx, update, action_named(command, &request), target_of(tx, &request, target)))
		return;
	if (is_used_up)
		request.message = 0; /* that message has said its last */
	if (command->usage != NULL && request_number(&request, "work") == 0)
		run(tx, update, command, &request);
	else
		(void)run_paid(tx, update, command, &request); /* they were told */
	if (is_used_up && !decide_factor_is_wanted(tx))	       /* else it is pressed once more */
		use_up(tx, update, button, command);
}
