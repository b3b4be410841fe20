/* needs.h - what some work needs before it may start: how many approvals, and whose count.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * Facts of the work, one snapshot of the settings and one moment; nothing is remembered.  An
 * approval is a row; whether it still counts is asked again whenever it matters.
 */
#pragma once

#include "lib/condition.h"
#include "policy/policy.h"
#include "types/limits.h"

/* Who may have asked for one work, with makers and accounts of their tokens: more, and nobody may
 * approve. */
#define NEEDS_ASKED_MAX	    256
#define NEEDS_APPROVALS_MAX 32 /* that are looked at */
#define NEEDS_BINDING	    448

/* Who asked for it may be one of those who approve, and no row knows: by which door they came. */
enum needs_unknown {
	NEEDS_KNOWN,
	NEEDS_UNKNOWN_PUSHER, /* a login of the forge that no PERSON_<ID>_GITHUB names */
	NEEDS_UNKNOWN_TOKEN,  /* whoever has its text */
	NEEDS_UNKNOWN_USER,   /* of the machine, who is a role alone */
	NEEDS_UNKNOWN_ROOT,   /* of the machine, as a role */
	NEEDS_UNKNOWN_HOOK,   /* whoever has its secret */
	NEEDS_UNKNOWN_WORKFLOW, /* whoever has begun the run again, or a login that nothing names */
};

struct needs_work {
	const char *environment;	/* whose settings say what it needs */
	char target[LIMIT_ENVIRONMENT]; /* what grants are asked about: that, or client/acme */
	bool is_rollback;
	bool is_forward; /* a rollback that brings what was left: needs what either does */
	bool is_gate;	/* of a pipeline: the code that it needs is its approvers' */
	const char *secret; /* that is lent, as is_gate; NULL: it is no loan */
	bool is_action;
	bool is_emergency; /* it needs none, and who asked never counts as one of those who may */
	int of_action;	   /* approvals that an action needs; 0: it is none */
	bool is_by_job; /* of a workflow, or of several */
	bool is_force_push;
	const char
	    *untouched;	 /* patterns in which nothing differs, a comma behind each; NULL: none */
	uint32_t not_on; /* of the conditions: never had its commit; is no promotion */
	enum needs_unknown unknown; /* why one who asked or confirmed is no known person */
	size_t n_asked;
	size_t n_themselves; /* the first of them; behind stand makers and accounts of tokens */
	int64_t asked[NEEDS_ASKED_MAX]; /* who asked for it or confirmed it; no 0, each once */
};

struct needs {
	int approvals;
	const char *approvers;		 /* roles, a comma between; NULL: each that grants it */
	const struct condition *because; /* why more than usual; NULL: it is not */
};

struct needs needs_of(const struct settings *settings, const struct needs_work *work, int64_t at);

enum needs_verdict {
	NEEDS_MAY,
	NEEDS_NO_PERSON, /* nobody whom it could be told from others: a user of the machine */
	NEEDS_NO_GRANT,
	NEEDS_OTHER_ROLE, /* has the grant, by a role that <ENV>_APPROVERS does not name */
	NEEDS_ASKED,	  /* asked for it, or confirmed it */
	NEEDS_BY_TOKEN,	  /* it was by a token of theirs; or they act by one of who asked */
};

/* Is that person one of those who asked for it?  Also where they are too many to be known. */
bool needs_has_asked(const struct needs_work *work, int64_t person);

/* May that principal be one of those who approve it?  *ret_role (may be NULL): by which role. */
enum needs_verdict needs_may_approve(const struct settings *settings, const struct needs_work *work,
    struct principal who, int64_t at, const struct role **ret_role);

/* The person behind that one, by number, who may; 0: there is no other. */
int64_t needs_next_approver(
    const struct settings *settings, const struct needs_work *work, int64_t at, int64_t after);

/* How many people may. */
size_t
needs_count_approvers(const struct settings *settings, const struct needs_work *work, int64_t at);

/* One that was given. */
struct approval {
	int64_t person;
	char name[LIMIT_PERSON];
	char role[ROLE_TEXT]; /* "shop:lead" */
	int64_t at;
	char binding[NEEDS_BINDING]; /* what was approved */
	bool has_factor;	     /* with a code of their second factor */
	/* They had logged in by a token: who has made it, whose account it is; 0: they had not. */
	int64_t token_maker, token_account;
};
