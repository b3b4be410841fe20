/* blocked_aid.h - commits that are rolled back while others that contain them are asked for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "approval_aid.h"

#define MEANWHILE "contains bbbbbbb, rolled back meanwhile (script failed: exit 1)"

/* C is one commit on top of B. */
#define OVER_B ((struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B, .count = 2 })

/* The admin asks for that commit in production; the answer is one commit. */
void blocked_ask(struct world *w, const char *commit);
/* Somebody confirms what is asked in that chat, and git says the same again. */
void blocked_confirm(struct world *w, int64_t person, int64_t chat);
/* A branch is pushed, and git says what it has. */
void blocked_push(struct world *w, const char *branch, struct world_git git);
/* What has begun with B fails, and A, which was live, is put back. */
void blocked_is_rolled_back(struct world *w, const char *environment);
/* The run of that commit is there, begins, and ends well. */
void blocked_goes_live(struct world *w, const char *commit);
