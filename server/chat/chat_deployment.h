/* chat_deployment.h - what the messages about one deployment say, in each of its states.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "policy/hold.h"
#include "types/git_answer.h"

/* Everything that a message about it may need; what does not apply is NULL or 0. */
struct chat_deployment {
	const struct deployment *deployment;
	const struct environment *environment; /* as it is after the decision */
	const struct step *steps;	       /* of its newest run */
	size_t n_steps;
	enum run_end run_end;		 /* how that run ended: the mark of its last step */
	int64_t estimate_ms;		 /* how long the whole took lately */
	const struct git_answer *answer; /* AWAITING_CONFIRMATION: what would change */
	bool can_roll_back;	   /* AWAITING_CONFIRMATION: there is a release to roll back to */
	size_t n_urls;		   /* AWAITING_CONFIRMATION: health URLs of its environment */
	const char *audit_head;	   /* final states: the chain's short hash */
	int64_t release;	   /* LIVE: its number */
	const struct release *to;  /* of a rollback: what it brings back */
	const struct block *block; /* of its commit; LIVE: of the one that it left */
	const struct holds *holds; /* locks and freezes of its environment */
	size_t position;	   /* QUEUED: in its queue, from 1 */
	const struct deployment *ahead; /* QUEUED: what is before it, or holds what it needs;
					 its environment "": they may not see that */
	bool rollback_not_started; /* ROLLBACK_FAILED: the target is as the deployment left it */
	const char *host;	   /* this machine's name */
	int64_t at;		   /* wall ms of the decision */
};

/*
 * Fills head and the live part's run, start and estimate of *ret (place, ids and buttons are the
 * caller's).  False when memory is short: then head is NULL.
 */
bool chat_deployment(const struct chat_deployment *about, struct message *ret);

/* What the reply to an open question says to who asked for the same; requester: NULL who asked
 * first, else somebody else.  free() it.  NULL only when memory is short. */
char *chat_deployment_shared(const struct deployment *question, const char *requester) MUST_USE;

/* Sounds for one deployment at most: its question, its failure, its end. */
#define CHAT_RINGS_MAX 3

/* Does a phone make a sound when it comes to this state?  notify_after_ms: of a success. */
bool
chat_deployment_rings(const struct deployment *deployment, int64_t notify_after_ms, int64_t at);

/* How many sounds there may have been before the one of this state: the last is left to the end. */
size_t chat_deployment_rings_before(enum deploy_state state);

/* The line that rings; free() it.  NULL only when memory is short. */
char *chat_deployment_ring(const struct chat_deployment *about) MUST_USE;

/* What stands where it was asked for, once its question stands below; the same. */
char *chat_deployment_found(const struct deployment *deployment) MUST_USE;

/* Who does what: "@ada deploys 1a2b3c4", "@ada rolls back to 1a2b3c4". */
struct chat_text;
void chat_deployment_work(
    struct chat_text *text, const char *before, const struct deployment *deployment);

/* What is said to who asked alone, when they have come to the front of the queue (is_next), and
 * when it starts; and when somebody gave them a place, or has theirs.  Both begin the text. */
void
chat_deployment_turn(struct chat_text *text, const struct deployment *deployment, bool is_next);
void chat_deployment_given(
    struct chat_text *text, const struct deployment *deployment, const char *what, const char *who);

/* "1st", "12th": a place in a queue. */
const char *chat_ordinal(size_t n, char out[24]);

/* Two lines for /history.  release: the number of what it released; 0: nothing. */
void chat_deployment_line(
    struct chat_text *text, const struct deployment *deployment, int64_t release, int64_t at);
