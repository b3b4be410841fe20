/* decide_loan_fetch.c - who asked for a loan fetches it, once, and says when it is needed no more.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "decide/decide_reply.h"
#include "decide/who/decide_job.h"
#include "decide/work/decide_loan.h"
#include "decide/work/decide_loan_inside.h"
#include "lib/json.h"
#include "store/row_deployment.h"
#include "store/row_job.h"
#include "types/settings.h"

/* Has this very job asked for it, or this person, who is not sent it in a chat? */
static bool
is_own(struct tx *tx, const struct api_request *api, const struct deployment *work)
{
	if (api->job != NULL)
		return decide_job_began(tx, api, work->id);
	return work->requested_by == api->from.person && row_loan_get(tx, work->id).chat == 0 &&
	    row_job_get(tx, work->id, &(struct row_job){ 0 })->work == 0;
}

/* The loan of that number, which the answer is about from now on; false: it is not theirs, and that
 * was said. */
static bool
find_own(struct tx *tx, const struct api_request *api, struct deployment *ret)
{
	row_deployment_get(tx, request_number(&api->request, "work"), ret);
	if (ret->id != 0 && deployment_is_loan(ret) && is_own(tx, api, ret)) {
		tx->answer.work = ret->id;
		tx->answer.status = 202; /* unless more is said */
		return true;
	}
	decide_refusef(tx, 404, "There is no loan of that number that %s asked for.",
	    api->job != NULL ? "this job has" : "you have");
	return false;
}

/* Whoever asks again may have what was lost.  What Vault refused is no denial of theirs, and no
 * 5xx, which is tried again. */
static int
status_of(const struct deployment *work)
{
	bool is_lost = work->why == DEPLOY_WHY_INTERRUPTED || work->why == DEPLOY_WHY_TIMED_OUT;

	return work->state != DEPLOY_FAILED ? 403 :
	    is_lost			    ? 410 :
	    work->why == DEPLOY_WHY_SCRIPT  ? 409 :
					      403;
}

/* An answer that was lost on its way is fetched again too, and nobody needs what nobody has. */
static void
refuse_again(struct tx *tx, struct deployment *work, struct loan_row *row)
{
	static const struct loan_suspicion twice = { FIRST_FETCHED_TWICE, "fetched twice",
		"the first answer was lost on its way, or somebody else has it" };

	(void)decide_loan_suspect(tx, work, row, &twice, LOAN_END_FETCHED_TWICE);
	decide_refusef(tx, 410, "#%" PRId64 " was given before, once: ask again", work->id);
}

/* What a job reads it has in its workflow. */
static void
put_command(struct tx *tx, const struct loan *loan, struct json_out *json)
{
	const struct settings_vault *vault = &tx->settings->vault;
	char command[LOAN_COMMAND];

	loan_command(loan, command);
	json_put_str(json, "vault", vault->address);
	json_put_str(json, "namespace", vault->name_space != NULL ? vault->name_space : "");
	json_put_str(json, "command", command);
}

static void
refuse_ended(struct tx *tx, const struct deployment *work)
{
	const char *why = work->detail[0] == '\0' && work->state == DEPLOY_EXPIRED ?
	    "nobody has approved it within SECRET_WAIT" :
	    work->detail;

	decide_refusef(tx, status_of(work), "#%" PRId64 " is not lent: %s%s%.200s", work->id,
	    deploy_flow_name(work->state), why[0] != '\0' ? ", " : "", why);
}

bool
decide_loan_look(struct tx *tx, const struct api_request *api, struct json_out *json)
{
	struct deployment work;
	struct loan_row row;
	struct loan loan;

	if (!find_own(tx, api, &work))
		return false;
	row = row_loan_get(tx, work.id);
	if (work.state == DEPLOY_RUNNING)
		(void)decide_loan_stands(tx, &work, &row, &loan);
	/* What the loop has no more is revoked when it is due. */
	if (work.state == DEPLOY_RUNNING && row.state == LOAN_KEPT && api->is_kept) {
		decide_loan_give(tx, &work, &row, decide_loan_is_by_value(tx, &work, &loan));
		tx->answer.is_lent = true;
		tx->answer.status = 200;
		if (api->job == NULL)
			put_command(tx, &loan, json);
	} else if (work.state == DEPLOY_DONE) {
		refuse_again(tx, &work, &row);
	} else if (deploy_flow_class(work.state) == DEPLOY_CLASS_FINAL) {
		refuse_ended(tx, &work);
	}
	return tx->answer.is_lent;
}

/* What has ended before is a duplicate: nothing is ended by it. */
static void
drop(struct tx *tx, const struct deployment *work, enum loan_end how)
{
	enum loan_state before = row_loan_get(tx, work->id).state;
	struct deployment after;

	decide_loan_drop(tx, work->id, how);
	row_deployment_get(tx, work->id, &after);
	tx->answer.is_duplicate =
	    row_loan_get(tx, work->id).state == before && after.state == work->state;
}

void
decide_loan_end(struct tx *tx, const struct api_request *api)
{
	struct deployment work;

	if (find_own(tx, api, &work))
		drop(tx, &work, LOAN_END_NOT_NEEDED);
}

/* It was revoked before, or its job has ended: then too somebody may have had it. */
void
decide_loan_failed(struct tx *tx, const struct api_request *api)
{
	static const struct loan_suspicion not_unwrapped = { FIRST_INTERCEPTED, "failed",
		"its job could not unwrap it: somebody else may have had it first" };
	struct deployment work;
	struct loan_row row;

	if (!find_own(tx, api, &work))
		return;
	row = row_loan_get(tx, work.id);
	if (work.state != DEPLOY_DONE)
		drop(tx, &work, LOAN_END_NOT_UNWRAPPED);
	else
		tx->answer.is_duplicate =
		    !decide_loan_suspect(tx, &work, &row, &not_unwrapped, LOAN_END_NOT_UNWRAPPED);
}
