/* decide_which_log.c - "log": of the last deployment, or of the application?  Both are offered.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/question/decide_which_log.h"

#include "chat/chat_first.h"
#include "decide/view/decide_application_log.h"
#include "decide/decide_page.h"
#include "lib/setting.h"
#include "store/row_deployment.h"
#include "store/row_run.h"

#define LAST_LOG "📄 Log of the last deployment"
#define LOOK_MS	 (600 * INT64_C(1000))
#define LOOKS_AT 10 /* deployments: some never came to a run */

/* back: of its automatic rollback; 0: none. */
static int64_t
last_run(struct tx *tx, const char *environment, int64_t *ret_back)
{
	struct deployment latest[LOOKS_AT];
	size_t n = row_deployment_list(tx, environment, latest, LOOKS_AT);
	int64_t run = 0;

	*ret_back = 0;
	for (size_t i = 0; i < n && run == 0; i++) {
		run = row_run_newest(tx, latest[i].id, latest[i].program);
		if (latest[i].program == PROGRAM_DEPLOY)
			*ret_back = row_run_newest(tx, latest[i].id, PROGRAM_ROLLBACK);
	}
	return run;
}

/* An agent takes an act of a release alone, with its ticket. */
static void
add_hosts(struct chat_text *text, const struct environment_settings *settings)
{
	struct environment_id id;
	char name[SETTING_NAME_MAX];

	if (!environment_id_parse(settings->name, &id))
		return;
	chat_text_add(text,
	    "read it on " MARK_CODE "%.200s" MARK_CODE ", no agent sends it: " MARK_CODE
	    "docker compose logs" MARK_CODE " there, in the folder that %s names.",
	    settings->agents, setting_name("<ENV>_COMPOSE_DIR", id.name, name));
}

/* Where there is no other one. */
static void
offer_runs(struct tx *tx, const struct update *update, const struct environment_settings *settings)
{
	const char *environment = settings->name;
	int64_t back, run = last_run(tx, environment, &back);
	const struct request log = request_about("log", "run", run);
	const struct request rollback = request_about("log", "run", back);
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_NO_LOG, environment);
	if (settings->agents != NULL)
		add_hosts(&text, settings);
	else
		chat_text_add(
		    &text, "with DEPLOY_SCRIPT only that script knows where the application logs.");
	if (run != 0)
		chat_text_add(&text, " What the scripts wrote last:");
	if (run != 0)
		decide_own_button(tx, update, &log, LOOK_MS, LAST_LOG, &message.buttons);
	if (back != 0)
		decide_own_button(
		    tx, update, &rollback, LOOK_MS, "📄 Rollback log", &message.buttons);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}

void
decide_which_log(struct tx *tx, const struct update *update, const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	struct message message = { 0 };
	const struct request logs = request_of("logs", request->target);
	struct request log = request_of("history", request->target);
	struct chat_text text = CHAT_TEXT_EMPTY;
	int64_t back;

	if (!decide_scope(tx, update, POLICY_LOG, request, &scope))
		return;
	if (scope.n == 1 && !decide_can_ask_application_log(tx, scope.at[0]->name)) {
		offer_runs(tx, update, scope.at[0]);
		return;
	}
	if (scope.n == 1)
		log = request_about("log", "run", last_run(tx, scope.at[0]->name, &back));
	chat_text_add(&text, "❓ Which log?");
	if (scope.n > 1 || request_number(&log, "run") != 0)
		decide_own_button(tx, update, &log, LOOK_MS,
		    scope.n > 1 ? "📄 Log of a deployment" : LAST_LOG, &message.buttons);
	decide_own_button(tx, update, &logs, LOOK_MS, "📄 Application log", &message.buttons);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}
