/* row_run.h - runs of deployments and of other work, and their steps.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* A program's word in a row, of a run or of work. */
const char *row_run_program_word(enum program program);
enum program row_run_program(const char *word);

/* Numbers up to this one are given to no run: there are folders of that name.  Where the last
 * number given is one that no run can have, numbers go on behind the runs that there are. */
#define ROW_RUN_MOST INT64_C(1000000000000000) /* 16 digits: hosts and clusters take 18 */
#define ROW_RUN_FAR  INT64_C(1000000) /* more runs than there are between two backups */
void row_run_skip(struct tx *tx, int64_t highest);

/* A run: its number is that of its folder.  runner: who is to have it, RUNNER_LOCAL or
 * "agent:acme".  Returns the number. */
int64_t
row_run_add(struct tx *tx, int64_t deployment, enum program program, const char *runner);
void row_run_started(struct tx *tx, const struct run_started *started);
/* Every open run counts as started: another machine may have begun it since it was copied. */
void row_run_distrust(struct tx *tx);
void row_run_ended(struct tx *tx, const struct run_ended *ended);
/* Its last lines, of an action; "": none, or another's.  Returns ret. */
void row_run_set_tail(struct tx *tx, int64_t run, const char *tail);
const char *row_run_tail(struct tx *tx, int64_t run, char ret[LIMIT_TAIL]);
/* What it has warned people of, which goes with its log. */
void row_run_set_warnings(struct tx *tx, int64_t run, const struct run_warnings *warnings);
/* By how much later than it was its end was learned, of run `r`: nobody who followed it led. */
#define ROW_RUN_LATE \
	"CASE WHEN r.duration_ms > 0 AND r.started_at + r.duration_ms < r.ended_at" \
	" THEN r.ended_at - r.started_at - r.duration_ms ELSE 0 END"
struct run_times row_run_times(struct tx *tx, int64_t run);

/* The newest that a run of this work left, "": none; returns whether it is what a health URL said
 * of a run that went well. */
bool row_run_newest_tail(struct tx *tx, int64_t deployment, char ret[LIMIT_TAIL]);

/* What the application itself had logged when a run took it; it goes with the run's log.  Of some
 * work: what its first run that took any has, "": none.  Returns ret. */
void row_run_set_application_log(struct tx *tx, int64_t run, const char *lines);
const char *
row_run_application_log(struct tx *tx, int64_t deployment, char ret[LIMIT_APPLICATION_LOG]);
/* May that run's log have it?  Each of a rollback may. */
bool row_run_may_have_application_log(struct tx *tx, int64_t run);
bool row_run_is_open(struct tx *tx, int64_t run);
enum run_end row_run_end(struct tx *tx, int64_t run);
/* Was its script seen at its gate?  Only then could the gate be opened. */
bool row_run_was_started(struct tx *tx, int64_t run);
/* Has it ended without its script having run (its row has exit status -1 and no signal), or has
 * that ended by itself before it said `==> release`? */
bool row_run_changed_nothing(struct tx *tx, int64_t run);
/* Its runs whose logs are there, the oldest first; returns how many.  all: the others too. */
struct run_row {
	int64_t id;
	enum program program;
	bool is_purged; /* its log is not there */
	char runner[LIMIT_RUNNER]; /* that has it: "local", "build-1" */
};
size_t row_run_list(struct tx *tx, int64_t deployment, struct run_row *ret, size_t max);
size_t row_run_list_all(struct tx *tx, int64_t deployment, struct run_row *ret, size_t max);
/* The newest run of this program in a deployment; 0: none. */
int64_t row_run_newest(struct tx *tx, int64_t deployment, enum program program);

/* Adds a step once; false when it was known. */
bool row_step_add(struct tx *tx, const struct run_step *step);
size_t row_step_list(struct tx *tx, int64_t run, struct step *ret, size_t max);
