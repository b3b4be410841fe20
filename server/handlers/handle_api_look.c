/* handle_api_look.c - somebody looks at something over /v1: whether they may, and at what.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "handlers/handle_api_inside.h"

#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/view/decide_view_hosts.h"
#include "decide/view/decide_view.h"
#include "decide/view/decide_view_lists.h"
#include "decide/who/decide_agent.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_job.h"
#include "decide/who/decide_principal.h"
#include "decide/work/decide_do.h"
#include "store/row_deployment.h"
#include "store/row_run.h"

struct deployment *
handle_api_find_work(
    struct tx *tx, const struct api_request *api, int64_t number, struct deployment *ret)
{
	row_deployment_get(tx, number, ret);
	if (ret->id != 0 &&
	    (decide_job_began(tx, api, number) ||
		decide_sees(tx, api->from.person, deployment_target_here(ret))))
		return ret;
	decide_refusef(tx, 404, "There is no work of that number.");
	*ret = (struct deployment){ 0 };
	return ret;
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

static const struct {
	enum policy_action action;
	view_fn *show;
} views[API_OPERATION_COUNT] = {
	[API_STATUS] = { POLICY_STATUS, decide_view_status },
	[API_HISTORY] = { POLICY_HISTORY, decide_view_history },
	[API_FIGURES] = { POLICY_HISTORY, decide_view_figures },
	[API_HOSTS] = { POLICY_STATUS, decide_view_hosts },
	[API_QUEUE] = { POLICY_TALK, decide_view_queue },
	[API_PENDING] = { POLICY_TALK, decide_view_pending },
	[API_HOLDS] = { POLICY_TALK, decide_view_holds },
	[API_ACTIONS] = { POLICY_TALK, decide_view_actions },
};

/* Who sees clients alone has no environment, and what is done to a client is listed for it. */
static bool
may_view_clients(struct tx *tx, const struct api_request *api)
{
	const char *id = environment_client(api->request.target);

	if (id != NULL)
		return api->operation == API_ACTIONS &&
		    decide_do_client(tx, api->from.person, id) != NULL;
	return views[api->operation].action == POLICY_TALK && api->request.target[0] == '\0' &&
	    may_view(tx, api, POLICY_TALK, "");
}

static void
view(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	enum policy_action action = views[api->operation].action;

	if (api->operation == API_FIGURES || api->operation == API_HOSTS)
		tx->request = &api->request;
	if (decide_scope_of(tx, api->from.person, action, api->request.target, &scope) ||
	    may_view_clients(tx, api)) {
		views[api->operation].show(tx, &scope, json);
		return;
	}
	decide_scope_done(&scope);
	if (!tx->failed && tx->answer.status == 200 &&
	    !decide_is_too_fast(tx, &api->from, policy_action_word(action), false))
		(void)decide_scope(tx, &api->from, action, &api->request, &scope);
	if (tx->answer.status == 409)
		tx->answer.status = 404;
}

static void
view_work(struct tx *tx, const struct api_request *api, enum policy_action action, int64_t number,
    struct json_out *json)
{
	struct deployment work;
	bool is_own;

	handle_api_find_work(tx, api, number, &work);
	/* Who may do just that there, or has asked for it, sees how it went; of jobs, which are one
	 * person, the one that has. */
	is_own = action == POLICY_STATUS &&
	    (decide_job_began(tx, api, work.id) ||
		(api->job == NULL && deployment_is_of(&work, api->from.person)) ||
		(deployment_is_action(&work) &&
		    decide_is_allowed_work(tx, api->from.person, &work)));
	if (work.id == 0 || (!is_own && !may_view(tx, api, action, deployment_target_here(&work))))
		return;
	tx->answer.work = work.run; /* the loop reads its log */
	tx->answer.is_ended = work.run != 0 && !row_run_is_open(tx, work.run);
	decide_view_work(tx, api->from.person, &work, json);
}

/* Of the newest run of some work, or of one that is named: nothing follows that. */
static void
view_log(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	int64_t number = request_number(&api->request, "work");
	bool is_run = api->operation == API_RUN;
	struct deployment work;

	if (is_run)
		row_deployment_of_run(tx, number, &work);
	view_work(tx, api, POLICY_LOG, is_run ? work.id : number, json);
	if (tx->answer.status != 200)
		return;
	if (is_run) {
		tx->answer.work = number;
		tx->answer.is_ended = !row_run_is_open(tx, number);
	} else {
		row_deployment_get(tx, number, &work);
		tx->answer.log_goes_on = deploy_flow_class(work.state) != DEPLOY_CLASS_FINAL;
	}
	tx->answer.log_work = work.id;
	(void)decide_agent_log(
	    tx, &work, tx->answer.work, tx->answer.log_runner, tx->answer.log_note);
}

/* The loop has the news, and shows each to whom policy_sees() lets. */
static void
view_all(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	if (api->operation == API_AUDIT)
		decide_view_audit(tx, api, json);
	else if (may_view(tx, api, POLICY_TALK, ""))
		tx->answer.as = decide_principal(tx, api->from.person);
}

bool
handle_api_look(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	if (views[api->operation].show != NULL)
		view(tx, api, json);
	else if (api->operation == API_AUDIT || api->operation == API_NEWS)
		view_all(tx, api, json);
	else if (api->operation == API_WORK)
		view_work(tx, api, POLICY_STATUS, request_number(&api->request, "work"), json);
	else if (api->operation == API_LOG || api->operation == API_RUN)
		view_log(tx, api, json);
	else
		return false;
	return true;
}
