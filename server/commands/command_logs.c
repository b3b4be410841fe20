/* command_logs.c - /logs <environment> [lines]: what the application itself logged.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/view/decide_application_log.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/question/decide_which_log.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_run.h"

#define LINES	   20
#define LINES_MOST 100

/* Below a failure: what was kept of the release that failed. */
static void
show_kept(struct tx *tx, const struct update *update, int64_t id)
{
	struct deployment work;
	char lines[LIMIT_APPLICATION_LOG];
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_deployment_get(tx, id, &work);
	if (!decide_may(tx, update, POLICY_LOG, work.environment))
		return;
	if (row_run_application_log(tx, id, lines)[0] == '\0') {
		decide_toastf(tx, update, true, "It is not kept any more.");
		return;
	}
	chat_first(&text, FIRST_LOG_KEPT, work.environment);
	chat_first_commit(&text, work.subject, COMMIT_OF(&work));
	chat_text_add(&text,
	    work.state == DEPLOY_ROLLED_BACK ? " before it was rolled back:" : " as it failed:");
	chat_text_lines(&text, lines);
	(void)decide_send(tx, &(struct chat_address){ .chat = update->person }, &text);
	decide_toastf(tx, update, false,
	    "Sent to you in private. If nothing comes, write /start to me there first.");
}

static bool
read_lines(struct tx *tx, const struct update *update, const struct request *request,
    const char *environment, int64_t *ret)
{
	char typed[LIMIT_REF];

	*ret = LINES;
	if (request_get(request, "lines", typed)[0] == '\0' ||
	    text_to_i64(typed, 1, LINES_MOST, ret, NULL))
		return true;
	decide_answer_no(tx, update);
	(void)decide_send_firstf(tx, &update->address, FIRST_LOG_NOT_SHOWN, environment,
	    "how many lines? A number from 1 to %d.", LINES_MOST);
	return false;
}

/* Where the answer may stand; 0: nowhere, which was said. */
static int64_t
find_chat(struct tx *tx, const struct update *update, const char *environment)
{
	if (decide_shows_application_log(tx, environment, update->address.chat))
		return update->address.chat;
	if (update->kind == UPDATE_PRESS) {
		decide_toastf(tx, update, false,
		    "It comes in private. If nothing comes, write /start to me there first.");
		return update->person;
	}
	decide_answer_no(tx, update);
	(void)decide_send_firstf(tx, &update->address, FIRST_LOG_NOT_SHOWN, environment,
	    "what its application logs is shown in private: write " MARK_CODE "/logs %s" MARK_CODE
	    " to me there. FAILURE_LOG_IN_CHAT shows it in its chat.",
	    environment);
	return 0;
}

static void
ask(struct tx *tx, const struct update *update, const struct request *request)
{
	const struct environment_settings *settings = decide_where(tx, update, POLICY_LOG, request);
	struct effect effect = { .kind = EFFECT_APPLICATION_LOG };
	struct effect_application_log *want = &effect.u.application_log;
	int64_t lines;

	if (settings == NULL || !read_lines(tx, update, request, settings->name, &lines))
		return;
	if ((!decide_is_answered(update) || settings->agents != NULL) &&
	    !decide_can_ask_application_log(tx, settings->name)) { /* its scripts' are there */
		const struct request logs = request_of("logs", settings->name);

		decide_answer_no(tx, update);
		decide_which_log(tx, update, &logs);
		return;
	}
	if (decide_is_answered(update)) { /* who asks has the grant, and nobody else reads it */
		text_set(tx->answer.log_of, settings->name);
		tx->answer.log_lines = (int)lines;
		return;
	}
	text_set(want->environment, settings->name);
	want->person = update->person;
	want->address = update->address;
	want->lines = (int)lines;
	want->address.chat = find_chat(tx, update, settings->name);
	if (want->address.chat == 0)
		return;
	if (want->address.chat != update->address.chat)
		want->address.thread = 0;
	(void)row_effect_order(tx, &effect);
}

void
command_logs(struct tx *tx, const struct update *update, const struct request *request)
{
	int64_t work = request_number(request, "work");

	if (work != 0)
		show_kept(tx, update, work);
	else
		ask(tx, update, request);
}
