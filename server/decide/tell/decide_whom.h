/* decide_whom.h - whom somebody can ask by name, whom a target without a group notifies.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "policy/policy.h"
#include "store/row_deployment.h"
#include "store/tx.h"

#define DECIDE_WHOM 3

/* Who may do that there and has a name: who asked for something lately, the latest first, before
 * them *first (whose person may be 0: nobody).  name: of an action, for POLICY_DO; else "".
 * Returns how many.  Its caller has seen that who asks sees the environment. */
size_t decide_whom(struct tx *tx, enum policy_action action, const char *name,
    const char *environment, const struct row_person *first, struct row_person ret[DECIDE_WHOM]);

/* "@cy (telegram:33)", marked; without their name where they have asked for nothing lately. */
#define DECIDE_WHOSE (LIMIT_PERSON + 40)
const char *decide_whose(struct tx *tx, int64_t person, char out[static DECIDE_WHOSE]);
/* The same, for as long as the block in which it stands. */
#define decide_whose_here(tx, person) decide_whose(tx, person, (char[DECIDE_WHOSE]){ "" })

/* What stands in front of the i-th of n names: "", ", " or `last`, as " and ". */
const char *decide_whom_between(size_t i, size_t n, const char *last);

/* So many of those who could act on one target are told, the lowest numbers first. */
#define DECIDE_WHOM_ALL 64

/* The person behind that one, by number, who could act on that environment or client/acme: deploy,
 * confirm, roll back, approve, or do something there; 0: there is no other.  Whom Telegram refuses
 * is passed by. */
int64_t decide_whom_next(struct tx *tx, const char *target, int64_t after);

/* Where news of that target are said: TELEGRAM_CHAT_ID of its application, or where there is none
 * the private chats of all who could act on it.  Returns how many, one at least. */
size_t decide_whom_news(struct tx *tx, const char *target, int64_t ret[DECIDE_WHOM_ALL]);

/* Who pushed it, by their login: a person who sees its environment and can be written to; 0: that
 * is not known. */
int64_t decide_whom_pushed(struct tx *tx, const char *requester, const char *environment);

/* Where the message about work of that requester goes that nobody asked for in a chat: to the
 * group, or who pushed it, or the first admin. */
int64_t decide_whom_home(struct tx *tx, const char *requester, const char *environment);
