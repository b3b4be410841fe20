/* command_deploy.c - /deploy <environment> [ref]: role, room in the queue, then git is asked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/work/decide_deployment.h"
#include "decide/approval/decide_emergency.h"
#include "decide/git/decide_git.h"
#include "decide/hold/decide_hold.h"
#include "decide/queue/decide_queue.h"
#include "decide/audit/decide_record.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_tell.h"
#include "decide/who/decide_job.h"
#include "decide/question/decide_where.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_exempt.h"
#include "store/row_hold.h"
#include "types/job.h"

/* One person's deployments that have not ended: more is a mistake or a game. */
#define OPEN_REQUESTS_MAX 10
#define GIT_QUERIES_MAX	  3 /* of one person: pushes and others are looked up beside these */

/* What can be said without asking git; false: it was said. */
static bool
can_ask_git(struct tx *tx, const struct update *update, const struct environment_settings *settings,
    const char *ref)
{
	if (ref[0] == '\0' && settings->branch == NULL) {
		(void)decide_send_firstf(tx, &update->address, FIRST_NOT_DEPLOYED, settings->name,
		    " has no branch configured. Say what to deploy: " MARK_CODE
		    "/deploy %s <branch, tag or commit>" MARK_CODE,
		    settings->name);
		return false;
	}
	if (ref[0] == '-') {
		(void)decide_send_firstf(tx, &update->address, FIRST_NOT_DEPLOYED, settings->name,
		    ": a ref cannot begin with \"-\". It is a branch, a tag or a commit.");
		return false;
	}
	if (row_deployment_count_open(tx, update->person) >= OPEN_REQUESTS_MAX) {
		(void)decide_send_firstf(tx, &update->address, FIRST_NOT_DEPLOYED, settings->name,
		    ": you have %d open requests; confirm or cancel some of them first.",
		    OPEN_REQUESTS_MAX);
		return false;
	}
	if (row_deployment_count_requested(tx, update->person) >= GIT_QUERIES_MAX) {
		(void)decide_send_firstf(tx, &update->address, FIRST_NOT_ASKED, settings->name,
		    "git has not answered your last %d requests yet. Try again when one of them is answered here.",
		    GIT_QUERIES_MAX);
		return false;
	}
	return true;
}

/* Why it is not as usual; "" of each: it is. */
struct reasons {
	char exception[LIMIT_REF]; /* from a freeze: a reply to "frozen until …", or --reason */
	char emergency[LIMIT_REF]; /* from all that others may keep it back with */
};

static void
open_request(struct tx *tx, const struct update *update, const char *environment, const char *ref,
    const struct reasons *reasons)
{
	const char *exception = reasons->exception, *emergency = reasons->emergency;
	struct deployment deployment;

	decide_requested(tx, update, PROGRAM_DEPLOY, environment, &deployment);
	deployment.is_to_be_asked = settings_environment(tx->settings, environment)->confirm;
	text_set(deployment.ref, ref);
	text_set(deployment.exempt.exception, exception);
	text_set(deployment.exempt.emergency, emergency);
	row_deployment_add(tx, &deployment);
	if (exception[0] != '\0')
		row_exempt_set(tx, deployment.id, &(struct exempt){ .hold = row_hold_newest(tx) });
	tx->answer.work = deployment.id;
	decide_tell(tx, &deployment, NULL);
	row_deployment_save(tx, &deployment);
	decide_audit_request(tx, &deployment, update->person, AUDIT_CODE_DEPLOY_REQUESTED,
	    "requested",
	    (const char *const[]){ "trigger", decide_record_trigger(&deployment), "ref", ref,
		"name", update->name,
		exception[0] != '\0'	 ? "exception" :
		    emergency[0] != '\0' ? "emergency" :
					   NULL,
		exception[0] != '\0' ? exception : emergency, NULL });
	decide_query_commit(tx, &deployment, deployment.ref, deployment.requester);
}

/* Where nothing is frozen there is nothing to except from. */
static bool
may_except(struct tx *tx, const struct update *update, const char *environment, char *exception)
{
	struct holds holds;

	decide_holds(tx, environment, &holds);
	if (!hold_has(&holds, HOLD_FREEZE))
		exception[0] = '\0';
	return exception[0] == '\0' || decide_may(tx, update, POLICY_FREEZE, environment);
}

/* Neither a lock nor a freeze keeps it back. */
static bool
may_now(struct tx *tx, const struct update *update, const struct request *request,
    const char *environment, struct reasons *reasons)
{
	return reasons->emergency[0] != '\0' ||
	    (may_except(tx, update, environment, reasons->exception) &&
		decide_may_now(tx, update, request, environment, reasons->exception[0] != '\0'));
}

/* A job deploys the commit that its token is of, however it names it.  False: it was refused. */
static bool
is_of_job(struct tx *tx, const char *ref)
{
	static const char heads[] = "refs/heads/";
	const char *branch = tx->job->ref + (text_starts(tx->job->ref, heads) ? strlen(heads) : 0);

	if (ref[0] == '\0' || strcmp(ref, tx->job->sha) == 0 || strcmp(ref, tx->job->ref) == 0 ||
	    strcmp(ref, branch) == 0)
		return true;
	decide_refusef(tx, 409,
	    "the job's token is of %.7s on %.80s, and not of %.80s: leave it out", tx->job->sha,
	    branch, ref);
	return false;
}

void
command_deploy(struct tx *tx, const struct update *update, const struct request *request)
{
	const struct environment_settings *settings;
	struct reasons reasons;
	const char *ref = request_text(request, "ref");
	bool is_emergency = request_get(request, "emergency", reasons.emergency)[0] != '\0';

	(void)request_get(request, "exception", reasons.exception);
	settings =
	    decide_where(tx, update, is_emergency ? POLICY_EMERGENCY : POLICY_DEPLOY, request);
	if (settings == NULL || decide_job_is_behind_gate(tx, settings->name) ||
	    !may_now(tx, update, request, settings->name, &reasons) ||
	    decide_is_refused(tx, update, settings->name) ||
	    decide_is_full(tx, update, settings->name, settings->name, is_emergency) ||
	    !can_ask_git(tx, update, settings, ref) || (tx->job != NULL && !is_of_job(tx, ref)) ||
	    (is_emergency && !decide_emergency_may(tx, update, settings->name, reasons.emergency)))
		return;
	open_request(tx, update, settings->name,
	    tx->job != NULL    ? tx->job->sha :
		ref[0] != '\0' ? ref :
				 settings->branch,
	    &reasons);
}
