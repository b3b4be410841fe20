/* policy.h - may they?  A function of who, what, where, one snapshot of the settings and one moment.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * Rights are grants of roles (types/roles.h): a set, in no order.  A decision costs what the roles
 * of that one person grant.  It holds for its moment: whoever acts later asks again.
 */
#pragma once

#include "types/policy_action.h"
#include "types/principal.h"
#include "types/roles.h"
#include "types/settings.h"

#define POLICY_LINE 240

enum policy_verdict {
	POLICY_ALLOW,
	POLICY_DENY,	/* for good: refuse it */
	POLICY_NOT_NOW, /* wait; the reason says for whom or until when */
	POLICY_NEEDS,	/* something more is asked for first; the reason says what */
};

struct policy_decision {
	enum policy_verdict verdict;
	const char *reason;	 /* why not, as the end of "you may not … : "; "" when allowed */
	const struct role *role; /* what decides; NULL: no role does */
	const struct grant *grant; /* which grant of that role */
	int64_t until;		   /* when that ends; 0: never */
};

#define POLICY_ALL "*/*" /* in the place of an environment: only a grant on all of them covers it */

/* --- is a right alive? --- */

/* What somebody has by a role: a member, root, a hook, a token, a login by one. */
struct policy_right {
	size_t role;   /* its index and 1 */
	int64_t until; /* an end of its own; 0: none */
	int64_t
	    maker; /* who gave it, as rows know people: it goes with what they have; 0: nobody */
};

enum policy_ends_by { POLICY_ENDS_ITSELF, POLICY_ENDS_WITH_ROLE, POLICY_ENDS_WITH_MAKER };

struct policy_end {
	int64_t at; /* from then on it is over; POLICY_NO_END; 0: whoever gave it has nothing */
	enum policy_ends_by by;
};
#define POLICY_NO_END INT64_MAX

/* The one place that says until when a right is alive.  Root has every role while it is there. */
struct policy_end policy_end_of(const struct settings *settings, const struct policy_right *right);

/* --- may they? --- */

/*
 * environment: "shop/staging", "client/acme".  What is done to a target is refused without one;
 * what is the server's is decided for POLICY_ALL whatever stands there; only what needs no target
 * may have "".  Of POLICY_DO: may they do anything there?
 */
struct policy_decision policy_decide(const struct settings *settings, struct principal who,
    enum policy_action action, const char *environment, int64_t at);

/* May they do that to it?  name: an action's (types/action.h), "*": each; environment may be a
 * client/acme, and is for every action on a client, whatever the client is; NULL: anywhere. */
struct policy_decision policy_decide_do(const struct settings *settings, struct principal who,
    const char *name, const char *environment, int64_t at);

/* May they ask for the secret of that bare name there?  "": for any. */
struct policy_decision policy_decide_secret(const struct settings *settings, struct principal who,
    const char *name, const char *environment, int64_t at);

/* Have they that anywhere?  So that a list may begin, or be offered: each line of it is decided by
 * itself. */
struct policy_decision policy_decide_somewhere(
    const struct settings *settings, struct principal who, enum policy_action action, int64_t at);

/* Whom somebody who may not could ask: the roles but the admins' that have it there, and a member
 * now, "lead or ops"; of many the first three.  name: of POLICY_DO the action's, else "".  Returns
 * out; "": there are the admins alone. */
const char *policy_who_may(const struct settings *settings, enum policy_action action,
    const char *name, const char *environment, int64_t at, char out[POLICY_LINE]);

/* The role by which it may do that there, of those whose names stand in a comma list (NULL: of
 * all); NULL: by none. */
const struct role *policy_role(const struct settings *settings, struct principal who,
    enum policy_action action, const char *environment, const char *list, int64_t at);

/* Does REQUIRE_OTP ask for a code before that is done there?  name: of POLICY_DO the action's, else
 * "".  One that only looks is asked for where it is named alone. */
bool policy_needs_factor(const struct settings *settings, enum policy_action action,
    const char *name, const char *environment);

/* Does that rule of REQUIRE_OTP ask a code for anything that they may? */
bool policy_asks_factor_of(
    const struct settings *settings, const struct grant *rule, struct principal who, int64_t at);

/* Its verdict is POLICY_ALLOW. */
bool policy_may(const struct settings *settings, struct principal who, enum policy_action action,
    const char *environment, int64_t at);

/* May it deploy, confirm, roll back or approve there, or do something to a client/acme or approve
 * that?  Who only looks may not. */
bool policy_could_act(
    const struct settings *settings, struct principal who, const char *target, int64_t at);

/* Has it that role (its index and 1) of its own, or an admin's, who has all? */
bool
policy_has_role(const struct settings *settings, struct principal who, size_t role, int64_t at);

/* Is it an admin of its own right? */
bool policy_is_admin(const struct settings *settings, struct principal who, int64_t at);

/* Has it any grant in force?  Who has none is a stranger. */
bool policy_is_known(const struct settings *settings, struct principal who, int64_t at);

/* Does it learn that this environment exists?  Whoever has any grant there does. */
bool policy_sees(
    const struct settings *settings, struct principal who, const char *environment, int64_t at);

/* Has this membership not ended? */
bool policy_is_in_force(const struct role_member *member, int64_t at);

/* As a grant has it, and people read it: "deploy". */
const char *policy_action_word(enum policy_action action);

/* The roles in force, as people say them: "admin", "contractor until 2027-01-31, staging"; an
 * admin's others do not matter.  "nobody" for a stranger.  Returns out. */
const char *policy_roles_text(
    const struct settings *settings, struct principal who, int64_t at, char *out, size_t room);

/* The roles that have ended: "contractor until 2027-01-31"; "": none has.  Returns out. */
const char *policy_ended_text(
    const struct settings *settings, struct principal who, int64_t at, char *out, size_t room);

/* "contractor (ROLE_CONTRACTOR_MAY of shop: deploy:shop/staging, until 2027-01-31)".  Returns
 * out. */
const char *policy_line(
    const struct settings *settings, const struct policy_decision *decision, char out[POLICY_LINE]);
