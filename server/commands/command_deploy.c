/* command_deploy.c - /deploy <environment> [ref], /promote: role, room, then git is asked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_upload.h"
#include "decide/approval/decide_emergency.h"
#include "decide/git/decide_git.h"
#include "decide/hold/decide_hold.h"
#include "decide/queue/decide_full.h"
#include "decide/audit/decide_record.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_tell.h"
#include "decide/who/decide_job.h"
#include "decide/question/decide_where.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_exempt.h"
#include "store/row_hold.h"
#include "store/row_promotion.h"
#include "types/job.h"

/* One person's deployments that have not ended: more is a mistake or a game. */
#define OPEN_REQUESTS_MAX 10
#define UPLOADED	  "an upload" /* in the place of a ref: there is none */
#define GIT_QUERIES_MAX	  3 /* of one person: pushes and others are looked up beside these */

/* What can be said without asking git; false: it was said. */
static bool
can_ask(struct tx *tx, const struct update *update, const struct environment_settings *settings,
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

/* What is asked for, and why it is not as usual; "" of each: it is. */
struct reasons {
	const struct request *request;
	bool is_upload;
	char exception[LIMIT_REF];  /* from a freeze: a reply to "frozen until …", or --reason */
	char emergency[LIMIT_REF];  /* from all that others may keep it back with */
	struct promotion promotion; /* it brings what is live elsewhere */
};

static void
open_request(struct tx *tx, const struct update *update, const char *environment, const char *ref,
    const struct reasons *reasons)
{
	const char *exception = reasons->exception, *emergency = reasons->emergency;
	const char *facts[] = { "trigger", NULL, "ref", ref, "name", update->name, NULL, NULL, NULL,
		NULL, NULL, NULL, NULL };
	struct deployment deployment;
	size_t n_facts = 6;

	decide_requested(tx, update, PROGRAM_DEPLOY, environment, &deployment);
	deployment.is_to_be_asked = settings_environment(tx->settings, environment)->confirm;
	text_set(deployment.ref, ref);
	if (reasons->is_upload)
		decide_upload_set(&deployment, reasons->request);
	text_set(deployment.exempt.exception, exception);
	text_set(deployment.exempt.emergency, emergency);
	text_set(deployment.image, reasons->promotion.image);
	row_deployment_add(tx, &deployment);
	if (reasons->promotion.from[0] != '\0')
		row_promotion_add(tx, &deployment, &reasons->promotion);
	if (exception[0] != '\0')
		row_exempt_set(tx, deployment.id, &(struct exempt){ .hold = row_hold_newest(tx) });
	tx->answer.work = deployment.id;
	decide_tell(tx, &deployment, NULL);
	row_deployment_save(tx, &deployment);
	facts[1] = decide_record_trigger(&deployment);
	decide_audit_fact(facts, &n_facts, "exception", exception);
	decide_audit_fact(facts, &n_facts, "emergency", exception[0] == '\0' ? emergency : "");
	decide_audit_fact(facts, &n_facts, "promoted_from", reasons->promotion.from);
	decide_audit_request(
	    tx, &deployment, update->person, AUDIT_CODE_DEPLOY_REQUESTED, "requested", facts);
	if (reasons->is_upload)
		decide_upload_begin(tx, &deployment, reasons->request);
	else
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

/* What it is to bring; none, where nothing else is deployed, is refused.  False: it was. */
static bool
find_promotion(struct tx *tx, const struct update *update,
    const struct environment_settings *settings, struct reasons *reasons)
{
	bool is_emergency = reasons->emergency[0] != '\0';
	struct promotion *promotion = &reasons->promotion;
	char line[LIMIT_LINE];
	const char *why = NULL;

	if (!decide_promotion_find(tx, update, settings, reasons->request, promotion))
		return false;
	if (promotion->from[0] == '\0' && !is_emergency)
		why = decide_promotion_alone(settings, line);
	else if (promotion->from[0] != '\0' && reasons->is_upload)
		why = "an archive comes from nowhere else. Send it with the environment alone.";
	if (why != NULL)
		(void)decide_send_firstf(
		    tx, &update->address, FIRST_NOT_DEPLOYED, settings->name, ": %s", why);
	return why == NULL;
}

void
command_deploy(struct tx *tx, const struct update *update, const struct request *request)
{
	const struct environment_settings *settings;
	struct reasons reasons = { .request = request, .is_upload = decide_upload_is(request) };
	const char *ref = request_text(request, "ref");
	struct release release;
	bool is_emergency = request_get(request, "emergency", reasons.emergency)[0] != '\0';

	(void)request_get(request, "exception", reasons.exception);
	settings =
	    decide_where(tx, update, is_emergency ? POLICY_EMERGENCY : POLICY_DEPLOY, request);
	if (settings == NULL || decide_job_is_behind_gate(tx, settings->name) ||
	    !may_now(tx, update, request, settings->name, &reasons) ||
	    decide_is_refused(tx, update, settings->name) ||
	    decide_is_full(tx, update, settings->name, settings->name, is_emergency) ||
	    !find_promotion(tx, update, settings, &reasons))
		return;
	release = decide_promotion_release(tx, &reasons.promotion);
	if (release.id != 0)
		ref = release.commit;
	if (!can_ask(tx, update, settings, reasons.is_upload ? UPLOADED : ref) ||
	    (tx->job != NULL && !is_of_job(tx, ref)) ||
	    (is_emergency &&
		!decide_emergency_may(tx, update, settings->name, reasons.emergency)) ||
	    /* Last: what it takes room from goes. */
	    (reasons.is_upload && !decide_upload_may(tx, update, settings, request)))
		return;
	open_request(tx, update, settings->name,
	    reasons.is_upload	? "" :
		tx->job != NULL ? tx->job->sha :
		ref[0] != '\0'	? ref :
				  settings->branch,
	    &reasons);
}

void
command_promote(struct tx *tx, const struct update *update, const struct request *request)
{
	if (request_text(request, "from")[0] != '\0') {
		command_deploy(tx, update, request);
		return;
	}
	if (!decide_may_begin(tx, update, POLICY_DEPLOY, request->target))
		return;
	decide_answer_no(tx, update);
	(void)decide_sendf(tx, &update->address,
	    "What is live where goes where? " MARK_CODE "/promote <from> <to>" MARK_CODE
	    "\nas " MARK_CODE "/promote staging production" MARK_CODE);
}
