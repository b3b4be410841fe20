/* decide_job_push.c - a job says that its branch's commit can be deployed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_job_push.h"

#include <stdio.h>

#include "decide/decide_reply.h"
#include "decide/git/decide_announced.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_job.h"
#include "decide/work/decide_promotion.h"
#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/list.h"
#include "lib/text.h"
#include "store/row_dedupe.h"
#include "store/row_environment.h"
#include "store/row_job.h"
#include "types/repository.h"
#include "types/workflow.h"

#define HEADS "refs/heads/"

/* One key for the same commit of the same branch by the same run, however often it is said; where
 * a job that is begun again is another job, by the same job. */
static bool
put_id(const struct job *job, struct delivery *delivery, struct err *err)
{
	CLEANUP(buf_done) struct buf text = buf_make(1024);
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char hex[2 * CRYPTO_SHA256_SIZE + 1];

	buf_addf(&text, "%s %s %s %s %lld", job->workflow, job->ref, job->sha, job->run,
	    (long long)job->attempt);
	if (job_forges[delivery->forge].attempt == NULL)
		buf_addf(&text, " %s", job->check_run);
	if (!buf_check(&text, err) || !crypto_sha256(text.data, text.size, hash, err))
		return false;
	text_hex(hex, hash, sizeof(hash));
	text_setf(delivery->id, "job %s", hex);
	return true;
}

static bool
make_delivery(const struct job *job, struct delivery *ret, struct err *err)
{
	*ret = (struct delivery){ .kind = DELIVERY_PUSH,
		.forge = job_forge_of(job->repository_id),
		.by_id_alone = true,
		.by_job = true,
		.sender = job->actor_id };
	text_set(ret->repository, job->repository);
	text_set(ret->branch, job->ref + strlen(HEADS));
	text_set(ret->after, job->sha);
	if (job_actor_of(ret->forge, job->event) >= JOB_ACTOR_ASKED)
		text_set(ret->login, job->actor);
	/* Of another event than a push, and of a run begun again, no claim says who has pushed. */
	if (job_actor_is(job) != JOB_ACTOR_PUSHED)
		text_set(ret->workflow, job->workflow);
	if (!put_id(job, ret, err) ||
	    !text_to_i64(job->run, 1, (INT64_C(1) << JOB_RUN_BITS) - 1, &ret->job_run, err))
		return false;
	ret->job_run |= (int64_t)ret->forge << JOB_RUN_BITS;
	return true;
}

static bool
follows(const struct environment_settings *environment, const struct delivery *delivery)
{
	return environment->push_branch != NULL &&
	    strcmp(environment->push_branch, delivery->branch) == 0 &&
	    repository_is_called(environment->of, delivery->forge, delivery->repository);
}

/* A run that is older than one of its forge that has reported there brings nothing newer, however
 * late it is begun again. */
static bool
is_older(struct tx *tx, const char *environment, const struct delivery *delivery)
{
	struct environment now;
	int64_t newest = row_environment_get(tx, environment, &now)->job_run;

	return newest > delivery->job_run &&
	    newest >> JOB_RUN_BITS == delivery->job_run >> JOB_RUN_BITS;
}

/* Is the job's own run one that the environment requires?  Then its file is written. */
static bool
is_required(const struct tx *tx, const struct environment_settings *environment,
    const struct job *job, char file[WORKFLOW_WORD])
{
	struct workflow workflow;
	struct workflow_line line;
	size_t at = 0;

	while (workflow_next(tx->settings, &at, &workflow))
		if (strcmp(workflow.id, job->workflow) == 0 &&
		    workflow_line_read(workflow.is, &line, NULL)) {
			(void)snprintf(
			    file, WORKFLOW_WORD, "%.*s", (int)strcspn(line.file, "@"), line.file);
			return list_has(environment->require_ci, file);
		}
	return false;
}

/* Those that follow the branch, that it may deploy, and that its own gate does not keep: first they
 * are counted and named, then (is_to_be_announced) announced. */
static size_t
announce(struct tx *tx, const struct api_request *api, const struct delivery *delivery,
    bool is_to_be_announced, struct buf *names)
{
	char file[WORKFLOW_WORD], line[LIMIT_LINE];
	size_t n = 0;

	for (size_t i = 0; i < tx->settings->environment_count; i++) {
		const struct environment_settings *environment = &tx->settings->environments[i];
		bool is_stale;

		if (!follows(environment, delivery) ||
		    !decide_is_allowed(tx, api->from.person, POLICY_DEPLOY, environment->name) ||
		    (is_to_be_announced ? row_job_open_gate(tx, environment->name, api->job) != 0 :
					  decide_job_is_behind_gate(tx, environment->name)))
			continue;
		if (decide_job_lacks_code(tx, POLICY_DEPLOY, environment)) {
			if (!is_to_be_announced)
				decide_refusef(tx, 403, DECIDE_JOB_LACKS_CODE, environment->name);
			continue;
		}
		is_stale = is_older(tx, environment->name, delivery);
		if (!is_to_be_announced)
			buf_addf(names, "%s%s%s", n == 0 ? "" : ", ", environment->name,
			    is_stale ? " (not: a newer run has reported there)" :
				decide_promotion_alone(environment, line) != NULL ?
				       " (not: only promotions go there)" :
				       "");
		if (!is_to_be_announced && !is_stale &&
		    is_required(tx, environment, api->job, file))
			buf_addf(names, " (%s is this %s: it counts when it has ended)", file,
			    job_word(api->job->repository_id));
		n++;
		if (!is_to_be_announced || is_stale)
			continue;
		decide_announced(tx, environment, delivery);
	}
	return n;
}

void
decide_job_push(struct tx *tx, const struct api_request *api)
{
	const struct job *job = api->job;
	CLEANUP(buf_done) struct buf names = buf_make(LIMIT_LINE);
	char source[DECIDE_SOURCE];
	struct delivery delivery;
	char said[LIMIT_LINE];
	struct err err;

	if (!decide_job_asks(tx, api))
		return;
	if (!decide_job_is_as_claimed(tx, api, "ref", job->ref) ||
	    !decide_job_is_as_claimed(tx, api, "after", job->sha))
		return;
	if (!text_starts(job->ref, HEADS)) {
		decide_refusef(tx, 409, "%.120s is no branch: nothing follows it.", job->ref);
		return;
	}
	if (!make_delivery(job, &delivery, &err)) {
		tx_fail_with(tx, &err);
		return;
	}
	/* What is refused may be asked for again: it is no push that was noted. */
	if (announce(tx, api, &delivery, false, &names) == 0) {
		if (tx->answer.status == 409 || tx->answer.status == 403)
			return;
		decide_audit_denied(tx, &api->from, AUDIT_CODE_DENIED, "push", "",
		    "no environment of that branch that it may deploy");
		decide_refusef(tx, 403,
		    "No environment here that workflow:%s may deploy follows %.80s of %.80s.",
		    job->workflow, delivery.branch, delivery.repository);
		return;
	}
	if (row_dedupe_add(tx, decide_announced_source(delivery.forge, delivery.hook, source),
		delivery.id, NULL))
		(void)announce(tx, api, &delivery, true, &names);
	else
		tx->answer.is_duplicate = true;
	text_setf(
	    said, "%.7s is looked for: %s", delivery.after, buf_text(&names)); /* cut is fine */
	decide_answer(tx, said);
	tx->answer.status = 202;
}
