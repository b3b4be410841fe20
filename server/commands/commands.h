/* commands.h - the table of requests: what is typed or pressed is decided here, as one.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A new command is a row in commands.def and a file command_<word>.c with command_<word>().  Its
 * role is checked (decide_may) by itself, as soon as it knows for which environment: again at each
 * press, on what holds at that moment.
 */
#pragma once

#include "chat/chat_command.h"
#include "policy/policy.h"
#include "store/row_button.h"

/* update: who wants it, and where the answer goes. */
typedef void
command_fn(struct tx *tx, const struct update *update, const struct request *request);

enum command_target { COMMAND_NONE, COMMAND_ONE, COMMAND_ANY };

struct command {
	const char *word;
	enum policy_action action;
	enum command_target target;
	const char *argument; /* its key; "" it takes none */
	bool is_always; /* no limit refuses it to who has a role */
	int cost; /* in tenths */
	const char *usage; /* NULL: it is not typed */
	const char *help;
	command_fn *run;
};

#define COMMAND(word, ...) command_fn command_##word;
#define PRESSED(word, ...)   command_fn command_##word;
#include "commands/commands.def"

/* An argument of this key is all that stands behind the target, up to so many bytes. */
#define COMMANDS_TEXT	  REQUEST_TEXT
#define COMMANDS_TEXT_MAX 200

/* Of "rollback": it needs the approvals of a deployment, and has no emergency of its own. */
#define COMMANDS_PAST_APPROVALS \
	"Past approvals, in an emergency: " MARK_CODE \
	"/deploy <environment> <commit> emergency <reason>" MARK_CODE

/* Of "help": what somebody wrote that is no command. */
#define COMMANDS_TALK "talk"

/* "/do", or "/request", of an action on an environment. */
void command_do_there(struct tx *tx, const struct update *update, const struct request *request,
    bool is_requested);

/* Those that are typed. */
size_t commands_count(void);
const struct command *commands_get(size_t i);

/* Do the settings have what that command is of?  Where they lend nothing there is nothing to be
 * asked for, nor revoked; without a link there are no agents, without CONSOLE there is no page. */
bool commands_is_there(
    const struct settings *settings, const char *word, enum policy_action action);

/* Does no limit refuse this request, typed or pressed, to who has a role? */
bool commands_is_always(const char *word);

/* What somebody typed, if it was a command for us: carried out, or answered with a hint. */
void commands_handle(struct tx *tx, const struct update *update);

/* The same with the reason for which somebody deploys in a freeze: one line, "" none. */
void commands_handle_because(struct tx *tx, const struct update *update, const char *reason);

/* A request that nobody typed or pressed (a hook's), of a word that is typed: carried out alike. */
void commands_request(struct tx *tx, const struct update *update, const struct request *request);

/* An open button was pressed in its chat: by whom it is for, it is carried out as if typed. */
void commands_press(struct tx *tx, const struct update *update, const struct button_row *button);
