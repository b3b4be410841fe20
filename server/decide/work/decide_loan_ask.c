/* decide_loan_ask.c - who may be lent which secret, and the work that it makes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_ask.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_reply.h"
#include "decide/factor/decide_lacks.h"
#include "decide/hold/decide_refusal.h"
#include "decide/queue/decide_queue.h"
#include "decide/who/decide_job.h"
#include "decide/who/decide_principal.h"
#include "decide/work/decide_action.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_loan_yes.h"
#include "lib/share.h"
#include "lib/text.h"
#include "store/row_job.h"
#include "store/row_loan.h"
#include "store/row_rate_limit.h"
#include "types/loan.h"
#include "types/settings.h"

#define LOANS_MAX    64
#define LOANS_PEOPLE 8 /* of these by one person; by workflows and applications their shares */
#define MINUTE_MS    INT64_C(60000)
#define BY_JOBS	     5 /* a minute, of a workflow */
#define BY_PEOPLE    3 /* of a person */

/* Who asks: a job, a person over /v1, or a person in the chat. */
struct asker {
	const struct update *from;
	const struct job *job; /* NULL: a person */
	const char *said;      /* the name that was said */
	const char *reason;    /* ""; none */
	int64_t chat;	       /* 0: over /v1 */
	bool is_crowded;       /* the loop has no room for another value of theirs */
};

static void
refuse(struct tx *tx, const struct asker *asker, int status, const char *why)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (asker->chat == 0) {
		decide_refusef(tx, status, "%s", why);
		return;
	}
	chat_text_outside(
	    &text, status == 403 ? chat_first_rows[FIRST_DENIED].before : "🔐 ", asker->said);
	chat_text_outside(&text, ": ", why);
	chat_text_add(&text, ".");
	(void)decide_send(tx, &asker->from->address, &text);
}

/* --- which one is meant --- */

/* "db-migrate" of shop's workflow is shop/db-migrate, and else the main file's. */
static size_t
find_for_job(struct tx *tx, const struct asker *asker, struct loan *ret)
{
	const char *workflow = asker->job->workflow, *said = asker->said;
	bool is_whole = strchr(said, '/') != NULL || strchr(workflow, '/') == NULL;
	char id[LIMIT_REF + ENVIRONMENT_ID_MAX];

	text_setf(id, "%.*s%s", is_whole ? 0 : (int)strcspn(workflow, "/") + 1, workflow, said);
	for (int is_main = 0; is_main < 2; is_main++)
		for (size_t at = 0; loan_next(tx->settings, &at, ret);)
			if (strcmp(ret->id, is_main ? said : id) == 0)
				return 1;
	return 0;
}

static bool
may_have(struct tx *tx, int64_t person, const struct loan *loan)
{
	return policy_decide_secret(
		   tx->settings, decide_principal(tx, person), loan->name, loan->target, tx->at)
		   .verdict == POLICY_ALLOW;
}

/* By its name, or by its path at Vault.  Of those alone that they may have; returns how many. */
static size_t
find_for_person(struct tx *tx, const struct asker *asker, struct loan *ret)
{
	struct loan loan;
	size_t n = 0;

	for (size_t at = 0; loan_next(tx->settings, &at, &loan);) {
		bool is_whole = strcmp(loan.id, asker->said) == 0;

		if ((!is_whole && strcmp(loan.name, asker->said) != 0 &&
			strcmp(loan.at.path, asker->said) != 0) ||
		    !may_have(tx, asker->from->person, &loan))
			continue;
		*ret = loan;
		if (is_whole)
			return 1;
		n++;
	}
	return n;
}

/* One that is not there and one that is not granted are refused alike. */
static bool
find_granted(struct tx *tx, const struct asker *asker, struct loan *ret)
{
	size_t n =
	    asker->job != NULL ? find_for_job(tx, asker, ret) : find_for_person(tx, asker, ret);
	char why[LIMIT_LINE];

	if (n == 1 && may_have(tx, asker->from->person, ret))
		return true;
	if (n > 1) {
		refuse(tx, asker, 409, "several have that name: say APPLICATION/NAME");
		return false;
	}
	decide_audit_denied(tx, asker->from, AUDIT_CODE_DENIED, "secret", n == 1 ? ret->target : "",
	    "no grant for it");
	if (asker->job != NULL)
		text_setf(why,
		    "workflow:%.60s is lent no \"%.80s\": there is none, or its WORKFLOW_<NAME>_MAY grants no secret.NAME:ENVIRONMENT",
		    asker->job->workflow, asker->said);
	else
		text_setf(why,
		    "there is no such secret, or you may not have it: /secrets lists what you may");
	refuse(tx, asker, 403, why);
	return false;
}

/* --- is it lent? --- */

/* "16 secrets of this workflow": there is no more room; "": there is. */
static void
find_crowd(struct tx *tx, const struct asker *asker, char ret[LIMIT_LINE])
{
	const bool is_job = asker->job != NULL;
	const int64_t person = asker->from->person;
	const char *whose = NULL;
	int most = is_job ? LOANS_MAX / SHARE_OF_ONE : LOANS_PEOPLE;

	if (row_loan_count(tx, person) >= most) {
		whose = is_job ? " of this workflow" : " of yours";
	} else if (is_job && row_loan_count_application(tx, person) >= LOANS_MAX / SHARE_OF_GROUP) {
		whose = " of this application";
		most = LOANS_MAX / SHARE_OF_GROUP;
	} else if (row_loan_count(tx, 0) >= LOANS_MAX) {
		whose = "";
		most = LOANS_MAX;
	}
	ret[0] = '\0';
	if (whose != NULL)
		(void)snprintf(ret, LIMIT_LINE,
		    "%d secrets%s are lent or waited for: try again later", most, whose);
}

/* Why it is not lent now, and the status that says so; 0: it is. */
static int
refusal(struct tx *tx, const struct asker *asker, const struct loan *loan, char ret[LIMIT_LINE])
{
	const char *refused = decide_refusal_of(tx, loan->target, true);

	if (refused != NULL) {
		(void)snprintf(ret, LIMIT_LINE, "%s", refused);
		return 409;
	}
	if (asker->job != NULL && loan->is_value && !loan_may_be_value(tx->settings)) {
		(void)snprintf(ret, LIMIT_LINE,
		    "SECRET_<NAME>_DELIVERS=value needs a PUBLIC_URL of https://HOST");
		return 409;
	}
	if (asker->job != NULL && loan->approvals == 0 &&
	    policy_needs_factor(tx->settings, POLICY_SECRET, loan->name, loan->target)) {
		(void)snprintf(ret, LIMIT_LINE,
		    "REQUIRE_OTP asks a code for secret.%s, and nobody is asked: set SECRET_<NAME>_APPROVALS",
		    loan->name);
		return 403;
	}
	/* Each of these is a new one: Vault makes none that nobody could be given. */
	if (asker->job != NULL && asker->is_crowded && loan->is_value &&
	    loan->at.kind == LOAN_CREDS) {
		(void)snprintf(ret, LIMIT_LINE,
		    "what this workflow, or its application, was lent as values takes up its share of what is kept out of logs: try again when a SECRET_<NAME>_TTL is over");
		return 429;
	}
	find_crowd(tx, asker, ret);
	return ret[0] != '\0' ? 429 : 0;
}

static bool
may_ask_now(struct tx *tx, const struct asker *asker)
{
	int most = asker->job != NULL ? BY_JOBS : BY_PEOPLE;
	char why[LIMIT_LINE];

	if (row_rate_limit_take(tx, most, MINUTE_MS / most, "secret:%s",
		asker->job != NULL ? asker->job->workflow :
				     decide_user_here(tx, asker->from->person)))
		return true;
	text_setf(why, "%s for secrets too often: %d a minute",
	    asker->job != NULL ? "this workflow asks" : "you ask", most);
	refuse(tx, asker, 429, why);
	return false;
}

static void
ask(struct tx *tx, const struct asker *asker, const struct loan *loan)
{
	static const struct job nobody = { .run = "" };
	const struct job *job = asker->job != NULL ? asker->job : &nobody;
	struct loan_row row = { .state = LOAN_ASKED, .chat = asker->chat };
	struct deployment work;

	decide_requested(tx, asker->from, PROGRAM_ACTION, loan->target, &work);
	text_set(work.action, action_table[ACTION_LEND_SECRET].name);
	text_set(work.argument, loan->name);
	text_set(work.subject, asker->reason); /* cut is fine */
	if (!job_is_by_key(job))
		text_setf(work.ref, "%s %.190s %.7s", job->event, job->ref, job->sha);
	row_deployment_add(tx, &work);
	if (asker->job != NULL) {
		row_job_add(tx, work.id, asker->job);
		decide_loan_mark(tx, asker->job, work.binding);
	}
	row.work = work.id;
	row_loan_save(tx, &row);
	decide_action_bind(tx, &work, &(struct action_row){ .executor = "vault" });
	row_deployment_save(tx, &work);
	tx->answer.work = work.id;
	decide_audit_request(tx, &work, 0, AUDIT_CODE_SECRET_REQUESTED, "requested",
	    (const char *const[]){ "secret", loan->name, "path", loan->path, "name",
		asker->from->name, "repository", job->repository, "run", job->run, "ref", work.ref,
		"reason", asker->reason, NULL });
	decide_enqueue(tx, &work, DEPLOY_ON_CLEAR, NULL);
}

/* The one that was asked for before and has not ended; 0: none was. */
static int64_t
asked_before(struct tx *tx, const struct asker *asker, const struct loan *loan)
{
	return asker->job != NULL ?
	    row_loan_of_job(tx, loan->target, loan->name, asker->job) :
	    row_loan_of_person(tx, loan->target, loan->name, asker->from->person, asker->chat);
}

/* What its forge has said is over has its tokens for some minutes more: it was refused. */
static bool
is_over(struct tx *tx, const struct asker *asker, const struct loan *loan)
{
	const struct job *job = asker->job;

	if (job == NULL ||
	    (!decide_job_is_over(tx, job, loan->target) &&
		!decide_job_is_over(tx, job, job->workflow)))
		return false;
	decide_audit_denied(
	    tx, asker->from, AUDIT_CODE_DENIED, "secret", loan->target, "its job is over");
	refuse(tx, asker, 403, "this job is over: its forge has said so");
	return true;
}

/* False: it was refused, or a code is asked for first. */
static bool
lend(struct tx *tx, const struct asker *asker, bool *ret_is_new)
{
	struct loan loan;
	char why[LIMIT_LINE];
	int status;

	if (!find_granted(tx, asker, &loan) || is_over(tx, asker, &loan) ||
	    (asker->job == NULL &&
		decide_lacks_factor_secret(tx, asker->from, loan.name, loan.target)))
		return false;
	tx->answer.work = asked_before(tx, asker, &loan);
	*ret_is_new = tx->answer.work == 0;
	if (!*ret_is_new)
		return true;
	if (!may_ask_now(tx, asker))
		return false;
	status = refusal(tx, asker, &loan, why);
	if (status != 0)
		refuse(tx, asker, status, why);
	else
		ask(tx, asker, &loan);
	return status == 0;
}

void
decide_loan(struct tx *tx, const struct api_request *api)
{
	const struct asker asker = { .from = &api->from,
		.job = api->job,
		.said = api->request.target,
		.reason = api->reason,
		.is_crowded = api->is_crowded };
	bool is_new;

	if (lend(tx, &asker, &is_new))
		tx->answer.status = 202;
}

void
decide_loan_in_chat(
    struct tx *tx, const struct update *update, const char *name, const char *reason)
{
	const struct asker asker = {
		.from = update, .said = name, .reason = reason, .chat = update->address.chat
	};
	bool is_new;

	if (lend(tx, &asker, &is_new) && !is_new)
		(void)decide_sendf(tx, &update->address,
		    "#%" PRId64 " asks for it already: " MARK_CODE "/show %" PRId64 MARK_CODE
		    " says how that stands.",
		    tx->answer.work, tx->answer.work);
}
