/* row_pipeline_many.c - how many workflows are red by one commit of a branch, and which say so.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_pipeline_many.h"

#include "store/store_inside.h"

TX_READER(read_many, struct pipeline_many, TX_I64(said), TX_I64(unsaid), TX_I64(last))

struct pipeline_many *
row_pipeline_many(
    struct tx *tx, int64_t chat, const struct pipeline_run *run, struct pipeline_many *ret)
{
	return tx_first_to(tx, read_many, ret,
	    "SELECT COUNT(*) FILTER (WHERE message <> 0), COUNT(*) FILTER (WHERE message = 0),"
	    " COALESCE(MAX(id) FILTER (WHERE message <> 0), MIN(id), 0) FROM pipeline_red r"
	    " WHERE chat = $1 AND repository_id = $2 AND branch = $3 AND EXISTS"
	    " (SELECT 1 FROM pipeline_run p WHERE p.application = r.application"
	    " AND p.repository_id = r.repository_id AND p.run = r.run AND p.commit_id = $4)",
	    DB_I64(chat), DB_TEXT(run->repository_id), DB_TEXT(run->branch), DB_TEXT(run->commit));
}
