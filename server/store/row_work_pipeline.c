/* row_work_pipeline.c - runs of workflows at a forge that are some work of ours.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_work_pipeline.h"

#include "store/store_inside.h"

#define COLUMNS "work, words, again, nonce, run, attempt, repository_id"
#define INTO	"INSERT INTO work_pipeline (" COLUMNS ")"

TX_READER(read_pipeline, struct work_pipeline_row, TX_I64(work), TX_TEXT(words), TX_I64(again),
    TX_TEXT(nonce), TX_I64(run), TX_I64(attempt), TX_TEXT(repository_id))

struct work_pipeline_row
row_work_pipeline_get(struct tx *tx, int64_t work)
{
	return tx_first(tx, struct work_pipeline_row, read_pipeline,
	    "SELECT " COLUMNS " FROM work_pipeline WHERE work = $1", DB_I64(work));
}

void
row_work_pipeline_set(struct tx *tx, const struct work_pipeline_row *row)
{
	(void)tx_run(tx,
	    INTO " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (work) DO UPDATE SET words = $2,"
		 " again = $3, nonce = $4, run = $5, attempt = $6, repository_id = $7",
	    DB_I64(row->work), DB_TEXT(row->words), DB_I64(row->again), DB_TEXT(row->nonce),
	    DB_I64(row->run), DB_I64(row->attempt), DB_TEXT(row->repository_id)); /* sticky */
}

int64_t
row_work_pipeline_of_run(struct tx *tx, int64_t run)
{
	return tx_number(tx,
	    "SELECT COALESCE(MAX(id), 0) FROM work INDEXED BY work_pipelines"
	    " WHERE " STORE_IS_PIPELINE
	    " AND EXISTS (SELECT 1 FROM work_pipeline AS its WHERE its.work = work.id"
	    " AND its.run = $1)",
	    DB_I64(run));
}

int64_t
row_work_pipeline_attempt(struct tx *tx, const char *environment, int64_t run)
{
	return tx_number(tx,
	    "SELECT COALESCE(MAX(its.attempt), 0) FROM work_pipeline AS its INDEXED BY"
	    " work_pipeline_run CROSS JOIN work ON work.id = its.work"
	    " WHERE its.run = $1 AND its.run <> 0 AND work.environment = $2",
	    DB_I64(run), DB_TEXT(environment));
}

int64_t
row_work_pipeline_next(struct tx *tx, const char *environment, int64_t after)
{
	return tx_number(tx,
	    "SELECT COALESCE(MIN(id), 0) FROM work INDEXED BY work_pipelines"
	    " WHERE " STORE_IS_PIPELINE " AND id > $2 AND $1 IN ('', environment)",
	    DB_TEXT(environment), DB_I64(after));
}

int64_t
row_work_pipeline_begun(struct tx *tx, const char *repository_id, int64_t run, int64_t before)
{
	if (run == 0)
		return 0;
	return tx_number(tx,
	    "SELECT COALESCE(MAX(work), 0) FROM work_pipeline"
	    " WHERE run = $1 AND run <> 0 AND repository_id IN ('', $2) AND ($3 = 0 OR work < $3)",
	    DB_I64(run), DB_TEXT(repository_id), DB_I64(before));
}
