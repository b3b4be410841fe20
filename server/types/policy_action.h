/* policy_action.h - what somebody may want to do: the words of grants.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/*
 * ACTION(name, word, who may, where, what it lets them do)
 *	GRANT	whose role grants it (the word stands in ROLE_<NAME>_MAY)
 *	STAR	whose role grants *
 *	KNOWN	whoever has a role that grants anything
 *	ANYONE	everybody, strangers too
 * where: what it is done to
 *	TARGET	an environment or a client: without one it is refused
 *	SERVER	the whole server: a grant on all targets, of the main file, covers it, and no other
 *	ANYWHERE	either a target or nothing at all
 */
#define POLICY_ACTIONS(ACTION) \
	ACTION(STATUS, "status", GRANT, TARGET, "what runs there, and its health") \
	ACTION(HISTORY, "history", GRANT, TARGET, "the latest deployments") \
	ACTION(LOG, "log", GRANT, TARGET, "the logs of runs") \
	ACTION(DEPLOY, "deploy", GRANT, TARGET, "deploy, answer one's question, leave the queue") \
	ACTION(UPLOAD, "upload", GRANT, TARGET, \
	    "beside deploy: deploy an archive that one sends, where <ENV>_UPLOADS says so") \
	ACTION( \
	    ROLLBACK, "rollback", GRANT, TARGET, "roll back to an earlier release, start a queue") \
	ACTION(CANCEL, "cancel", GRANT, TARGET, "cancel what is queued or in progress") \
	ACTION(CONFIRM, "confirm", GRANT, TARGET, "answer questions that others ask") \
	ACTION(LOCK, "lock", GRANT, TARGET, "lock a target; end one's own lock") \
	ACTION(UNLOCK, "unlock", GRANT, TARGET, "end the lock of another person") \
	ACTION(FREEZE, "freeze", GRANT, TARGET, "begin and end a freeze, deploy in one") \
	ACTION(APPROVE, "approve", GRANT, TARGET, "approve or reject what others ask for") \
	ACTION(EMERGENCY, "emergency", GRANT, TARGET, \
	    "deploy past approvals, freezes and others' locks") \
	ACTION(DO, "do", GRANT, TARGET, "CLIENT_<ID>_ACTIONS and jobs; do.NAME: that one") \
	ACTION(GATE, "gate", GRANT, TARGET, \
	    "let a job of a pipeline go on to a target (a workflow asks)") \
	ACTION(SECRET, "secret", GRANT, TARGET, \
	    "ask for a secret of Vault: SECRET_<NAME>_FOR; secret.NAME: that one") \
	ACTION(AUDIT, "audit", GRANT, TARGET, "read the audit log") \
	ACTION(TWO_FA, "2fa", GRANT, SERVER, "reset the second factor of another person") \
	ACTION(TOKEN, "token", GRANT, SERVER, "make and revoke tokens of one's own roles") \
	ACTION(ADMIN, "admin", STAR, SERVER, "see what is wrong with all settings") \
	ACTION(TALK, "queue", KNOWN, ANYWHERE, "see a queue, be answered in a group") \
	ACTION(GREET, "help", ANYONE, ANYWHERE, "/start, /help, /whoami and /login, in private")

enum policy_action {
#define ACTION(name, ...) POLICY_##name,
	POLICY_ACTIONS(ACTION)
#undef ACTION
	    POLICY_ACTION_COUNT
};

enum policy_scope { POLICY_ON_TARGET, POLICY_ON_SERVER, POLICY_ON_ANYWHERE };

enum policy_who { POLICY_BY_GRANT, POLICY_BY_STAR, POLICY_BY_KNOWN, POLICY_BY_ANYONE };

struct policy_action_row {
	const char *word;
	enum policy_who who;
	enum policy_scope scope;
	const char *help;
};

extern const struct policy_action_row policy_action_rows[POLICY_ACTION_COUNT];

/* Sets of actions: a bit for each. */
_Static_assert(POLICY_ACTION_COUNT <= 32, "a set of actions is 32 bits");
#define POLICY_ACTION_BIT(action) (UINT32_C(1) << (unsigned)(action))

/* The set that a grant's word stands for, "*" for all; 0: there is no such action. */
uint32_t policy_action_set(const char *word);

/* Those of them that are the server's. */
uint32_t policy_action_of_server(uint32_t set);

/* What of the server's it is about, "a token". */
const char *policy_action_thing(enum policy_action action);

/* May it stand in a grant? */
bool policy_action_is_grantable(enum policy_action action);

/* The word of a grant that is nearest; NULL: none is near. */
const char *policy_action_nearest(const char *word);
