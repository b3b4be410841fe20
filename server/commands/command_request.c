/* command_request.c - /request <action> <target> [argument]: somebody else is asked to approve it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/work/decide_do.h"
#include "decide/approval/decide_ready.h"
#include "decide/decide_reply.h"

#define WORDS 3

static void
say_usage(struct tx *tx, const struct update *update, char words[WORDS][LIMIT_REF])
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	chat_text_add(&text,
	    "Usage: " MARK_CODE "/request <action> <client or environment> [argument]" MARK_CODE
	    ". ");
	decide_do_list(tx, update->person, words[0],
	    decide_do_client(tx, update->person, decide_do_id(words[1])), true, &text);
	(void)decide_send(tx, &update->address, &text);
}

/* Nor is one that they have no grant on. */
static void
say_no_client(struct tx *tx, const struct update *update, const char *id)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	decide_do_no_client(tx, update->person, id, &text);
	chat_text_add(
	    &text, MARK_CODE "/do" MARK_CODE " shows those that you may do something to.");
	(void)decide_send(tx, &update->address, &text);
}

/* In a chat the message of the work shows it, behind a button; a terminal has none. */
static void
answer_with_line(struct tx *tx, const struct update *update, int64_t id)
{
	struct deployment work;

	row_deployment_get(tx, id, &work);
	if (decide_is_answered(update) && work.state == DEPLOY_AWAITING_APPROVAL &&
	    work.client[0] != '\0')
		decide_ready_send(tx, &update->address, &work);
}

void
command_request(struct tx *tx, const struct update *update, const struct request *request)
{
	char words[WORDS][LIMIT_REF];
	bool is_whole = request_words(request_text(request, COMMANDS_TEXT), WORDS, words);
	const struct action *action = action_find(words[0]);
	bool is_pipeline = action != NULL && action->argument == ACTION_TAKES_PIPELINE;
	const char *id = decide_do_id(words[1]);

	if (!decide_is_allowed_somewhere(tx, update->person, POLICY_DO))
		(void)decide_may_begin(tx, update, POLICY_DO, "");
	else if (action == NULL || words[1][0] == '\0' ||
	    (!is_pipeline && !(is_whole && action_fits_line(action))))
		say_usage(tx, update, words);
	else if (is_pipeline)
		command_do_there(tx, update, request, true);
	else if (decide_do_client(tx, update->person, id) == NULL)
		say_no_client(tx, update, id);
	else
		answer_with_line(
		    tx, update, decide_do(tx, update, action, id, words[2], DO_IS_REQUESTED));
}
