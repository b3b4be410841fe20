/* decide_loan_alarm.c - how often admins are rung that somebody else may have what was lent.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_alarm.h"

#include <inttypes.h>

#include "chat/chat_first.h"
#include "decide/factor/decide_factor.h"
#include "lib/text.h"
#include "store/row_job.h"
#include "store/row_rate_limit.h"

#define ALARMS		3  /* of a job's run, a person, or all who have a key */
#define ALARMS_WORKFLOW 12 /* of all runs of a workflow: anybody may begin one more */
#define ALARMS_MS	(60 * INT64_C(60000))

#define BUCKET	  (64 + JOB_MARK + 2 * JOB_NUMBER) /* no key is cut: two runs are never one */
#define WHOSE	  160
#define NAME_MOST 80 /* bytes of a repository's */

/* Who has used up how many. */
struct budget {
	char by[BUCKET];
	char whose[WHOSE];
	int most;
};

/* A person's, a key's, or of all runs of a workflow. */
static struct budget
budget_of_requester(const struct deployment *work, bool is_run)
{
	struct budget budget = { .most = is_run ? ALARMS_WORKFLOW : ALARMS };

	text_setf(budget.by, "secret-alarm:%" PRId64, work->requested_by);
	text_setf(budget.whose, "%.100s", FORGE_PERSON(work->requester)); /* cut is fine */
	return budget;
}

/* Of one run, which somebody else's run of the same workflow does not use up. */
static struct budget
budget_of_run(const struct deployment *work, const struct job *job)
{
	struct budget budget = { .most = ALARMS };

	text_setf(budget.by, "secret-alarm:%" PRId64 ":%s:%s", work->requested_by,
	    job->repository_id, job->run);
	text_setf(budget.whose, "%s %s of %.*s", job_word(job->repository_id), job->run, NAME_MOST,
	    job->repository); /* cut is fine */
	return budget;
}

static bool
take(struct tx *tx, const struct budget *budget)
{
	return row_rate_limit_take(tx, budget->most, ALARMS_MS, "%s", budget->by);
}

/* Of each budget once an hour. */
static bool
is_said_first(struct tx *tx, const struct budget *budget)
{
	return row_rate_limit_take(tx, 1, ALARMS_MS, "%s:over", budget->by);
}

static void
say_used_up(struct tx *tx, const struct deployment *work, const struct budget *budget)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_ALARMS_END, work->environment);
	chat_text_outside(&text, "", budget->whose);
	chat_text_add(&text,
	    " has rung %d times within the hour.\nFurther ones stand in the audit alone, as that of ",
	    budget->most);
	chat_text_add(&text, MARK_CODE "/show %" PRId64 MARK_CODE, work->id);
	chat_text_outside(&text, ", secret ", work->argument);
	chat_text_add(&text,
	    ": " MARK_CODE "deploybot audit search --code secret_unwrap_failed" MARK_CODE ".");
	decide_factor_tell(tx, 0, "%s", buf_text(&text.buf));
	buf_done(&text.buf);
}

/* What is said of a run is one of its workflow's: runs without end say no more than it may. */
bool
decide_loan_may_alarm(struct tx *tx, const struct deployment *work)
{
	struct row_job of;
	bool is_run, rings = true;
	struct budget run, all;

	row_job_get(tx, work->id, &of);
	is_run = of.work != 0 && !job_is_by_key(&of.job);
	all = budget_of_requester(work, is_run);
	if (is_run) {
		run = budget_of_run(work, &of.job);
		rings = take(tx, &run);
		if (!rings && !is_said_first(tx, &run))
			return false;
	}
	if (!take(tx, &all)) {
		if (is_said_first(tx, &all))
			say_used_up(tx, work, &all);
		return false;
	}
	if (!rings)
		say_used_up(tx, work, &run);
	return rings;
}
