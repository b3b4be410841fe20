/* approval_aid.h - people who approve, and where they are asked, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"

#define CAROL 44
#define DAN   55

/* The newest button of that name in a chat, "": there is none; somebody presses it. */
const char *approval_label_in(struct world *w, int64_t chat, const char *label);
void approval_press_in(struct world *w, int64_t person, int64_t chat, const char *label);

/* The admin asks for that commit in production, and confirms it: it awaits approvals. */
void approval_asks(struct world *w, const char *commit);
/* ... and somebody presses that button of what they are asked in a chat. */
void approval_presses(
    struct world *w, const char *commit, int64_t person, int64_t chat, const char *label);
