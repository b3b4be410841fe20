/* chat_first.h - how each message about work begins, as one table (first.def).  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "deployment/deploy_flow.h"

enum chat_first {
#define FIRST(name, ...) FIRST_##name,
#include "chat/first.def"
	CHAT_FIRST_COUNT
};

struct chat_first_row {
	enum deploy_state state; /* DEPLOY_STATE_COUNT: a message of its own */
	unsigned programs;
	const char *before, *behind; /* its target's name */
};

#define CHAT_FIRST_SUBJECT 40 /* letters of a commit's subject */

extern const struct chat_first_row chat_first_rows[CHAT_FIRST_COUNT];

/* Adds that beginning, with the name of its target in it. */
void chat_first(struct chat_text *text, enum chat_first first, const char *target);

/* The same where a lock or freeze has the target: "all of shop" (chat_hold_target()). */
void chat_first_held(struct chat_text *text, enum chat_first first, const char *target);

/* Behind it: the subject, cut as in a first line, and the commit, each where there is one. */
void chat_first_commit(struct chat_text *text, const char *subject, enum commit_source source,
    const char *commit);
