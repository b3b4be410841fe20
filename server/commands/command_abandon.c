/* command_abandon.c - /abandon <number>: a run whose runner is disconnected is not waited for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_runner.h"
#include "commands/commands.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/work/decide_runner.h"
#include "lib/text.h"
#include "store/row_peer.h"
#include "store/row_runner.h"

static void
say_too_much(struct tx *tx, const struct update *update, int64_t number)
{
	struct message message = { 0 };
	struct request fewer = request_of("abandon", "");
	struct chat_text text = CHAT_TEXT_EMPTY;
	char label[LIMIT_BUTTON];

	decide_answer_no(tx, update);
	request_add_number(&fewer, COMMANDS_TEXT, number);
	text_setf(label, "/abandon %" PRId64, number);
	decide_once_button(tx, update, &fewer, label, &message.buttons);
	chat_text_add(
	    &text, "Too much after /abandon. Usage: " MARK_CODE "/abandon <number>" MARK_CODE);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}

static void
say_none(struct tx *tx, const struct update *update, int64_t number)
{
	decide_answer_no(tx, update);
	if (number == 0)
		(void)decide_sendf(tx, &update->address,
		    "Which one? /abandon needs the number of what runs: " MARK_CODE
		    "/queue" MARK_CODE " has it.");
	else
		(void)decide_sendf(tx, &update->address,
		    "There is no deployment of that number: " MARK_CODE "/history" MARK_CODE
		    " lists the latest.");
}

/* Its runner is connected, or it has no run. */
static void
say_followed(struct tx *tx, const struct update *update, const struct deployment *work)
{
	bool is_active = deploy_flow_class(work->state) == DEPLOY_CLASS_ACTIVE;
	bool stops = deployment_may_be_cancelled(work);
	char target[LIMIT_ENVIRONMENT], runner[LIMIT_RUNNER];
	const char *agent = peer_of_host(row_runner_of(tx, work->run, runner));

	decide_answer_no(tx, update);
	if (is_active)
		(void)decide_send_firstf(tx, &update->address, FIRST_CANNOT_ABANDON,
		    deployment_target(work, target),
		    ": the %s%s of #%" PRId64 " is connected and is waited for.%s%s%s%s",
		    agent != NULL ? "agent " : "runner", agent != NULL ? agent : "", work->id,
		    stops ? " " MARK_CODE "/cancel " : "", stops ? work->environment : "",
		    stops ? MARK_CODE " stops it." : "",
		    agent != NULL ? " Of one that does not obey, revoke the agent first." : "");
	else
		(void)decide_send_firstf(tx, &update->address, FIRST_CANNOT_ABANDON,
		    deployment_target(work, target), ": #%" PRId64 " has no run in progress.",
		    work->id);
}

/* What may go on is named before anybody says that they do not wait for it. */
static void
ask(struct tx *tx, const struct update *update, const struct deployment *work,
    const struct runner_gone *gone)
{
	const struct chat_clock clock = decide_clock(tx, work->environment);
	struct request sure = request_about("abandon", "work", work->id);
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;
	char target[LIMIT_ENVIRONMENT], label[LIMIT_BUTTON], begin[LIMIT_LINE];
	const char *agent = peer_of_host(gone->name);

	decide_answer_no(tx, update);
	chat_first(&text, FIRST_ASKS_ABANDON, deployment_target(work, target));
	chat_text_add(&text, " #%" PRId64 " ", work->id);
	if (deployment_is_action(work))
		chat_text_code(&text, "", deployment_action_word(work));
	else
		chat_text_named(&text, "", COMMIT_OF(work));
	chat_text_since(
	    &text, chat_runner_gone(gone->name, "\nIts runner", begin), &clock, gone->at, tx->at);
	chat_text_add(&text,
	    ". What it runs there may go on: this stops nothing. It is only waited for no longer");
	if (deployment_is_action(work))
		chat_text_add(&text, ", and its target is free at once%s%s%s.",
		    agent != NULL ? "; " : "", agent != NULL ? agent : "",
		    agent != NULL ? "'s agent takes no other run before this one has ended there" :
				    "");
	else
		chat_text_add(&text,
		    ": what runs in " MARK_BOLD "%s" MARK_BOLD
		    " is unknown then, and deployments wait until somebody has looked.",
		    work->environment);
	if (decide_is_answered(update))
		chat_text_add(&text, "\nTo do it: deploybot abandon %" PRId64 " yes", work->id);
	request_add(&sure, "sure", "yes");
	text_setf(
	    label, "Abandon #%" PRId64 " in %.40s", work->id, deployment_target(work, target));
	decide_once_button(tx, update, &sure, label, &message.buttons);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}

static void
abandon(struct tx *tx, const struct update *update, struct deployment *work)
{
	decide_abandon(tx, work, update);
	if (update->kind == UPDATE_PRESS)
		decide_toastf(tx, update, false, "#%" PRId64 " is waited for no longer.", work->id);
	else
		(void)decide_send_firstf(tx, &update->address, FIRST_ABANDONED,
		    deployment_target_here(work), ": #%" PRId64 " is waited for no longer.",
		    work->id);
}

/* The button says so, and on the machine, where there are no buttons, a second word. */
static bool
is_sure(const struct update *update, const struct request *request, const char *rest)
{
	char sure[LIMIT_REF];

	return strcmp(request_get(request, "sure", sure), "yes") == 0 ||
	    (decide_is_answered(update) && strcmp(rest, "yes") == 0);
}

/* Who has its run, and since when it is not there; at 0: it is waited for.  A revoked agent is cut
 * off at once, and nothing is asked of it any more. */
static struct runner_gone
find_gone(struct tx *tx, const struct deployment *work)
{
	bool is_active = deploy_flow_class(work->state) == DEPLOY_CLASS_ACTIVE;
	struct runner_gone gone = row_runner_gone(tx, is_active ? work->run : 0);
	char identity[CRYPTO_CA_IDENTITY];
	const char *agent;

	if (!is_active || gone.at != 0)
		return gone;
	agent = peer_of_host(row_runner_of(tx, work->run, gone.name));
	if (agent != NULL)
		gone.at = row_peer_get(tx, peer_identity(agent, identity)).revoked_at;
	return gone;
}

void
command_abandon(struct tx *tx, const struct update *update, const struct request *request)
{
	char rest[LIMIT_REF];
	struct deployment work;
	struct runner_gone gone;
	int64_t number;

	if (!decide_may_called(tx, update, POLICY_ADMIN, POLICY_ALL, "abandon"))
		return;
	number = decide_work(tx, update, request, rest, &work);
	gone = find_gone(tx, &work);
	if (number != 0 && rest[0] != '\0' && strcmp(rest, "yes") != 0)
		say_too_much(tx, update, number);
	else if (work.id == 0)
		say_none(tx, update, number);
	else if (gone.at == 0 && is_sure(update, request, rest) && update->kind == UPDATE_PRESS)
		decide_expired(tx, update);
	else if (gone.at == 0)
		say_followed(tx, update, &work);
	else if (is_sure(update, request, rest))
		abandon(tx, update, &work);
	else
		ask(tx, update, &work, &gone);
}
