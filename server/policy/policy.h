/* policy.h - may they?  Roles and what each may do.  Asks nobody, remembers nothing.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/settings.h"

enum policy_role {
	POLICY_STRANGER,
	POLICY_STAGING,		/* STAGING_TELEGRAM_IDS: the environment "staging" */
	POLICY_ADMIN,		/* ADMIN_TELEGRAM_IDS: everything */
};

/* X(name, word, who may in "staging", who may elsewhere or without an environment) */
#define POLICY_ACTIONS(A) \
	A(GREET,    "help",     STRANGER, STRANGER)	/* /start /help /whoami, in private */ \
	A(STATUS,   "status",   STAGING,  STAGING) \
	A(HISTORY,  "history",  STAGING,  STAGING) \
	A(DEPLOY,   "deploy",   STAGING,  ADMIN) \
	A(CANCEL,   "cancel",   STAGING,  ADMIN) \
	A(LOG,      "log",      STAGING,  ADMIN) \
	A(ROLLBACK, "rollback", ADMIN,    ADMIN) \
	A(LOOKED,   "I looked", ADMIN,    ADMIN)	/* what runs there is known again */

enum policy_action {
#define A(name, word, staging, elsewhere) POLICY_##name,
	POLICY_ACTIONS(A)
#undef A
	POLICY_ACTION_COUNT
};

struct policy_decision {
	bool is_allowed;
	const char *reason;	/* why not, as the end of "you may not … : "; "" when allowed */
};

/* The role that a person has at this moment. */
enum policy_role policy_role(const struct settings *settings, int64_t person);

/* environment: "" for what concerns none. */
struct policy_decision policy_decide(enum policy_role role, enum policy_action action,
    const char *environment);

const char *policy_role_word(enum policy_role role);
const char *policy_action_word(enum policy_action action);
