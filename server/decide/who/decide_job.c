/* decide_job.c - a job of a workflow asks: who that is, and that its token changes one thing.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_job.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_reply.h"
#include "decide/who/decide_allowed.h"
#include "lib/text.h"
#include "store/row_hook.h"
#include "store/row_job.h"
#include "store/row_principal.h"
#include "types/repository.h"
#include "types/settings.h"
#include "types/workflow.h"

/* What a token was used for is known for six minutes more than it lives; the id of a signed
 * request, which is good for ten minutes at most, as long as a token of GitHub's. */
#define TOKENS_MAX     10000
#define TOKENS_MORE_MS (6 * 60 * INT64_C(1000))
#define TOKENS_OF      (16 + ENVIRONMENT_ID_MAX)

/* Each workflow has its own: one uses up nobody else's.  A token is of one workflow alone, by the
 * settings.  No hook has such a name. */
static struct hook_use
use_of(const struct job *job, char of[TOKENS_OF])
{
	if (job_is_by_key(job))
		(void)snprintf(of, TOKENS_OF, ":key:%s", job->workflow);
	else
		(void)snprintf(of, TOKENS_OF, ":job:%s:%s",
		    delivery_forge_word(job_forge_of(job->repository_id)), job->workflow);
	return (struct hook_use){ .id = of, .key = job->token, .digest = job->digest };
}

/* A question is a person's to answer, and what else people type is none of a program's business. */
static bool
is_for_jobs(const struct api_request *api)
{
	if (job_is_by_key(api->job)) /* what starts work has hooks */
		return api->operation == API_SECRET || api->operation == API_LOAN ||
		    api->operation == API_LOAN_END || api->operation == API_LOAN_FAILED;
	switch (api->operation) {
	case API_STATUS:
	case API_HISTORY:
	case API_QUEUE:
	case API_WORK:
	case API_LOG:
	case API_RUN:
	case API_PUSH:
	case API_GATE:
	case API_GATE_END:
	case API_SECRET:
	case API_LOAN:
	case API_LOAN_END:
	case API_LOAN_FAILED:
		return true;
	case API_COMMAND:
		return strcmp(api->request.action, "deploy") == 0;
	default:
		return false;
	}
}

/* A job asks again for what it was answered; who signs again takes another id. */
static void
refuse_again(struct tx *tx, const struct api_request *api)
{
	bool is_by_key = job_is_by_key(api->job);

	tx_count_metric(tx, INCREMENT_JOB_REFUSED, "replayed", "", "", 1);
	decide_audit_denied(tx, &api->from, AUDIT_CODE_TOKEN_REPLAYED,
	    api_rows[api->operation].path, "",
	    is_by_key ? "its webhook-id was used before" :
			"its token was used for another request");
	decide_refusef(tx, is_by_key ? 409 : 401, "%s",
	    is_by_key ?
		"this webhook-id was used before: sign each request anew, by an id of its own" :
		"token_replayed: this token was used for another request: ask the forge for one more");
}

static void
refuse_operation(struct tx *tx, const struct api_request *api)
{
	const char *path = api_rows[api->operation].path;

	decide_audit_denied(tx, &api->from, AUDIT_CODE_DENIED, path, "", "no job asks for this");
	if (job_is_by_key(api->job))
		decide_refusef(tx, 403,
		    "A key is good for secrets alone, and not for %s: /v1/secret, /v1/loan, -end and -failed.",
		    path);
	else
		decide_refusef(tx, 403, "No job asks for %s%s%s: a person does.", path,
		    api->request.action[0] != '\0' ? "/" : "", api->request.action);
}

/* What changes nothing may be asked again, but not by who has it from a log of what was signed: the
 * answer of a loan has its token. */
static bool
is_for_once(const struct api_request *api)
{
	return job_is_by_key(api->job) || api_is_post(api->operation);
}

/* It has no room to wait for: what it ends is used by somebody meanwhile. */
static bool
is_end_of_loan(const struct api_request *api)
{
	return api->operation == API_LOAN_END || api->operation == API_LOAN_FAILED;
}

bool
decide_job_enter(struct tx *tx, struct api_request *api)
{
	const struct job *job = api->job;
	int64_t kept_ms = job_forges[job_forge_of(job->repository_id)].life_ms + TOKENS_MORE_MS;
	char of[TOKENS_OF];
	struct hook_use use = use_of(job, of);
	struct hook_answer before;

	api->from.person = row_principal_of_id(tx, PRINCIPAL_WORKFLOW, job->workflow);
	text_setf(api->from.name, "workflow:%s", job->workflow);
	if (!is_for_jobs(api)) {
		refuse_operation(tx, api);
		return false;
	}
	if (!is_for_once(api))
		return true;
	before = row_hook_find(tx, &use);
	if (before.status == 0 && !is_end_of_loan(api) &&
	    row_hook_is_full(tx, use.id, TOKENS_MAX, kept_ms)) {
		decide_refusef(tx, 429,
		    "%d %s of this workflow were used that may still be valid: try again later",
		    TOKENS_MAX, job_is_by_key(job) ? "ids" : "tokens");
		return false;
	}
	if (before.status == 0)
		return true;
	if (before.is_other || job_is_by_key(job)) {
		refuse_again(tx, api);
		return false;
	}
	tx->answer.status = before.status;
	tx->answer.work = before.work;
	tx->answer.is_duplicate = true;
	decide_answer(tx, before.said[0] != '\0' ? before.said : "the same request came before");
	return false;
}

bool
decide_job_asks(struct tx *tx, const struct api_request *api)
{
	const char *path = api_rows[api->operation].path;

	if (api->job != NULL)
		return true;
	decide_audit_denied(
	    tx, &api->from, AUDIT_CODE_DENIED, path, "", "only a job of a workflow asks for it");
	decide_refusef(tx, 403,
	    "Only a job of a workflow asks for %s, by its forge's token or the workflow's key.",
	    path);
	return false;
}

bool
decide_job_is_as_claimed(
    struct tx *tx, const struct api_request *api, const char *key, const char *claimed)
{
	char said[LIMIT_REF];

	if (request_get(&api->request, key, said)[0] == '\0' || strcmp(said, claimed) == 0)
		return true;
	decide_refusef(tx, 409, "\"%s\" is %.80s, and the job's token is of %.80s: leave it out",
	    key, said, claimed);
	return false;
}

#define ASKED_MS (60 * INT64_C(1000)) /* so often it is written down */

bool
decide_job_began(struct tx *tx, const struct api_request *api, int64_t work)
{
	struct row_job of;

	/* Of a gate that its forge asks for it is not said which job's that is. */
	if (api->job == NULL || row_job_get(tx, work, &of)->work == 0 || of.rule[0] != '\0' ||
	    !job_is_same(&of.job, api->job))
		return false;
	/* That it has seen its gate open is written down at once. */
	if (of.asked_at <= of.opened_at)
		row_job_set_asked(tx, work, tx->at > of.opened_at ? tx->at : of.opened_at + 1);
	else if (tx->at - of.asked_at >= ASKED_MS)
		row_job_set_asked(tx, work, tx->at);
	return true;
}

bool
decide_job_is_behind_gate(struct tx *tx, const char *environment)
{
	if (tx->job == NULL || row_job_open_gate(tx, environment, tx->job) == 0)
		return false;
	decide_refusef(tx, 409, "%s waits for the gate that this %s has there: deploy in its job",
	    environment, job_word(tx->job->repository_id));
	return true;
}

bool
decide_job_lacks_code(
    const struct tx *tx, enum policy_action action, const struct environment_settings *environment)
{
	return environment->approvals == 0 && !environment->confirm &&
	    policy_needs_factor(tx->settings, action, "", environment->name);
}

bool
decide_job_reports(struct tx *tx, const char *environment)
{
	struct workflow workflow;
	bool ret = false;

	for (size_t at = 0; !ret && workflow_next(tx->settings, &at, &workflow);)
		ret =
		    decide_is_allowed(tx, row_principal_of_id(tx, PRINCIPAL_WORKFLOW, workflow.id),
			POLICY_DEPLOY, environment);
	return ret;
}

/* Was it answered so that its token, or id, must be good for nothing else?  What the settings do
 * not let it do has changed nothing, as a GET has not, and takes up no place: what that token is
 * used for later is its first change.  An end is noted where it has ended something, which is twice
 * for each loan at most, for it has no limit.  A job tries again what was one too many, and who has
 * a key by another id: a line that was signed is good once, however that went. */
static bool
is_spent(const struct tx *tx, const struct api_request *api)
{
	const struct answer *answer = &tx->answer;
	bool is_refused = answer->work == 0 && (answer->status == 403 || answer->status == 404);

	if (is_end_of_loan(api))
		return !is_refused && !answer->is_duplicate;
	return job_is_by_key(api->job) || (!is_refused && answer->status != 429);
}

void
decide_job_note(struct tx *tx, const struct api_request *api)
{
	char of[TOKENS_OF];
	struct hook_use use = use_of(api->job, of);

	/* In the tx of the decision: where we are killed before its commit neither has happened,
	 * and the same request may come again; behind it both have. */
	if (is_for_once(api) && is_spent(tx, api))
		row_hook_note(tx, &use);
}

/* --- it is over --- */

#define OVER_HALVES 32 /* of the time of which all notes may be */

/* Of a job its own number, which no attempt shares; of a run its attempt: one that is begun again
 * is not over.  No hook has such a name.  False: it says neither. */
static bool
over_of(const struct job *job, bool is_run, char key[TOKENS_OF * 2])
{
	if (is_run)
		(void)snprintf(key, TOKENS_OF * 2, "%s %s attempt %" PRId64, job->repository_id,
		    job->run, job->attempt);
	else
		(void)snprintf(key, TOKENS_OF * 2, "%s %s job %s", job->repository_id, job->run,
		    job->check_run);
	return is_run || job->check_run[0] != '\0';
}

/* By "app", or by the webhook of that forge that is the main file's ("") or an application's. */
static void
signer_of(bool by_app, enum delivery_forge forge, const char *hook, char of[TOKENS_OF])
{
	(void)snprintf(of, TOKENS_OF, ":over:%s:%s", by_app ? "app" : delivery_forge_word(forge),
	    by_app ? "" : hook);
}

void
decide_job_over(struct tx *tx, const struct delivery *delivery)
{
	const struct job *job = &delivery->job->of;
	int64_t kept_ms = job_forges[job_forge_of(job->repository_id)].life_ms + TOKENS_MORE_MS;
	char of[TOKENS_OF], key[TOKENS_OF * 2];

	if (job_is_by_key(job) || !workflow_is_of(tx->settings, NULL, job->repository_id) ||
	    !over_of(job, delivery->run != NULL, key))
		return;
	signer_of(delivery->by_app, delivery->forge, delivery->hook, of);
	/* Of more than there is room for the newest stay: most tokens end before their time. */
	for (int i = 0; i < OVER_HALVES && row_hook_is_full(tx, of, TOKENS_MAX, kept_ms); i++)
		kept_ms /= 2;
	row_hook_note(tx, &(struct hook_use){ .id = of, .key = key, .digest = job->digest });
}

static bool
is_noted(struct tx *tx, const char *of, const struct job *job)
{
	char key[TOKENS_OF * 2];

	for (int is_run = 0; is_run < 2; is_run++)
		if (over_of(job, is_run, key) &&
		    row_hook_find(
			tx, &(struct hook_use){ .id = of, .key = key, .digest = job->digest })
			    .status != 0)
			return true;
	return false;
}

bool
decide_job_is_over(struct tx *tx, const struct job *job, const char *name)
{
	enum delivery_forge forge = job_forge_of(job->repository_id);
	const struct settings *application = settings_clock(tx->settings, name);
	char of[TOKENS_OF];

	signer_of(false, forge, repository_hook(application, forge), of);
	if (is_noted(tx, of, job))
		return true;
	signer_of(true, forge, "", of);
	return application->github.app_webhook_secret != NULL && is_noted(tx, of, job);
}
