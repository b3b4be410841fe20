/* roles.h - who has which role, and what it grants: of one snapshot, made for decisions.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Made when settings are loaded (settings/settings_roles.c), never changed.  Members are sorted by
 * their person: a decision costs what that person's roles grant, however many others there are.
 */
#pragma once

#include "lib/environment_id.h"
#include "lib/setting.h"
#include "types/action.h"
#include "types/principal.h"

#define GRANT_TEXT 72 /* "deploy:shop/staging" with the NUL */

struct grant {
	uint32_t actions;			/* POLICY_ACTION_BIT, or-ed */
	char only[ACTION_NAME];			/* of do.NAME; "": all */
	bool is_client;				/* of a client: its id is the name */
	char application[ENVIRONMENT_NAME_MAX]; /* "*": of any */
	char name[ENVIRONMENT_CLIENT_MAX];	/* "*": any */
	/* Only in an application that has an environment of this name; "": in each. */
	char beside[ENVIRONMENT_NAME_MAX];
	char text[GRANT_TEXT]; /* as it stands in the settings */
};

/* It is (application, name): one of that name in another file is another. */
struct role {
	char name[ENVIRONMENT_NAME_MAX];	/* "contractor"; a hook's or workflow's own */
	char setting[SETTING_NAME_MAX];		/* the line that says what it may */
	char application[ENVIRONMENT_NAME_MAX]; /* in whose file it stands; "": the main one */
	bool is_built_in;
	/* HOOK, WORKFLOW: the grants of that one, which nobody else has; SYSTEM: of people. */
	enum principal_kind of;
	int64_t until;	    /* from this moment on there is no such role; 0: no end */
	uint32_t unreached; /* actions of the server that its line names and does not give */
	size_t first_grant;
	size_t grant_count;
};

struct role_member {
	int64_t person;
	size_t role;
	int64_t
	    until; /* from this moment on not any more, its role's end at the latest; 0: no end */
};

/* People and users of the machine are members.  Root, hooks, workflows and tokens are none: a
 * decision finds the one role that they act with (principal.lent). */
struct roles {
	size_t count;
	struct role *role;
	size_t grant_count;
	struct grant *grant;
	size_t member_count;
	struct role_member *member; /* by person, then by role */
};

void roles_free(struct roles *roles); /* takes NULL */

/* The first of a person's members, and how many there are; NULL: none. */
const struct role_member *roles_of(const struct roles *roles, int64_t person, size_t *ret_count);

/* The index of the role of exactly that, and 1; 0: there is none.  roles may be NULL. */
size_t roles_find(const struct roles *roles, const char *application, const char *name);

/* As roles_find(), of a hook or workflow. */
size_t roles_find_own(const struct roles *roles, enum principal_kind of, const char *application,
    const char *name);

/* What a text stands for that people wrote: "shop:lead" is that; "lead" the main file's. */
enum roles_named {
	ROLES_NONE,
	ROLES_ONE,
	/* The main file has none of the bare name, and one application has: it is that, as it was
	 * when a name was enough; to be written APPLICATION:NAME. */
	ROLES_ONE_ELSEWHERE,
	/* The main file has none of the bare name, and several applications have: none is meant. */
	ROLES_SEVERAL,
};
/* *ret: its index and 1; 0 but for the two ROLES_ONE. */
enum roles_named roles_named(const struct roles *roles, const char *text, size_t *ret);

/* Do both have the same people with the same grants? */
bool roles_are_same(const struct roles *a, const struct roles *b);
