/* decide_token.h - tokens are made, listed and revoked, and open /v1.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_token.h"
#include "types/api.h"

struct json_out;

/*
 * By whom the grant `token` allows it; to make one with a code of theirs where REQUIRE_OTP names
 * that, and of a role that they have themselves (an admin: of any).  Its text goes into the answer
 * and nowhere else; the admins are notified.
 */
void decide_token(struct tx *tx, const struct api_request *api, struct json_out *json);

/* "tokens": those that are not revoked. */
void decide_token_list(struct tx *tx, const struct api_request *api, struct json_out *json);

/*
 * Who sent the request with the token that stands in it: from now on it is that token's.  False: it
 * is not valid, which is audited (the first five in an hour one by one, then their number), and the
 * answer is 401.
 */
bool decide_token_enter(struct tx *tx, struct api_request *api) MUST_USE;

/* Why it is not valid; NULL: it is. */
const char *decide_token_fault(const struct tx *tx, const struct token *token);

/* It is valid no more, and logins by it end. */
void decide_token_revoke(struct tx *tx, struct token *token, const char *why);

/* Somebody has typed one into a group: it is revoked.  True: it was valid until then; *ret has its
 * name. */
bool decide_token_leaked(
    struct tx *tx, const struct update *update, struct token *ret) MUST_USE;
