/* row_pipeline.c - runs of workflows, as their forge has said them, and which have failed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_pipeline.h"

#include "store/store_inside.h"

#define RUN \
	"repository, repository_id, file, commit_id, branch, title, actor, run, number, attempt, rank, conclusion"
#define RUN_FIELDS \
	TX_TEXT(run.repository), TX_TEXT(run.repository_id), TX_TEXT(run.file), \
	    TX_TEXT(run.commit), TX_TEXT(run.branch), TX_TEXT(run.title), TX_TEXT(run.actor), \
	    TX_I64(run.run), TX_I64(run.number), TX_I64(run.attempt), TX_INT(run.rank), \
	    TX_TEXT(run.conclusion)
#define RUNS	 "SELECT " RUN ", at, seen_at FROM pipeline_run"
#define INTO_RUN "INSERT INTO pipeline_run (application, " RUN ", counts, at, seen_at)"
#define HAS_SAID \
	" (conclusion = 'success' OR conclusion = 'failure' OR conclusion = 'timed_out' OR conclusion = 'startup_failure')"

TX_READER(read_row, struct pipeline_row, RUN_FIELDS, TX_I64(at), TX_I64(seen_at))
TX_READER(read_red, struct pipeline_red, TX_I64(id), TX_I64(chat), TX_I64(run), TX_I64(attempt),
    TX_I64(message), TX_I64(since), TX_I64(failures), TX_TEXT(details))

/* --- runs --- */

/* What has taken the place of a repository under its name speaks for it from now on. */
static void
forget_others(struct tx *tx, const char *application, const struct pipeline_run *run)
{
	(void)tx_run(tx,
	    "DELETE FROM pipeline_run WHERE application = $1 AND file = $2 AND commit_id = $3"
	    " AND repository_id <> $4 AND counts = 1",
	    DB_TEXT(application), DB_TEXT(run->file), DB_TEXT(run->commit),
	    DB_TEXT(run->repository_id)); /* sticky */
}

bool
row_pipeline_note(struct tx *tx, const char *application, const struct pipeline_run *run)
{
	if (run->counts)
		forget_others(tx, application, run);
	return tx_changes(tx,
		   INTO_RUN
		   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)"
		   " ON CONFLICT (application, repository_id, run) DO UPDATE SET repository = $2,"
		   " file = $4, commit_id = $5, branch = $6, title = $7, actor = $8, number = $10,"
		   " attempt = $11, rank = $12, counts = $14, seen_at = $15, conclusion ="
		   " CASE WHEN $13 = '' AND pipeline_run.conclusion <> 'manual'"
		   " THEN pipeline_run.conclusion ELSE $13 END"
		   " WHERE ($11, $12) >= (pipeline_run.attempt, pipeline_run.rank)",
		   DB_TEXT(application), DB_TEXT(run->repository), DB_TEXT(run->repository_id),
		   DB_TEXT(run->file), DB_TEXT(run->commit), DB_TEXT(run->branch),
		   DB_TEXT(run->title), DB_TEXT(run->actor), DB_I64(run->run), DB_I64(run->number),
		   DB_I64(run->attempt), DB_I64(run->rank), DB_TEXT(run->conclusion),
		   DB_I64(run->counts), DB_I64(tx->at)) > 0;
}

int64_t
row_pipeline_newest(struct tx *tx, const char *application, struct pipeline_run *ret)
{
	struct pipeline_row found;

	(void)tx_first_to(tx, read_row, &found,
	    RUNS " WHERE application = $1 AND file = $2 AND commit_id = $3 AND counts = 1"
		 " AND ($4 = '' OR branch = $4) ORDER BY number DESC, attempt DESC LIMIT 1",
	    DB_TEXT(application), DB_TEXT(ret->file), DB_TEXT(ret->commit),
	    DB_TEXT(ret->branch)); /* sticky */
	memcpy(ret->repository, found.run.repository, sizeof(ret->repository));
	memcpy(ret->repository_id, found.run.repository_id, sizeof(ret->repository_id));
	memcpy(ret->conclusion, found.run.conclusion, sizeof(ret->conclusion));
	ret->run = found.run.run;
	ret->rank = found.run.rank;
	return found.seen_at;
}

bool
row_pipeline_is_old(struct tx *tx, const char *application, const struct pipeline_run *run)
{
	return tx_number(tx,
		   "SELECT EXISTS (SELECT 1 FROM pipeline_run WHERE application = $1 AND file = $2"
		   " AND branch = $3 AND number > $4 AND rank = 2 AND repository_id = $5"
		   " AND" HAS_SAID ")",
		   DB_TEXT(application), DB_TEXT(run->file), DB_TEXT(run->branch),
		   DB_I64(run->number), DB_TEXT(run->repository_id)) != 0;
}

size_t
row_pipeline_list(struct tx *tx, const char *application, struct pipeline_row *ret, size_t most)
{
	return tx_read(tx, read_row, ret, most,
	    RUNS " WHERE application = $1"
		 " ORDER BY at DESC, run DESC LIMIT $2",
	    DB_TEXT(application), DB_I64(most));
}

/* --- what is red --- */

#define RED "SELECT id, chat, run, attempt, message, since, failures, details FROM pipeline_red"

struct pipeline_red *
row_pipeline_red(
    struct tx *tx, int64_t chat, const struct pipeline_run *run, struct pipeline_red *ret)
{
	(void)tx_first_to(tx, read_red, ret,
	    RED " WHERE chat = $1 AND repository_id = $2"
		" AND file = $3 AND branch = $4",
	    DB_I64(chat), DB_TEXT(run->repository_id), DB_TEXT(run->file),
	    DB_TEXT(run->branch)); /* sticky */
	ret->chat = chat;
	return ret;
}

struct pipeline_red *
row_pipeline_red_by_id(
    struct tx *tx, int64_t id, struct pipeline_red *ret, struct pipeline_run *ret_run)
{
	struct pipeline_row row;

	(void)tx_first_to(tx, read_red, ret, RED " WHERE id = $1", DB_I64(id));
	(void)tx_first_to(tx, read_row, &row,
	    RUNS " WHERE (application, repository_id, run) ="
		 " (SELECT application, repository_id, run FROM pipeline_red WHERE id = $1)",
	    DB_I64(id)); /* both sticky */
	*ret_run = row.run;
	return ret;
}

struct pipeline_run *
row_pipeline_first_red(struct tx *tx, const char *application, const struct pipeline_run *run,
    int64_t since, struct pipeline_run *ret)
{
	struct pipeline_row row;

	(void)tx_first_to(tx, read_row, &row,
	    RUNS " WHERE application = $1 AND file = $2 AND branch = $3 AND repository_id = $4"
		 " AND seen_at >= $5 AND" HAS_SAID " AND conclusion <> 'success' AND number >"
		 " (SELECT COALESCE(MAX(number), 0) FROM pipeline_run WHERE application = $1"
		 " AND file = $2 AND branch = $3 AND repository_id = $4 AND number < $6"
		 " AND conclusion = 'success') ORDER BY number LIMIT 1",
	    DB_TEXT(application), DB_TEXT(run->file), DB_TEXT(run->branch),
	    DB_TEXT(run->repository_id), DB_I64(since), DB_I64(run->number)); /* sticky */
	*ret = row.run;
	return ret;
}

bool
row_pipeline_says_red(struct tx *tx, int64_t chat, const char *commit)
{
	return tx_number(tx,
		   "SELECT EXISTS (SELECT 1 FROM pipeline_red r JOIN pipeline_run p"
		   " ON p.application = r.application AND p.repository_id = r.repository_id"
		   " AND p.run = r.run WHERE r.chat = $1 AND p.commit_id = $2 AND p.counts = 1)",
		   DB_I64(chat), DB_TEXT(commit)) != 0;
}

void
row_pipeline_set_red(struct tx *tx, const char *application, const struct pipeline_run *run,
    struct pipeline_red *red)
{
	int64_t id = tx_next_id(tx, STORE_ID_PIPELINE_RED);

	(void)tx_run(tx,
	    "INSERT INTO pipeline_red (chat, application, repository_id, file, branch, run,"
	    " attempt, message, since, failures, details, id)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
	    " ON CONFLICT (chat, repository_id, file, branch) DO UPDATE SET application = $2,"
	    " run = $6, attempt = $7, message = $8, since = $9, failures = $10, details = $11",
	    DB_I64(red->chat), DB_TEXT(application), DB_TEXT(run->repository_id),
	    DB_TEXT(run->file), DB_TEXT(run->branch), DB_I64(red->run), DB_I64(red->attempt),
	    DB_I64(red->message), DB_I64(red->since), DB_I64(red->failures), DB_TEXT(red->details),
	    DB_I64(id)); /* sticky */
	if (red->id != 0)
		return;
	red->id = id;
	(void)tx_run(tx,
	    "DELETE FROM pipeline_red WHERE id IN (SELECT id FROM pipeline_red"
	    " WHERE application = $1 ORDER BY since DESC, id DESC LIMIT 9223372036854775807 OFFSET $2)",
	    DB_TEXT(application), DB_I64(ROW_PIPELINE_RED_OWN)); /* sticky */
	(void)tx_run(tx,
	    "DELETE FROM pipeline_red WHERE id IN (SELECT id FROM pipeline_red r ORDER BY"
	    " (SELECT COUNT(*) FROM pipeline_red o WHERE o.application = r.application) DESC,"
	    " since, id LIMIT MAX(0, (SELECT COUNT(*) FROM pipeline_red) - $1))",
	    DB_I64(ROW_PIPELINE_RED)); /* sticky */
}

void
row_pipeline_drop_red(struct tx *tx, int64_t id)
{
	(void)tx_run(tx, "DELETE FROM pipeline_red WHERE id = $1", DB_I64(id)); /* sticky */
}
