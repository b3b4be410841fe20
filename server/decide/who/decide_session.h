/* decide_session.h - logins by a token: who has one, and how it ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_token.h"
#include "types/audit_code.h"
#include "types/update.h"

/* Begins one, in the place of another of that person. */
void decide_session_begin(struct tx *tx, const struct update *update, const struct token *token);

/* Ends that of who sent the update, at their word.  False: there was none. */
bool decide_session_leave(struct tx *tx, const struct update *update) MUST_USE;

/* They did something: it ends that much later. */
void decide_session_touch(struct tx *tx, int64_t person);

/*
 * Ends those that do not hold any more: not used for SESSION_TIMEOUT_SECONDS, or their token is not
 * valid (decide_token_look.h, which looks first).  Each is audited, and its person is notified.  At
 * start, after a change of the settings or of a token, and at TIMER_SESSIONS, which is due when the
 * next of them ends.
 */
void decide_sessions_look(struct tx *tx);

/* No login goes on, and each of their people is sent why. */
void decide_sessions_end(struct tx *tx, const char *why);

/* An entry of the audit about a token; reason: NULL: none. */
void decide_token_audit(struct tx *tx, const struct update *update, enum audit_code code,
    const struct token *token, const char *reason);
