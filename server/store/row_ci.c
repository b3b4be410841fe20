/* row_ci.c - the newest run of each workflow on a commit, as an application's forge has said it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_ci.h"

#include "store/store_inside.h"

struct found {
	struct pipeline_run run;
	int64_t seen_at;
};

TX_READER(read_run, struct found, TX_TEXT(run.repository), TX_I64(run.run), TX_INT(run.rank),
    TX_TEXT(run.conclusion), TX_I64(seen_at))

void
row_ci_note(struct tx *tx, const char *application, const struct pipeline_run *run)
{
	(void)tx_run(tx,
	    "INSERT INTO ci_run (application, file, commit_id, branch, repository, repository_id,"
	    " run, number, attempt, rank, conclusion, at, seen_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)"
	    " ON CONFLICT (application, file, commit_id, branch) DO UPDATE SET repository = $5,"
	    " repository_id = $6, run = $7, number = $8, attempt = $9, rank = $10,"
	    " conclusion = $11, seen_at = $12"
	    " WHERE repository_id <> $6 OR ($8, $9, $10) >= (number, attempt, rank)",
	    DB_TEXT(application), DB_TEXT(run->file), DB_TEXT(run->commit), DB_TEXT(run->branch),
	    DB_TEXT(run->repository), DB_TEXT(run->repository_id), DB_I64(run->run),
	    DB_I64(run->number), DB_I64(run->attempt), DB_I64(run->rank), DB_TEXT(run->conclusion),
	    DB_I64(tx->at)); /* sticky */
}

int64_t
row_ci_get(struct tx *tx, const char *application, struct pipeline_run *ret)
{
	struct found found;

	(void)tx_first_to(tx, read_run, &found,
	    "SELECT repository, run, rank, conclusion, seen_at FROM ci_run"
	    " WHERE application = $1 AND file = $2 AND commit_id = $3"
	    " AND ($4 = '' OR branch = $4) ORDER BY number DESC, attempt DESC LIMIT 1",
	    DB_TEXT(application), DB_TEXT(ret->file), DB_TEXT(ret->commit),
	    DB_TEXT(ret->branch)); /* sticky */
	memcpy(ret->repository, found.run.repository, sizeof(ret->repository));
	memcpy(ret->conclusion, found.run.conclusion, sizeof(ret->conclusion));
	ret->run = found.run.run;
	ret->rank = found.run.rank;
	return found.seen_at;
}
