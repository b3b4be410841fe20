/* row_loan.c - the rows of loans.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_loan.h"

#include "deployment/deployment.h"
#include "lib/column.h"
#include "lib/text.h"
#include "store/row_job.h"
#include "store/store_inside.h"

#define COLUMNS "work, phase, accessor, until_at, timer, chat, message"
/* Else nothing was made for it, and nothing will be; or that has ended. */
#define IS_OPEN "phase <> 'over' AND (phase <> 'asked' OR " STORE_IS_OPEN ")"
#define OF_RUN \
	"work_job INDEXED BY work_job_run CROSS JOIN loan ON loan.work = work_job.work CROSS JOIN work ON work.id = loan.work WHERE repository_id = $1 AND repository_id <> '' AND work_job.run = $2"
/* All who have a key are of one run, which is of no repository: those that are open are few. */
#define OPEN_OF_RUN \
	"loan INDEXED BY loan_open CROSS JOIN work_job ON work_job.work = loan.work CROSS JOIN work ON work.id = loan.work WHERE phase <> 'over' AND repository_id = $1 AND work_job.run = $2"

static const char *const states[] = { LOAN_STATES(COLUMN_SECOND) };

static enum loan_state
state_of(const char *word)
{
	return (enum loan_state)text_index(word, states, LOAN_STATE_COUNT);
}

TX_READER(read_row, struct loan_row, TX_I64(work), TX_WORD(state, state_of), TX_TEXT(accessor),
    TX_I64(until), TX_I64(timer), TX_I64(chat), TX_I64(message))

struct loan_row
row_loan_get(struct tx *tx, int64_t work)
{
	return tx_first(tx, struct loan_row, read_row,
	    "SELECT " COLUMNS " FROM loan WHERE work = $1", DB_I64(work));
}

void
row_loan_save(struct tx *tx, const struct loan_row *row)
{
	assert(row->state < LOAN_STATE_COUNT);
	(void)tx_run(tx,
	    "INSERT INTO loan (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (work)"
	    " DO UPDATE SET phase = $2, accessor = $3, until_at = $4, timer = $5, chat = $6,"
	    " message = $7",
	    DB_I64(row->work), DB_TEXT(states[row->state]), DB_TEXT(row->accessor),
	    DB_I64(row->until), DB_I64(row->timer), DB_I64(row->chat),
	    DB_I64(row->message)); /* sticky */
}

int64_t
row_loan_of_job(struct tx *tx, const char *environment, const char *name, const struct job *job)
{
	int64_t work = INT64_MAX;
	struct row_job of;

	while ((work = tx_number(tx,
		    "SELECT COALESCE(MAX(work.id), 0) FROM " OPEN_OF_RUN
		    " AND environment = $3 AND argument = $4 AND work.id < $5 AND " STORE_IS_OPEN,
		    DB_TEXT(job->repository_id), DB_TEXT(job->run), DB_TEXT(environment),
		    DB_TEXT(name), DB_I64(work))) != 0)
		if (job_is_same(&row_job_get(tx, work, &of)->job, job))
			return work;
	return 0;
}

int64_t
row_loan_of_person(
    struct tx *tx, const char *environment, const char *name, int64_t person, int64_t chat)
{
	return tx_number(tx,
	    "SELECT COALESCE(MAX(work.id), 0) FROM loan CROSS JOIN work ON work.id = loan.work"
	    " WHERE " IS_OPEN " AND requested_by = $1 AND environment = $2 AND argument = $3"
	    " AND loan.chat = $4 AND " STORE_IS_OPEN
	    " AND NOT EXISTS (SELECT 1 FROM work_job WHERE work_job.work = loan.work)",
	    DB_I64(person), DB_TEXT(environment), DB_TEXT(name), DB_I64(chat));
}

int64_t
row_loan_over(struct tx *tx, const struct delivery_job *job, int64_t before)
{
	return tx_number(tx,
	    "SELECT COALESCE(MAX(work.id), 0) FROM " OF_RUN " AND work.id < $5 AND " IS_OPEN
	    " AND CASE WHEN $3 <> '' THEN check_run = $3 ELSE attempt <= $4 END",
	    DB_TEXT(job->of.repository_id), DB_TEXT(job->of.run), DB_TEXT(job->of.check_run),
	    DB_I64(job->of.attempt), DB_I64(before));
}

int64_t
row_loan_open(struct tx *tx, const char *environment, int64_t after)
{
	return tx_number(tx,
	    "SELECT COALESCE(MIN(work.id), 0) FROM loan CROSS JOIN work ON work.id = loan.work"
	    " WHERE " IS_OPEN " AND environment = $1 AND work.id > $2 AND " STORE_IS_OPEN,
	    DB_TEXT(environment), DB_I64(after));
}

bool
row_loan_was_of(struct tx *tx, const struct deployment *like, int64_t person, int64_t since)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM (SELECT id, requested_by, argument, ended_at, state"
		   " FROM work WHERE environment = $1 AND program = 'action'"
		   " ORDER BY id DESC LIMIT 200) AS new JOIN loan ON loan.work = new.id"
		   " WHERE requested_by = $2 AND argument = $3 AND ended_at > $4 AND state = 'DONE'",
		   DB_TEXT(like->environment), DB_I64(person), DB_TEXT(like->argument),
		   DB_I64(since)) > 0;
}

int64_t
row_loan_count(struct tx *tx, int64_t person)
{
	return tx_number(tx,
	    "SELECT COUNT(*) FROM loan CROSS JOIN work ON work.id = loan.work WHERE " IS_OPEN
	    " AND ($1 = 0 OR requested_by = $1)",
	    DB_I64(person));
}

int64_t
row_loan_count_application(struct tx *tx, int64_t workflow)
{
	return tx_number(tx,
	    "SELECT COUNT(*) FROM loan CROSS JOIN work ON work.id = loan.work WHERE " IS_OPEN
	    " AND requested_by IN (SELECT $2 - other.id FROM principal CROSS JOIN principal other"
	    " ON other.kind = principal.kind AND other.application = principal.application"
	    " WHERE principal.id = $2 - $1 AND principal.kind = 'workflow')",
	    DB_I64(workflow), DB_I64(principal_of_row(PRINCIPAL_WORKFLOW, 0)));
}

int64_t
row_loan_next(struct tx *tx, enum loan_state state, int64_t after)
{
	return tx_number(tx,
	    "SELECT COALESCE(MIN(work), 0) FROM loan WHERE phase = $1 AND work > $2",
	    DB_TEXT(states[state]), DB_I64(after));
}
