/* people_aid.h - people with tokens: who makes one, calls /v1 with it, or logs in, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "approval_aid.h"
#include "types/api.h"
#include "types/token.h"

#define PEOPLE_KEY "AUTH_TOKEN_SECRET=0123456789abcdef0123456789abcdef0123456789"
#define PEOPLE_ON  "ENABLE_TOKEN_AUTH=true"
#define PEOPLE_MANY "ROLE_RATE_LIMIT=0", "RATE_LIMIT_REQUESTS=0"

/* What is asked on the machine by that person, and with a token over the network; the status. */
int people_ask(struct world *w, int64_t person, enum api_operation operation, const char *path,
    const char *body);
int people_call(struct world *w, const char *token, enum api_operation operation,
    const char *path, const char *body);

/* All of the answer to a command on the machine, but its texts. */
struct answer
people_command(struct world *w, int64_t person, const char *word, const char *body);

/* They make one of that role, and are shown its text; false: they may not. */
bool people_token(struct world *w, int64_t maker, const char *name, const char *role,
    const char *expires, char ret[TOKEN_TEXT]);
int people_revoke(struct world *w, int64_t person, const char *name);

void people_login(struct world *w, int64_t person, const char *token);
void people_logout(struct world *w, int64_t person);
