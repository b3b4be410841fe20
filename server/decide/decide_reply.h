/* decide_reply.h - answers to people, entries in the audit.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "policy/policy.h"
#include "store/row_audit.h"
#include "types/update.h"

struct deployment;

/* Says the text in a message of its own, without a notification; takes what is in
 * it.  Returns the message's row. */
int64_t decide_send(struct tx *tx, const struct chat_address *address, struct chat_text *text);

/* The same with literal text of ours. */
int64_t
decide_sendf(struct tx *tx, const struct chat_address *address, const char *fmt, ...) PRINTF(3, 4);

/* True: the settings let nothing be deployed there (it shares its target), and why was said. */
bool decide_is_refused(struct tx *tx, const struct update *update, const char *environment);

/* True: a deployment is active there, and who, which commit and since when was said. */
bool decide_is_busy(struct tx *tx, const struct update *update, const char *environment);

/* Answers a button press with a toast. */
void decide_toastf(struct tx *tx, const struct update *update, bool is_alert, const char *fmt, ...)
    PRINTF(4, 5);

/* "telegram:111" */
const char *decide_user(char out[32], int64_t person);

/*
 * May the sender do that?  A no is audited, and answered: to a stranger in a group once an hour, in
 * private once a minute; a press gets a toast.
 */
bool decide_may(struct tx *tx, const struct update *update, enum policy_action action,
    const char *environment);

/* Audits what somebody wants of a deployment; meta as row_audit_add() has it. */
void decide_audit_request(struct tx *tx, const struct deployment *deployment, const char *user,
    const char *action, const char *outcome, const char *const *meta);

/* Audits a denial of whoever sent the update. */
void decide_audit_denied(struct tx *tx, const struct update *update, const char *what,
    const char *environment, const char *reason);

/* The environment's settings; NULL: there is none, and the sender was sent those there are. */
const struct environment_settings *decide_environment(struct tx *tx,
    const struct update *update, const char *name);

/* Both: the environment in which the sender wants that and may it; NULL: they were sent the reason.
 * A name that is none is a typo, not a missing right; to a stranger each is the same.  Who may it
 * somewhere and named no environment is sent those there are, and denied nothing. */
const struct environment_settings *decide_where(struct tx *tx, const struct update *update,
    enum policy_action action, const char *name);
