/* command_help.c - /start, /help: what the requester's role may do.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <ctype.h>

#include "chat/chat_deployment.h"
#include "chat/chat_status.h"
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/work/decide_do.h"
#include "decide/who/decide_first_admin.h"
#include "decide/question/decide_offered.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/question/decide_which_log.h"
#include "decide/who/decide_principal.h"
#include "lib/column.h"
#include "lib/text.h"

#define FIRST_SHOWN	   5
#define DO_SHOWN	   5
#define PLACES_SHOWN	   3 /* of what is not done everywhere */
#define ENVIRONMENTS_SHOWN 6
#define DEPLOYS_SHOWN	   2
#define CLIENTS_SHOWN	   10

/* What the names of all commands stand under. */
#define GROUPS(G) \
	G(SHIP, "Deploy") \
	G(LOOK, "Look") \
	G(HOLD, "Hold") \
	G(DO, "Actions") \
	G(APPROVE, "Approvals") \
	G(OWN, "You") \
	G(HELP, "Help")

enum group {
#define G(name, title) GROUP_##name,
	GROUPS(G)
#undef G
};

static const char *const titles[] = { GROUPS(COLUMN_SECOND) };

/* Of the table itself: commands.c, which has it with its functions, calls this file. */
static const struct row {
	const char *word;
	enum policy_action action;
	enum group group;
	const char *usage;
	const char *help;
} table[] = {
#define COMMAND(word, action, target, argument, when, cost, group, usage, help) \
	{ #word, POLICY_##action, GROUP_##group, usage, help },
#include "commands/commands.def"
};

enum {
#define COMMAND(word, ...) ROW_##word,
#include "commands/commands.def"
};

/* What is needed first by whoever may it, half asleep. */
static const int needed[] = { ROW_status, ROW_deploy, ROW_rollback, ROW_cancel, ROW_logs, ROW_do,
	ROW_approve, ROW_reject };

static bool
may(struct tx *tx, const struct update *update, const struct row *row, const char *where)
{
	return decide_is_allowed(tx, update->person, row->action, where);
}

static bool
may_somewhere(struct tx *tx, const struct update *update, const struct row *row)
{
	return commands_is_there(tx->settings, row->word, row->action) &&
	    decide_is_allowed_somewhere(tx, update->person, row->action);
}

static bool
sees(struct tx *tx, const struct update *update, size_t environment)
{
	return policy_sees(tx->settings, decide_principal(tx, update->person),
	    tx->settings->environments[environment].name, tx->at);
}

/* Everywhere that they see, or by no environment: what is to be said of one in general. */
static bool
is_everywhere(struct tx *tx, const struct update *update, const struct row *row)
{
	size_t n = 0, seen = 0;

	if (policy_action_rows[row->action].who == POLICY_BY_ANYONE)
		return true;
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		n += may(tx, update, row, tx->settings->environments[i].name);
		seen += sees(tx, update, i);
	}
	return n == 0 || n == seen;
}

/* May they do the one exactly where they may do the other? */
static bool
is_as_wide(
    struct tx *tx, const struct update *update, const struct row *row, const struct row *other)
{
	for (size_t i = 0; i < tx->settings->environment_count; i++)
		if (may(tx, update, row, tx->settings->environments[i].name) !=
		    may(tx, update, other, tx->settings->environments[i].name))
			return false;
	return true;
}

static void
add_places(
    struct tx *tx, const struct update *update, const struct row *row, struct chat_text *text)
{
	size_t n = 0;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const char *name = tx->settings->environments[i].name;

		if (may(tx, update, row, name) && n++ < PLACES_SHOWN)
			chat_text_add(text, "%s%s", n == 1 ? "" : ", ", name);
	}
	if (n > PLACES_SHOWN)
		chat_text_add(text, " and %zu more", n - PLACES_SHOWN);
}

static void
add_environments(struct tx *tx, const struct update *update, struct chat_text *text)
{
	size_t n = 0, shown = 0;

	for (size_t i = 0; i < tx->settings->environment_count; i++)
		n += sees(tx, update, i);
	for (size_t i = 0; i < tx->settings->environment_count && n <= ENVIRONMENTS_SHOWN; i++)
		if (sees(tx, update, i))
			chat_text_add(text, "%s " MARK_CODE "%s" MARK_CODE,
			    shown++ == 0 ? "\nEnvironments:" : "",
			    tx->settings->environments[i].name);
	if (n > ENVIRONMENTS_SHOWN)
		chat_text_add(text, "\n%zu environments: /status", n);
}

/* Of the first environment that takes archives, of them. */
static void
add_archives(struct tx *tx, const struct update *update, struct chat_text *text)
{
	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *e = &tx->settings->environments[i];

		if (!e->takes_uploads || !may(tx, update, &table[ROW_deploy], e->name) ||
		    !decide_is_allowed(tx, update->person, POLICY_UPLOAD, e->name))
			continue;
		chat_text_add(text,
		    "An archive (.zip, .tar): send it to me in private, under it " MARK_CODE
		    "/deploy %s" MARK_CODE "\n",
		    e->name);
		return;
	}
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

/* The command can be tapped, what it takes be copied; without what they may nowhere. */
static void
add_usage(struct tx *tx, const struct update *update, const struct row *row, struct chat_text *text)
{
	const char *takes = row->usage + strcspn(row->usage, " ");
	const char *emergency = strstr(takes, " [emergency ");
	size_t size = emergency != NULL &&
		!decide_is_allowed_somewhere(tx, update->person, POLICY_EMERGENCY) ?
	    (size_t)(emergency - takes) :
	    strlen(takes);

	chat_text_add(text, "/%s", row->word);
	if (size > 0)
		chat_text_add(text, " " MARK_CODE "%.*s" MARK_CODE, (int)size - 1, takes + 1);
	chat_text_add(text, " — %s", row->help);
}

static void
add_row(struct tx *tx, const struct update *update, const struct row *row, struct chat_text *text)
{
	add_usage(tx, update, row, text);
	if (!is_everywhere(tx, update, row)) {
		chat_text_add(text, " (");
		add_places(tx, update, row, text);
		chat_text_add(text, ")");
	}
	chat_text_add(text, "\n");
}

/* --- what is needed first --- */

struct first {
	const struct row *rows[FIRST_SHOWN];
	bool is_said[FIRST_SHOWN];
	size_t n;
};

/* The status of clients alone comes behind what may be done to them. */
static bool
is_needed(struct tx *tx, const struct update *update, const struct row *row)
{
	const struct settings *s = tx->settings;

	if (row != &table[ROW_status])
		return may_somewhere(tx, update, row);
	for (size_t i = 0; i < s->environment_count; i++)
		if (decide_is_allowed(tx, update->person, POLICY_STATUS, s->environments[i].name))
			return true;
	return false;
}

static void
choose(struct tx *tx, const struct update *update, struct first *ret)
{
	*ret = (struct first){ .n = 0 };
	for (size_t i = 0; i < COUNT(needed) && ret->n < FIRST_SHOWN; i++)
		if (is_needed(tx, update, &table[needed[i]]))
			ret->rows[ret->n++] = &table[needed[i]];
	/* Of whoever has another grant alone: what that is for. */
	for (size_t i = 0; ret->n == 0 && i < COUNT(table); i++)
		if (policy_action_rows[table[i].action].who == POLICY_BY_GRANT &&
		    may_somewhere(tx, update, &table[i]))
			ret->rows[ret->n++] = &table[i];
}

/* What may be done in the same environments stands together below their names. */
static void
add_first(struct tx *tx, const struct update *update, struct first *first, struct chat_text *text)
{
	for (size_t i = 0; i < first->n; i++)
		if (is_everywhere(tx, update, first->rows[i])) {
			add_row(tx, update, first->rows[i], text);
			first->is_said[i] = true;
		}
	for (size_t i = 0; i < first->n; i++) {
		if (first->is_said[i])
			continue;
		chat_text_add(text, "In " MARK_BOLD);
		add_places(tx, update, first->rows[i], text);
		chat_text_add(text, MARK_BOLD " only:\n");
		for (size_t j = i; j < first->n; j++) {
			if (first->is_said[j] ||
			    !is_as_wide(tx, update, first->rows[j], first->rows[i]))
				continue;
			add_usage(tx, update, first->rows[j], text);
			chat_text_add(text, "\n");
			first->is_said[j] = true;
		}
	}
}

/* All of a group that they may: each with its line, or the names of what was not said. */
static void
add_group(struct tx *tx, const struct update *update, size_t group, const struct first *first,
    struct chat_text *text)
{
	bool is_begun = false;

	for (size_t i = 0; i < COUNT(table); i++) {
		bool is_first = false;

		for (size_t j = 0; first != NULL && j < first->n; j++)
			is_first |= first->rows[j] == &table[i];
		if (table[i].group != group || is_first || !may_somewhere(tx, update, &table[i]))
			continue;
		if (!is_begun)
			chat_text_add(text, "%s" MARK_BOLD "%s" MARK_BOLD "%s",
			    first != NULL ? "" : "\n", titles[group], first != NULL ? ":" : "\n");
		is_begun = true;
		if (first != NULL)
			chat_text_add(text, " /%s", table[i].word);
		else
			add_row(tx, update, &table[i], text);
	}
	if (is_begun && first != NULL)
		chat_text_add(text, "\n");
}

/* Of whoever may nothing but a few actions: those, each with its button.  False: it is more. */
static bool
say_actions(struct tx *tx, const struct update *update, const struct first *first,
    struct chat_text *text, struct message *message)
{
	const struct settings *s = tx->settings;
	char words[LIMIT_REF], label[LIMIT_BUTTON];
	size_t n = 0;

	for (size_t i = 0; i < s->client_count; i++)
		for (size_t a = 0; a < ACTION_COUNT; a++)
			n += decide_do_allows(tx, update->person, &action_table[a], &s->clients[i]);
	if (first->n != 1 || first->rows[0] != &table[ROW_do] || n == 0 || n > DO_SHOWN)
		return false;
	for (size_t i = 0; i < s->client_count; i++)
		for (size_t a = 0; a < ACTION_COUNT; a++) {
			const struct client_settings *client = &s->clients[i];

			if (!decide_do_allows(tx, update->person, &action_table[a], client))
				continue;
			chat_text_add(text, "%s on %s", action_table[a].name, client->id);
			if (strcmp(client->name, client->id) != 0) {
				chat_text_outside(text, " (", client->name);
				chat_text_add(text, ")");
			}
			chat_text_add(text, "\n");
			text_setf(words, "%s %s", action_table[a].name, client->id);
			text_setf(label, "🔧 %.50s", words);
			decide_do_choice(tx, update, words, label, message);
		}
	chat_text_add(text, "Press %s below, or write " MARK_CODE "/do %s" MARK_CODE ".\n\n",
	    n == 1 ? "it" : "one", words);
	return true;
}

/* Who has no role: what may be done about that, and nothing of what they may not. */
static void
say_stranger(struct tx *tx, const struct update *update, const char *ended, struct chat_text *text)
{
	if (ended[0] != '\0')
		chat_text_add(text,
		    "Your access has ended: %s. To get it back, send an admin the id that /whoami shows.\n",
		    ended);
	else
		chat_text_add(
		    text, "You have no role here. Send an admin the id that /whoami shows.\n");
	add_row(tx, update, &table[ROW_whoami], text);
	add_row(tx, update, &table[ROW_login], text);
}

/* A tap: its name in the text is copied by one. */
static void
add_all_button(struct tx *tx, const struct update *update, struct message *message)
{
	struct request all = request_of("help", "");

	request_add(&all, "word", "all");
	decide_once_button(tx, update, &all, "All commands", &message->buttons);
}

/* In a group all would read what one may, and which of it is theirs. */
static void
say_where(struct tx *tx, const struct update *update)
{
	const char *name = tx->event->context.own_name;
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_add(&text, "Here: /status, /deploy, /rollback, /queue. What you may: ");
	if (name[0] != '\0')
		chat_text_add(&text, "https://t.me/%s?start=help", name);
	else
		chat_text_add(&text, "write /help to me in private");
	chat_text_add(&text, ".");
	(void)decide_send(tx, &update->address, &text);
}

/* What a newcomer can press: where something runs, and what they may deploy, their last first. */
static void
add_start_buttons(struct tx *tx, const struct update *update, struct message *message)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	const struct request status = request_of("status", "");
	char label[LIMIT_BUTTON];

	if (may_somewhere(tx, update, &table[ROW_status]))
		decide_once_button(tx, update, &status, "What runs where", &message->buttons);
	if (!decide_scope_of(tx, update->person, POLICY_DEPLOY, "", &scope))
		scope.n = 0;
	decide_offered(tx, POLICY_DEPLOY, &scope);
	for (size_t i = 0; i < scope.n && i < DEPLOYS_SHOWN; i++) {
		const struct request deploy = request_of("deploy", scope.at[i]->name);

		decide_once_button(tx, update, &deploy,
		    chat_deployment_label("🚀 Deploy", scope.at[i]->name, label), &message->buttons);
	}
}

/* One sentence; the rest is a tap away. */
static void
say_start(struct tx *tx, const struct update *update, struct chat_text *text)
{
	struct message message = { 0 };
	struct first first;

	choose(tx, update, &first);
	chat_text_add(text, "I deploy releases, check their health and roll bad ones back.\n");
	if (!say_actions(tx, update, &first, text, &message))
		add_start_buttons(tx, update, &message);
	add_all_button(tx, update, &message);
	(void)decide_send_keyboard(tx, update, NULL, &message, text);
}

static void
say_help(struct tx *tx, const struct update *update, bool is_all, struct chat_text *text)
{
	struct message message = { 0 };
	struct principal who = decide_principal(tx, update->person);
	char roles[LIMIT_LINE];
	bool has_actions = false;
	struct first first;

	chat_text_add(text, "You may, as " MARK_BOLD "%s" MARK_BOLD ":\n",
	    policy_roles_text(tx->settings, who, tx->at, roles, sizeof(roles)));
	choose(tx, update, &first);
	if (!is_all)
		has_actions = say_actions(tx, update, &first, text, &message);
	if (!is_all && !has_actions && first.n > 0) {
		add_first(tx, update, &first, text);
		chat_text_add(text, "\n");
	}
	for (size_t group = 0; group < COUNT(titles); group++)
		if (is_all || group != GROUP_HELP)
			add_group(tx, update, group, is_all ? NULL : &first, text);
	if (!is_all) {
		chat_text_add(text, "How to write each: " MARK_CODE "/help all" MARK_CODE "\n");
		add_all_button(tx, update, &message);
	}
	add_archives(tx, update, text);
	add_environments(tx, update, text);
	if (!has_actions)
		add_clients(tx, update, text);
	(void)decide_send_keyboard(tx, update, NULL, &message, text);
}

/* Whoever has no role is told so, and who had one that it has ended. */
static void
greet(struct tx *tx, const struct update *update, bool is_start, bool is_all)
{
	bool is_stranger = decide_is_stranger(tx, update->person);
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct message message = { 0 };
	char ended[LIMIT_LINE];

	(void)policy_ended_text(
	    tx->settings, decide_principal(tx, update->person), tx->at, ended, sizeof(ended));
	if (is_stranger) {
		if (is_start)
			chat_text_add(&text,
			    "I deploy releases, check their health and roll bad ones back.\n\n");
		say_stranger(tx, update, ended, &text);
		(void)decide_send_keyboard(tx, update, NULL, &message, &text);
		return;
	}
	if (!update->is_private && !decide_is_answered(update)) {
		say_where(tx, update);
		return;
	}
	if (ended[0] != '\0')
		chat_text_add(&text, "Access that has ended: %s.\n", ended);
	if (is_start)
		say_start(tx, update, &text);
	else
		say_help(tx, update, is_all, &text);
}

#define PREFIX_LEAST 3

/* Of one command that they may give, or of all that begin so, with buttons that do it: what is
 * missing is asked for then.  False: there is none. */
static bool
say_one(struct tx *tx, const struct update *update, const char *typed)
{
	struct message message = { 0 };
	const char *word = typed[0] == '/' ? typed + 1 : typed;
	bool is_prefix = strlen(word) >= PREFIX_LEAST;
	struct chat_text text = CHAT_TEXT_EMPTY;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(table); i++) {
		const struct request as = request_of(table[i].word, "");
		char label[LIMIT_BUTTON];

		if (!may_somewhere(tx, update, &table[i]) ||
		    (strcasecmp(table[i].word, word) != 0 &&
			!(is_prefix && strncasecmp(table[i].word, word, strlen(word)) == 0)))
			continue;
		n++;
		add_row(tx, update, &table[i], &text);
		if (i == ROW_status)
			chat_status_legend(&text);
		if (i == ROW_rollback &&
		    decide_is_allowed_somewhere(tx, update->person, POLICY_EMERGENCY))
			chat_text_add(&text, COMMANDS_PAST_APPROVALS "\n");
		text_setf(label, "/%s", table[i].word);
		decide_once_button(tx, update, &as, label, &message.buttons);
	}
	if (n == 0) {
		buf_done(&text.buf);
		return false;
	}
	if (!decide_is_stranger(tx, update->person))
		add_environments(tx, update, &text);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
	return true;
}

/* Is it one of the words of that text, whatever stands between them? */
static bool
is_spoken(const char *talk, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = talk; (at = strcasestr(at, word)) != NULL; at++)
		if ((at == talk || !isalnum((unsigned char)at[-1])) &&
		    !isalnum((unsigned char)at[size]))
			return true;
	return false;
}

/* "hello, how do I deploy?": a command by its own name, the first of the table of several; "do" is
 * everybody's word.  False: there is none that they may give. */
static bool
say_spoken(struct tx *tx, const struct update *update, const char *talk)
{
	const struct request logs = request_of("logs", "");

	if (is_spoken(talk, "log") && decide_is_allowed_somewhere(tx, update->person, POLICY_LOG)) {
		decide_which_log(tx, update, &logs);
		return true;
	}
	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].group != GROUP_HELP && i != ROW_do && is_spoken(talk, table[i].word) &&
		    say_one(tx, update, table[i].word))
			return true;
	return false;
}

void
command_help(struct tx *tx, const struct update *update, const struct request *request)
{
	char typed[LIMIT_REF], talk[LIMIT_REF];

	if (!decide_may(tx, update, POLICY_GREET, ""))
		return;
	if (request_get(request, COMMANDS_TALK, talk)[0] != '\0') {
		if (!say_spoken(tx, update, talk))
			greet(tx, update, true, false);
	} else if (request_get(request, "word", typed)[0] == '\0' || !say_one(tx, update, typed)) {
		greet(tx, update, false, strcasecmp(typed, "all") == 0);
	}
}

void
command_start(struct tx *tx, const struct update *update, const struct request *request)
{
	if (update->is_private &&
	    decide_first_admin_opens(tx, update, request_text(request, "text")))
		return;
	if (decide_may(tx, update, POLICY_GREET, ""))
		greet(tx, update, true, false);
}
