/* row_deployment.h - deployments, their runs and the steps of these.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A partial unique index over the active states is the busy flag: no second copy of that fact
 * exists.  Another one keeps a single deployment queued for each environment.
 */
#ifndef ROW_DEPLOYMENT_H
#define ROW_DEPLOYMENT_H

#include "deployment/deploy_flow.h"
#include "store/tx.h"

enum trigger {
	TRIGGER_CHAT,
	TRIGGER_PUSH,		/* a webhook said so */
	TRIGGER_POLL,		/* git was asked */
};

struct deployment {
	int64_t id;		/* 0: none */
	char environment[LIMIT_ENVIRONMENT];
	enum program program;	/* what it is for: PROGRAM_ROLLBACK was asked for by a person */
	enum trigger trigger;
	enum deploy_state state;
	enum deploy_why why;
	char commit[LIMIT_COMMIT];	/* "" until git has answered */
	char ref[LIMIT_REF];		/* as asked for; "": the environment's branch */
	char subject[LIMIT_SUBJECT];
	char author[LIMIT_PERSON];
	bool is_forced;
	bool is_foreign;	/* not in the environment's branch */
	char previous[LIMIT_COMMIT];	/* live when it started: the way back; "": none */
	int64_t asked_by;	/* a person's id; 0: github */
	char asker[LIMIT_PERSON];	/* "@ada", "github:login(7)" */
	struct place place;	/* where it was asked for */
	int64_t message;	/* row of the message that shows it */
	int64_t also_message;	/* the one in TELEGRAM_CHAT_ID, where asked for elsewhere; 0 */
	int64_t run;		/* its newest run; 0: none yet */
	int attempts;		/* runs ordered for the present program */
	bool is_touched;	/* `==> release` was said: the target may have changed */
	bool has_no_way_back;	/* `==> no-rollback` was said */
	char urls[LIMIT_LINE * 8];	/* health URLs, comma list, as they were when it started */
	char detail[LIMIT_LINE];	/* the reason as a sentence: script's last line, probe's failure */
	int64_t requested_at;	/* wall ms each; 0: not yet */
	int64_t started_at;
	int64_t ended_at;
};

struct step {
	char name[LIMIT_STEP];
	int64_t at;		/* wall ms */
};

/* Writes the row; sets deployment->id. */
void row_deployment_add(struct tx *tx, struct deployment *deployment);
struct deployment row_deployment_get(struct tx *tx, int64_t id);

/* Writes every column but state, why and id. */
void row_deployment_save(struct tx *tx, const struct deployment *deployment);

/* The only writer of state and why; for decide_step() alone. */
void row_deployment_set_state(struct tx *tx, int64_t id, enum deploy_state state,
    enum deploy_why why);

/* By state's class; id 0: none.  waiting: state QUEUED.  asking: awaiting a confirmation after a push. */
struct deployment row_deployment_active(struct tx *tx, const char *environment);
struct deployment row_deployment_queued(struct tx *tx, const char *environment);
struct deployment row_deployment_push_question(struct tx *tx, const char *environment);
struct deployment row_deployment_of_run(struct tx *tx, int64_t run);

/* Latest that started or were refused, newest first; returns how many. */
size_t row_deployment_list(struct tx *tx, const char *environment, struct deployment *ret,
    size_t max);

/* Deployments not ended that this person has asked for (a cap on open requests). */
int64_t row_deployment_count_open(struct tx *tx, int64_t asked_by);

/* A run: its number is that of its folder.  Returns the number. */
int64_t row_run_add(struct tx *tx, int64_t deployment, enum program program);
void row_run_started(struct tx *tx, const struct run_started *started);
void row_run_ended(struct tx *tx, const struct run_ended *ended);
bool row_run_is_open(struct tx *tx, int64_t run);

/* Adds a step once; false when it was known. */
bool row_step_add(struct tx *tx, const struct run_step *step);
size_t row_step_list(struct tx *tx, int64_t run, struct step *ret, size_t max);

#endif
