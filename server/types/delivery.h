/* delivery.h - what a forge reported, decoded.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/delivery_forge.h"
#include "types/job.h"
#include "types/limits.h"

/* What is read; all else is answered 202 unread.
 * KIND(name, the event's word at its forge, forge,
 *	a member of its bodies that no other kind's have: no event's name is signed,
 *	most bytes: above them nobody waits for it,
 *	decoder of forges/github_delivery.c, NULL: the scanner of pushes,
 *	who wants it: a function of handlers/handle_delivery.c) */
#define DELIVERY_KINDS(KIND) \
	KIND(PUSH, "push", GITHUB, "after", SIZE_MAX, NULL, want_push) \
	KIND(PING, "ping", GITHUB, "zen", SIZE_MAX, NULL, want_ping) \
	KIND(WORKFLOW_RUN, "workflow_run", GITHUB, "workflow_run", 1 << 20, decode_run, \
	    want_run) \
	KIND(WORKFLOW_JOB, "workflow_job", GITHUB, "workflow_job", 1 << 20, decode_job, want_job) \
	KIND(GATE_RULE, "deployment_protection_rule", GITHUB, "deployment_callback_url", 1 << 20, \
	    decode_rule, want_rule) \
	KIND(GATE_REVIEW, "deployment_review", GITHUB, "since", 1 << 20, decode_review, want_rule)

enum delivery_kind {
	DELIVERY_OTHER, /* an event that nobody wants: 202 */
#define KIND(name, ...) DELIVERY_##name,
	DELIVERY_KINDS(KIND)
#undef KIND
	DELIVERY_KIND_COUNT
};

/* Of what a forge says something: a job, or without a check_run all of its run. */
struct delivery_job {
	struct job of;
	char conclusion[24];	     /* "success"; "": it is not over */
	int64_t at;		     /* wall ms, when that was so; 0: it does not say */
	int64_t deployment;	     /* to an environment there; 0: to none, or it does not say */
	char environment[LIMIT_REF]; /* there; "": none, or it does not say */
	char branch[LIMIT_REF];	     /* or tag, of a gate's run; "": it does not say */
};

struct pipeline_run;

struct delivery {
	enum delivery_kind kind;
	enum delivery_forge forge;
	bool by_app;		/* GitHub's App has sent it: its copy of what a webhook sends too */
	bool id_is_shared;	/* undecoded: its ref and commit belong to its id */
	bool by_id_alone;	/* its body may be the same twice, so the digest says nothing */
	char hook[ENVIRONMENT_NAME_MAX]; /* the application whose webhook it came by; "": that of
					  * the main file, of all that have none of their own */
	char id[LIMIT_DELIVERY]; /* of one ref of it, where it may have several */
	uint8_t digest[32];	/* of the raw body (its MAC serves): this is signed, the id not */
	int64_t hook_number;	/* GitHub's, of a repository's webhook; 0: not known */
	int64_t came_at;	/* wall ms: GitHub tried it first then, in vain; 0: now */
	char repository[LIMIT_REF];	/* as sent, group/sub/name; compare without case */
	char branch[LIMIT_REF];	/* without refs/heads/; "" for a tag or anything else */
	bool deleted;
	bool forced;
	char after[LIMIT_COMMIT];
	char login[LIMIT_PERSON];	/* sender.login, cleaned */
	int64_t sender;		/* sender.id */
	int64_t repository_id; /* 0: it does not say */
	bool is_large;	       /* above what its kind may have: nothing of it was read */
	struct pipeline_run *run; /* owned: of a run, of whichever forge; else NULL */
	struct delivery_job *job; /* owned: of a job, of GitHub's no push nor ping; else NULL */
	int64_t job_run;	/* by_job: its run's number; else 0 */
	bool by_job;		/* of a workflow: `after` alone is deployed */
	/* A job of this workflow announced it, and nobody knows who has pushed it; "": somebody
	 * does. */
	char workflow[ENVIRONMENT_ID_MAX];
};
