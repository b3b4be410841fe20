/* decide_reply.h - answers to people, entries in the audit.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_first.h"
#include "chat/chat_text.h"
#include "policy/policy.h"
#include "store/row_audit.h"
#include "types/update.h"

struct deployment;

/* Came from the machine: no chat waits for an answer, but whoever asked. */
bool decide_is_answered(const struct update *update);

/* Appends the text to what they are answered, without its marks. */
void decide_answer(struct tx *tx, const char *text);

/* Refuses what came over /v1 or by a hook: that status, and the line as the answer (cut). */
void decide_refusef(struct tx *tx, int status, const char *fmt, ...) PRINTF(3, 4);

/* What is said is a no: a script sees that by the exit status. */
void decide_answer_no(struct tx *tx, const struct update *update);

/* Where the message of such work goes: to the chat in which it was asked for, or else to its
 * application's, or where there is none to theirs. */
struct chat_address
decide_home(struct tx *tx, const struct update *update, const char *environment);

/* Of what is said of that environment: its application's. */
struct chat_clock decide_clock(const struct tx *tx, const char *environment);

/* Says the text in a message of its own, to the address and with the flags of `as`, whose texts are
 * not looked at; takes what is in it.  Returns the message's row; 0: the tx has failed. */
int64_t decide_send_as(struct tx *tx, struct message *as, struct chat_text *text);

/* That message says the text from now on, above these buttons; NULL: it has none any more.  Takes
 * what is in the text. */
void
decide_change(struct tx *tx, int64_t row, const struct buttons *buttons, struct chat_text *text);

/* As decide_send_as(), as an answer, without a notification. */
int64_t decide_send(struct tx *tx, const struct chat_address *address, struct chat_text *text);

/* To the group of that environment, or all who could act on it, without a notification. */
void decide_send_team(struct tx *tx, const char *environment, struct chat_text *text);

/* An answer with literal text of ours. */
int64_t
decide_sendf(struct tx *tx, const struct chat_address *address, const char *fmt, ...) PRINTF(3, 4);

/* True: the settings let nothing be deployed there (it shares its target), and why was said. */
bool decide_is_refused(struct tx *tx, const struct update *update, const char *environment);

/* Answers a button press with a toast. */
void decide_toastf(struct tx *tx, const struct update *update, bool is_alert, const char *fmt, ...)
    PRINTF(4, 5);

/* The same behind that beginning, with its target in it: a toast; an answer. */
void decide_toast_firstf(struct tx *tx, const struct update *update, bool is_alert,
    enum chat_first first, const char *target, const char *fmt, ...) PRINTF(6, 7);
int64_t decide_send_firstf(struct tx *tx, const struct chat_address *address, enum chat_first first,
    const char *target, const char *fmt, ...) PRINTF(5, 6);

/* Answers a press that stands for nothing any more. */
void decide_expired(struct tx *tx, const struct update *update);

/* "telegram:111", "local:ada" */
const char *decide_user(struct tx *tx, int64_t person, char out[PRINCIPAL_TEXT]);
/* The same, for as long as the block in which it stands. */
#define decide_user_here(tx, person) decide_user(tx, person, (char[PRINCIPAL_TEXT]){ "" })

/* Of an entry about what that person wants: what root does is looked at by others. */
enum audit_severity decide_severity(int64_t person);

/* Who asked for that work: the same, or a name where that is nobody's number. */
const char *
decide_requester(struct tx *tx, const struct deployment *deployment, char out[PRINCIPAL_TEXT]);

/* May the sender do that action (types/action.h) on a client/acme or environment?  As
 * decide_may(). */
bool
decide_may_do(struct tx *tx, const struct update *update, const char *name, const char *target);

/* May they let that work start?  As decide_may(). */
bool
decide_may_work(struct tx *tx, const struct update *update, const struct deployment *deployment);

/*
 * May the sender do that?  A no is audited, and answered: to a stranger in a group once an hour, in
 * private once a minute; a press gets a toast.  False too where a code of the second factor comes
 * first (decide_lacks.h), for which whoever decides on the event asks.
 */
bool decide_may(
    struct tx *tx, const struct update *update, enum policy_action action, const char *environment);

/* The same; wanted: what a denial says they wanted of it, in the word that they typed. */
bool decide_may_as(struct tx *tx, const struct update *update, enum policy_action action,
    const char *environment, const char *wanted);

/* The same of what they may anywhere: so that a list begins, or more is asked about, each line of
 * which is decided by itself; a code is asked for there.  name: of POLICY_DO the action's; else
 * "". */
bool decide_may_somewhere(
    struct tx *tx, const struct update *update, enum policy_action action, const char *name);

/* What was typed or pressed may name its environment, or nothing ("") yet. */
bool decide_may_begin(
    struct tx *tx, const struct update *update, enum policy_action action, const char *environment);

/* The same of what its grant is not called after, as the button "Resume queue" of rollback: denial,
 * audit and the question for a code say `what`. */
bool decide_may_called(struct tx *tx, const struct update *update, enum policy_action action,
    const char *environment, const char *what);

/* The no of it, for a reason that the policy does not know. */
void decide_deny(struct tx *tx, const struct update *update, enum policy_action action,
    const char *environment, const char *wanted, const char *reason);

/* Audits what has no more than these; environment: NULL, of none; meta as row_audit_add() has
 * it. */
void decide_audit(struct tx *tx, enum audit_code code, const char *user, const char *environment,
    const char *outcome, const char *const *meta);

/* Adds a key and its value to the meta of an entry; nothing where the value is "" or NULL. */
void decide_audit_fact(const char *meta[], size_t *n, const char *key, const char *value);

/* Audits what that person wants of a deployment; 0: whoever asked for it. */
void decide_audit_request(struct tx *tx, const struct deployment *deployment, int64_t by,
    enum audit_code code, const char *outcome, const char *const *meta);

/* Audits a denial of whoever sent the update: the first of its kind at once, and how many more
 * there were each hour (row_stranger.h); the name of no environment makes no kind of its own. */
void decide_audit_denied(struct tx *tx, const struct update *update, enum audit_code code,
    const char *what, const char *environment, const char *reason);
