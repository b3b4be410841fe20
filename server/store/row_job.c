/* row_job.c - which job of a forge's workflow has asked for some work; gates of environments.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_job.h"

#include "store/row_actor.h"
#include "store/store_inside.h"

#define COLUMNS "workflow, repository, repository_id, run, attempt, check_run, actor, asked_at"

/* Gates of an environment by the same run; a job that its token does not name is the run's. */
#define GATE_OF \
	"SELECT MAX(work.id) FROM work_job INDEXED BY work_job_run CROSS JOIN work" \
	" ON work.id = work_job.work WHERE repository_id = $2" \
	" AND work_job.run = $3 AND environment = $1 AND action = 'open-gate'"

TX_READER(read_job, struct row_job, TX_I64(work), TX_TEXT(job.workflow), TX_TEXT(job.repository),
    TX_TEXT(job.repository_id), TX_TEXT(job.run), TX_I64(job.attempt), TX_TEXT(job.check_run),
    TX_TEXT(job.actor), TX_I64(asked_at), TX_I64(opened_at), TX_I64(timer), TX_TEXT(rule),
    TX_FLAG(is_answered), TX_I64(deployment))

TX_READER(read_gate, struct last_gate, TX_I64(work), TX_TEXT(commit), TX_I64(ended_at),
    TX_TEXT(run), TX_TEXT(repository_id), TX_FLAG(is_well), TX_FLAG(is_left))

/* Whom its run is asked by, where that is known. */
static const char *
actor_of(const struct job *job)
{
	return job_actor_of(job_forge_of(job->repository_id), job->event) >= JOB_ACTOR_ASKED ?
	    job->actor :
	    "";
}

void
row_job_add(struct tx *tx, int64_t work, const struct job *job)
{
	row_actor_add(tx, work, job);
	(void)tx_run(tx,
	    "INSERT INTO work_job (work, " COLUMNS
	    ", opened_at, timer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)"
	    " ON CONFLICT (work) DO NOTHING",
	    DB_I64(work), DB_TEXT(job->workflow), DB_TEXT(job->repository),
	    DB_TEXT(job->repository_id), DB_TEXT(job->run), DB_I64(job->attempt),
	    DB_TEXT(job->check_run), DB_TEXT(actor_of(job)), DB_I64(tx->at)); /* sticky */
}

struct row_job *
row_job_get(struct tx *tx, int64_t work, struct row_job *ret)
{
	return tx_first_to(tx, read_job, ret,
	    "SELECT work, " COLUMNS
	    ", opened_at, timer, rule, is_answered, deployment FROM work_job WHERE work = $1",
	    DB_I64(work));
}

void
row_job_set_asked(struct tx *tx, int64_t work, int64_t at)
{
	(void)tx_run(tx, "UPDATE work_job SET asked_at = $2 WHERE work = $1", DB_I64(work),
	    DB_I64(at)); /* sticky */
}

void
row_job_set_opened(struct tx *tx, int64_t work, int64_t at)
{
	(void)tx_run(tx,
	    "UPDATE work_job SET opened_at = $2, asked_at =" /* not seen yet, by whatever clock */
	    " CASE WHEN asked_at > $2 THEN $2 ELSE asked_at END WHERE work = $1",
	    DB_I64(work), DB_I64(at)); /* sticky */
}

void
row_job_set_all_asked(struct tx *tx, int64_t at)
{
	(void)tx_run(tx,
	    "UPDATE work_job SET asked_at =" /* seen stays seen, by whatever clock */
	    " CASE WHEN asked_at > opened_at AND opened_at >= $1 THEN opened_at + 1 ELSE $1 END,"
	    " opened_at ="
	    " CASE WHEN opened_at >= asked_at THEN $1 ELSE opened_at END"
	    " WHERE work IN (SELECT id FROM work"
	    " INDEXED BY work_gate_open WHERE action = 'open-gate' AND " STORE_IS_OPEN ")",
	    DB_I64(at)); /* sticky */
}

void
row_job_set_timer(struct tx *tx, int64_t work, int64_t timer)
{
	(void)tx_run(tx, "UPDATE work_job SET timer = $2 WHERE work = $1", DB_I64(work),
	    DB_I64(timer)); /* sticky */
}

int64_t
row_job_gate(struct tx *tx, const char *environment, const struct job *job)
{
	return tx_number(tx,
	    GATE_OF " AND attempt = $4 AND rule = ''"
		    " AND ($5 = '' OR check_run = '' OR check_run = $5)",
	    DB_TEXT(environment), DB_TEXT(job->repository_id), DB_TEXT(job->run),
	    DB_I64(job->attempt), DB_TEXT(job->check_run));
}

int64_t
row_job_open_gate(struct tx *tx, const char *environment, const struct job *job)
{
	/* GitHub's own does not say in which attempt it asks. */
	return tx_number(tx, GATE_OF " AND (attempt = $4 OR rule <> '') AND " STORE_IS_OPEN,
	    DB_TEXT(environment), DB_TEXT(job->repository_id), DB_TEXT(job->run),
	    DB_I64(job->attempt));
}

int64_t
row_job_count_gates(struct tx *tx, const char *application, const struct job *job)
{
	const char *actor = job == NULL ? "" : actor_of(job);

	return tx_number(tx,
	    "SELECT COUNT(*) FROM work INDEXED BY work_gate_open WHERE action = 'open-gate'"
	    " AND " STORE_IS_OPEN " AND CASE WHEN $2 <> 0 THEN 1 = 1 WHEN $1 = ''"
	    " THEN instr(environment, '/') = 0"
	    " ELSE substr(environment, 1, length($1) + 1) = $1 || '/' END"
	    " AND ($4 <> 0 OR (SELECT actor FROM work_job WHERE work_job.work = work.id) = $3)",
	    DB_TEXT(application != NULL ? application : ""), DB_I64(application == NULL),
	    DB_TEXT(actor), DB_I64(job == NULL));
}

struct last_gate *
row_job_last_gate(struct tx *tx, const char *environment, bool is_well, struct last_gate *ret)
{
	return tx_first_to(tx, read_gate, ret,
	    "SELECT id, commit_id, ended_at, (SELECT run FROM work_job WHERE work = work.id),"
	    " (SELECT repository_id FROM work_job WHERE work = work.id), state = 'DONE', why IN ('ELSEWHERE', 'INTERRUPTED') FROM work INDEXED BY work_gate WHERE environment = $1"
	    " AND action = 'open-gate' AND state IN ('DONE', 'FAILED')"
	    " AND ($2 = 0 OR state = 'DONE') ORDER BY id DESC LIMIT 1",
	    DB_TEXT(environment), DB_I64(is_well));
}
