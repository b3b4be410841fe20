/* effect.h - something still to be done outside: a row before it is an act.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/commit.h"
#include "lib/crypto_ca.h"
#include "lib/seal.h"
#include "types/action.h"
#include "types/delivery.h"
#include "types/event.h"
#include "types/pipeline.h"

enum effect_kind {
#define EFFECT(name, ...) EFFECT_##name,
#include "types/effect.def"
	EFFECT_KIND_COUNT
};

enum effect_lane {
	EFFECT_LANE_NONE,	/* handed out with the commit */
	EFFECT_LANE_CHAT,
	EFFECT_LANE_CALLBACK,
	EFFECT_LANE_ENVIRONMENT,
	EFFECT_LANE_EACH,
};

/* The data of a row of effect.def, which says what each means. */
struct effect_columns {
	const char *word;
	enum event_kind result;
	enum effect_lane lane;
	size_t lane_at;		/* in struct effect: the chat (int64_t) or the environment's name */
	bool is_outbox;
	size_t message_at;	/* needs_row: in struct effect; 0: none */
	int drop_after_s;
};

extern const struct effect_columns effect_columns[EFFECT_KIND_COUNT];

enum program {
	PROGRAM_DEPLOY,
	PROGRAM_ROLLBACK,
	PROGRAM_ACTION,		/* work that changes nothing of what is live */
	PROGRAM_COUNT,		/* of work */
	PROGRAM_DRAIN = PROGRAM_COUNT, /* a run's alone: the tail of work that has ended */
	PROGRAM_OF_RUNS
};

struct effect_run {
	int64_t run;		/* its number is its folder's name */
	enum program program;
	int64_t deployment;
	char environment[LIMIT_ENVIRONMENT];
	enum commit_source source;	/* of commit */
	char commit[LIMIT_COMMIT];	/* to bring up */
	char tree[LIMIT_COMMIT];	/* of an upload that is deployed: the digest of its tree */
	char image[LIMIT_IMAGE];	/* of it, to go back to; "": none, or yet to be made */
	bool is_promoted;		/* `image` was live elsewhere; by its digest */
	char previous[LIMIT_COMMIT];	/* that was live; "": none */
	char previous_image[LIMIT_IMAGE];
	char ref[LIMIT_REF];
	/* PROGRAM_ACTION: which, with what, to which client; what is live is `previous` */
	char action[ACTION_NAME];
	char argument[ACTION_WORD];
	char client[ENVIRONMENT_CLIENT_MAX];
	char binding[LIMIT_DIGEST];	/* of the list that may ship it; "": any */
	char without[LIMIT_WITHOUT];	/* PROGRAM_ROLLBACK: hosts to leave out, if silent */
	int deadline_s;
	char wave[LIMIT_WAVE];	/* which of how many, "2/3"; "": it is not in waves */
	int failures_max;	/* so many of its hosts may fail */
	/* Not in the effect's row, but filled when it is handed out: */
	int64_t started_at;	/* wall ms it was seen at its gate; 0: not yet */
	char runner[LIMIT_RUNNER]; /* that has it: "local", "agent:acme" */
	int64_t ordered_at;	/* wall ms of its row */
	struct message message;	/* shows its output */
	/* A line for each of its hosts, as it stands in a claim; behind a line `= RELEASE` those
	 * of a rollback that go back to it, and of a deployment those that should run it.
	 * Owned; LIMIT_RUN_HOSTS bytes at most, and the same text each time, for `go` proves it.
	 * NULL: all hosts of the environment. */
	char *hosts;
};

struct effect_stop_run {
	int64_t run;
};

enum git_query_kind {
	GIT_QUERY_COMMITS,	/* the newest commit of a ref, and what lies between it and base */
	GIT_QUERY_HEADS,	/* heads of branches */
	GIT_QUERY_SETTINGS,	/* no git: what would ship the environment */
	GIT_QUERY_LOGS,		/* no git: EFFECT_APPLICATION_LOG's */
	GIT_QUERY_UNPACK,	/* no git: the archive whose SHA-256 is `ref`, as files */
};

/* What a push announced: git is asked again until it shows that. */
struct announced_push {
	char after[LIMIT_COMMIT];	/* the branch's head by the forge's word; "": not known */
	char delivery[LIMIT_DELIVERY];	/* its id in the inbox */
	int64_t until;		/* wall ms: then it is given up */
	int pause_s;		/* before git was asked last; 0: it was asked once at most */
	char hook[ENVIRONMENT_NAME_MAX]; /* application of its webhook; "": the main one */
	char forge[DELIVERY_FORGE];	 /* whose word; "": of an earlier version, GitHub */
	bool by_job; /* of a workflow: `after` alone is deployed, and not the branch's head */
};

struct effect_git_query {
	enum git_query_kind kind;
	char environment[LIMIT_ENVIRONMENT];	/* HEADS: any of the repository's applications; ""
						 * in rows of earlier versions */
	char ref[LIMIT_REF];	/* GIT_QUERY_COMMITS: a branch, tag or commit */
	char base[LIMIT_COMMIT];	/* GIT_QUERY_COMMITS: the live release's commit; "": none */
	char branch[LIMIT_REF];	/* GIT_QUERY_COMMITS: the environment's own branch; "": none */
	/* GIT_QUERY_COMMITS: commits, a blank between: which does the answer's commit contain? */
	char blocked[LIMIT_BLOCKED * LIMIT_COMMIT];
	int64_t block;	/* GIT_QUERY_COMMITS: the number of the newest block then */
	/* GIT_QUERY_COMMITS: patterns, a comma between: does anything there differ from base? */
	char paths[LIMIT_PATHS];
	size_t n_branches;	/* GIT_QUERY_HEADS */
	char branches[LIMIT_ENVIRONMENTS][LIMIT_REF];
	bool is_patient;	/* asks again, 1 s to 5 min apart, until git answers; else once */
	char requested_by[LIMIT_PERSON]; /* "github:login(7)"; for the handler */
	struct announced_push push; /* is_patient, of a delivery */
	bool is_notified;	/* is_patient: the chat knows that git cannot be asked */
};

/* What the application of an environment logged last, for who asked, in that chat. */
struct effect_application_log {
	char environment[LIMIT_ENVIRONMENT];
	int64_t person;
	struct chat_address address;
	int lines;
};

struct effect_probe {
	struct probe_plan plan;
	int64_t message;	/* row of the message that shows the findings: /status; 0: none */
	char asked[LIMIT_ENVIRONMENT];	/* /status of one environment or application; "": all */
	int64_t person;			/* who asked: sees what they may */
	int64_t page;			/* of several applications: from 1 */
	int64_t pin;	/* the chat whose pinned summary it is for, without a message; 0: none's */
	int64_t run;	/* of the health gate: what that run has released; 0: it is none */
	size_t n;
	struct probe_target *targets;	/* owned */
	char *hosts;	/* owned, not in the row: of a template, "h1:22 h2:22 "; NULL: none */
};

struct effect_send_message {
	struct message message;	/* read from its row when handed out */
};

struct effect_toast {
	char callback[LIMIT_CALLBACK];
	char text[LIMIT_TOAST * 4];
	bool is_alert;		/* a dialog instead of a toast */
	int64_t chat;		/* of its lane; not in the row's body */
};

struct effect_document {
	struct chat_address address;
	int64_t run;
	char file_name[96];
	char caption[LIMIT_LINE];
	char head[LIMIT_LOG_HEAD]; /* before the log; "": in rows of earlier versions */
	char runner[LIMIT_RUNNER]; /* who has the log; "": the same */
};

struct effect_delete_message {
	int64_t chat;
	int64_t remote_id;
};

struct effect_pin_message {
	int64_t chat;
	int64_t remote_id;
	bool is_off;		/* it is pinned no more */
};

struct effect_purge_run {
	char runner[LIMIT_RUNNER]; /* who has its folder; "": the local one */
	int64_t run;
};

/* The subject is the work that waits for it. */
struct effect_fetch_file {
	char file[LIMIT_FILE_ID];
	char digest[LIMIT_DIGEST];	/* that it had when it was fetched before; "": it was not */
};

struct effect_purge_upload {
	char digest[LIMIT_DIGEST];
	int64_t at; /* wall ms: what came later stays */
};

struct effect_leave_chat {
	int64_t chat;
};

/* Of both kinds.  The subject is the work that waits for it; 0: none does. */
struct effect_cloudflare {
	char zone[CLOUDFLARE_ZONE];
	char level[CLOUDFLARE_LEVEL];	/* to set; "" of a GET */
};

/* The subject is the work that waits for it. */
struct effect_github_runs {
	char environment[LIMIT_ENVIRONMENT];
	char commit[LIMIT_COMMIT];
	char branch[LIMIT_REF];	/* whose runs count; "": any's */
	int64_t not_before;	/* wall ms: GitHub is asked then */
};

/* The subject is what is red (row_pipeline.h); less than 0: the work that has begun the run. */
struct effect_github_failure {
	char environment[LIMIT_ENVIRONMENT]; /* one that follows its branch */
	int64_t run, attempt;
};

/* The subject is its webhook's row. */
#define FORGE_HOOK_OF_APP (-1)
struct effect_github_deliveries {
	char application[ENVIRONMENT_NAME_MAX]; /* with whose settings it is asked */
	bool at_gitlab;	/* it is GitLab, else GitHub */
	/* Its number there; 0: not known, it is looked for; FORGE_HOOK_OF_APP: it is the App's. */
	int64_t hook;
	int64_t delivery; /* one of its; 0: those that failed are listed */
	bool is_again;	/* that one is asked for again; else its branch is asked for */
	char cursor[LIMIT_CURSOR]; /* of the page that is listed; "": the first */
	int left;	/* so many pages; or, of deliveries, so many are asked for again */
};

/* The subject is a gate that GitHub waits for; 0: none was made, and it is refused. */
struct effect_forge_answer {
	char environment[LIMIT_ENVIRONMENT];
	char repository[LIMIT_REF];
	char run[JOB_NUMBER];
	char target[LIMIT_REF]; /* the environment's name at GitHub */
	int64_t deployment; /* of the job that waits; 0: not known */
	bool is_approved;
	bool is_report; /* nothing is decided yet: it shows the comment alone */
	char comment[LIMIT_COMMENT];
	int pause_s; /* before this try; 0: it is the first */
	int64_t not_before; /* wall ms */
	int64_t asked_at;   /* wall ms, of subject 0 */
};

/* Of the three kinds: a run of PIPELINE_<NAME>, which is the subject; of STOP also the run of an
 * open gate, whose job it names. */
struct effect_forge {
	char environment[LIMIT_ENVIRONMENT];
	char pipeline[ACTION_WORD];
	char words[LIMIT_REF];	/* that a person gave */
	char nonce[PIPELINE_NONCE];	/* by which it is looked for where `run` is 0 */
	int64_t run;	/* START: whose failed jobs are to run again; 0: it begins anew */
	bool at_gitlab; /* it is GitLab's, whatever the settings say by then */
	bool is_plain;	/* START: without the key that an older server does not know */
	bool is_gates;	/* STOP: the subject is a gate: what is over there is not cancelled */
	char job[JOB_NUMBER]; /* of a gate: the job's number there; "": not known */
	int64_t attempt;      /* of a gate: the run's, that the job is of */
	int64_t deployment;   /* of a gate of GitHub's: its job's; 0: not known */
	int64_t not_before;	/* LOOK, STOP: wall ms: the forge is asked then */
};

/* The subject is a deployment or rollback, for which GitHub keeps a Deployment. */
#define FORGE_REPORT_STATE 16
struct effect_forge_report {
	char environment[LIMIT_ENVIRONMENT];
	bool at_gitlab;
	char repository[LIMIT_REF];
	char target[LIMIT_REF];	/* the environment's name at GitHub */
	bool is_production;
	char commit[LIMIT_COMMIT];
	int64_t requested_at; /* with the subject: no other work has both, after a restore either */
	char state[FORGE_REPORT_STATE]; /* GitHub's word */
};

/* The subject is the work of a loan (row_loan.h). */
struct effect_vault {
	/* LEND: its policy's, "shop.db-migrate"; LEND_MESSAGE: its own, "shop/db-migrate" */
	char name[ENVIRONMENT_ID_MAX];
	int64_t ttl_s;			  /* LEND: the longest that it lives */
	char principal[LIMIT_PERSON];	  /* LEND: for whom, as Vault's audit has it */
	char value[LIMIT_LOAN_PATH];	  /* LEND: where the value stands; "": a token is made */
	char accessor[LIMIT_ACCESSOR]; /* REVOKE */
	int64_t not_before;		  /* REVOKE, LOOK: wall ms: Vault is asked then */
	int tries;			  /* REVOKE, LOOK: so many before this one */
	int64_t chat;			  /* LEND_MESSAGE: of that person, a private one */
};

/* The subject is the work. */
struct effect_opa {
	char input[OPA_INPUT]; /* JSON */
	int64_t not_before;    /* wall ms: OPA is asked then; `at` of the input is the same */
};

/* The subject is the work: what its environment's settings ask is asked once. */
struct effect_prom_query {
	char environment[LIMIT_ENVIRONMENT];
	char release[LIMIT_COMMIT]; /* in the place of {release} */
	/* Owned, not in the row, in the place of {hosts}: those that the work has touched, with a
	 * comma between.  "" or NULL: all hosts of the environment. */
	char *hosts;
};

/* The subject is the work; 0: of none. */
struct effect_notify {
	char name[ENVIRONMENT_NAME_MAX]; /* the destination's */
	char word[NOTIFY_WORD_MAX];
	char key[NOTIFY_ID];	/* 128 random bits: who gets it twice knows it by that */
	int64_t at;		/* wall ms of its decision */
	char text[NOTIFY_TEXT]; /* marked, as decided */
	char data[NOTIFY_DATA]; /* the work as JSON, as decided */
};

/* For a host whose connection waits at deploybot-link, under that number; or for one that is
 * connected, and renews: then there is no secret. */
struct effect_sign_certificate {
	int64_t request;
	char identity[CRYPTO_CA_IDENTITY];
	char secret[LIMIT_DIGEST];	 /* of its code: proves the answer */
	int64_t from;			 /* wall ms */
	char text[CRYPTO_CA_REQUEST + 1]; /* PEM */
};

/* Entries of the audit for the witness outside. */
struct effect_witness {
	int64_t first;
	int64_t last;
	char place[WITNESS_PLACE];
	char head[LIMIT_AUDIT_HEAD];	/* of the last */
	bool is_repeated;	/* it may be there already: an answer to its PUT is missing */
	/* Not in the effect's row, but filled when it is handed out: */
	char *lines;		/* owned */
	size_t size;
};

/*
 * TIMER(name, word on disk, seconds that none of them is longer than: of one whose row says more
 * the clock was wrong; whether there are MANY of them or ONE at most, which looks at all of its
 * kind and may come once too often)
 */
#define TIMERS(TIMER) \
	TIMER(QUESTION, "question", 7 * 24 * 3600, MANY) /* a confirmation runs out */ \
	TIMER(POLL, "poll", 24 * 3600, ONE) /* heads; or POLL_REPOSITORY_SECONDS */ \
	TIMER(APPROVAL, "approval", 7 * 24 * 3600, MANY) /* they are reminded of, or run out */ \
	TIMER(DAILY, "daily", 24 * 3600, ONE) /* retention */ \
	TIMER(SEND, "say", 60, MANY) /* a message is said again; the subject is its row */ \
	TIMER(PUSH, "push", 120, MANY) /* git is asked again for what a push announced */ \
	TIMER(RENAME, "rename", 60, ONE) /* rows of an application's old name */ \
	TIMER(LEAVE, "leave", 60, MANY) /* a group that is not ours; `name`: its id */ \
	TIMER(HOLDS, "holds", 3600, ONE) /* a lock or freeze begins or ends */ \
	TIMER(CHANGED, "changed", 60, MANY) /* settings changed under the work in `name` */ \
	TIMER(REVIEW, "review", 24 * 3600, MANY) /* a reminder of the work in `name` */ \
	TIMER(NAG, "nag", 24 * 3600, MANY) /* nobody has seen how the work in `name` ended */ \
	TIMER(SESSIONS, "sessions", 3600, ONE) /* logins by a token end */ \
	TIMER(MANIFESTS, "manifests", 60, ONE) /* lists of agents changed within a minute */ \
	TIMER(ACCESS, "access", 3600, ONE) /* roles that end are announced */ \
	TIMER(CLOUDFLARE, "cloudflare", 24 * 3600, MANY) /* a zone (`name`), or work to begin */ \
	TIMER(GATE, "gate", 1000 * 3600, MANY) /* the gate in `name` is looked at */ \
	TIMER(LOAN, "loan", 2 * 3600, MANY) /* the loan in `name` is looked at */ \
	TIMER(PIN, "pin", 600, MANY) /* the pinned status of the chat in `name` */ \
	TIMER(PAD, "pad", 120, MANY) /* that of the person in `name` is no more */ \
	TIMER(WITNESS, "witness", 600, ONE) /* entries of the audit go to their witness */ \
	TIMER(AUDIT_LINE, "audit_line", 24 * 3600, ONE) /* a day of the audit is over */ \
	TIMER(STRANGERS, "strangers", 3600, ONE) /* what they repeated is audited */ \
	TIMER(REDELIVERY, "redelivery", 6 * 3600, ONE) /* what GitHub could not deliver */ \
	TIMER(BAKE, "bake", 60, MANY) /* the work that bakes is looked at; it is the subject */ \
	TIMER(WAVES, "waves", 60, MANY) /* the subject's message says what its hosts said */

enum timer_kind {
#define TIMER(name, ...) TIMER_##name,
	TIMERS(TIMER)
#undef TIMER
	TIMER_KIND_COUNT
};

struct effect_timer {
	enum timer_kind kind;
	char name[LIMIT_BUTTON_ID];	/* of the subject, if it is no work */
	/* TIMER_POLL, with the application whose turn it is in `name`: */
	int64_t began;		/* wall ms: this round; 0: with this timer */
	int64_t round;		/* its number */
	/* TIMER_PUSH: */
	char environment[LIMIT_ENVIRONMENT];
	char requested_by[LIMIT_PERSON];
	struct announced_push push;
};

struct effect {
	int64_t id;
	enum effect_kind kind;
	int64_t subject;	/* the deployment it serves; a SEND_MESSAGE's message; 0: none */
	int64_t due;		/* wall ms; EFFECT_TIMER */
	int64_t ordered_at;	/* wall ms; of tx->effect, and of one that had its turn in a lane */
	struct perform *perform; /* who carries it out; set by perform_effect() */
	bool is_recovered;	/* it was open when the program started: recover(), not perform() */
	struct settings *settings; /* one reference, owned: the decision's; at start today's */
	struct event *result;	/* allocated with it, so that a result is never refused; owned until
				 * it is submitted (take it: effect->result = NULL) */
	union {
		struct effect_run run;
		struct effect_stop_run stop_run;
		struct effect_git_query git_query;
		struct effect_application_log application_log;
		struct effect_probe probe;
		struct effect_send_message send_message;
		struct effect_toast toast;
		struct effect_document document;
		struct effect_delete_message delete_message;
		struct effect_pin_message pin_message;
		struct effect_purge_run purge_run;
		struct effect_fetch_file fetch_file;
		struct effect_purge_upload purge_upload;
		struct effect_leave_chat leave_chat;
		struct effect_cloudflare cloudflare;
		struct effect_github_runs github_runs;
		struct effect_github_failure github_failure;
		struct effect_github_deliveries github_deliveries;
		struct effect_forge_answer forge_answer;
		struct effect_forge forge;
		struct effect_forge_report forge_report;
		struct effect_vault vault;
		struct effect_opa opa;
		struct effect_prom_query prom_query;
		struct effect_notify notify;
		struct effect_sign_certificate sign_certificate;
		struct effect_witness witness;
		struct effect_timer timer;
	} u;
};

/* How much of an effect there is: of some kinds many wait, each with its result, and no more of `u`
 * than what they have in it. */
size_t effect_size(enum effect_kind kind);

/* The effect with its result, kind and effect id set. */
struct effect *effect_new(enum effect_kind kind) MUST_USE;

/* Accepts NULL. */
void effect_free(struct effect *effect);

const char *effect_name(enum effect_kind kind);

/* Is that branch one of those that the query is about? */
bool effect_asks_branch(const struct effect_git_query *query, const char *branch);

/* Is it a message, which an outage of the chat holds back?  EFFECT_KIND_COUNT: no. */
bool effect_is_outbox(enum effect_kind kind);
