/* handle_api.c - somebody asked something over /v1: decided as if it were typed or pressed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "commands/commands.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/decide_view.h"
#include "decide/decide_where.h"
#include "handlers/handlers.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "lib/text.h"
#include "store/row_deployment.h"

/* Does it wait for somebody's answer, or will it when git has answered? */
static bool
is_to_be_answered(struct tx *tx, const struct deployment *work)
{
	const struct environment_settings *environment =
	    settings_environment(tx->settings, work->environment);

	return deployment_is_asked(work) ||
	    (work->state == DEPLOY_REQUESTED && environment != NULL && environment->confirm);
}

/* What was said so far, and which work it is about. */
static void
put_said(struct tx *tx, struct json_out *json)
{
	struct deployment work = row_deployment_get(tx, tx->answer.work);
	char until[TEXT_TIME_SIZE];
	int64_t at = deployment_is_asked(&work) ? row_deployment_asked_until(tx, work.id) : 0;

	json_put_str(json, "said", tx->answer.text != NULL ? tx->answer.text : "");
	if (tx->answer.work != 0)
		json_put_i64(json, "work", tx->answer.work);
	else
		json_put_null(json, "work");
	json_put_bool(json, "is_to_be_answered", work.id != 0 && is_to_be_answered(tx, &work));
	json_put_str(json, "asked_until", at == 0 ? NULL : text_time_ms(until, at));
}

/* The work that it names; id 0: it is not there for them, which was said. */
static struct deployment
find_work(struct tx *tx, const struct api_request *api)
{
	struct deployment work = row_deployment_get(tx, request_number(&api->request, "work"));

	if (work.id != 0 && decide_sees(tx, api->from.person, work.environment))
		return work;
	tx->answer.status = 404;
	decide_answer(tx, "There is no work of that number.");
	return (struct deployment){ 0 };
}

/* What is denied is counted as what is typed: each denial is an entry of the audit. */
static bool
may_view(struct tx *tx, const struct api_request *api, enum policy_action action,
    const char *environment)
{
	return decide_is_allowed(tx, api->from.person, action, environment) ||
	    (!decide_is_too_fast(tx, &api->from, policy_action_word(action), false) &&
		decide_may(tx, &api->from, action, environment));
}

typedef void view_fn(struct tx *tx, const struct decide_scope *scope, struct json_out *json);

static void
view(struct tx *tx, const struct api_request *api, enum policy_action action, view_fn *show,
    struct json_out *json)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };

	if (decide_scope_of(tx, api->from.person, action, api->request.target, &scope)) {
		show(tx, &scope, json);
		return;
	}
	decide_scope_done(&scope);
	if (!tx->failed && !decide_is_too_fast(tx, &api->from, policy_action_word(action), false))
		(void)decide_scope(tx, &api->from, action, api->request.target, &scope);
	if (tx->answer.status == 409)
		tx->answer.status = 404;
}

static void
view_work(
    struct tx *tx, const struct api_request *api, enum policy_action action, struct json_out *json)
{
	struct deployment work = find_work(tx, api);

	if (work.id == 0 || !may_view(tx, api, action, work.environment))
		return;
	tx->answer.work = work.run; /* the loop reads its log */
	tx->answer.is_ended = work.run != 0 && !row_run_is_open(tx, work.run);
	decide_view_work(tx, &work, json);
}

static void
view_run(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	struct api_request of = *api;
	int64_t run = request_number(&api->request, "work");

	of.request = request_about("", "work", row_deployment_of_run(tx, run).id);
	view_work(tx, &of, POLICY_LOG, json);
	if (tx->answer.status != 200)
		return;
	tx->answer.work = run;
	tx->answer.is_ended = !row_run_is_open(tx, run);
}

/* A question that somebody else was faster to answer is no more. */
static void
answer_question(struct tx *tx, const struct api_request *api)
{
	struct update from = api->from;
	struct deployment work = find_work(tx, api);

	from.kind = UPDATE_PRESS;
	if (work.id == 0 || decide_is_too_fast(tx, &from, "press", deployment_is_rollback(&work)))
		return;
	if (!deployment_is_asked(&work)) {
		tx->answer.status = 409;
		decide_answer(tx,
		    work.confirmed_by == 0 ? "There is no open question of that number." :
			work.confirmed_by == from.person ?
					     "You have confirmed it already." :
					     "Somebody else has confirmed it already.");
		return;
	}
	tx->answer.work = work.id;
	command_confirm(tx, &from, &api->request);
}

/* Without any work nothing of it was done. */
static bool
is_of_work(const char *word)
{
	return strcmp(word, "deploy") == 0 || strcmp(word, "rollback") == 0;
}

static void
command(struct tx *tx, const struct api_request *api)
{
	commands_handle_because(tx, &api->from, api->reason);
	if (tx->answer.work == 0 && is_of_work(api->request.action))
		decide_answer_no(tx, &api->from);
	if (tx->answer.status == 200 && tx->answer.text == NULL && tx->answer.work == 0)
		tx->answer.status = 429; /* it was one too many, and that was said before */
}

static void
decide_api(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	switch (api->operation) {
	case API_STATUS:
		view(tx, api, POLICY_STATUS, decide_view_status, json);
		break;
	case API_HISTORY:
		view(tx, api, POLICY_HISTORY, decide_view_history, json);
		break;
	case API_QUEUE:
		view(tx, api, POLICY_STATUS, decide_view_queue, json);
		break;
	case API_WORK:
		view_work(tx, api, POLICY_STATUS, json);
		break;
	case API_LOG:
		view_work(tx, api, POLICY_LOG, json);
		break;
	case API_RUN:
		view_run(tx, api, json);
		break;
	case API_ANSWER:
		answer_question(tx, api);
		break;
	case API_COMMAND:
		command(tx, api);
		break;
	case API_OPERATION_COUNT:
		break;
	}
}

void
handle_api(struct tx *tx, const struct event *event)
{
	const struct api_request *api = event->u.api;
	bool is_view = !api_is_post(api->operation);
	struct json_out json;
	struct buf out;

	buf_init(&out, LIMIT_ANSWER_TEXT);
	json_out_init(&json, &out);
	json_out_object(&json);
	decide_api(tx, api, &json);
	if (!is_view || tx->answer.status != 200)
		put_said(tx, &json);
	json_out_end(&json);
	free(tx->answer.text);
	tx_check(tx, &out);
	tx->answer.text = buf_take(&out);
}
