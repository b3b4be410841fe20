/* decide_console.h - sessions of the console: how one is opened, who asks by it, and how it ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A session is its person's own: it gives them no role, and none is lent by it.  Each request by it
 * is decided with what they may at that moment; who has no role of their own any more has none.
 *  What changes something is proven again (handlers/handle_api.c).
 */
#pragma once

#include "store/row_console.h"
#include "types/api.h"

struct json_out;

#define DECIDE_CONSOLE_PROOF_MS (10 * 60 * INT64_C(1000))

/* /console in a private chat: the one link with a code in it, which counts once, for 2 minutes. */
void decide_console_link(struct tx *tx, const struct update *update);

/* POST /v1/session/open: by such a code, or by initData that the loop has found to be right, whose
 * person the update names and whose hash is an argument.  The answer has the token, once.  A sixth
 * session of a person takes the place of the one that was not used for longest. */
void decide_console_open(struct tx *tx, struct api_request *api, struct json_out *json);

/* Who sent the request with the token that stands in it: from now on it is that person's, by the
 * page.  False: there is no such session, and the answer is 401. */
bool decide_console_enter(
    struct tx *tx, struct api_request *api, struct console_session *ret) MUST_USE;

/* A code was given in it: that is a proof. */
void decide_console_prove(struct tx *tx, struct console_session *session);

/* Those of that person end.  Returns how many did. */
int64_t decide_console_leave(struct tx *tx, const struct update *update, const char *why);
void decide_console_end(
    struct tx *tx, const struct console_session *session, const char *why);

/* Somebody has typed one into a chat: it ends, and its person is notified. */
void decide_console_leaked(struct tx *tx, const struct update *update);

/* Ends those that do not hold any more.  Returns when the next of them ends; INT64_MAX: none. */
int64_t decide_console_look(struct tx *tx);

/* When it ends if it is not used. */
int64_t decide_console_until(const struct console_session *session);
