/* chat_deployment.h - what the messages about one deployment say, in each of its states.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "deployment/deployment.h"
#include "deployment/question.h"
#include "policy/hold.h"
#include "policy/needs.h"
#include "types/bake.h"
#include "types/git_answer.h"
#include "types/host.h"
#include "types/peers.h"
#include "types/waves.h"

/* AWAITING_APPROVAL: how it stands; of a gate's question alone what is needed behind its yes. */
struct chat_approvals {
	int needed;
	bool counts_own;		 /* of whoever asked for it, or confirmed it, too */
	size_t n;			 /* that count */
	size_t n_others;		 /* people who may approve it as well */
	bool is_code_lacking;		 /* more could, had they a second factor */
	bool is_reminder;		 /* it was asked before */
	enum needs_unknown unknown;	 /* why one who asked is no known person */
	const char *tokens;		 /* by which it was asked for; "": by none */
	bool is_one_more;		 /* `unknown` makes one more necessary */
	const struct condition *because; /* why more than usual; NULL: it is not */
	const char *roles;		 /* whose people are asked; NULL: each that grants it */
	const char *asked;   /* whom it reached in private, "": nobody; NULL: a chat has it */
	const char *changes; /* what would change, as chat_deployment_changes() had it */
	int64_t n_changes;   /* commits in `changes` */
	int64_t until;	     /* wall ms */
};

/* What a rollback has just left. */
struct fled {
	enum commit_source source;
	char commit[LIMIT_COMMIT]; /* "": it is not known */
	int64_t at;		   /* wall ms; 0: none has left anything */
};

/* How far its bake is, and what Prometheus said of it. */
struct chat_bake {
	struct bake is;
	struct bake_value values[LIMIT_BAKE_QUERIES];
	size_t n;
	const struct chat_bake *ahead; /* of what it waits for, while that bakes; else NULL */
};

/* How one that is paused stands. */
struct chat_paused {
	struct host_counts hosts;
	struct bake bake;
};

/* How far its waves are. */
struct chat_waves {
	struct host_counts hosts;
	struct host bad[HOSTS_BAD_SHOWN];
	size_t n_bad;
	struct waves_shown planned; /* a question: which it will be in */
	struct host_mix runs; /* all hosts of its environment, as they are now */
};

/* Everything that a message about it may need; what does not apply is NULL or 0. */
struct chat_run_is {
	bool is_unreachable;	/* it could not reach its target or repository */
	bool is_killed;		/* a signal ended it: it put nothing in order */
	struct runner_gone gone;
	const struct chat_paused *paused; /* what it waits for is; NULL: it is not */
	const char *agent; /* on whose host it is; NULL: it is no agent's */
	/* A question: which of those that the run needs are not connected, and since when, with a
	 * ';' between; "", NULL: none. */
	const char *absent;
	enum bake_end source_bake; /* a promotion before it starts: of what it brings */
};

struct chat_deployment {
	const struct deployment *deployment;
	const struct question *question;       /* of a question: what it shows; else NULL */
	const struct environment *environment; /* as it is after the decision */
	const struct step *steps;	       /* of its newest run */
	size_t n_steps;
	const char *failed_step; /* what it is rolled back for; "", NULL: none, or it is not */
	const struct run_warnings
	    *warnings;	      /* of that run; a question: of what is live; NULL: none */
	enum run_end run_end; /* how that run ended: the mark of its last step */
	struct chat_run_is newest; /* how that run stands besides */
	/* A line: of an action what it does to what, of a deployment that has not begun what CI
	 * says of its commit; "", NULL: none. */
	const char *touches;
	const struct promotion *promotion; /* NULL: it is none; from "": not for who reads it */
	const char *run; /* of a gate "run 4711", at its forge, of a loan also whose; NULL: none */
	const char *tail;     /* of an action, or a failure: last lines; "", NULL: none */
	bool is_tail_private; /* an application may speak in it: not for everybody */
	bool is_tail_hidden;  /* there is one, and whoever reads this may not see it */
	const char *application_log;  /* what it logged itself; "", NULL: none, or not for them */
	size_t application_log_lines; /* so many of it at most */
	const struct chat_bake *bake; /* not ended, where it bakes or will: else NULL */
	const struct chat_waves *waves; /* NULL: it is in none */
	int64_t estimate_ms;	      /* how long the whole took lately */
	const struct git_answer
	    *answer;	       /* a question: what would change; REFUSED: what was possible */
	const struct ran *ran; /* what its files came to in other environments */
	size_t n_ran;
	unsigned failed;     /* a bit for each of answer->change that failed there */
	const char *link;    /* question, LIVE: the change at its host; "": none */
	const char *runbook; /* RUNBOOK_URL; NULL: none */
	const char *site;    /* LIVE: where people see it; "", NULL: not known */
	const char *first;   /* a question: what runs before its release; "": nothing */
	const struct chat_approvals
	    *approvals; /* AWAITING_APPROVAL, what nobody approved, a gate asked; else NULL */
	const struct chat_history *since; /* LIVE, a loan: what became of it; NULL: as it ended */
	int64_t until;			  /* wall ms: an open question ends then; 0: it does not */
	size_t n_urls;		    /* AWAITING_CONFIRMATION: health URLs of its environment */
	const struct release *to;   /* of a rollback: what it brings back */
	const struct release *back; /* where it may be DOWN: what a rollback asks about */
	const struct release *gone; /* a rollback's question: the releases that it rolls back */
	size_t n_gone;
	const struct git_change
	    *gone_commits; /* the newest of the commits of those */
	size_t n_gone_commits;
	int64_t gone_count;	       /* all of their commits; 0: which they are is not known */
	const struct block *block;     /* of its commit; LIVE: of the one that it left */
	const struct block *contained; /* a question: what its commit has in its history, newest
					* first */
	size_t n_contained;
	const struct barrier *barriers; /* in the way of a rollback: in a question, and FAILED */
	size_t n_barriers;
	const struct barrier *past; /* a question: what this deployment itself rolls back past */
	size_t n_past;
	const struct migration_behind *behind; /* of a rollback: what it does not undo */
	const struct left_host *left; /* hosts that what runs there was rolled back without */
	size_t n_left;
	bool is_over;	      /* it left its environment in doubt, which is over since */
	int64_t failed_since; /* wall ms, a question: its release failed there since; 0: not */
	int64_t back_failed_since; /* the same of what an automatic rollback would bring back */
	struct fled fled; /* the question of a rollback */
	const struct holds *holds; /* open or queued: what holds its environment; then n is 0 */
	int passed;		   /* approvals that an emergency passes */
	int64_t draining_since;	   /* wall ms: of what its start would end; 0: there is none */
	struct chat_clock clock;   /* in which that is said */
	size_t position;	   /* QUEUED: in its queue, from 1 */
	const struct deployment *ahead; /* QUEUED: what is before it, or holds what it needs; a
					 question: what is in progress there.  Its environment "":
					 they may not see that */
	const char *migration_at;  /* of one that was cut: where it may be at work; "": not known;
				     NULL: it ended with its run */
	bool rollback_not_started; /* ROLLBACK_FAILED: the target is as the deployment left it */
	const char *host;	   /* this machine's name */
	int64_t at;		   /* wall ms of the decision */
};

/*
 * Fills head and the live part's run, start and estimate of *ret (place, ids and buttons are the
 * caller's).  False when it is too long: then head is NULL.
 */
bool chat_deployment(const struct chat_deployment *about, struct message *ret);

/* What the document of a run's log begins with. */
struct chat_log {
	const struct deployment *work;
	int64_t run;
	bool is_back; /* the rollback behind a deployment */
	struct run_times times;
	const char
	    *health; /* its release's: URL, what it said, tries, first line of the answer; "",
			     * NULL: its script failed, or it is healthy */
	const struct step *steps;
	size_t n_steps;
};

/* Plain lines, as many as fit; without marks, and no newline at the end.  False: too long. */
bool chat_log_head(const struct chat_log *log, char *ret, size_t room);

/* An open question, as who asked for the same reads it; requester: NULL who asked first, else
 * somebody else; asked: its text.  free() it. */
char *chat_deployment_shared(
    const struct deployment *question, const char *requester, const char *asked) MUST_USE;

/* What stands where it stood: it goes on below. */
char *chat_deployment_moved(const struct deployment *question) MUST_USE;

/* The same of what awaits approval: its own line of what was skipped, and where that is to be
 * approved.  link: to where it is asked, "" none. */
char *chat_deployment_awaits(const struct deployment *question, const char *link) MUST_USE;

/* Sounds for one deployment at most: its question, its failure, its end. */
#define CHAT_RINGS_MAX 3

/* Does a phone make a sound when it comes to this state?  notify_after_ms: of a success. */
bool
chat_deployment_rings(const struct deployment *deployment, int64_t notify_after_ms, int64_t at);

/* It has failed: its line goes before all else in the chat. */
bool chat_deployment_is_alarm(enum deploy_state state);

/* How many sounds there may have been before the one of this state: the last is left to the end. */
size_t chat_deployment_rings_before(enum deploy_state state);

/* The same head without what an application may have said, for who may not read its log: what it
 * logged, and last lines that are private.  free() it. */
char *chat_deployment_without_log(const char *head, bool is_tail_private) MUST_USE;

/* To who was asked to approve it, and may not any more. */
void chat_deployment_others(struct chat_text *text, const struct deployment *deployment);

/* What stands in the place of a message that was sent anew, where it could not be deleted. */
#define CHAT_SAID_BELOW "This is said again below."

#define CHAT_PAST_BARRIER "⚠️ Roll back all the same"

/* Adds what to do then in three lines, and RUNBOOK_URL (NULL: none): the same below whatever rings
 * for it. */
void chat_unknown_orders(
    struct chat_text *text, const struct environment *environment, const char *runbook);

/* A line for each that a rollback would go past. */
void chat_barriers(struct chat_text *text, const struct barrier *barriers, size_t n);

/* "rolls back ccccccc Tidy prices, …": the newest first; more than CHAT_GONE are not named. */
#define CHAT_GONE 4
void chat_deployment_gone(struct chat_text *text, const struct release *gone, size_t n);

/* Where it is not known whether a release can be rolled back to what is live. */
void
chat_deployment_no_history(
    struct chat_text *text, const struct git_answer *answer, const struct release *live);

/* What git said would change: a count and a line for each commit, of many folded away.  failed: a
 * bit for each change that failed before. */
void
chat_deployment_changes(struct chat_text *text, const struct git_answer *answer, unsigned failed);

/* To an approver: it needs no more of them. */
void chat_deployment_decided(struct chat_text *text, const struct deployment *deployment);

#define CHAT_ROLL_BACK "↩️ Roll back"

/* A button's "what target"; of a target that does not fit its end is kept.  what: 40 bytes. */
const char *chat_deployment_label(const char *what, const char *target, char out[LIMIT_BUTTON]);

/* What the button says that answers its question with yes, and that approves it. */
const char *chat_deployment_yes(const struct deployment *deployment, char out[LIMIT_BUTTON]);
const char *chat_deployment_approve(const struct deployment *deployment, char out[LIMIT_BUTTON]);

/* What is looked for in messages that were sent before, maybe by an earlier version: words on
 * disk. */
#define CHAT_SAID_LOGGED       "\nthe application logged:"
#define CHAT_SAID_NOT_REVIEWED " · " MARK_BOLD "not reviewed" MARK_BOLD
#define CHAT_SAID_AHEAD	       "; this waits for it"

/* A question that names what is in progress there, with how that ended in its place.  False: it
 * does not name it, and nothing was added. */
bool chat_deployment_ahead_ended(
    struct chat_text *text, const char *said, const struct deployment *ended) MUST_USE;

/* Nobody has seen that it was rolled back, is down or paused, or it is live without some hosts: a
 * reminder, and a line for /status (at 0: not how long ago). */
#define CHAT_SEEN "👀 Seen"
struct chat_nag {
	const struct deployment *work;
	const struct environment *environment;
	const struct bake *bake;    /* PAUSED: since when, and why */
	const struct chat_waves *waves; /* LIVE: its hosts, and which do not run it */
	const struct release *back; /* what a rollback asks about */
	const char *runbook;	    /* as above */
	const struct chat_clock *clock;
	int64_t at;
	bool is_last; /* no other reminder follows */
};
void chat_deployment_nag(struct chat_text *text, const struct chat_nag *nag);
/* Such a message as it stood, when somebody has, or when it is over. */
void chat_deployment_nag_over(struct chat_text *text, const char *head);
void chat_deployment_unseen(struct chat_text *text, const struct deployment *work, int64_t at);

/* Of one that no approval, lock or freeze holds (chat_deployment_emergency.c): which of them it
 * passes, and how many approvals; to who could have approved it, as it stands, with those words
 * ("": of before they were kept); that nobody has reviewed it, the nth reminder of so many. */
void
chat_emergency_passed(struct chat_text *text, const struct holds *holds, int approvals, int64_t at);
void chat_emergency(struct chat_text *text, const struct deployment *work, const char *passed);
void chat_emergency_reminder(
    struct chat_text *text, const struct deployment *work, int n, int of, int64_t at);

/* What has ended, with who reviewed it in the place of "not reviewed".  False: it does not say
 * that, and nothing was added. */
bool chat_emergency_reviewed(
    struct chat_text *text, const struct deployment *work, const char *said) MUST_USE;

/* Adds a line: of the migration that was begun last, on which database `serves` ("1a2b3c4 now
 * serves"; "": nobody is named) does.  Nothing where n is 0. */
void chat_migration_behind(
    struct chat_text *text, const struct migration_behind *behind, const char *serves);

/* That a release failed there since it was live; at 0: nothing. */
void chat_deployment_failed_since(
    struct chat_text *text, const char *before, int64_t at, int64_t now);

/* Adds a line of one that nobody has reviewed, for /status. */
void chat_emergency_line(struct chat_text *text, const struct deployment *work, int64_t at);

/* Who does what: "@ada deploys 1a2b3c4", "@ada rolls back to 1a2b3c4"; or only wants to. */
void chat_deployment_work(
    struct chat_text *text, const char *before, const struct deployment *deployment);

/* What is said to who asked alone, when they have come to the front of the queue (is_next), and
 * when it starts; and when somebody gave them a place, or has theirs. */
void
chat_deployment_turn(struct chat_text *text, const struct deployment *deployment, bool is_next);
void chat_deployment_given(
    struct chat_text *text, const struct deployment *deployment, const char *what, const char *who);

/* "1st", "12th": a place in a queue. */
const char *chat_ordinal(size_t n, char out[24]);

/* What became of what Vault has made for a loan: NONE, nothing that it could revoke. */
enum chat_loan {
	CHAT_LOAN_NONE,
	CHAT_LOAN_LENT,
	CHAT_LOAN_REVOKING,
	CHAT_LOAN_REVOKED,
	CHAT_LOAN_ENDED, /* at Vault, by its time */
	CHAT_LOAN_ENDED_BADLY, /* revoked or by its time: somebody else may have had it */
};

/* How what a deployment has released is doing, or what was lent. */
struct chat_history {
	int64_t release; /* its number; 0: it has released nothing */
	int64_t since;	 /* wall ms: when it went live; not looked at where it was replaced */
	int64_t until;	 /* when it was replaced; 0: it was not; of a loan, when Vault ends it */
	enum chat_loan loan;
	bool cannot_end; /* whoever reads this may not revoke that */
	bool is_left;	 /* it was rolled back */
	bool serves;	 /* it is what runs there */
	bool is_promotion;
	bool is_to_hosts;	 /* of those of its own environment that did not run it */
	struct host_share hosts; /* of what serves, and was in waves: how many run it */
	struct chat_clock clock;
	int64_t at;
};

/* "live since 19:54", "was live until 3 h ago, then rolled back"; of one that does not serve, as
 * nobody knows what does, "went live 19:54". */
void chat_deployment_live(struct chat_text *text, const struct chat_history *is);

/* Two lines for /history. */
void chat_deployment_line(
    struct chat_text *text, const struct deployment *deployment, const struct chat_history *is);
