/* token_aid.h - tokens that are made, sent and typed, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"
#include "policy/policy.h"
#include "types/api.h"

#define TOKEN_AID_KEY "AUTH_TOKEN_SECRET=0123456789abcdef0123456789abcdef0123456789"
#define TOKEN_AID_ON  "ENABLE_TOKEN_AUTH=true"

/* The status of a request by that person, by root as that role ("shop:lead"), or over the network
 * with that token; what was said stands in w->aid.said. */
int token_aid_ask(struct world *w, int64_t person, enum api_operation operation, const char *path,
    const char *body);
int token_aid_ask_as(struct world *w, const char *role, enum api_operation operation,
    const char *path, const char *body);
int token_aid_call(struct world *w, const char *token, enum api_operation operation,
    const char *path, const char *body);

/* That of /v1/status with it. */
int token_aid_status(struct world *w, const char *token);

/* The body of /v1/token/add; valid until the next call. */
const char *token_aid_body(const char *name, const char *role, const char *expires);

/* The text that was answered last; one that was made by that person, in a place of its own, so that
 * several stand. */
const char *token_aid_text(struct world *w);
const char *token_aid_make(
    struct world *w, int64_t person, const char *name, const char *role, const char *expires);

/* As that of WORLD_ADMIN. */
int token_aid_revoke(struct world *w, const char *name);

/* They type it in their private chat. */
void token_aid_login(struct world *w, int64_t person, const char *token);

/* May they, at this moment? */
bool
token_aid_may(struct world *w, int64_t person, enum policy_action action, const char *environment);
