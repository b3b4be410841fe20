/* decide_lacks.h - is a code of the second factor needed for this, and not given yet?  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Asked where a grant has allowed something (decide_may()).  Where the answer is yes nothing is
 * done: whoever decides on the event asks for the code (decide_factor.h), and when it is right the
 * same is decided once more, with the rows and settings of that moment, and tx->factor_of.
 */
#pragma once

#include "store/row_deployment.h"
#include "types/action.h"
#include "types/policy_action.h"
#include "types/update.h"

/* By REQUIRE_OTP; noted in the tx where it is so.  Never of what only asks a question, whose answer
 * it is that carries it out, nor of a no, nor of what concerns no environment ("") or the whole
 * server (POLICY_ALL: tokens, second factors): who does such a thing asks with
 * decide_lacks_factor_for(). */
bool decide_lacks_factor(struct tx *tx, const struct update *update, enum policy_action action,
    const char *environment) MUST_USE;

/* The same of what its grant is not called after: "start queue" */
bool decide_lacks_factor_called(struct tx *tx, const struct update *update,
    enum policy_action action, const char *environment, const char *what) MUST_USE;

/* The same of an action (types/action.h); of what is confirmed, whatever it is. */
bool decide_lacks_factor_do(
    struct tx *tx, const struct update *update, const char *name, const char *target) MUST_USE;
bool decide_lacks_factor_secret(struct tx *tx, const struct update *update, const char *name,
    const char *target) MUST_USE;
bool decide_lacks_factor_of_work(
    struct tx *tx, const struct update *update, const struct deployment *work) MUST_USE;

/* Is a question asked before that action is done there, as things stand? */
bool decide_asks_before(
    struct tx *tx, const struct action *action, const char *environment) MUST_USE;

/* The same whatever REQUIRE_OTP says.  what: "emergency shop/production" */
bool decide_lacks_factor_for(struct tx *tx, const struct update *update, const char *what) MUST_USE;
