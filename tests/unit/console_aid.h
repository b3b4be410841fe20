/* console_aid.h - sessions of the console that are opened and used, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "token_aid.h"

#define CONSOLE_ON \
	"CONSOLE=true", "ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example", TOKEN_AID_KEY

/* The code of the link that this person's /console gives. */
const char *console_aid_code(struct world *w, int64_t person);

/* The status of session/open by that code; by initData that the loop has found to be theirs. */
int console_aid_open(struct world *w, const char *code);
int console_aid_app(struct world *w, int64_t person, const char *hash);

/* The token of a session that was opened by one or the other; in places of their own. */
const char *console_aid_by_code(struct world *w, int64_t person);
const char *console_aid_by_app(struct world *w, int64_t person, const char *hash);
