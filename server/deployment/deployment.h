/* deployment.h - a deployment, a release, an environment as plain facts.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deploy_flow.h"
#include "types/action.h"
#include "types/effect.h"
#include "types/policy_action.h"
#include "deployment/gate.h"
#include "deployment/promotion.h"
#include "types/run_warnings.h"

/* Who set it off: word, as metrics and rows name it, and whether somebody asked for it (REQUEST) or
 * a branch moved (PUSH). */
#define TRIGGERS(T) \
	T(CHAT, "chat", REQUEST)   /* in a chat, or a call of a hook */ \
	T(PUSH, "push", PUSH)	   /* a webhook said that a branch moved */ \
	T(POLL, "poll", PUSH)	   /* git was asked, and said so */ \
	T(API, "api", REQUEST)	   /* a token, over /v1 */ \
	T(LOCAL, "local", REQUEST) /* on the machine, over LOCAL_SOCKET */ \
	T(JOB, "job", PUSH)	   /* a job of a workflow said that its commit can be deployed */

enum trigger {
#define T(name, ...) TRIGGER_##name,
	TRIGGERS(T)
#undef T
	    TRIGGER_COUNT
};

struct release {
	int64_t id;	       /* 0: none */
	int64_t number;	       /* counted in its environment: what people call it */
	int64_t renumbered_at; /* until then its id was its number; 0: never */
	int64_t origin;	       /* the release that it is of, where a rollback brought it back */
	int64_t left_by;       /* the deployment that rolled it back; 0: none */
	int64_t removed_at;    /* wall ms: its image or folders, by a script's word; 0: kept */
	char environment[LIMIT_ENVIRONMENT];
	enum commit_source source;
	char commit[LIMIT_COMMIT];
	char image[LIMIT_IMAGE]; /* "": none */
	char tree[LIMIT_COMMIT]; /* deployment.tree */
	int64_t at;		 /* wall ms of the health gate's pass */
	int64_t deployment;
	char by[LIMIT_PERSON];
	char subject[LIMIT_SUBJECT];
};

/* Rolled back, and no push deploys it again. */
struct block {
	enum commit_source source;
	char commit[LIMIT_COMMIT];
	char by[LIMIT_PERSON]; /* who rolled it back: a name, or "deploybot"; "": nobody has */
	int64_t at;	       /* wall ms; 0: not known */
	char why[LIMIT_LINE];  /* "": not known */
	int64_t number;	       /* in their order, of all targets; given once */
	bool is_rejected;      /* not rolled back nor blocked: an approver said no, and `why` */
	bool is_unsure;	       /* whether what is asked about contains it is not known */
};

/* When a run was, wall ms, and how it ended; started_at 0: not begun, ended_at 0: it runs. */
struct run_times {
	int64_t started_at;
	int64_t ended_at;
	int exit_status;
	int signal_number;
};

/* Nobody rolls back past it, as its repository says. */
struct barrier {
	int64_t number;		   /* of a release; 0: it went live nowhere */
	enum commit_source source;
	char commit[LIMIT_COMMIT]; /* "": the barrier is of the work itself that is asked about */
	char reason[LIMIT_BARRIER];
};

#define BARRIERS_SHOWN LIMIT_PAST /* the newest */

/* What became of a commit's files in another environment, the newest time. */
struct ran {
	char environment[LIMIT_ENVIRONMENT];
	int64_t at; /* wall ms: it ended so; 0: they never ran there */
	bool is_failed;
	char detail[LIMIT_LINE]; /* why it failed; "": not known */
	/* Of what did not fail: */
	int64_t ms;		 /* it was live so long */
	bool is_probed;		 /* a health check passed it */
	char image[LIMIT_IMAGE]; /* what ran, where now it is another of that commit; or "" */
	bool is_left;		 /* it was rolled back */
	bool is_down;		 /* it is live, and what was done there last left it down */
	bool is_unknown;	 /* it is live on record, and what runs there is not known */
};

#define RAN_SHOWN 3

/* A rollback has left it out, and no release has reached it since. */
struct left_host {
	char host[LIMIT_WITHOUT];
	enum commit_source source;
	char commit[LIMIT_COMMIT]; /* that it still has; "": not known */
	int64_t since;		   /* wall ms */
};

#define LEFT_HOSTS_SHOWN 16

/* What a rollback does not undo. */
struct migration_behind {
	int64_t n;		   /* migrations that stay */
	enum commit_source source; /* of commit */
	char commit[LIMIT_COMMIT]; /* of the last one */
	char step[LIMIT_STEP];	   /* of the last one, as deployment.migration */
};

#define ENVIRONMENT_IS_LOCKED	   1u
#define ENVIRONMENT_IS_FROZEN	   2u
#define ENVIRONMENT_IS_UNWITNESSED 8u /* nothing new: AUDIT_WITNESS_MAX_MINUTES */
#define ENVIRONMENT_IS_IN_WINDOW   4u /* of the settings, and its begin was said */

/* Of its branch, as git said last. */
struct environment_head {
	char branch[LIMIT_REF];
	char commit[LIMIT_COMMIT]; /* "": git was not asked */
	int64_t block;		   /* the newest block when git first said so */
	char base[LIMIT_COMMIT];   /* an ancestor of commit; "": not known */
	int64_t count;		   /* commits from base to commit */
	int64_t at;		   /* wall ms: git said so */
};

struct environment {
	char name[LIMIT_ENVIRONMENT];
	struct release current;
	struct release previous;
	char seen_commit[LIMIT_COMMIT]; /* head of its branch, acted on last; "": none was */
	struct environment_head head;
	struct environment_head announced; /* by a delivery: its commit and block alone */
	int64_t skipped_count; /* commits of the branch's head that change nothing in PATHS */
	char polled_commit[LIMIT_COMMIT]; /* that polling knows; "": never polled, "-": none */
	int64_t poll_failing_since; /* wall ms; of git, asked with its settings; 0: it answers */
	bool is_down;		    /* the last change failed, and so did its rollback */
	bool is_unacknowledged;	    /* rolled back, nobody has seen it, nothing is live since */
	int64_t unseen_work;	    /* whose end is reminded of (decide_nag.h); 0: none's */
	int n_nags;		    /* reminders of unseen_work that were due */
	char waiting_push[LIMIT_PERSON]; /* who pushed what waits for a freeze's end; "": none */
	char waiting_commit[LIMIT_COMMIT]; /* a job's, which alone waits; "": its branch's head */
	int64_t job_run; /* the newest run of a workflow that has reported its commit; 0: none */
	unsigned held;	       /* ENVIRONMENT_IS_ locked, frozen, in a window, at the last look */
	int64_t unknown_since; /* wall ms; not 0: what runs there is not known */
	char unknown_why[LIMIT_LINE];
};

/* How it waits in its environment's queue. */
struct deployment_wait {
	bool is_asked_anew; /* in its place: passed over until somebody has answered */
	int64_t queued_at;  /* wall ms; 0: it took no place yet */
	int64_t ci_since;   /* wall ms: it waits for CI alone; 0: it does not */
	char compared_live[LIMIT_COMMIT]; /* live when it took its place, or git compared */
	bool is_behind;			  /* its commit is an ancestor of compared_live */
	bool is_next_notified;		  /* that nobody is before it any more */
};

/* What probes have seen. */
struct deployment_look {
	char down_on[LIMIT_DOWN_ON]; /* at its health gate, that of its rollback or the probe behind
				      * its end some hosts alone failed: "h1 (1 of 2 hosts)"; else
				      * "" */
	int64_t at;		     /* wall ms of the newest probe behind its end; 0: none yet */
	char said[LIMIT_LINE];	     /* its answer, "does not answer: timed out"; "": healthy */
};

/* What it is spared, why, and who has looked at that. */
struct deployment_exempt {
	char exception[LIMIT_LINE];  /* why no freeze holds it; "": one may */
	char emergency[LIMIT_LINE];  /* why no approval, lock or freeze holds it; "": it is none */
	char reviewer[LIMIT_PERSON]; /* who has reviewed the emergency; "": nobody has */
	int64_t reviewed_at;	     /* wall ms: the emergency was reviewed; 0: it was not */
};

/* The row of work: what it is called by, who let it start, where it stands in its queue and its
 * life, and what became of it.  Lists, queues and messages show most of that of each work, and
 * indexes stand on it, so it has more than 40 members.  What only a question showed is struct
 * question (row_question.h), what only an action has is in row_action.h, what only an emergency or
 * an exception has in row_exempt.h: each is read where it is used. */
struct deployment {
	int64_t id; /* 0: none */
	char environment[LIMIT_ENVIRONMENT];
	enum program program; /* what it is for: PROGRAM_ROLLBACK was asked for by a person */
	enum trigger trigger;
	enum deploy_state state;
	enum deploy_why why;
	enum commit_source source;	   /* of commit */
	char commit[LIMIT_COMMIT]; /* "" until git has answered; of an upload: its SHA-256 */
	char image[LIMIT_IMAGE];   /* of commit, once it is known; "": none */
	char ref[LIMIT_REF];	   /* as asked for; "": the environment's branch; of a loan what
				    * its job's run is of: "push refs/heads/main 45f7076" */
	char subject[LIMIT_SUBJECT]; /* of a pipeline's run the words that it is given, of a loan
				      * what for, of an upload its file's name */
	char author[LIMIT_PERSON];
	bool is_force_push;
	bool is_off_branch;		  /* not in the environment's branch */
	bool is_again;			  /* asked for although it was live */
	enum commit_source previous_source;	  /* of previous */
	char previous[LIMIT_COMMIT];	  /* live when it started, to roll back to; "": none */
	char missing[LIMIT_LINE];	  /* submodules and LFS files that it is released without */
	char previous_image[LIMIT_IMAGE]; /* of previous; "": none */
	int64_t requested_by;		  /* a person's id; 0: github */
	char requester[LIMIT_PERSON];	  /* "@ada", "github:login(7)" */
	int64_t confirmed_by;	      /* the person who answered its question with yes; 0: nobody */
	char confirmer[LIMIT_PERSON]; /* name of confirmed_by; "": nobody */
	char binding[LIMIT_DIGEST];  /* of the list that may ship it (row_binding.h); "": any may */
	char changed[LIMIT_LINE];    /* why the question was asked anew; "": it was not */
	struct chat_address address; /* where it was asked for */
	int64_t request;      /* the platform's id of the message that asked for it; 0: none */
	int64_t message;      /* row of the message that shows it */
	int64_t also_message; /* row of one in TELEGRAM_CHAT_ID, if asked for elsewhere; 0: none */
	int64_t place;	      /* in its environment's queue, drawn from a counter; 0: none */
	char waits_for[LIMIT_RESOURCE]; /* "slot", "git", "ci", a claim's resource; "": its turn */
	struct deployment_wait wait;
	int64_t run;		     /* its newest run; 0: none yet */
	int attempts;		     /* runs ordered for the present program */
	int wave, waves; /* which of how many is in hand, or was last; 0: it is in none */
	bool target_changed;	     /* `==> release` was said: the target may have changed */
	bool cannot_roll_back;	     /* `==> no-rollback` was said, or a barrier is in the way */
	char barrier[LIMIT_BARRIER]; /* why nobody rolls back past its release; "": they may */
	bool is_past_barrier;	     /* of a rollback: a person wants it all the same; of a
				      * deployment: a question said what it passes (row_past.h) */
	char migration[LIMIT_STEP];  /* the last step of one that it has begun; "": it has not */
	bool drains;	    /* `==> drain-later` was said: what it replaced has connections */
	int64_t to_release; /* of a rollback: the release that it brings back */
	bool is_forward;    /* to_release is newer than what it leaves */
	struct deployment_look look;
	char without[LIMIT_WITHOUT]; /* hosts that a rollback leaves out where they do not answer,
				      * a comma between; "": none */
	char tree[LIMIT_COMMIT];     /* git's name of all files of its commit; of an upload the
				      * digest of its tree (lib/commit.h); "": not known */
	char urls[LIMIT_URL_LIST];   /* health URLs, comma list, as they were when it started */
	char detail[LIMIT_LINE];     /* why: the script's last line, the probe's failure.  Behind a
				    * line end, which neither has, why its rollback failed too */
	/* Of an action, what it is called by: which, with what, and to which client; "": to its
	 * environment itself. */
	char action[ACTION_NAME];
	char argument[ACTION_WORD];
	char client[ENVIRONMENT_CLIENT_MAX];
	bool is_to_be_asked; /* git's answer is followed by a question, and a yes brings the code */
	struct deployment_exempt exempt;
	bool is_unwitnessed;  /* something of it was done while the audit's witness was late */
	int64_t cancelled_by; /* a person; 0: nobody has */
	char untouched[LIMIT_UNTOUCHED]; /* git_answer.untouched, of git's last answer */
	char approvers[LIMIT_LINE];	 /* "@bob, @cy": whose approvals count; cut */
	char note[LIMIT_LINE];		 /* "develop has moved on to 1a2b3c4"; "" none */
	int64_t committed_at;		 /* wall ms each; 0: not yet, or not known */
	int64_t requested_at;
	int64_t answered_at; /* its question was, last; as requested_at where none was asked */
	int64_t started_at;
	int64_t ended_at;
};

/* What is known of the migration that a deployment began before its release. */
enum migration {
	MIGRATION_NONE,	       /* it began none */
	MIGRATION_CUT,	       /* how it ended is not known: it may be at work still */
	MIGRATION_NOT_STARTED, /* nothing of it ever ran */
	MIGRATION_STOPPED,     /* cut, and seen to be at work no more */
	MIGRATION_FAILED,      /* it ended by itself, with a status */
	MIGRATION_RAN,
};

enum run_end {
	RUN_OPEN,      /* it has not ended */
	RUN_SUCCEEDED, /* its script exited with 0 */
	RUN_FAILED,    /* its script failed, was killed or lost: in its last step */
};

struct step {
	char name[LIMIT_STEP];
	int64_t at; /* wall ms */
};

/* Somebody asked for it: a person, a token or a hook.  Else a branch moved. */
bool deployment_is_by_request(const struct deployment *deployment);

/* The requester of what git showed, and nobody is known to have pushed.  A word on disk. */
#define DEPLOYMENT_FOUND "git"
bool deployment_has_pusher(const struct deployment *deployment);

bool deployment_is_rollback(const struct deployment *deployment);

/* It changes nothing of what is live: neither a deployment nor a rollback. */
bool deployment_is_action(const struct deployment *deployment);

/* What a person must be allowed to do there to let it start. */
enum policy_action deployment_grant(const struct deployment *deployment);

bool deployment_is_emergency(const struct deployment *deployment);

/* Before all else in its queue: a rollback or an emergency. */
bool deployment_is_upload(const struct deployment *deployment);
bool deployment_stands_first(const struct deployment *deployment);

/* It is one that began, and nobody has reviewed it. */
bool deployment_awaits_review(const struct deployment *deployment);

/* An action that changes nothing. */
bool deployment_is_read(const struct deployment *deployment);

/* What its action is done to, as grants have it: client/acme, or its environment. */
const char *deployment_target(const struct deployment *deployment, char out[LIMIT_ENVIRONMENT]);
/* The same, for as long as the block in which it stands. */
#define deployment_target_here(of) deployment_target(of, (char[LIMIT_ENVIRONMENT]){ "" })

/* Its commit is what is live there, and nothing puts that in doubt. */
bool
deployment_runs_already(const struct deployment *deployment, const struct environment *environment);

/* Who confirmed it, where that is another one than who asked for it; "": nobody else. */
const char *deployment_confirmer(const struct deployment *deployment);

/* Who let it start: "@ada", whoever confirmed it or asked for it. */
const char *deployment_starter(const struct deployment *deployment);

/* Its release serves, and is watched, or would be: nothing of it runs any more. */
bool deployment_is_baking(const struct deployment *deployment);

/* The target was touched by it, or may have been: what is live on record is not what answers. */
bool deployment_is_changing(const struct deployment *deployment);

/* What was done there last failed half-way, or nobody knows how it ended: what is live on record
 * may not run. */
bool environment_is_in_doubt(const struct environment *environment);

/* A person has left a release there as it is: it is in doubt, and yet what runs is known. */
bool environment_is_left(const struct environment *environment);

/* Does the release on record run there, with that in progress (id 0: nothing)? */
bool environment_is_serving(const struct environment *environment, const struct deployment *active);

/* A push waits for the end of what holds it: its head is not what runs there. */
bool environment_push_waits(const struct environment *environment);

/* Is there a release to roll back to if it fails from now on? */
bool deployment_can_roll_back(const struct deployment *deployment);

/* Of an action in progress: does a cancel end its program? */
bool deployment_can_be_stopped(const struct deployment *deployment);

/* A question about it is open: nobody has answered it yet. */
bool deployment_is_asked(const struct deployment *deployment);

/* It is queued or in progress, and a cancel is not refused.  (A question has buttons.) */
bool deployment_may_be_cancelled(const struct deployment *deployment);

/* That person has asked for it, which no push does. */
bool deployment_is_of(const struct deployment *deployment, int64_t person);

/* It has not begun, and that person asked for it: whoever may ask for it may cancel it then. */
bool deployment_is_own_place(const struct deployment *deployment, int64_t person);

/* It failed, and what it began stands there. */
bool deployment_is_left_unhealthy(const struct deployment *deployment);

/* Behind its end it was looked at, and found unhealthy then, or healthy. */
bool deployment_is_looked_down(const struct deployment *deployment);
bool deployment_is_looked_well(const struct deployment *deployment);

/* It failed, nothing was rolled back, and it is down: a probe has said so. */
bool
deployment_is_left_down(const struct deployment *deployment, const struct environment *environment);

/* It left its environment down, or that was not known; and since then that is over. */
bool deployment_left_doubt(const struct deployment *deployment);
bool deployment_is_over(const struct deployment *deployment, const struct environment *environment);

/* A run of it has said which image it ships.  Not noted of a run that brings back what was
 * live before: that is another release's.  Nor is a release that is rolled back to ever given
 * another. */
void deployment_take_image(struct deployment *deployment, const char *image);

/* A step `previous target:WORD`: what ran before deploybot, of which the target keeps WORD.  It
 * counts where there is no other release to roll back to, and before the target changes. */
void deployment_take_previous(struct deployment *deployment, const char *step);

/* A step of a migration: `migrate` begins it, and what counts is what was said last.  Before the
 * target changes, and of a deployment. */
void deployment_take_migration(struct deployment *deployment, const char *step);

enum migration deployment_migration(const struct deployment *deployment);
enum migration deployment_migration_of(const char *step);

/* Of one that FAILED: its status, digits; "": it said none. */
const char *deployment_migration_status(const struct deployment *deployment);

/* Its rollback failed as well: why stands behind what its release failed of, which is kept whatever
 * length either has.  how: ROLLBACK_ITSELF, ROLLBACK_BEHIND.  And what of that is the release's;
 * both in one line, for what does not make one of it as a chat does. */
#define ROLLBACK_ITSELF "the rollback: "
#define ROLLBACK_BEHIND "after the rollback: "
void
deployment_add_rollback_failure(struct deployment *deployment, const char *how, const char *detail);
const char *deployment_release_failure(const struct deployment *deployment, char out[LIMIT_LINE]);
const char *deployment_detail(const struct deployment *deployment, char out[LIMIT_LINE]);

/* Would it be rolled back to what ran before deploybot, of which no commit is known? */
bool deployment_is_back_to_target(const struct deployment *deployment);

/* Was it rolled back to the commit that it brought, which was live already? */
bool deployment_is_back_to_itself(const struct deployment *deployment);

/* A first release that failed, and nothing of it runs, as a step `nothing-runs` of its run says. */
bool deployment_is_undone(const struct deployment *deployment, const struct step *steps, size_t n);

/* The service that a step `stays-old SERVICE` names ([A-Za-z0-9][A-Za-z0-9._-]*): it has the
 * release's image, and the release did not replace it.  NULL: another step. */
const char *deployment_stays_old(const char *step);

/* The hosts that steps `unreachable HOST` name: they did not answer, so a rollback did not begin,
 * or has left them out.  Each once, a comma between, as far as they fit; returns ret. */
const char *deployment_unreachables(const struct step *steps, size_t n, char ret[LIMIT_WITHOUT]);

/* A step: behind the gate its script's `drain.sh` removes what is old. */
#define DEPLOYMENT_CLEAN_LATER "clean-later"

/* Of which releases a step `removed WORD` says that they can no longer be rolled back to: the first
 * 32 digits or more of a commit, or of an image behind `sha256:`.  NULL: another step. */
const char *deployment_removed(const char *step);

/* Is a step none of its work, but a note to the server? */
bool deployment_is_note(const char *step);

/* Which of n steps its run came to, notes aside; n: none. */
size_t deployment_last_step(const struct step *steps, size_t n);

const char *trigger_word(enum trigger trigger);

/* A state as the label of a metric, which has no blanks: "rolled_back". */
void deployment_outcome_label(enum deploy_state state, char ret[LIMIT_ENVIRONMENT]);
