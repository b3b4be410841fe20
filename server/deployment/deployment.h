/* deployment.h - a deployment, a release, an environment as plain facts.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deploy_flow.h"
#include "types/effect.h"

/* Who set it off: word, as metrics and rows name it. */
#define TRIGGERS(T) \
	T(CHAT, "chat")		/* a person, in a chat */ \
	T(PUSH, "push")		/* a webhook said that a branch moved */ \
	T(POLL, "poll")		/* git was asked, and said so */

enum trigger {
#define T(name, word) TRIGGER_##name,
	TRIGGERS(T)
#undef T
	TRIGGER_COUNT
};

struct release {
	int64_t id;		/* 0: none */
	int64_t number;		/* counted in its environment: what people call it */
	int64_t renumbered_at;	/* until then its id was its number; 0: never */
	int64_t origin;		/* the release that it is of, where a rollback brought it back */
	int64_t left_by;	/* the deployment that rolled it back; 0: none */
	char environment[LIMIT_ENVIRONMENT];
	char commit[LIMIT_COMMIT];
	char image[LIMIT_IMAGE];	/* "": none */
	int64_t at;		/* wall ms of the health gate's pass */
	int64_t deployment;
	char by[LIMIT_PERSON];
	char subject[LIMIT_SUBJECT];
};

/* Rolled back, and no push deploys it again. */
struct block {
	char commit[LIMIT_COMMIT];
	char by[LIMIT_PERSON];	/* a name, or "deploybot" */
	int64_t at;		/* wall ms; 0: not known */
	char why[LIMIT_LINE];	/* "": not known */
};

#define ENVIRONMENT_IS_LOCKED 1u
#define ENVIRONMENT_IS_FROZEN 2u

struct environment {
	char name[LIMIT_ENVIRONMENT];
	struct release current;
	struct release previous;
	char seen_commit[LIMIT_COMMIT];	/* head of its branch, acted on last; "": none was */
	int64_t skipped_count;	/* commits of the branch's head that change nothing in PATHS */
	char polled_commit[LIMIT_COMMIT]; /* that polling knows; "": never polled, "-": none */
	bool is_down;		/* the last change failed, and so did its rollback */
	bool is_unacknowledged;	/* rolled back, and nothing has gone live since */
	char waiting_push[LIMIT_PERSON]; /* who pushed what waits for a freeze's end; "": none */
	unsigned held; /* ENVIRONMENT_IS_ locked, frozen, at the last look */
	int64_t unknown_since;	/* wall ms; not 0: what runs there is not known */
	char unknown_why[LIMIT_LINE];
};

struct deployment {
	int64_t id;		/* 0: none */
	char environment[LIMIT_ENVIRONMENT];
	enum program program;	/* what it is for: PROGRAM_ROLLBACK was asked for by a person */
	enum trigger trigger;
	enum deploy_state state;
	enum deploy_why why;
	char commit[LIMIT_COMMIT];	/* "" until git has answered */
	char image[LIMIT_IMAGE];	/* of commit, once it is known; "": none */
	char ref[LIMIT_REF];		/* as asked for; "": the environment's branch */
	char subject[LIMIT_SUBJECT];
	char author[LIMIT_PERSON];
	bool is_force_push;
	bool is_off_branch;	/* not in the environment's branch */
	bool is_again;		/* asked for although it was live */
	char previous[LIMIT_COMMIT];	/* live when it started, to roll back to; "": none */
	char missing[LIMIT_LINE];	  /* submodules and LFS files that it is released without */
	char previous_image[LIMIT_IMAGE]; /* of previous; "": none */
	int64_t requested_by;	/* a person's id; 0: github */
	char requester[LIMIT_PERSON];	/* "@ada", "github:login(7)" */
	int64_t confirmed_by;	/* the person who answered its question with yes; 0: nobody */
	char confirmer[LIMIT_PERSON]; /* that person; "": nobody */
	char shown_live[LIMIT_COMMIT]; /* what the question said is live; "": nothing */
	bool shown_blocked;	/* the question warned that the commit is blocked */
	char changed[LIMIT_LINE]; /* why the question was asked anew; "": it was not */
	struct chat_address address;	/* where it was asked for */
	int64_t request;	/* the platform's id of the message that asked for it; 0: none */
	int64_t message;	/* row of the message that shows it */
	int64_t also_message;	/* the one in TELEGRAM_CHAT_ID, where asked for elsewhere; 0 */
	int64_t place;		/* in its environment's queue, drawn from a counter; 0: none */
	char waits_for[LIMIT_RESOURCE]; /* "slot", "git", a claim's resource; "": for its turn */
	bool is_asked_anew;	/* in its place: passed over until somebody has answered */
	int64_t queued_at;	/* wall ms; 0: it took no place yet */
	char compared_live[LIMIT_COMMIT]; /* live when it took its place, or git compared */
	bool is_behind;		/* ... and its commit is an ancestor of that */
	bool is_told_next;	/* that nobody is before it any more */
	int64_t run;		/* its newest run; 0: none yet */
	int attempts;		/* runs ordered for the present program */
	bool target_changed;	/* `==> release` was said: the target may have changed */
	bool cannot_roll_back;	/* `==> no-rollback` was said */
	int64_t to_release;	/* of a rollback: the release that it brings back */
	bool is_forward;	/* ... which is newer than what it leaves */
	char urls[LIMIT_URL_LIST];	/* health URLs, comma list, as they were when it started */
	char detail[LIMIT_LINE];	/* why: the script's last line, the probe's failure */
	char exception[LIMIT_LINE]; /* why no freeze holds it; "": one may */
	char note[LIMIT_LINE];	/* "develop has moved on to 1a2b3c4"; "" none */
	int64_t requested_at;	/* wall ms each; 0: not yet */
	int64_t answered_at;	/* its question was; as requested_at where none was asked */
	int64_t started_at;
	int64_t ended_at;
};

enum run_end {
	RUN_OPEN,	/* it has not ended */
	RUN_SUCCEEDED,	/* its script exited with 0 */
	RUN_FAILED,	/* its script failed, was killed or lost: in its last step */
};

struct step {
	char name[LIMIT_STEP];
	int64_t at;		/* wall ms */
};

bool deployment_is_rollback(const struct deployment *deployment);

/* It changes nothing of what is live: neither a deployment nor a rollback. */
bool deployment_is_action(const struct deployment *deployment);

/* Its commit is what is live there, and nothing puts that in doubt. */
bool
deployment_runs_already(const struct deployment *deployment, const struct environment *environment);

/* Who confirmed it, where that is another one than who asked for it; "": nobody else. */
const char *deployment_confirmer(const struct deployment *deployment);

/* Who let it start: "@ada", whoever confirmed it or asked for it. */
const char *deployment_starter(const struct deployment *deployment);

/* A push waits for the end of what holds it: its head is not what runs there. */
bool environment_push_waits(const struct environment *environment);

/* Is there a release to roll back to if it fails from now on? */
bool deployment_can_roll_back(const struct deployment *deployment);

/* A question about it is open: nobody has answered it yet. */
bool deployment_is_asked(const struct deployment *deployment);

/* It is queued or in progress, and a cancel is not refused.  (A question has buttons.) */
bool deployment_may_be_cancelled(const struct deployment *deployment);

/* A run of it has said which image it ships.  Not noted of a run that brings back what was
 * live before: that is another release's.  Nor is a release that is rolled back to ever given
 * another. */
void deployment_take_image(struct deployment *deployment, const char *image);

/* A step `previous target:WORD`: what ran before deploybot, of which the target keeps WORD.  It
 * counts where there is no other release to roll back to, and before the target changes. */
void deployment_take_previous(struct deployment *deployment, const char *step);

/* Is it rolled back to what ran before deploybot, of which no commit is known? */
bool deployment_is_back_to_target(const struct deployment *deployment);

/* The service that a step `stays-old SERVICE` names ([A-Za-z0-9][A-Za-z0-9._-]*): it has the
 * release's image, and the release did not replace it.  NULL: another step. */
const char *deployment_stays_old(const char *step);

/* Is a step none of its work, but a note to the server? */
bool deployment_is_note(const char *step);

const char *trigger_word(enum trigger trigger);

/* A state as the label of a metric, which has no blanks: "rolled_back". */
void deployment_outcome_label(enum deploy_state state, char ret[LIMIT_ENVIRONMENT]);
