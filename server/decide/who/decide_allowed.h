/* decide_allowed.h - what the policy says of a person, under any name that they or the target have.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "policy/policy.h"
#include "store/tx.h"

struct deployment;

/* What the policy says of that now, and why.  Work under a former name is also theirs who may do it
 * under the new one. */
struct policy_decision
decide_allowed(struct tx *tx, int64_t person, enum policy_action action, const char *environment);
struct policy_decision
decide_allowed_do(struct tx *tx, int64_t person, const char *name, const char *target);

/* Have they that anywhere?  Then a list of it may begin, each line of which is asked about with the
 * others here. */
bool decide_is_allowed_somewhere(struct tx *tx, int64_t person, enum policy_action action);

/* Has this person no role in force? */
bool decide_is_stranger(struct tx *tx, int64_t person);

/* May this person do that now?  Says nothing. */
bool decide_is_allowed(
    struct tx *tx, int64_t person, enum policy_action action, const char *environment);

/* The same of an action (types/action.h) on a client/acme or environment. */
bool decide_is_allowed_do(struct tx *tx, int64_t person, const char *name, const char *target);

/* To let that work start. */
struct policy_decision
decide_allowed_work(struct tx *tx, int64_t person, const struct deployment *deployment);

/* May they let that work start: deploy, roll back, do that action there? */
bool decide_is_allowed_work(struct tx *tx, int64_t person, const struct deployment *deployment);
