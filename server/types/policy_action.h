/* policy_action.h - what somebody may want to do: the words of grants.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#include "lib/base.h"

/*
 * ACTION(name, word, who may, what it lets them do)
 *	GRANT	whose role grants it (the word stands in ROLE_<NAME>_MAY)
 *	LATER	the same, and nothing asks for it yet
 *	STAR	whose role grants *
 *	KNOWN	whoever has a role that grants anything
 *	ANYONE	everybody, strangers too
 */
#define POLICY_ACTIONS(ACTION) \
	ACTION(STATUS,    "status",    GRANT,  "what runs there, and its health") \
	ACTION(HISTORY,   "history",   GRANT,  "the latest deployments") \
	ACTION(LOG,       "log",       GRANT,  "the logs of runs") \
	ACTION(DEPLOY,    "deploy",    GRANT,  "deploy, answer one's question, leave the queue") \
	ACTION(ROLLBACK,  "rollback",  GRANT,  "roll back to an earlier release, start a queue") \
	ACTION(CANCEL,    "cancel",    GRANT,  "cancel what is queued or in progress") \
	ACTION(CONFIRM,   "confirm",   GRANT,  "answer questions that others ask") \
	ACTION(LOCK,      "lock",      GRANT,  "lock a target; end one's own lock") \
	ACTION(UNLOCK,    "unlock",    GRANT,  "end the lock of another person") \
	ACTION(FREEZE,    "freeze",    GRANT,  "begin and end a freeze, deploy in one") \
	ACTION(APPROVE,   "approve",   GRANT,  "approve or reject what others ask for") \
	ACTION(EMERGENCY, "emergency", GRANT,  "deploy past approvals, freezes and others' locks") \
	ACTION(DO,        "do",        GRANT,  "CLIENT_<ID>_ACTIONS and jobs; do.NAME: that one") \
	ACTION(AUDIT,     "audit",     GRANT,  "read the audit log") \
	ACTION(TWO_FA,    "2fa",       GRANT,  "reset the second factor of another person") \
	ACTION(TOKEN,     "token",     GRANT,  "make and revoke tokens of one's own roles") \
	ACTION(ADMIN,     "admin",     STAR,   "see what is wrong with all settings") \
	ACTION(TALK,      "queue",     KNOWN,  "see a queue, be answered in a group") \
	ACTION(GREET,     "help",      ANYONE, "/start, /help, /whoami and /login, in private")

enum policy_action {
#define ACTION(name, ...) POLICY_##name,
	POLICY_ACTIONS(ACTION)
#undef ACTION
	POLICY_ACTION_COUNT
};

enum policy_who {
	POLICY_BY_GRANT,
	POLICY_BY_LATER,
	POLICY_BY_STAR,
	POLICY_BY_KNOWN,
	POLICY_BY_ANYONE
};

struct policy_action_row {
	const char *word;
	enum policy_who who;
	const char *help;
};

extern const struct policy_action_row policy_action_rows[POLICY_ACTION_COUNT];

/* Sets of actions: a bit for each. */
_Static_assert(POLICY_ACTION_COUNT <= 32, "a set of actions is 32 bits");
#define POLICY_ACTION_BIT(action) (UINT32_C(1) << (unsigned)(action))

/* The set that a grant's word stands for, "*" for all; 0: there is no such action. */
uint32_t policy_action_set(const char *word);

/* May it stand in a grant? */
bool policy_action_is_grantable(enum policy_action action);

/* The word of a grant that is nearest; NULL: none is near. */
const char *policy_action_nearest(const char *word);
