/* decide_loan_ask.c - who may be lent which secret, and the work that it makes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_ask.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_reply.h"
#include "decide/hold/decide_refusal.h"
#include "decide/queue/decide_queue.h"
#include "decide/who/decide_job.h"
#include "decide/who/decide_principal.h"
#include "decide/work/decide_action.h"
#include "decide/work/decide_deployment.h"
#include "lib/text.h"
#include "store/row_job.h"
#include "store/row_loan.h"
#include "store/row_rate_limit.h"
#include "types/loan.h"
#include "types/settings.h"

#define LOANS_MAX 64
#define AT_ONCE	  5 /* of a workflow, then one each EVERY_MS */
#define EVERY_MS  INT64_C(12000)

/* "db-migrate" of shop's workflow is shop/db-migrate, and else the main file's. */
static bool
find_loan(struct tx *tx, const struct api_request *api, struct loan *ret)
{
	const char *workflow = api->job->workflow, *said = api->request.target;
	bool is_whole = strchr(said, '/') != NULL || strchr(workflow, '/') == NULL;
	char id[LIMIT_REF + ENVIRONMENT_ID_MAX];

	(void)snprintf(id, sizeof(id), "%.*s%s", is_whole ? 0 : (int)strcspn(workflow, "/") + 1,
	    workflow, said);
	for (int is_main = 0; is_main < 2; is_main++)
		for (size_t at = 0; loan_next(tx->settings, &at, ret);)
			if (strcmp(ret->id, is_main ? said : id) == 0)
				return true;
	return false;
}

static bool
may_have(struct tx *tx, int64_t person, const struct loan *loan)
{
	return policy_decide_secret(
		   tx->settings, decide_principal(tx, person), loan->name, loan->target, tx->at)
		   .verdict == POLICY_ALLOW;
}

/* One that is not there and one that is not granted are refused alike. */
static bool
find_granted(struct tx *tx, const struct api_request *api, struct loan *ret)
{
	bool is_there = find_loan(tx, api, ret);

	if (is_there && may_have(tx, api->from.person, ret))
		return true;
	decide_audit_denied(tx, &api->from, AUDIT_CODE_DENIED, "secret",
	    is_there ? ret->target : "", "no grant for it");
	decide_refusef(tx, 403,
	    "workflow:%s is lent no \"%.80s\": there is none, or its WORKFLOW_<NAME>_MAY grants no secret.NAME:ENVIRONMENT",
	    api->job->workflow, api->request.target);
	return false;
}

/* Why it is not lent now, and the status that says so; 0: it is. */
static int
refusal(struct tx *tx, const struct loan *loan, char ret[LIMIT_LINE])
{
	const char *refused = decide_refusal(tx, loan->target);

	if (refused != NULL) {
		(void)snprintf(ret, LIMIT_LINE, "%s", refused);
		return 409;
	}
	if (loan->approvals == 0 &&
	    policy_needs_factor(tx->settings, POLICY_SECRET, loan->name, loan->target)) {
		(void)snprintf(ret, LIMIT_LINE,
		    "REQUIRE_OTP asks a code for secret.%s, and nobody is asked: set SECRET_<NAME>_APPROVALS",
		    loan->name);
		return 403;
	}
	if (row_loan_count(tx) >= LOANS_MAX) {
		(void)snprintf(ret, LIMIT_LINE,
		    "%d secrets are lent or waited for: try again later", LOANS_MAX);
		return 429;
	}
	return 0;
}

static bool
may_ask_now(struct tx *tx, const struct job *job)
{
	char who[ENVIRONMENT_ID_MAX + 16];

	(void)snprintf(who, sizeof(who), "secret:%s", job->workflow);
	if (row_rate_limit_take(tx, who, AT_ONCE, EVERY_MS))
		return true;
	decide_refusef(tx, 429, "this workflow asks for secrets too often: five a minute");
	return false;
}

static void
ask(struct tx *tx, const struct api_request *api, const struct loan *loan)
{
	struct loan_row row = { .state = LOAN_ASKED };
	struct deployment work;
	char user[PRINCIPAL_TEXT];

	decide_requested(tx, &api->from, PROGRAM_ACTION, loan->target, &work);
	(void)text_copy(work.action, sizeof(work.action), action_table[ACTION_LEND_SECRET].name);
	(void)text_copy(work.argument, sizeof(work.argument), loan->name);
	(void)text_copy(work.subject, sizeof(work.subject), api->reason); /* cut is fine */
	row_deployment_add(tx, &work);
	row_job_add(tx, work.id, api->job);
	row.work = work.id;
	row_loan_save(tx, &row);
	decide_action_bind(tx, &work, &(struct action_row){ .executor = "vault" });
	row_deployment_save(tx, &work);
	tx->answer.work = work.id;
	decide_audit_request(tx, &work, decide_requester(tx, &work, user),
	    AUDIT_CODE_SECRET_REQUESTED, "requested",
	    (const char *const[]){ "secret", loan->name, "name", api->from.name, "repository",
		api->job->repository, "run", api->job->run, "reason", api->reason, NULL });
	decide_enqueue(tx, &work, DEPLOY_ON_CLEAR, NULL);
}

void
decide_loan(struct tx *tx, const struct api_request *api)
{
	struct loan loan;
	char why[LIMIT_LINE];
	int status;

	if (!decide_job_asks(tx, api) || !find_granted(tx, api, &loan))
		return;
	tx->answer.work = row_loan_of_job(tx, loan.target, loan.name, api->job);
	if (tx->answer.work == 0 && !may_ask_now(tx, api->job))
		return;
	status = tx->answer.work != 0 ? 0 : refusal(tx, &loan, why);
	if (status != 0) {
		decide_refusef(tx, status, "%s", why);
		return;
	}
	if (tx->answer.work == 0)
		ask(tx, api, &loan);
	tx->answer.status = 202;
}
