/* decide_job.c - a job of a workflow asks: who that is, and that its token changes one thing.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/who/decide_job.h"

#include <stdio.h>

#include "decide/decide_reply.h"
#include "store/row_hook.h"
#include "store/row_principal.h"

/* No hook has such a name. */
#define USES ":job"

static struct hook_use
use_of(const struct job *job)
{
	return (struct hook_use){ .id = USES, .key = job->token, .digest = job->digest };
}

bool
decide_job_enter(struct tx *tx, struct api_request *api)
{
	const struct job *job = api->job;
	struct hook_use use = use_of(job);
	struct hook_answer before;

	api->from.person = row_principal_of_id(tx, PRINCIPAL_WORKFLOW, job->workflow);
	(void)snprintf(api->from.name, sizeof(api->from.name), "workflow:%s", job->workflow);
	if (!api_is_post(api->operation))
		return true;
	before = row_hook_find(tx, &use);
	if (before.status == 0)
		return true;
	if (before.is_other) {
		decide_audit_denied(tx, &api->from, AUDIT_CODE_TOKEN_REPLAYED,
		    api_rows[api->operation].path, "", "its token was used for another request");
		decide_refusef(tx, 401,
		    "token_replayed: this token was used for another request: ask the forge for one more");
		return false;
	}
	tx->answer.status = before.status;
	tx->answer.work = before.work;
	tx->answer.is_duplicate = true;
	decide_answer(tx, "the same request came before");
	return false;
}

void
decide_job_note(struct tx *tx, const struct api_request *api)
{
	struct hook_use use = use_of(api->job);

	if (api_is_post(api->operation) && tx->answer.status != 429) /* that is tried again */
		row_hook_note(tx, &use, tx->answer.status, tx->answer.work);
}
