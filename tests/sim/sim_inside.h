/* sim_inside.h - the simulated world, as the files of this folder share it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db.h"
#include "lib/text.h"
#include "store/store.h"
#include "store/store_ids.h"
#include "tests/sim/sim.h"
#include "types/api.h"
#include "types/pipeline.h"
#include "types/request.h"
#include "types/update.h"

#define SIM_APPLICATIONS 51 /* the one without a name, and fifty that have one */
#define SIM_CLIENT	 (2 * SIM_APPLICATIONS) /* the target of an action alone */
#define SIM_ENVIRONMENTS (SIM_CLIENT + 1)
#define SIM_COMMITS	 1280
#define SIM_ARCHIVES	 64
#define SIM_LATERS	 32768
#define SIM_OPEN	 768 /* effects handed out and not reported */
#define SIM_UPDATES	 16384
#define SIM_PRESSES	 512
#define SIM_DELIVERIES	 1280
#define SIM_POSTS	 32768
#define SIM_PROCESSES	 4096
#define SIM_DEPLOYMENTS	 4096
#define SIM_TRACE	 96

#define SIM_ADMIN	 11
#define SIM_OTHER	 22 /* an admin, as long as the settings say so */
#define SIM_STAGING	 33
#define SIM_CONTRACTOR	 44    /* may deploy to shop/staging, for a while */
#define SIM_LEAD	 55    /* may approve, as long as the settings say so */
#define SIM_SECOND	 66    /* the same */
#define SIM_BEARER	 13001 /* has a role of each application's own file, and only reads */
#define SIM_STRANGER	 99
#define SIM_UID_GAMES	 5  /* SIM_ADMIN on the machine; as every Debian has them */
#define SIM_UID_MAN	 6  /* an admin there, as long as the settings say so */
#define SIM_UID_WWW_DATA 33 /* may deploy to staging */
#define SIM_UID_BACKUP	 34 /* nobody */
/* Root as each of them, by their rows, which are there from the start. */
#define SIM_ROOT_AS_ADMIN   principal_of_row(PRINCIPAL_USER, 1)
#define SIM_ROOT_AS_STAGING principal_of_row(PRINCIPAL_USER, 2)
/* The role bearer of shop deploys to shop/staging, that of each other application may all there. */
#define SIM_UID_PROXY	   13
#define SIM_ROOT_AS_BEARER principal_of_row(PRINCIPAL_USER, 3)
#define SIM_TOKEN	   principal_of_token(1) /* made by root */
#define SIM_WORKFLOW	   principal_of_row(PRINCIPAL_WORKFLOW, 4)
#define SIM_MONA	   "mona" /* SIM_OTHER at the forge */
#define SIM_TOKEN_KEY	   "a-key-of-tokens-that-is-long-enough-7"

#define SIM_TOKEN_TEXT "deploybot_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define SIM_TEAM  INT64_C(-1001) /* TELEGRAM_CHAT_ID */
#define SIM_GROUP INT64_C(-1002)

struct sim;

/* --- sim.c: clock, chance, trace --- */

typedef void sim_fn(struct sim *sim, int64_t a, int64_t b);

struct sim_later {
	int64_t at;
	uint64_t order;
	unsigned life; /* of the server whose memory it is in; 0: it is the world's */
	sim_fn *fn;
	int64_t a;
	int64_t b;
};

/* What a history is like. */
enum sim_day {
	SIM_DAY_ANY,
	SIM_DAY_SEVERAL, /* the same, with several applications */
	SIM_DAY_CROWDED, /* these, people who want the same, and little goes wrong */
	SIM_DAY_CALM,	 /* little goes wrong: release after release */
	SIM_DAY_COUNT
};

/* --- sim_forge.c --- */

struct sim_delivery {
	struct sim *sim;
	char id[24];
	uint8_t digest[32]; /* the body's */
	int branch;
	char after[LIMIT_COMMIT];
	char login[24];
	int64_t last_work; /* when it was sent: its sender may be named for what waited then */
};

/* --- sim_blocks.c --- */

#define SIM_BLOCKS 512

struct sim_block {
	int environment;
	int commit; /* as sim_forge_index() has it */
	int64_t when;
	uint32_t since; /* the decision that blocked it */
};

struct sim_blocks {
	size_t n;
	struct sim_block at[SIM_BLOCKS];
};

struct sim_push {
	int branch;
	int commit;
	uint32_t heard_at;   /* the decision on what says so; 0: none yet */
	uint32_t came_after; /* at the earliest: that one, or on which git said so of another */
};

/* Somebody said yes to that work below a text that names this commit. */
struct sim_shown {
	int64_t work;
	int commit;
	uint32_t at; /* in that decision */
};

/* --- sim_chat.c --- */

#define SIM_UPDATE_KEPT_MS INT64_C(86400000) /* by Telegram; a machine may sleep for longer */

/* What stood above a button when it was pressed. */
struct sim_press {
	int64_t update;
	char button[LIMIT_BUTTON_ID];
	char text[LIMIT_MESSAGE];
};

struct sim_update {
	struct sim *sim;
	int64_t id;
	int64_t at;
	enum update_kind kind;
	int64_t person;
	int64_t chat;
	int64_t thread;
	int64_t new_chat;
	char text[96];
	char button[LIMIT_BUTTON_ID];
	int64_t reply_to;
	char archive[LIMIT_DIGEST]; /* that it stands under; "": none */
	bool is_in_progress;
	bool is_acknowledged;
	bool is_dropped; /* nobody took it for too long: acknowledged by nobody */
};

/* A message as its readers see it. */
struct sim_post {
	int64_t chat;
	int64_t remote_id;
	int64_t row;
	char *text;
	struct buttons buttons;
	bool is_deleted;
	bool is_unanswered; /* its id has reached no decision */
};

/* --- sim_waves.c --- */

#define SIM_FLEETS 2 /* staging and production of the application without a name */
#define SIM_HOSTS  6 /* of each */
#define SIM_RESULTS 512 /* bytes of what was said of them */

struct sim_host {
	char runs[LIMIT_COMMIT]; /* "": nothing */
	int64_t run;		 /* that is at work there; 0: none */
	int64_t touched_by;	 /* the deployment that has begun with it last */
	char before[LIMIT_COMMIT]; /* what it ran then */
	bool is_sure;		   /* ... and its row said so */
	int64_t released_by;	   /* the deployment whose release it has said to have */
};

struct sim_wave_host {
	int host;
	char to[LIMIT_COMMIT];
	char had[LIMIT_COMMIT]; /* when it was begun with */
	enum { SIM_HOST_WAITS, SIM_HOST_BEGUN, SIM_HOST_DONE } is;
};

/* Of a run that is for some hosts. */
struct sim_wave {
	bool is_set;
	int number, waves; /* 0: it brings hosts back */
	int most, failed;  /* hosts */
	bool is_refused;   /* one that answers was not brought back */
	bool is_of_person; /* who brings all of them to one release */
	int n;
	struct sim_wave_host of[SIM_HOSTS];
	bool is_file_gone; /* runs/ID/results */
	int n_said, n_told;
	struct sim_host_said {
		int host;
		enum host_word word;
	} said[2 * SIM_HOSTS];
};

/* --- sim_run.c --- */

enum sim_phase {
	SIM_AT_GATE,
	SIM_ALIVE,
	SIM_ENDED, /* its record is there */
};

#define SIM_STEPS 8
#define SIM_SCRIPT_TOUCHES_NOTHING 99 /* it ends at its next step */

struct sim_process {
	struct sim *sim;
	int64_t run;
	int64_t deployment;
	int environment;
	enum program program;
	char commit[LIMIT_COMMIT];
	char previous[LIMIT_COMMIT];
	char image[LIMIT_IMAGE]; /* that it has said; "": none yet */
	enum sim_phase phase;
	unsigned link; /* the server's life that follows it; 0: none */
	int server;	/* whose machine it is on (sim_two.h) */
	bool is_remote; /* sim_remote.c has it */
	bool has_supervisor;
	bool is_reconciling;
	bool is_gone;	 /* its folder: nobody finds it any more */
	bool is_abandoned; /* a person no longer waits for it */
	bool was_opened; /* its gate */
	int n_steps;
	const char *steps[SIM_STEPS];
	int n_told; /* by this link */
	bool said_hello;
	bool lost_told;
	int script; /* where in its program it is */
	struct sim_wave wave;
	struct run_ended record;
};

struct sim_target {
	char runs[LIMIT_COMMIT];   /* "": nothing */
	char before[LIMIT_COMMIT]; /* what still answers until then */
	int64_t answers_at;
	char drains[LIMIT_COMMIT]; /* beside what runs; "": nothing */
	int64_t drains_of;	   /* the deployment that has left it; 0: it is taken over */
};

/* --- sim_server.c --- */

struct sim_open {
	struct effect *effect; /* NULL: a free place */
	bool is_sent;	       /* SEND_MESSAGE: Telegram may have it */
	int lane;	       /* SEND_MESSAGE: the lane that handed it out */
	bool stop_requested;   /* RUN */
	bool was_ordered;
	int tries;
	int passes[PROBE_TARGETS_MAX]; /* PROBE */
	int failures[PROBE_TARGETS_MAX];
	bool is_restless; /* its answers come and go for ever */
	int64_t until;
};

/* --- sim_told.c --- */

/* A message about a work to somebody who did not ask for it. */
struct sim_told {
	int64_t work;
	int64_t message;
	int64_t chat;
	int environment;
	bool is_batch; /* beside others of its push, and no more once it goes on */
};

/* What was looked at when it was asked then; 0: when it ended. */
struct sim_told_check {
	int64_t work;
	int64_t at;
};

/* --- sim_approvals.c --- */

struct sim_asked {
	int64_t work;
	int64_t person;
};

/* Some work as it is when somebody says something of it. */
struct sim_yes {
	int64_t work;
	int64_t person;
	int environment;
	char commit[LIMIT_COMMIT];
	char program[16];
	char live[LIMIT_COMMIT];  /* there, now */
	char shown[LIMIT_COMMIT]; /* there, as they were shown it */
	char list[LIMIT_DIGEST];  /* that would ship it, as they were shown it */
	char action[80];	  /* executor, action, client, argument; "": it is none */
	char client[16];
	bool is_requested; /* by /request */
	int64_t confirmed_by;
	bool is_awaiting; /* approvals */
};

/* A code that was taken: in that step of thirty seconds, by this update; a recovery code's is below
 * zero. */
struct sim_spent {
	int64_t person;
	int64_t step;
	int64_t by;
	char code[8];
};

/* What is remembered of some work by what was decided on. */
struct sim_work {
	bool is_code_due;		   /* it needed a code when it was asked for */
	bool is_cleared;		   /* ... and had one, or needed none at its answer */
	bool is_paid;			   /* when it was asked for, or ... */
	bool are_minutes_paid;		   /* ... when it ended */
	bool is_reviewed;		   /* by who may */
	bool is_lost;			   /* git has said that its commit is no more */
	bool is_away;			   /* ... or nothing, when it was asked last */
	const char *holds;		   /* a folder of a host, or NULL */
	char confirmed_list[LIMIT_DIGEST]; /* that its question had; "": none */

	int job;	  /* that has asked for it, its index + 1; 0: none */
	int rule;	  /* by which GitHub has, its index + 1; 0: none */
	bool is_answered; /* ... and GitHub knows how that has ended, or has closed it */
	int64_t heard_at; /* of a gate: by that job, or a start */
	int64_t opened_at;
	bool is_seen; /* that it is open, by its job */
	bool is_well; /* it has ended so */
	int token;    /* of a loan: that Vault has said it made, its index + 1; 0: none */
	bool is_kept; /* ... and that the loop has it */
	int words;    /* ... by which its job was known: 1 wide, 2 narrow; 0: no job has asked */
	bool is_lent; /* ... until it was decided that its job has it */

	/* For some hosts, a bit for each: */
	bool has_plan, was_asked;
	bool is_own;	  /* what is live comes to those that do not run it */
	unsigned shown;	  /* when somebody was asked, or it began */
	unsigned ordered; /* released to, or about to be */
	unsigned gone;	  /* the others that were none of its hosts any more, at some time */
	unsigned revoked; /* of these: no agents any more, at some time */
};

/* ... and by whom, as it was committed last. */
struct sim_memory {
	size_t n_asked;
	size_t n_yes;
	size_t n_spent;
	size_t n_told;
	size_t n_told_checks;
	size_t n_due;
	size_t n_works;
	struct sim_work works[SIM_DEPLOYMENTS];
};

/* --- sim_jobs.c --- */

#define SIM_JOBS 2048

struct sim_job {
	struct sim *sim;
	/* GATE, PUSH, COMMAND, SECRET; ANSWER: what is none of its business */
	enum api_operation asks;
	int environment, branch, commit, run, attempt;
	int check_run; /* 0: its token does not say */
	int n_asked;
	int64_t work;	  /* its gate; 0: it does not know it yet */
	bool is_open;	  /* as it has read */
	bool is_over;	  /* it asks for nothing any more */
	bool is_accepted; /* its push, as it was answered; and as it was decided on */
	bool may_push;
	bool is_found; /* git has answered for it, or a newer head came */
	int64_t over_at; /* SECRET: its forge says that it is over then; 0: it is not */
};

/* --- sim_loans.c: tokens that Vault has made, by their accessor --- */

#define SIM_TOKENS 4096

struct sim_token {
	int64_t work;
	int64_t kept_until; /* the loop has it so long; 0: it does not */
	int64_t until;	    /* its life is over then */
	bool is_given;
	bool is_used; /* by whoever was given it */
	bool is_revoked;
};

/* --- sim_rules.c: jobs that GitHub keeps at gates of its own --- */

#define SIM_RULES 1024

enum sim_rule_is { SIM_RULE_WAITS, SIM_RULE_GOES_ON, SIM_RULE_REJECTED, SIM_RULE_CLOSED };

struct sim_rule {
	struct sim *sim;
	int environment, branch, commit, run, attempt;
	int64_t at;	 /* GitHub asked then */
	int64_t over_at; /* its run was over then; 0: it is not */
	enum sim_rule_is is;
	bool is_known; /* the server has taken it */
};

/* --- sim_ci.c: runs of a workflow, by their number --- */

#define SIM_RUNS 1024

struct sim_ci {
	int branch, commit;
	int attempt, rank, conclusion;
	uint32_t greens;		/* attempts that have succeeded: a bit each */
	int known_attempt, known_rank;	/* as the server has acknowledged it; 0: not at all */
};

/* --- sim_opa.c --- */

/* What OPA has said of some work last, and of what. */
struct sim_opa {
	enum opa_verdict verdict;
	int64_t at;
	bool is_start;
	char commit[LIMIT_COMMIT], live[LIMIT_COMMIT];
};

/* A delivery that says how one stands. */
struct sim_ci_said {
	struct sim *sim;
	int64_t run;
	int attempt, rank;
};

/* --- sim_pipelines.c: runs that we begin, by their number --- */

#define SIM_DISPATCHES 512
#define SIM_ATTEMPTS   16

struct sim_dispatch {
	int environment;
	char nonce[PIPELINE_NONCE]; /* that its title has; "": none */
	int attempt, rank, conclusion;
	int64_t works[SIM_ATTEMPTS]; /* that have begun each attempt */
	int64_t at;		     /* its last one began then */
	uint32_t greens;	     /* attempts that have succeeded: a bit each */
	bool is_stopped;
	bool is_deleted;
};

/* A line: from its " nonce=" on. */
struct sim_accepted {
	const char *nonce;
	int64_t person;
};

/* --- sim_witness.c: what the buckets outside have --- */

#define SIM_BUCKETS 2

struct sim_object {
	int64_t first, last;
	char head[LIMIT_AUDIT_HEAD];
	bool is_said_taken; /* the server was told that its name is somebody else's */
};

struct sim_bucket {
	struct sim_object *objects;
	size_t n;
	int64_t stored;	       /* entries, from the first on */
	uint8_t (*hashes)[32]; /* of each */
	int64_t confirmed;     /* so many the server called that, when it was looked at last */
};

struct sim_witness {
	struct sim_bucket buckets[SIM_BUCKETS];
	int64_t away_until;
	bool refuses; /* while it is away; else what comes there is not answered */
};

/* --- sim_cloudflare.c: levels are indexes of its own list --- */

struct sim_zone {
	int level;
	int base;	       /* before we set it last */
	int read;	       /* as it was called last while it was not ours */
	bool is_ours;	       /* so it is under attack */
	int64_t refused_until; /* the token was revoked */
};

/* --- sim_notify.c --- */

#define SIM_NOTIFIED_NAMES 3
#define SIM_NOTIFIED	   8192

/* A message to one of them, by its effect. */
struct sim_notified {
	int64_t effect, work;
	int64_t n; /* so many its summary says; 0: it is none */
	int name;
	char key[40], word[16];
	bool is_open;  /* its row is there */
	bool is_taken; /* it has come there */
	bool is_sent;  /* ... and the server was told so */
};

/* An end of which that one has to be notified. */
struct sim_notify_due {
	int64_t work;
	int name;
};

struct sim_notify {
	size_t n, n_due;
	struct sim_notified at[SIM_NOTIFIED];
	struct sim_notify_due due[3 * SIM_DEPLOYMENTS];
	int64_t last[SIM_NOTIFIED_NAMES]; /* the effect that came there last */
};

/* A rollback that nobody has seen, at the last commit. */
struct sim_unseen {
	int64_t work; /* 0: there is none */
	int64_t n_nags;
	int64_t release;	    /* that was live */
	bool is_wanted, was_wanted; /* by the settings; and at the commit before */
	int64_t paused;		    /* the work that is; 0: none */
};

enum sim_says { SIM_SAYS_NOTHING, SIM_SAYS_YES, SIM_SAYS_NO, SIM_SAYS_BACK };

struct sim {
	uint64_t seed;
	uint64_t x;
	struct sim_totals *totals;

	int64_t now; /* wall ms */
	uint64_t order;
	size_t n_laters;
	struct sim_later laters[SIM_LATERS];
	bool is_resting;
	enum sim_day day;
	bool is_unlocked;   /* ... and no lock or freeze is left but what is over */
	bool is_many;	    /* applications with names; else the one without */
	bool at_gitlab; /* its one repository is there */
	int n_applications; /* that have one */
	int n_environments; /* of the first ones, so many are played */
	int happenings_left;

	size_t n_trace;
	char trace[SIM_TRACE][200];

	/* the server */
	struct store *store; /* NULL: it is down */
	unsigned life;
	bool is_turn_due;
	int variant; /* of the settings, as they are on disk */
	int loaded;  /* as the server has them */
	struct queue_list events;
	size_t batch; /* events that were decided on together last */
	struct store_ids ids; /* as they were committed last */
	struct sim_open open[SIM_OPEN];
	bool is_full;	 /* the disk, in this batch */
	bool is_failing; /* one handler, in this batch */
	bool is_dying;	 /* a handler has killed it, in this batch */
	char cursed[40]; /* the id of the event that does; "": none yet */
	bool was_quarantined;
	bool files_refused;
	int n_sleeps;	    /* of the machine */
	bool is_copy;	    /* no run has a folder here: serve --restored */
	bool is_distrusted; /* in this batch that was handled */
	int n_planned;	    /* faults that are still to be told */
	struct db *eyes;    /* sees what is committed, and nothing else */

	/* the chat */
	bool is_polling;
	bool is_poll_in_progress;
	int64_t away_until;
	int64_t next_update;
	int64_t next_remote;
	size_t n_updates;
	size_t first_open_update;
	struct sim_update updates[SIM_UPDATES];
	size_t n_presses;
	struct sim_press presses[SIM_PRESSES]; /* the last ones */
	size_t n_posts;
	struct sim_post posts[SIM_POSTS];
	int64_t moving; /* the chat that gets another id */
	int64_t moved;	/* that id; 0: not yet */
	bool is_topic_gone;
	bool is_dead;	  /* SIM_GROUP threw the bot out */
	bool never_wrote; /* SIM_SECOND, in private */

	/* the forge */
	int n_commits;
	int n_archives;
	char commits[SIM_COMMITS + SIM_ARCHIVES][LIMIT_COMMIT]; /* ... and archives */
	int head[SIM_ENVIRONMENTS];	      /* of develop and main of each repository */
	int shown[SIM_ENVIRONMENTS];	      /* what git shows in its place ... */
	int64_t lags_until[SIM_ENVIRONMENTS]; /* ... until then */
	size_t n_deliveries;
	struct sim_delivery deliveries[SIM_DELIVERIES];

	/* runs and targets */
	bool is_runner_away;
	int64_t n_abandoned;
	size_t n_processes;
	struct sim_process processes[SIM_PROCESSES];
	struct sim_target targets[SIM_ENVIRONMENTS];
	struct sim_host hosts[SIM_FLEETS][SIM_HOSTS];
	bool has_waves; /* something was released in some */
	int waves_of[SIM_DEPLOYMENTS];
	int wave_cut[SIM_DEPLOYMENTS]; /* whose run was stopped or lost; 0: none */
	int settings_edited[SIM_ENVIRONMENTS]; /* so often, of what its runner reads there */
	int hooks_edited[SIM_ENVIRONMENTS];

	int64_t n_local; /* requests on the machine */
	size_t n_jobs;
	struct sim_job jobs[SIM_JOBS];
	size_t n_dispatches;
	struct sim_dispatch dispatches[SIM_DISPATCHES];
	bool may_run[SIM_DEPLOYMENTS]; /* GitHub was asked to begin it, and has not said no */
	size_t n_rules;
	struct sim_rule rules[SIM_RULES];
	int64_t n_ci;
	struct sim_ci ci[SIM_RUNS];
	int64_t reported[SIM_ENVIRONMENTS]; /* the effect that GitHub was told last by */
	struct sim_opa opa[SIM_DEPLOYMENTS];
	bool is_shown[SIM_DEPLOYMENTS];	    /* GitHub shows that it is in progress */
	bool is_untold[SIM_DEPLOYMENTS]; /* it is active no more, and nobody could tell that */
	size_t n_ci_said;
	struct sim_ci_said ci_said[16 * SIM_RUNS];

	/* who asked for what, and who approved it as what: never forgotten */
	size_t n_asked;
	struct sim_asked asked[2 * SIM_DEPLOYMENTS];
	size_t n_yes;
	struct sim_yes yes[SIM_DEPLOYMENTS];
	size_t n_told;
	struct sim_told told[8 * SIM_DEPLOYMENTS];
	size_t n_told_checks;
	struct sim_told_check told_checks[4 * SIM_DEPLOYMENTS];

	size_t n_tokens;
	struct sim_token tokens[SIM_TOKENS];
	struct sim_zone zone;
	struct sim_notify notify;
	struct sim_witness witness;
	struct sim_accepted accepted[SIM_DEPLOYMENTS]; /* at rest */

	size_t n_spent;
	struct sim_spent spent[SIM_DEPLOYMENTS];

	uint32_t n_decisions; /* counted on, whatever becomes of them */
	struct sim_blocks blocks;
	size_t n_pushes;
	struct sim_push pushes[SIM_DELIVERIES];
	uint32_t head_shown_at[SIM_ENVIRONMENTS]; /* by git, of each branch */
	size_t n_shown;
	struct sim_shown shown_blocks[SIM_DEPLOYMENTS];
	/* ... as it was committed last */
	struct sim_blocks committed_blocks;
	uint32_t committed_at;
	size_t committed_shown;

	/* what the invariants remember */
	struct sim_work works[SIM_DEPLOYMENTS];
	struct sim_memory committed;
	int64_t settled_below;
	uint8_t ended_as[SIM_DEPLOYMENTS]; /* state + 1; 0: not yet */
	bool has_begun[SIM_DEPLOYMENTS];
	bool was_barred;				 /* what failed: told once */
	bool has_waited;				 /* for what another held: told once */
	char ran_before[SIM_DEPLOYMENTS][LIMIT_COMMIT];	 /* on its target, when it began */
	char queued_over[SIM_DEPLOYMENTS][LIMIT_COMMIT]; /* live when it was first queued */
	bool was_queued[SIM_DEPLOYMENTS];
	bool has_passed[SIM_DEPLOYMENTS]; /* its health gate */
	bool was_unknown[SIM_ENVIRONMENTS];
	char first_polled[SIM_ENVIRONMENTS][LIMIT_COMMIT]; /* that the first poll only remembered */
	struct sim_unseen unseen[SIM_ENVIRONMENTS];
	int64_t had_release[SIM_ENVIRONMENTS];
	int64_t walked[SIM_ENVIRONMENTS]; /* the release that `way` ends with */
	size_t n_way[SIM_ENVIRONMENTS];	  /* what ran there, without what was rolled back */
	int way[SIM_ENVIRONMENTS][SIM_DEPLOYMENTS]; /* ... as an index of commits */
	int64_t asked_over[SIM_DEPLOYMENTS];	    /* that release + 1; 0: not yet, -1: unclear */
	bool is_astray[SIM_ENVIRONMENTS];	    /* from here on that cannot be said any more */
	bool came_back[SIM_ENVIRONMENTS];	    /* by a rollback */
	/* rolled back, and not live since */
	bool was_fled[SIM_ENVIRONMENTS][SIM_COMMITS + SIM_ARCHIVES];
	bool has_word[SIM_DEPLOYMENTS];		      /* its script said that it is well */
	bool has_word_of_wave[SIM_DEPLOYMENTS];	      /* of the wave whose run ended last */
};

extern const char *sim_environments[SIM_ENVIRONMENTS];
extern const char *sim_applications[SIM_APPLICATIONS];
extern const char *const sim_buckets[SIM_BUCKETS];

int sim_environment(const char *name);
/* The branch of an environment: the index of its head.  Two applications share a repository. */
int sim_branch(int environment);
const char *sim_branch_name(int branch);
/* One of those that the history has; mostly the first. */
int sim_application(struct sim *sim);
uint32_t sim_draw(struct sim *sim, uint32_t below);
bool sim_one_in(struct sim *sim, uint32_t n);
/* Mostly soon, seldom late: ms between least and most. */
int64_t sim_delay(struct sim *sim, int64_t least, int64_t most);
/* In that many ms; life 0: whatever becomes of the server. */
void sim_later(struct sim *sim, unsigned life, int64_t delay_ms, sim_fn *fn, int64_t a, int64_t b);
void sim_trace(struct sim *sim, const char *fmt, ...) PRINTF(2, 3);
void sim_note(struct sim *sim, enum sim_fault fault);
/* The simulator's own doing failed. */
#define sim_must(ok, what) ((ok) ? (void)0 : sim_ends(what))
_Noreturn void sim_ends(const char *what);
/* An invariant is broken: tells all about it and ends the program. */
void sim_fail(struct sim *sim, const char *invariant, const char *fmt, ...) PRINTF(3, 4)
    __attribute__((noreturn));

/* --- sim_settings.c --- */

#define SIM_VARIANTS		20
#define SIM_ASKS_AND_NEEDS_CODE 4 /* about each deployment to staging */
#define SIM_NEEDS_CODE		5
#define SIM_FEW			8 /* applications of most variants that have some */
int sim_settings_draw(struct sim *sim);
int sim_settings_draw_poor(struct sim *sim); /* often one in which an admin alone has a role */
int sim_settings_holder(int variant);	     /* the application that has the shared folder */
bool sim_settings_may_lack(int application); /* in one of the variants */
void sim_settings_begin(const char *folder);
void sim_settings_play(const struct sim *sim); /* at its forge from now on */
void sim_settings_end(void);
struct settings *sim_settings_get(int variant); /* borrowed */
/* Known here by a table of its own, not by the policy. */
enum sim_role { SIM_NOBODY, SIM_MAY_DEPLOY, SIM_MAY_ALL };
enum sim_role
sim_settings_role(const struct settings *settings, int64_t person, int environment, int64_t at);
/* Does the workflow have gates there? */
bool sim_settings_may_gate(const struct settings *settings, int environment);
bool sim_settings_has_workflow(const struct settings *settings);
#define SIM_LINE   160 /* bytes of a line of the settings */
#define SIM_OF_ONE 9   /* variants of the application without a name */
int sim_settings_variant(const struct settings *settings);
/* --- sim_settings_loans.c --- */
#define SIM_SECRETS 2 /* the first is lent to a staging, the other one to a production */
extern const char *const sim_secrets[SIM_SECRETS];
int sim_settings_lent_to(bool is_many, int secret); /* to that environment */
bool sim_settings_is_narrow(int variant); /* the line of its workflow */
/* Is its workflow lent what is for that environment? */
bool sim_settings_may_lend(const struct settings *settings, int environment);
/* Is there a secret of that environment? */
bool sim_settings_lends(const struct settings *settings, int environment);
/* Its lines, and behind `may` what it grants the workflow; returns how many lines. */
size_t sim_settings_add_loans(int variant, char room[][SIM_LINE], char may[SIM_LINE]);
int sim_settings_approvals_of_loan(const struct settings *settings, int environment);
/* May they see what is queued there? */
bool
sim_settings_may_look(const struct settings *settings, int64_t person, int environment, int64_t at);
/* May they approve what others ask for there? */
bool sim_settings_may_approve(
    const struct settings *settings, int64_t person, int environment, int64_t at);
/* How many must. */
int sim_settings_approvals(const struct settings *settings, int environment, bool is_rollback);
/* A chat for all; else each is told in private. */
bool sim_settings_has_group(const struct settings *settings);
int sim_settings_approvals_of_solo(const struct settings *settings); /* an action there */
const char *sim_settings_codes(int variant); /* REQUIRE_OTP; NULL: it is not set */
/* Does REQUIRE_OTP name it?  program: "approve" too; action: of that program, else "". */
bool sim_settings_needs_code(
    const struct settings *settings, const char *program, const char *action, int environment);
/* The end of the window of the settings in which that is; 0: it is in none. */
int64_t sim_settings_frozen_until(const struct settings *settings, int environment, int64_t at);
/* When all windows of that week are over. */
int64_t sim_settings_windows_end(int64_t at);
/* The bucket that gets the audit; NULL: none.  ret_minutes (may be NULL): how late it may be; 0: as
 * late as it is. */
const char *sim_settings_witness(const struct settings *settings, int64_t *ret_minutes);
/* The folder of a host that it is released to; NULL: its own alone. */
const char *sim_settings_folder(const struct settings *settings, int environment);

/* --- sim_server.c --- */

void sim_server_new(struct sim *sim);	   /* a database of its own, and the first start */
void sim_server_free(struct sim *sim);
struct event *sim_server_event(struct sim *sim, enum event_kind kind);
void sim_server_submit(struct sim *sim, struct event *event);
/* The open effect; NULL: it is gone. */
struct sim_open *sim_server_find(struct sim *sim, int64_t effect);
struct sim_open *sim_server_find_run(struct sim *sim, int64_t run);
/* Its result, as filled in effect->result. */
void sim_server_report(struct sim *sim, struct sim_open *open);
/* Nothing can go wrong with it. */
void sim_server_report_soon(struct sim *sim, const struct effect *effect);
/* Ends it at once, and starts it again after a while. */
void sim_server_cut(struct sim *sim, bool is_host);
void sim_server_reload(struct sim *sim, int variant);
bool sim_server_project(struct sim *sim); /* files, as when it is idle; false: not all */
void sim_server_poll(struct sim *sim);	  /* the poll and the look at locks come now */
bool sim_server_is_idle(struct sim *sim);
const char *sim_server_audit_path(void);
const char *sim_server_poison_path(void);
const char *sim_server_path(void);
const char *sim_server_environments_path(void);

/* --- sim_disk.c --- */

void sim_disk_refuses(struct sim *sim); /* files beside the database, for a while */
void sim_disk_heals(struct sim *sim);
void sim_disk_heals_behind(void);     /* … once the program that played the history is dead */
void sim_disk_tears(struct sim *sim); /* the audit file, when it is killed */
/* True: this event's handler kills the program, so nothing of this batch happens. */
bool sim_disk_kills(struct sim *sim, const struct event *event);
void sim_disk_is_dead(struct sim *sim);

/* --- sim_chat_say.c --- */

void sim_chat_say(struct sim *sim, struct sim_open *open);
/* One in hand says that now, or nothing any more. */
void sim_chat_change(struct sim *sim, struct effect *as);
void sim_chat_delete(struct sim *sim, struct sim_open *open);
void sim_chat_toast(struct sim *sim, struct sim_open *open);
void sim_chat_document(struct sim *sim, struct sim_open *open);
void sim_chat_cut(struct sim *sim); /* requests in flight may still arrive */
const struct sim_post *sim_chat_find(const struct sim *sim, int64_t chat, int64_t remote_id);
bool sim_chat_is_reachable(const struct sim *sim, int64_t chat);

/* --- sim_chat.c --- */

void sim_chat_new(struct sim *sim);
void sim_chat_free(struct sim *sim);
/* In a chat of their own. */
void sim_chat_type(struct sim *sim, int64_t person, const char *text);
/* A reply to the newest message there with these words; false: there is none. */
bool sim_chat_reply(struct sim *sim, int64_t person, const char *words, const char *text);
/* The newest button there with these words; false: there is none. */
bool sim_chat_press(struct sim *sim, int64_t person, const char *words);
/* The newest with these words that is shown anywhere: in private it is pressed by its person. */
bool sim_chat_press_anywhere(struct sim *sim, int64_t person, const char *words);
void
sim_chat_press_button(struct sim *sim, int64_t person, int64_t chat, const struct button *button);
/* In that one. */
void sim_chat_type_in(struct sim *sim, int64_t person, int64_t chat, const char *text);
void sim_chat_send_archive(
    struct sim *sim, int64_t person, const char *environment, const char *archive);
sim_fn sim_chat_question_is_answered;				      /* a: by whom */
void sim_chat_sent(struct sim *sim, const struct message_sent *sent); /* this is decided on */
void sim_chat_up(struct sim *sim); /* the server is there again */
store_decode sim_chat_decode;
void sim_chat_somebody_types(struct sim *sim);
void sim_chat_somebody_presses(struct sim *sim);
/* True: it is known everywhere what runs.  Else an admin says of some that they looked. */
bool sim_chat_all_is_known(struct sim *sim);
void sim_chat_goes_away(struct sim *sim);
void sim_chat_moves(struct sim *sim);
void sim_chat_topic_goes(struct sim *sim);
void sim_chat_message_goes(struct sim *sim);
void sim_chat_bot_is_thrown_out(struct sim *sim);
bool sim_chat_is_idle(const struct sim *sim);

/* --- sim_queue.c: where there are several applications --- */

void sim_queue_forms(struct sim *sim);
void sim_queue_moves(struct sim *sim); /* what is released where, while somebody waits for it */

/* --- sim_locks.c --- */

void sim_locks_somebody_locks(struct sim *sim);
void sim_locks_somebody_excepts(struct sim *sim);
void sim_locks_check_begun(struct sim *sim, struct tx *tx, int64_t work); /* by this decision */
void sim_locks_check_asked(struct sim *sim, struct tx *tx, int64_t work); /* the same */
void sim_locks_note(struct sim *sim);					  /* after every commit */
bool sim_locks_are_ended(struct sim *sim); /* false: now somebody types that they end */
void sim_locks_check_rest(struct sim *sim);

/* --- sim_limits.c --- */

struct sim_before;
void sim_limits_somebody_floods(struct sim *sim);
void sim_limits_before(struct sim *sim, struct tx *tx, struct sim_before *ret);
void sim_limits_check_heard(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_limits_check_asked(struct sim *sim, struct tx *tx, int64_t work); /* by this decision */
void sim_limits_note_ended(struct sim *sim, struct tx *tx, int64_t work);  /* the same */

/* --- sim_approvals.c --- */

sim_fn sim_approvals_answer_comes;
void sim_approvals_somebody_asks(struct sim *sim);
void sim_approvals_somebody_answers(struct sim *sim);
void sim_approvals_before(struct sim *sim, struct tx *tx, struct sim_before *ret);
/* May what is said change the work that it is said of? */
bool sim_approvals_may(const struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_approvals_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_approvals_check_begun(struct sim *sim, struct tx *tx, int64_t work);
bool sim_approvals_has_asked(const struct sim *sim, int64_t work, int64_t person);
void sim_approvals_check(struct sim *sim); /* after every commit */
void sim_approvals_check_rest(struct sim *sim);

/* --- sim_actions.c --- */

void sim_actions_somebody_does(struct sim *sim);
void sim_actions_somebody_says_a_line(struct sim *sim);
void sim_actions_somebody_requests(struct sim *sim);
void sim_actions_somebody_runs_a_job(struct sim *sim);
void sim_actions_before(struct sim *sim, struct tx *tx, struct sim_before *ret);
void sim_actions_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_actions_check_order(struct sim *sim, const struct effect_run *order);
void sim_actions_check_rest(struct sim *sim);

/* --- sim_witness.c --- */

void sim_witness_goes_away(struct sim *sim);
void sim_witness_put(struct sim *sim, struct sim_open *open);
void sim_witness_cut(struct sim *sim);
void sim_witness_before(struct sim *sim, struct tx *tx, struct sim_before *ret);
void sim_witness_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_witness_check_begun(struct sim *sim, struct tx *tx, int64_t work); /* by this decision */
void sim_witness_check(struct sim *sim);				    /* after every commit */
void sim_witness_check_rest(struct sim *sim);
void sim_witness_free(struct sim *sim);

/* --- sim_notify.c --- */

const char *const *sim_notify_lines(int variant, int name); /* of the settings; NULL behind them */
void sim_notify_call(struct sim *sim, struct sim_open *open);
void sim_notify_cut(struct sim *sim);
void sim_notify_after(struct sim *sim, struct tx *tx);
void sim_notify_check(struct sim *sim); /* after every commit */

/* --- sim_cloudflare.c: client solo's zone --- */

void sim_cloudflare_somebody_sets(struct sim *sim);
void sim_cloudflare_somebody_asks(struct sim *sim);
void sim_cloudflare_pressed(struct sim *sim, const char *label);
void sim_cloudflare_call(struct sim *sim, struct sim_open *open);
void sim_cloudflare_cut(struct sim *sim);
bool sim_cloudflare_is_stuck(struct sim *sim); /* nothing goes on by itself */
bool sim_cloudflare_is_over(struct sim *sim);  /* false: now somebody has it tried again */
void sim_cloudflare_check_rest(struct sim *sim);

/* --- sim_factor.c --- */

/* Some people have one in the template. */
void sim_factor_begin(const char *template, const struct settings *settings);
void sim_factor_draw_code(struct sim *sim, int64_t person, char ret[7]);
void sim_factor_question_falls_away(struct sim *sim);
void sim_factor_somebody_resets(struct sim *sim);
void sim_factor_shown(struct sim *sim, const struct sim_post *post);
/* What a pad's last digit does again is what is said. */
void sim_factor_before(struct sim *sim, struct tx *tx, struct sim_before *ret);
void sim_factor_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_factor_check_begun(struct sim *sim, struct tx *tx, int64_t work);
/* --- sim_emergency.c --- */

sim_fn sim_emergency_is_looked_at;
void sim_emergency_somebody_cries(struct sim *sim);
bool sim_emergency_is(struct sim *sim, struct tx *tx, int64_t work);
void sim_emergency_before(struct tx *tx, struct sim_before *ret);
void sim_emergency_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_emergency_check_begun(struct sim *sim, struct tx *tx, int64_t work); /* by this decision */
void sim_emergency_check(struct sim *sim); /* after every commit */
void sim_emergency_check_rest(struct sim *sim);

/* --- sim_nag.c --- */

void sim_nag_check(struct sim *sim); /* after every commit */
void sim_nag_reloaded(struct sim *sim);
void sim_nag_after(struct sim *sim, const struct tx *tx); /* each decision */
void
sim_nag_check_end(struct sim *sim, int64_t work, enum deploy_state state, const char *environment);

/* --- sim_pin.c --- */

void sim_pin_check(struct sim *sim); /* after every commit */

/* --- sim_local.c --- */

void sim_local_begin(const char *template);
void sim_local_somebody_asks(struct sim *sim);

/* --- sim_jobs.c --- */

void sim_jobs_somebody_begins(struct sim *sim);
sim_fn sim_jobs_gate_is_confirmed;
/* Nothing may come of what that job asks; NULL: something may, and there. */
const char *sim_jobs_why_nothing(const struct sim *sim, const struct event *event);
/* A job that fetches what it was lent does, too. */
bool sim_jobs_changes(const struct api_request *api);
bool sim_jobs_may(const struct sim *sim, const struct event *event, int environment);
void sim_jobs_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_jobs_check_begun(struct sim *sim, struct tx *tx, int64_t work); /* by this decision */
void sim_jobs_check_rest(struct sim *sim);

/* A new job, in a run of its own. */
struct sim_job *sim_jobs_new(struct sim *sim, enum api_operation asks, int environment);
/* What it is answered with comes to sim_loans_answered() where it asks for a secret. */
void sim_jobs_ask(struct sim *sim, struct sim_job *job, enum api_operation operation,
    const char *path, const char *body);
bool sim_jobs_is_own(const struct sim *sim, int64_t work, const struct sim_job *job);

/* --- sim_loans.c --- */

void sim_loans_somebody_begins(struct sim *sim);
void sim_loans_somebody_revokes(struct sim *sim);
void sim_loans_somebody_asks(struct sim *sim);
/* A job asks by its workflow's grant, a person by their role. */
void sim_loans_check_begun(
    struct sim *sim, const struct tx *tx, int64_t work, int64_t by, int environment);
bool sim_loans_is_kept(struct sim *sim, int64_t work); /* by the loop, to be fetched */
void sim_loans_answered(struct sim_job *job, const struct answer *answer);
void sim_loans_call(struct sim *sim, struct sim_open *open);
void sim_loans_cut(struct sim *sim);
bool sim_loans_may_end(
    struct sim *sim, struct tx *tx, const struct update *update, int environment);
void sim_loans_clock_back(struct sim *sim, int64_t back_ms);
void sim_loans_before(struct sim *sim, struct tx *tx, struct sim_before *ret);
void sim_loans_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_loans_check(struct sim *sim); /* after every commit */
void sim_loans_check_rest(struct sim *sim);

/* --- sim_rules.c --- */

void sim_rules_somebody_begins(struct sim *sim);
void sim_rules_answer(struct sim *sim, struct sim_open *open);
/* It is asked no more: what is on its way may come there. */
void sim_rules_drop(struct sim *sim, const struct effect *effect);
/* The run of a gate is to end.  False: there is none, or it is over. */
bool sim_rules_stop(struct sim *sim, int64_t run);
void sim_rules_clock_back(struct sim *sim, int64_t back_ms);
void sim_rules_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_rules_check_begun(struct sim *sim, struct tx *tx, int64_t work); /* by this decision */
/* Says this event that what asked for that gate has ended well? */
bool sim_rules_is_over(const struct sim *sim, const struct event *event, int64_t work);
void sim_rules_check_rest(struct sim *sim);

/* --- sim_pipelines.c --- */

void sim_pipelines_somebody_runs(struct sim *sim);
void sim_pipelines_ask(struct sim *sim, struct sim_open *open);
/* It is asked no more: what is on its way may come there. */
void sim_pipelines_drop(struct sim *sim, const struct effect *effect);
void sim_pipelines_clock_back(struct sim *sim, int64_t back_ms);
void sim_pipelines_check_rest(struct sim *sim);

/* --- sim_ci.c --- */

void sim_ci_pushed(struct sim *sim, int branch);
struct event *sim_ci_delivery(struct sim *sim, const struct pipeline_run *run);
void sim_ci_ask(struct sim *sim, struct sim_open *open);
void sim_ci_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_ci_report(struct sim *sim, struct sim_open *open);
void sim_ci_check_rest(struct sim *sim);
void sim_ci_check_begun(struct sim *sim, struct tx *tx, int64_t work);

/* --- sim_opa.c --- */

void sim_opa_ask(struct sim *sim, struct sim_open *open);
void sim_opa_check_begun(struct sim *sim, struct tx *tx, int64_t work);

/* --- sim_bake.c --- */

void sim_bake_ask(struct sim *sim, struct sim_open *open);
void sim_bake_check(struct sim *sim, struct tx *tx);
bool sim_bake_is_over(struct sim *sim); /* false: now somebody ends what is paused */

/* --- sim_waves.c --- */

struct look_deployment;
/* Its run is for those hosts alone, where the order names some. */
void
sim_waves_order(struct sim *sim, struct sim_process *process, const struct effect_run *order);
bool sim_waves_is_last(const struct sim_process *process); /* of them, or in none */
int sim_waves_advance(struct sim *sim, struct sim_process *process);
void sim_waves_ended(struct sim *sim, const struct sim_process *process);
void sim_waves_cut(struct sim *sim); /* the server is about to be killed */
/* A run for all of them has changed them. */
void sim_waves_all_run(struct sim *sim, const struct sim_process *process, const char *commit);
/* What was said of its hosts and was not told yet. */
void sim_waves_tell(struct sim *sim, struct sim_process *process);
size_t sim_waves_results(const struct sim_process *process, char ret[SIM_RESULTS]); /* its file */
void sim_waves_somebody_turns(struct sim *sim);
const char *sim_waves_answer(struct sim *sim, int environment); /* NULL: as its target */
bool sim_waves_has_rows(struct sim *sim, int environment);
/* After a commit; active: what is under way there, or NULL. */
void sim_waves_check(struct sim *sim, int environment, const struct look_deployment *active);
void sim_waves_check_end(struct sim *sim, const struct look_deployment *d);
void sim_waves_looked(struct sim *sim, int environment, const char *commit);

/* --- sim_fleet.c --- */

extern const char *const sim_host_names[SIM_HOSTS]; /* as their rows have them */
/* "STAGING": its hosts are a fleet with those settings; NULL: none are.  And its lines. */
const char *sim_fleet_of(int variant);
size_t sim_fleet_add_lines(int variant, char room[][SIM_LINE]);

int sim_fleet_host(const char *name, size_t size);  /* the index of one, with its port or without */
/* Of the agents that are there from the start. */
void sim_fleet_enrol(void (*put)(void *ctx, const char *name, const char *key), void *ctx);
bool sim_fleet_has_agents(const struct sim *sim); /* is there a pattern? */
sim_fn sim_fleet_changes;			  /* ... one is enrolled or revoked */
int sim_fleet_lags(struct sim *sim); /* where a host does not run what is live; or SIM_FLEETS */
/* A bit for each host that these settings name. */
unsigned sim_fleet_named(
    struct sim *sim, struct db *db, const struct settings *settings, int environment);
void sim_fleet_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
/* Whom it has not been ordered for of those that were shown: has left each? */
bool sim_fleet_rest_has_left(const struct sim *sim, int64_t deployment);
void sim_fleet_check_order(struct sim *sim, const struct effect_run *order);
void sim_fleet_check_end(struct sim *sim, const struct look_deployment *d);

/* --- sim_forge.c --- */

void sim_forge_new(struct sim *sim);
/* The repository of that branch, as its forge says it, and its number, marked. */
void sim_forge_repository(
    const struct sim *sim, int branch, char ret[LIMIT_REF], char ret_id[JOB_MARK + JOB_NUMBER]);
void sim_forge_push(struct sim *sim);
void sim_forge_ask(struct sim *sim, struct sim_open *open);
int sim_forge_index(const struct sim *sim, const char *commit);
/* A commit that never becomes healthy. */
bool sim_forge_is_bad(const struct sim *sim, const char *commit);

/* Nobody rolls back past it, where it is live over `base`; both as sim_forge_index() has them. */
bool sim_forge_is_barrier(const struct sim *sim, int base, int commit);

/* Archives, in the place of commits. */
bool sim_uploads_is(int commit);
bool sim_uploads_contains(int commit, int other);
void sim_uploads_somebody_sends(struct sim *sim);
void sim_uploads_fetch(struct sim *sim, struct sim_open *open);
char *sim_uploads_unpack(struct sim *sim, const struct effect_git_query *ask, int *ret_status);
void sim_uploads_check_asked(struct sim *sim, const struct effect *effect);
void sim_uploads_check_order(struct sim *sim, const struct effect_run *run);

/* --- sim_blocks.c --- */

void sim_blocks_pushed(struct sim *sim, int branch);
void sim_blocks_before(struct sim *sim, struct tx *tx, struct sim_before *ret);
void sim_blocks_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
void sim_blocks_check_begun(struct sim *sim, struct tx *tx, int64_t work); /* by this decision */
void sim_blocks_remember(struct sim *sim);				   /* before a batch */
void sim_blocks_forget(struct sim *sim); /* what a batch decided that was not committed */
/* --- sim_told.c --- */

void sim_told_after(struct sim *sim, struct tx *tx);
void sim_told_check_rest(struct sim *sim);

/* --- sim_barrier.c --- */

void sim_barrier_check_begun(struct sim *sim, struct tx *tx, int64_t work);
void sim_barrier_after(struct sim *sim, struct tx *tx);

/* --- sim_run.c --- */

void sim_run_order(struct sim *sim, struct sim_open *open);
void sim_run_end(struct sim *sim, struct sim_open *open);
void sim_run_purge(struct sim *sim, struct sim_open *open);
void sim_run_probe(struct sim *sim, struct sim_open *open);
void sim_run_cut(struct sim *sim, bool is_host);
void sim_run_supervisor_is_killed(struct sim *sim);
/* Somebody edits what ships an environment: a setting, or a hook. */
void sim_run_somebody_edits(struct sim *sim);
char *sim_run_list(const struct sim *sim, int environment); /* what would ship it by now */
/* The image of a commit, the same at every build; "": its script ships none. */
void sim_image_of(const char *commit, char ret[LIMIT_IMAGE]);

/* --- sim_runner.c --- */

void sim_runner_server_started(struct sim *sim);
void sim_runner_goes(struct sim *sim);
void sim_runner_somebody_abandons(struct sim *sim);
void sim_runner_abandon(struct sim *sim, int64_t person, int64_t work); /* types it */
bool sim_runner_has_abandoned(struct sim *sim, int64_t run);
void sim_runner_check(struct sim *sim);

/* --- sim_check.c --- */

void sim_check_commit(struct sim *sim); /* after every commit */
void sim_check_rest(struct sim *sim);	/* when nothing happens any more */
void
sim_check_acknowledged(struct sim *sim, const char *source, const char *id, const uint8_t *digest);
void sim_check_gate(struct sim *sim, const struct sim_process *process);
void sim_check_targets(struct sim *sim);		   /* whenever a process begins */
void sim_check_known(struct sim *sim, int64_t deployment); /* where a run of it begins */
void sim_check_images(struct sim *sim, const struct effect_run *order);
void sim_check_binding(struct sim *sim, const struct effect_run *order); /* where it begins */
void sim_check_must(struct sim *sim, bool ok, const struct err *err);	 /* else it cannot look */
/* The one number that a statement about `a` answers. */
int64_t sim_check_number(struct sim *sim, struct db *db, const char *sql, int64_t a);

/* --- sim_drain.c --- */

void sim_drain_makes_room(struct sim *sim, const struct sim_process *process);
void sim_drain_leaves(struct sim *sim, struct sim_process *process);
int sim_drain_advance(struct sim *sim, struct sim_process *process);
void sim_drain_check_gate(struct sim *sim, const struct sim_process *process);
void sim_drain_check_order(struct sim *sim, const struct effect_run *order);
void sim_drain_check_rest(struct sim *sim);

/* --- sim_check_decision.c: around each decision, in its transaction --- */

struct sim_place {
	int64_t work;
	int64_t place;
};

struct sim_before {
	const struct update *said; /* in a chat or on the machine; NULL: by nobody */
	int64_t last_work;
	int64_t last_message;
	int64_t last_run;
	int64_t denials; /* that are counted */
	int64_t last_audit; /* 0: what begins needs no witness */
	int64_t last_approval;
	char shown[LIMIT_MESSAGE]; /* what whoever says something has before them; "": not known */
	int64_t holds;		   /* all locks and freezes, as a number */
	uint64_t of[SIM_ENVIRONMENTS];
	bool is_guarded[SIM_ENVIRONMENTS];
	bool is_any_guarded;
	const char *why;
	size_t n_places; /* in all queues, where somebody said something */
	struct sim_place places[256];
	int place_in;	/* the environment + 1 where a place of their own is ... */
	int64_t leaves; /* ... left: that work; 0: none */
	int64_t gives;	/* ... or given */
	int64_t to;
	int64_t started_at[SIM_DEPLOYMENTS]; /* 0: it is not active */
	bool is_action_end;		     /* the event is the end of an action's run ... */
	int64_t state_of_all;		     /* ... before which this was live, down, blocked */
	size_t n_confirmed;		     /* open works, by whom */
	struct sim_asked confirmed[256];
	struct update kept; /* what a pad was for, whose last digit this is */
	bool is_by_pad;
	bool is_by_recovery;
	int64_t reset_until; /* the last reset of a factor */
	char code[8];	     /* "": none was said */
	int64_t step;	     /* whose code it is */
	bool has_code;	     /* it is right, and was not spent */
	bool had_said_yes;
	enum sim_says says;	/* to an approval ... */
	struct sim_yes says_of; /* ... of that work, as it was */
	int64_t reviews;	/* an emergency; 0: none */
	int64_t n_revokes;	/* orders to revoke a token */
	int64_t n_kept;		/* loans that a start finds kept */
};
/* Who had confirmed it; 0: nobody. */
int64_t sim_before_confirmer(const struct sim_before *before, int64_t work);
void sim_check_remember(struct sim *sim); /* before a batch */
void sim_check_forget(struct sim *sim);	  /* what a batch decided that was not committed */
void sim_check_before(struct sim *sim, struct tx *tx, struct sim_before *ret);
void sim_check_after(struct sim *sim, struct tx *tx, const struct sim_before *before);
