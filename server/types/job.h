/* job.h - a job of a forge's workflow, as its checked token says it, or who has its key.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Claims are texts, numbers too: docs.github.com/actions/reference/security/oidc,
 * docs.gitlab.com/ci/secrets/id_token_authentication.  Of names only those are kept that people
 * read; who or what something is says its number.
 */
#pragma once

#include "types/delivery_forge.h"
#include "types/limits.h"

struct json;

#define JOB_ID	   65 /* bytes of a token's own id (jti), or of a webhook-id, with the NUL */
#define JOB_NUMBER 24 /* of a number as a text */
#define JOB_MARK   8  /* of its forge before it */
#define JOB_EVENT  40 /* of an event's name: GitHub's longest has 27 */
#define JOB_DIGEST 32 /* SHA-256 */
#define JOB_RUN_BITS 56 /* of a run's number, where its forge stands before it */
#define JOB_FORGES 2  /* the first ones of enum delivery_forge: their jobs have tokens */

/* How a forge calls the claims that both have. */
struct job_forge {
	const char *mark; /* before numbers of its repositories and logins: others have the same */
	const char *word; /* of what its jobs belong to, for people: "run" */
	int64_t life_ms;  /* from a token's iat to its exp, at most */
	const char *repository, *repository_id, *ref, *event, *actor, *actor_id, *run;
	const char *attempt; /* NULL: a job that is begun again is another job */
	const char *job;     /* its own number, which may be missing where there is an attempt */
	const char *file;    /* of the workflow, with its repository and its ref */
};
extern const struct job_forge job_forges[JOB_FORGES];

/* Who the actor is, as the event says that has begun the run. */
enum job_actor {
	JOB_ACTOR_OUTSIDE, /* anybody: the event is let in where a line of the settings names it */
	JOB_ACTOR_UNKNOWN, /* nobody that counts: of a schedule whoever has changed its line last */
	JOB_ACTOR_ASKED,   /* has begun the run; who has pushed the commit is not known */
	JOB_ACTOR_PUSHED,  /* has pushed the commit */
};

/* Of a request that WORKFLOW_<NAME>_KEY has signed nothing but workflow, is_by_previous, token,
 * expires_at, digest and attempt 1 is filled in: no forge says more. */
struct job {
	char workflow[ENVIRONMENT_ID_MAX]; /* of the settings: "deploy", "shop/deploy" */
	bool is_by_previous;		   /* signed by the key that the workflow had before */
	char token[JOB_ID];		   /* its own id */
	int64_t expires_at;		   /* wall ms */
	char repository[LIMIT_REF];	   /* "octo/shop" */
	char repository_id[JOB_MARK + JOB_NUMBER]; /* "456789", "gitlab:22" */
	char ref[LIMIT_REF]; /* "refs/heads/main" */
	char sha[LIMIT_COMMIT];
	char event[JOB_EVENT]; /* that has begun its run: "push" */
	char actor[LIMIT_PERSON]; /* the login, cleaned: "mona", "gitlab:mona" */
	int64_t actor_id;
	char run[JOB_NUMBER];
	int64_t attempt;	/* 1: nobody has begun it again, or that makes another job */
	char check_run[JOB_NUMBER]; /* of the job itself; "": its token does not say */
	uint8_t digest[JOB_DIGEST]; /* of what is asked: method, path and body */
};

/* Of claims that were checked and are of a workflow; false, *err: one is missing, or is none. */
MUST_USE bool job_read(enum delivery_forge forge, const struct json *claims, struct job *ret,
    struct err *err);

/* Whose repository has that number: "gitlab:22", "456789". */
enum delivery_forge job_forge_of(const char *repository_id);

/* What its forge calls that which a job belongs to: "run", "pipeline". */
const char *job_word(const char *repository_id);

/* By an event's name; OUTSIDE: whoever may not write to the repository can cause it, or it brings
 * what such people wrote. */
enum job_actor job_actor_of(enum delivery_forge forge, const char *event);

/* Of a run that was begun again no claim says by whom: UNKNOWN. */
enum job_actor job_actor_is(const struct job *job);

/* Was its request signed by its workflow's key, rather than proven by a token? */
bool job_is_by_key(const struct job *job);

/* Are both of the same job, or of the same run where one does not say of which job?  Who has a key
 * is one with whoever has the key of that workflow. */
bool job_is_same(const struct job *a, const struct job *b);
