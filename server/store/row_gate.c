/* row_gate.c - gates as their forge knows them: rows of row_job.h.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_gate.h"

#include "store/store_inside.h"

void
row_gate_note_rule(struct tx *tx, int64_t work, const struct delivery_job *job)
{
	(void)tx_run(tx, "UPDATE work_job SET rule = $2, deployment = $3 WHERE work = $1",
	    DB_I64(work), DB_TEXT(job->environment), DB_I64(job->deployment)); /* sticky */
}

void
row_gate_set_answered(struct tx *tx, int64_t work)
{
	(void)tx_run(
	    tx, "UPDATE work_job SET is_answered = 1 WHERE work = $1", DB_I64(work)); /* sticky */
}

int64_t
row_gate_take_message(struct tx *tx, int64_t work)
{
	int64_t message = tx_number(tx, "SELECT message FROM work WHERE id = $1", DB_I64(work));

	(void)tx_run(tx, "UPDATE work SET message = 0 WHERE id = $1", DB_I64(work)); /* sticky */
	return message;
}

int64_t
row_gate_find(struct tx *tx, int64_t deployment)
{
	return tx_number(tx, "SELECT work FROM work_job WHERE deployment = $1 AND deployment <> 0",
	    DB_I64(deployment));
}

int64_t
row_gate_last(struct tx *tx, const struct delivery_job *job)
{
	return tx_number(tx,
	    "SELECT MAX(work) FROM work_job INDEXED BY work_job_run"
	    " WHERE repository_id = $1 AND run = $2 AND rule = $3",
	    DB_TEXT(job->of.repository_id), DB_TEXT(job->of.run), DB_TEXT(job->environment));
}

bool
row_gate_has_other(struct tx *tx, int64_t work, const struct job *job)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM work_job j INDEXED BY work_job_run CROSS JOIN work"
		   " ON work.id = j.work WHERE repository_id = $1 AND j.run = $2 AND j.work <> $3"
		   " AND action = 'open-gate' AND " STORE_IS_OPEN,
		   DB_TEXT(job->repository_id), DB_TEXT(job->run), DB_I64(work)) > 0;
}

/* GitHub takes one answer for all jobs of a run that wait at one of its environments: where several
 * have asked, the end of one job is not that of the others, and the run's is waited for.  Of what
 * people review no Deployment is known, but there is one open gate of an environment at a time. */
#define IS_ITS_OWN \
	" (CASE WHEN deployment = 0 THEN rule = $8 AND rule <> '' AND opened_at <> 0 ELSE deployment = $4 END AND $4 <> 0 AND NOT EXISTS (SELECT 1 FROM work_job o INDEXED BY work_job_run CROSS JOIN work w ON w.id = o.work WHERE o.repository_id = $1 AND o.run = $2 AND o.rule = j.rule AND w.state = 'SUPERSEDED'))"

int64_t
row_gate_over(struct tx *tx, const struct delivery_job *job, int64_t at, int64_t before)
{
	return tx_number(tx,
	    "SELECT MAX(work.id) FROM work_job j INDEXED BY work_job_run CROSS JOIN work"
	    " ON work.id = j.work WHERE repository_id = $1 AND j.run = $2 AND work.id < $7"
	    " AND action = 'open-gate' AND " STORE_IS_OPEN " AND CASE WHEN $3 <> ''"
	    " THEN check_run = $3 OR" IS_ITS_OWN
	    " WHEN rule = '' THEN attempt <= $5 ELSE work.requested_at <= $6 END",
	    DB_TEXT(job->of.repository_id), DB_TEXT(job->of.run), DB_TEXT(job->of.check_run),
	    DB_I64(job->deployment), DB_I64(job->of.attempt), DB_I64(at), DB_I64(before),
	    DB_TEXT(job->environment));
}
