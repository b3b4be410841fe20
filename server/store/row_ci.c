/* row_ci.c - the newest run of each workflow on a commit, as an application's forge has said it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_ci.h"

#include "store/store_inside.h"

TX_READER(read_run, struct pipeline_run, TX_TEXT(repository), TX_TEXT(repository_id), TX_I64(run),
    TX_I64(number), TX_I64(attempt), TX_INT(rank), TX_TEXT(conclusion))

void
row_ci_note(struct tx *tx, const char *application, const struct pipeline_run *run)
{
	(void)tx_run(tx,
	    "INSERT INTO ci_run (application, file, commit_id, repository, repository_id, run,"
	    " number, attempt, rank, conclusion, at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
	    " ON CONFLICT (application, file, commit_id) DO UPDATE SET repository = $4,"
	    " repository_id = $5, run = $6, number = $7, attempt = $8, rank = $9, conclusion = $10"
	    " WHERE repository_id <> $5 OR ($7, $8, $9) > (number, attempt, rank)",
	    DB_TEXT(application), DB_TEXT(run->file), DB_TEXT(run->commit),
	    DB_TEXT(run->repository), DB_TEXT(run->repository_id), DB_I64(run->run),
	    DB_I64(run->number), DB_I64(run->attempt), DB_I64(run->rank), DB_TEXT(run->conclusion),
	    DB_I64(tx->at)); /* sticky */
}

struct pipeline_run *
row_ci_get(struct tx *tx, const char *application, const char *file, const char *commit,
    struct pipeline_run *ret)
{
	return tx_first_to(tx, read_run, ret,
	    "SELECT repository, repository_id, run, number, attempt, rank, conclusion FROM ci_run"
	    " WHERE application = $1 AND file = $2 AND commit_id = $3",
	    DB_TEXT(application), DB_TEXT(file), DB_TEXT(commit)); /* sticky */
}
