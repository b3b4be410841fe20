/* row_actor.c - who has begun the runs whose jobs have asked for some work.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_actor.h"

#include "store/store_inside.h"

static void
add(struct tx *tx, int64_t work, const char *login)
{
	(void)tx_run(tx,
	    "INSERT INTO work_actor (work, login) VALUES ($1, $2) ON CONFLICT DO NOTHING",
	    DB_I64(work), DB_TEXT(login)); /* sticky */
}

void
row_actor_add(struct tx *tx, int64_t work, const struct job *job)
{
	if (job_actor_of(job_forge_of(job->repository_id), job->event) >= JOB_ACTOR_ASKED)
		add(tx, work, job->actor);
	if (job_actor_is(job) < JOB_ACTOR_ASKED)
		add(tx, work, "");
	if (job_is_by_key(job)) /* of no run */
		return;
	/* Who has asked from the same run before: a job that is begun again is somebody else's. */
	(void)tx_run(tx,
	    "INSERT INTO work_actor (work, login) SELECT $1, login FROM work_job j"
	    " INDEXED BY work_job_run CROSS JOIN work_actor a ON a.work = j.work"
	    " WHERE repository_id = $2 AND run = $3 AND j.work <> $1 ON CONFLICT DO NOTHING",
	    DB_I64(work), DB_TEXT(job->repository_id), DB_TEXT(job->run)); /* sticky */
}

void
row_actor_share(struct tx *tx, int64_t from, int64_t to)
{
	(void)tx_run(tx,
	    "INSERT INTO work_actor (work, login) SELECT CAST($2 AS INTEGER), login FROM work_actor"
	    " WHERE work = $1 ON CONFLICT DO NOTHING",
	    DB_I64(from), DB_I64(to)); /* sticky */
}

TX_READER(read_actor, struct row_actor, TX_TEXT(login))

size_t
row_actor_list(struct tx *tx, int64_t work, struct row_actor ret[ROW_ACTORS])
{
	return tx_read(tx, read_actor, ret, ROW_ACTORS,
	    "SELECT login FROM work_actor WHERE work = $1 LIMIT $2", DB_I64(work),
	    DB_I64(ROW_ACTORS));
}
