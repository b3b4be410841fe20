/* event.h - something that happened, as a handler gets it.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * An event carries everything a decision may depend on: wall time, random bytes, the settings
 * of its moment.  The same event on the same rows gives the same rows.
 */
#pragma once

#include "lib/queue_list.h"
#include "types/agents_seen.h"
#include "types/api.h"
#include "types/bake.h"
#include "types/cloudflare_level.h"
#include "types/witness.h"
#include "types/delivery.h"
#include "types/pipeline_run.h"
#include "types/hook.h"
#include "types/notify.h"
#include "types/opa_verdict.h"
#include "types/peers.h"
#include "types/probe.h"
#include "types/redelivery.h"
#include "types/run_warnings.h"
#include "types/secret.h"
#include "types/update.h"

enum event_kind {
#define EVENT(name, handler) EVENT_##name,
#include "types/event.def"
	EVENT_KIND_COUNT
};

/* Whose raw bytes an undecoded event holds; serve.c joins each with its decode function. */
enum event_source {
	SOURCE_NONE,		/* nothing to decode */
	SOURCE_TELEGRAM_WEBHOOK, /* one update */
	SOURCE_TELEGRAM_POLL,	/* the answer of getUpdates */
	SOURCE_DELIVERY,	/* a forge's, whose delivery says of which: JSON */
	SOURCE_DELIVERY_FORM,	/* the same, payload=<urlencoded json> */
	EVENT_SOURCE_COUNT
};

struct bytes {
	char *data;
	size_t size;
};

#define REJECTED_API   "api"
#define REJECTED_LOCAL "local"

struct rejected {
	char source[16];	/* "telegram", "github", "gitlab", "hook", REJECTED_LOCAL */
	char reason[96];
	char application[ENVIRONMENT_NAME_MAX]; /* whose webhook, of the last; "": nobody's */
	char client[48];	/* the address, or user, of the last of them; "": not known */
	int64_t count;		/* how many it stands for */
};

struct started {
	int64_t highest_run;	/* that has a folder in runs/; 0: none */
	bool is_restored;	/* serve --restored: the database is a copy, of whenever */
	bool is_moved_back;	/* serve --moved-back: as it was when it was left */
	size_t n_uploads;	/* archives that are there; of more the next start knows */
	char (*uploads)[LIMIT_DIGEST]; /* owned */
};

/* Heads of the audit that rows name, and that no entry has: its end was cut off. */
#define HEADS_KEYS 16
struct heads_compared {
	int64_t missing;
	size_t n; /* of the newest of them what tells each from all others: */
	char key[HEADS_KEYS][48];
	char newest[LIMIT_LINE]; /* what is wrong with the newest: a sentence */
};

struct run_started {
	int64_t run;
	int64_t pid;
	uint64_t start_time;	/* clock ticks after boot, /proc/pid/stat field 22 */
	char boot[40];		/* boot id */
};

struct run_lost {
	int64_t run;
	char stuck[LIMIT_LINE];	/* what of it cannot be ended yet; "": nothing known */
};

/* A runner, as rows of runs name it. */
struct runner_seen {
	char name[LIMIT_RUNNER];
	int64_t highest_run; /* of a remote runner's hello: that it has a folder of; 0: none */
};

/* An agent, or its host, has said something. */
struct event_peer {
	char identity[CRYPTO_CA_IDENTITY]; /* "agent/acme" */
	/* PEER_MANIFEST: what it may be ordered, as NAME=DIGEST, sorted, a blank between; "":
	 * nothing.  PEER_RENEWAL: lib/crypto_renewal.h.  PEER_SEEN: the digest of a key.
	 * PEER_TWICE: the addresses of both, a blank between. */
	char text[LIMIT_MANIFEST];
};

enum host_word {
	HOST_BEGAN,	/* from here on it counts as changed */
	HOST_OK,
	HOST_FAILED,	/* it is as it was */
	HOST_UNKNOWN,	/* nobody knows how it is */
};

/* A line `==> host NAME WORD` that a script said. */
struct host_result {
	char host[LIMIT_HOST];	/* as it stands in a claim */
	enum host_word word;
	char why[LIMIT_LINE];	/* of FAILED and UNKNOWN, cleaned; "": it was not said */
};

#define HOSTS_SAID_MAX 64
struct hosts_said {
	int64_t run;
	bool is_gone;	/* what its hosts said is not known: its folder or file is gone */
	size_t n;
	struct host_result *list; /* owned; behind a restart all of them come once more */
};

struct run_step {
	int64_t run;
	int n;			/* the run's n-th step, from 0: a step sent twice is one */
	char name[LIMIT_STEP];
	int64_t at;		/* wall ms */
	char image[LIMIT_IMAGE]; /* that it has said so far; "": none */
};

/* The exit record, or why there is none. */
struct run_ended {
	int64_t run;
	bool refused;		/* the runner could not begin it: no folder, no record */
	bool gate_opened;	/* false: it never began, another run may be ordered */
	bool released;		/* it said `==> release`, or must be taken to have */
	bool no_rollback;	/* it said `==> no-rollback` */
	bool migration;		/* it said `==> migrate`, before `==> release` */
	bool drains;		/* it said `==> drain-later` */
	bool undone;		/* it said `==> nothing-runs`, behind `==> release` */
	bool lost;		/* its supervisor was killed: `interrupted` */
	bool unswept;		/* lost, and what it started may be alive */
	bool folder_gone;	/* started, and its folder is gone: what it did is not known */
	bool timed_out;
	bool ended_on_request;
	int exec_errno;		/* not 0: the program could not be started */
	int exit_status;	/* -1: killed by signal_number; in its row without: never began */
	int signal_number;
	int64_t duration_ms;
	int64_t log_size; /* bytes */
	char image[LIMIT_IMAGE]; /* that it said it ships; "": none, or not known */
	char detail[LIMIT_LINE]; /* the last line it printed, cleaned; or why it was refused */
	char tail[LIMIT_TAIL];	/* its last lines, cleaned, a newline between */
	char application_log[LIMIT_APPLICATION_LOG]; /* the same of what the application logged */
	struct run_warnings warnings;
	bool is_changed;	/* refused: what would ship it is not what it is bound to */
	char *binding;		/* is_changed: what would, owned by its event; NULL: not known */
};

/* Lines that the application logged, cleaned, a newline between; or why there are none. */
struct application_log_read {
	bool is_read;
	char text[LIMIT_LOG_ANSWER];
};

struct git_delayed {
	int64_t query;		/* the effect that is still open */
	bool failed;		/* it was tried and failed, and is tried again; else it goes on */
	char text[LIMIT_LINE];	/* why, or how far it is; "": not known */
};

struct git_answered {
	int exit_status;	/* 0: answered; else `answer` holds what was said */
	bool unreachable;	/* the runner or git did not answer at all */
	char *answer;		/* owned, NUL-terminated, <= LIMIT_ANSWER */
	char *binding;		/* owned: the runner's list for its environment; NULL: none */
};

struct file_fetched {
	char digest[LIMIT_DIGEST]; /* it is there under that; "": it is not */
	int64_t size;		   /* bytes */
	char why[LIMIT_LINE];	   /* what was not done: a line, without secrets */
};

struct github_runs_read {
	size_t n;
	struct pipeline_run *runs; /* owned; of its commit */
	int64_t retry_after_s;	   /* it is to be asked later than it would be; 0: it is not */
	char why[LIMIT_LINE];	   /* GitHub has not said it; "": it has */
};

/* What failed in a run: its job and step, then lines that annotate it; "": it is not known. */
struct github_failure_read {
	char details[LIMIT_TAIL];
};

struct github_deliveries_read {
	int64_t hook;		/* the webhook's number; 0: not known */
	int64_t off_until;	/* GitLab sends nothing by it until then, wall ms; 0: it does */
	size_t n;
	struct redelivery *list; /* owned: a page of attempts, the newest first */
	char next[LIMIT_CURSOR]; /* of the page behind it; "": there is none */
	char branch[LIMIT_REF];	/* the delivery's; "": not known */
	int64_t pause_s;	/* before it is looked at again */
	bool is_tried;		/* though `why` says that it was not said: it may have been sent */
	char why[LIMIT_LINE];	/* it was not said; "": it was */
};

enum forge_verdict {
	FORGE_SAYS_DONE,
	FORGE_SAYS_NO,	 /* it was not done, and is not: GitHub has said no, or was not asked */
	FORGE_SAYS_UNFIT,	 /* the same, for a key that an older server does not know */
	FORGE_SAYS_GONE,	 /* GitHub shows no such run, or waits for no answer */
	FORGE_SAYS_NOTHING, /* it may have been done; or how it stands was not said */
};

struct forge_said {
	enum forge_verdict verdict;
	struct pipeline_run run; /* of DONE; its number alone of what was begun; 0: not said */
	int64_t retry_after_s;	 /* until it is asked again; 0: GitHub does not say */
	char why[LIMIT_LINE];	 /* of what is not DONE */
};

struct vault_said {
	/* Of LEND: it was made, and the loop keeps it; of LOOK: it is there still; of LEND_MESSAGE:
	 * it is sent. */
	bool is_done;
	/* Of LOOK: Vault knows it no more: it was unwrapped, or has expired. */
	bool is_used;
	bool is_unsure; /* of LEND: it may have been made, and nobody has it */
	bool is_wrong;	/* of LEND: what came is not what was asked for */
	char accessor[LIMIT_ACCESSOR]; /* of what was made, be it kept or not; "": none is known */
	int64_t retry_after_s;	       /* 0: Vault does not say */
	int64_t message;	       /* of LEND_MESSAGE: Telegram's id; 0: none */
	char why[LIMIT_LINE];	       /* of what was not done: a line, without secrets */
};

struct probed {
	size_t n;
	/* Owned; one for each target of the effect, in order; of a template for each of hosts. */
	struct probe_finding *findings;
	char *hosts;	/* owned: as the effect had them */
};

struct message_sent {
	int64_t message;	/* our row */
	int64_t chat;		/* it was sent to, and may have moved since */
	int64_t remote_id;	/* 0: it was not sent */
	int64_t new_chat;	/* not 0: the chat has moved there; send again */
	bool thread_gone;	/* the topic was deleted: send again without it */
	bool is_closed;		/* failed: that person never wrote to the bot, or has blocked it */
	char failure[LIMIT_LINE]; /* "" success; else the platform's final no */
};

struct settings_read {
	bool accepted;
	bool is_cut;		  /* `changed` has not all of them */
	bool is_news;		  /* refused for another reason than at the look before */
	bool is_valid_again;	  /* the look before refused them */
	char changed[LIMIT_LINE]; /* names, never values; or what is wrong */
	char applications[LIMIT_LINE]; /* of which the files changed, came or went; "": none */
	char restart[LIMIT_LINE]; /* which of them wait for a restart; "": none */
	char refused[LIMIT_LINE]; /* the first of their files that is refused now; "": none */
};

/* The store's: the handler of an effect's result failed, and nothing that it wrote was kept. */
struct fault {
	int kind;		/* enum effect_kind */
	int64_t subject;	/* the effect's */
	bool folder_gone;	/* RUN: as its result said */
	int64_t chat;		/* SEND_MESSAGE: where it stands */
	int64_t remote_id;	/* SEND_MESSAGE: its id there; 0: it was not sent */
	bool is_of_database;	/* a statement failed: the reason has SQL */
	char reason[LIMIT_LINE];
};

/* What a host that has no certificate yet has sent to deploybot-link. */
#define ENROL_PACKET 4096 /* bytes, at most */
struct enrol {
	int64_t request;	 /* link's number of it */
	char address[64];	 /* as link says it */
	char text[ENROL_PACKET + 1]; /* "agent ID MAC", and on the next lines a request in PEM */
};

/* What whoever waits for the decision is answered, after the commit. */
struct answer {
	int status;		/* an HTTP status; 503: nothing was decided, come again */
	bool is_duplicate;
	int64_t offset;		/* SOURCE_TELEGRAM_POLL: the next offset; 0: unchanged */
	char *text;	/* EVENT_API, HOOK, DELIVERY: what is said, or JSON; whoever has the answer
				 * frees it, done() only borrows it; NULL: nothing */
	int64_t work;	/* EVENT_API: which it is about; of a look at work, its run; 0: none */
	bool is_ended;	/* that run has */
	int64_t log_work; /* of a look at a log: whose run that is */
	bool log_goes_on; /* that work, of which another run may follow */
	struct principal as; /* API_NEWS: who looks */
	char log_note[LIMIT_LINE];     /* in the place of that run's log; "": it is read */
	char log_runner[LIMIT_RUNNER]; /* who has that log */
	/* API_COMMAND: the loop asks so many lines of what its application logged last, and answers
	 * with them; "": it answers with what was said. */
	char log_of[LIMIT_ENVIRONMENT];
	int log_lines;
	/* API_STATUS: whose health the loop looks at before it answers; owned as text is. */
	struct probe_target *targets;
	size_t n_targets;
	bool is_lent; /* API_LOAN: the loop adds what it keeps for `work`, or says 410 */
};

typedef void event_done(void *ctx, const struct answer *answer);

/* What a decision may depend on besides the event and the rows; only ever copied whole. */
struct event_context {
	int64_t at;			/* wall ms */
	uint8_t random[32];		/* seed of whatever the decision draws */
	struct settings *settings;	/* one reference, owned */
	bool knows_clock;		/* the next was said within ten minutes */
	int64_t clock_ahead_s;		/* of our clock before Telegram's; below 0: behind it */
	struct agents_seen *seen;	/* one reference, owned; NULL: no agent can connect */
	char own_name[LIMIT_PERSON];	/* the bot's name in chats, without @; "": not known yet */
	char main_app[LIMIT_PERSON];	/* the same where t.me/NAME?startapp= opens our page */
};

struct event {
	struct queue_link link;
	enum event_kind kind;
	enum event_source source;	/* not SOURCE_NONE: raw is decoded before BEGIN */
	struct event_context context;
	int64_t effect;			/* a result's: the effect that it closes; else 0 */
	struct bytes raw;		/* owned */
	event_done *done;		/* called on the loop; may be NULL */
	void *done_ctx;
	union {
		struct update *update;	  /* owned; with the next the only large ones */
		struct api_request *api;  /* owned */
		struct hook_call *hook;	  /* owned */
		struct enrol *enrol;	  /* owned */
		struct delivery delivery;	/* forge_row.h says what is set before decode */
		struct rejected rejected;
		struct secret_used secret_used;
		struct secrets_seen secrets_seen;
		struct settings_read settings_read;
		struct started started;
		struct heads_compared heads_compared;
		struct run_started run_started;
		struct run_step run_step;
		struct hosts_said hosts_said;
		struct run_lost run_lost;
		struct runner_seen runner;
		struct event_peer peer;
		struct run_ended run_ended;
		struct application_log_read application_log_read;
		struct git_delayed git_delayed;
		struct git_answered git_answered;
		struct file_fetched file_fetched;
		struct probed probed;
		struct message_sent message_sent;
		struct cloudflare_answer cloudflare; /* GOT, WAS_SET */
		struct github_runs_read github_runs_read;
		struct github_failure_read github_failure_read;
		struct github_deliveries_read github_deliveries_read;
		struct forge_said forge_said;
		struct vault_said vault_said;
		struct opa_answer opa_said;
		struct bake_look prom_said;
		struct notify_said notified;
		struct witness_answer witnessed;
		struct fault fault;
	} u;
};

/* Whoever sent one of that kind can send it again: it may be refused.  All else is our own. */
static inline bool
event_kind_is_from_outside(enum event_kind kind)
{
	return kind == EVENT_UPDATE || kind == EVENT_DELIVERY || kind == EVENT_REJECTED ||
	    kind == EVENT_SECRET_USED || kind == EVENT_API || kind == EVENT_HOOK ||
	    kind == EVENT_ENROL;
}

/* How much of an event there is of whose kind many wait at once: what came from outside, results of
 * timers and of Vault, what agents say. */
#define EVENT_SMALL_SIZE (offsetof(struct event, u) + sizeof(struct delivery))
static inline size_t
event_size(enum event_kind kind)
{
	if (kind == EVENT_PEER_MANIFEST || kind == EVENT_PEER_RENEWAL || kind == EVENT_PEER_SEEN ||
	    kind == EVENT_PEER_TWICE)
		return offsetof(struct event, u) + sizeof(struct event_peer);
	return event_kind_is_from_outside(kind) || kind == EVENT_TIMER_FIRED ||
		kind == EVENT_VAULT_SAID || kind == EVENT_RUNNER_HELLO ||
		kind == EVENT_RUNNER_GONE ?
	    EVENT_SMALL_SIZE :
	    sizeof(struct event);
}

/* Time, random bytes and settings are set by whoever submits. */
struct event *event_new(enum event_kind kind) MUST_USE;

/* Accepts NULL; frees raw, what the kind owns, and the reference to the settings. */
void event_free(struct event *event);
void event_free_all(struct queue_list *events); /* empties the list */

/* It is of the same moment: gets a copy of the context, with a reference of its own. */
void event_set_context(struct event *event, const struct event *from);

/* By its kind. */
bool event_is_from_outside(const struct event *event);

const char *event_name(enum event_kind kind);
