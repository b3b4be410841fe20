/* decide_loan_yes.c - what a yes for a loan is read by, and what it covers.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_yes.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/work/decide_action.h"
#include "lib/buf.h"
#include "lib/fingerprint.h"
#include "lib/text.h"
#include "store/row_action.h"
#include "store/row_job.h"
#include "store/row_question.h"
#include "types/loan.h"
#include "types/settings.h"
#include "types/workflow.h"

#define MINUTE_MS   INT64_C(60000)
#define MARKED_MOST 4096 /* bytes of a line or key: settings have no longer ones */

bool
decide_loan_exists(struct tx *tx, const struct deployment *work)
{
	return loan_of(tx->settings, work->argument, work->environment, &(struct loan){ 0 });
}

/* How its run began, as its token says: "begun by mona: push refs/heads/main 45f7076". */
static void
find_begin(const struct deployment *work, const struct job *job, char out[DECIDE_TOUCHES])
{
	bool is_known = job->actor[0] != '\0';
	char again[32] = "";

	if (job->attempt > 1)
		text_setf(again, ", attempt %" PRId64, job->attempt);
	(void)snprintf(out, DECIDE_TOUCHES, "%s, begun%s%.80s: %s", again, is_known ? " by " : "",
	    is_known ? FORGE_PERSON(job->actor) : "", work->ref);
}

/* Who has asked for it.  The path is not for everybody's eyes. */
void
decide_loan_touches(struct tx *tx, const struct deployment *work, char out[DECIDE_TOUCHES])
{
	char begin[DECIDE_TOUCHES];
	const char *as;
	struct row_job of;
	struct loan loan;

	out[0] = '\0';
	if (!loan_of(tx->settings, work->argument, work->environment, &loan))
		return;
	row_job_get(tx, work->id, &of);
	as = of.work != 0 && loan.is_value ? ", as its value itself" : "";
	find_begin(work, &of.job, begin);
	if (job_is_by_key(&of.job)) /* or no job */
		(void)snprintf(out, DECIDE_TOUCHES, "for %" PRId64 " min at most%s, for %.80s",
		    loan.ttl_ms / MINUTE_MS, as, work->requester);
	else
		(void)snprintf(out, DECIDE_TOUCHES,
		    "for %" PRId64 " min at most%s, for %s %s of %.200s%.500s",
		    loan.ttl_ms / MINUTE_MS, as, job_word(of.job.repository_id), of.job.run,
		    of.job.repository, begin);
}

/* A yes is for that path, that time and that delivery. */
void
decide_loan_bind(struct tx *tx, const struct deployment *work, struct buf *all)
{
	struct loan loan;

	if (loan_of(tx->settings, work->argument, work->environment, &loan))
		buf_addf(all, "%s\n%s %" PRId64 "%s\n", loan.path, loan.target, loan.ttl_ms,
		    loan.is_value ? " value" : "");
}

/* By the key that holds, or by the one before it; false: its workflow has none such. */
static bool
is_marked(struct tx *tx, const struct job *job, size_t key, char ret[LIMIT_DIGEST])
{
	CLEANUP(buf_wipe) struct buf all = buf_make(MARKED_MOST);
	const char *words = NULL;
	struct workflow workflow;

	_Static_assert(LIMIT_DIGEST == FINGERPRINT_DIGEST, "a digest fits");
	for (size_t at = 0; words == NULL && workflow_next(tx->settings, &at, &workflow);)
		if (strcmp(workflow.id, job->workflow) == 0)
			words = job_is_by_key(job) ? workflow.key.values[key] :
			    key == 0		   ? workflow.is :
						     NULL;
	buf_reserve(&all); /* what grows leaves copies behind */
	buf_addf(&all, "%s %s", job_is_by_key(job) ? "key" : "is", words != NULL ? words : "");
	ret[0] = '\0';
	if (words != NULL)
		(void)fingerprint_digest(buf_text(&all), ret);
	return words != NULL;
}

void
decide_loan_mark(struct tx *tx, const struct job *job, char ret[LIMIT_DIGEST])
{
	(void)is_marked(tx, job, job->is_by_previous ? 1 : 0, ret); /* it is of these settings */
}

bool
decide_loan_is_known(struct tx *tx, const struct deployment *work, const struct job *job)
{
	char now[LIMIT_DIGEST];

	if (work->binding[0] == '\0')
		return workflow_is_of(tx->settings, job->workflow, job->repository_id);
	for (size_t key = 0; key < SECRET_VALUES; key++)
		if (is_marked(tx, job, key, now) && strcmp(now, work->binding) == 0)
			return true;
	return false;
}

bool
decide_loan_is_changed(struct tx *tx, const struct deployment *work)
{
	const struct action_row action = row_action_get(tx, work->id);
	struct question shown;
	char names[LIMIT_LINE / 2];

	row_question_get(tx, work->id, &shown);
	return decide_action_differs(tx, work, &action, &shown, names);
}
