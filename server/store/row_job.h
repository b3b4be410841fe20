/* row_job.h - which job of a forge's workflow has asked for some work; gates of environments.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/job.h"

/* Of the job alone whose it is, and who began its run. */
struct row_job {
	int64_t work; /* 0: no job has asked for it */
	struct job job;
	int64_t asked_at;  /* wall ms: it last asked how that work stands; a minute late at most */
	int64_t opened_at; /* wall ms: its gate went open; 0: it has not.  From then on asked_at is
			    * later where the job has seen that */
	int64_t timer;	   /* of a gate: an effect's id; 0: none */
	/* Of a gate that GitHub itself has asked for (row_gate.h): its environment there, and
	 * whether GitHub knows how that has ended.  "": of any other. */
	char rule[LIMIT_REF];
	bool is_answered;
	int64_t deployment; /* of the job that waits, at GitHub; 0: not known */
};

/* A row that is there stays: the job that was first. */
void row_job_add(struct tx *tx, int64_t work, const struct job *job);

struct row_job *row_job_get(struct tx *tx, int64_t work, struct row_job *ret);
void row_job_set_asked(struct tx *tx, int64_t work, int64_t at);
void row_job_set_opened(struct tx *tx, int64_t work, int64_t at);
/* Of all gates that have not ended: nobody could ask, nor see one open, while nothing ran. */
void row_job_set_all_asked(struct tx *tx, int64_t at);

void row_job_set_timer(struct tx *tx, int64_t work, int64_t timer);

/* The newest gate of that environment that this very job has asked for; 0: none. */
int64_t row_job_gate(struct tx *tx, const char *environment, const struct job *job);

/* The gate that the same run and attempt has there, open or asked for; 0: none. */
int64_t row_job_open_gate(struct tx *tx, const char *environment, const struct job *job);

/* Gates of an application's environments ("": of those without one; NULL: of all) that have not
 * ended; where `job` is not NULL only those of its actor (of jobs whose actor is not known: of all
 * such). */
int64_t row_job_count_gates(struct tx *tx, const char *application, const struct job *job);

/* Of those that ended well, where that is wanted. */
struct last_gate *row_job_last_gate(
    struct tx *tx, const char *environment, bool is_well, struct last_gate *ret);
