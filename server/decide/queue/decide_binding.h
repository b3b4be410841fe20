/* decide_binding.h - scripts and settings are those that were shown, or work is decided on again.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Before a work is shown the runner makes a list of what would ship it (runner/binding.h).  It is
 * stored with the work, its digest goes with the order, and a runner that finds another one begins
 * nothing.  What somebody confirmed or approved is then asked anew; all other work is decided on
 * again with the list of now.  What a work is rolled back to comes back whatever has changed.
 */
#pragma once

#include "deployment/question.h"
#include "store/row_deployment.h"
#include "types/git_answer.h"

/* Has somebody, in a question or by an approval? */
bool decide_is_answered_for(const struct deployment *deployment);

/* This list is what the work is shown with from now on; NULL: as before, but all of it was
 * shown.  The caller writes *question. */
void decide_bind(
    struct tx *tx, struct deployment *deployment, struct question *question, const char *list);

/* All that whoever answers is shown from now on, and is written: what is live, blocks, a warning,
 * and of git's answer list and image (NULL: as before). */
void decide_bind_question(struct tx *tx, struct deployment *deployment,
    const struct environment *environment, const struct git_answer *answer);

/* List and image of work that git has just found, and the newest block that was there when it
 * came. */
void decide_bind_found(struct tx *tx, struct deployment *deployment, int64_t shown_block,
    const struct git_answer *answer);

/* The registry has one by now, which what was shown did not say. */
void decide_bind_image(
    struct tx *tx, const struct deployment *deployment, const struct git_answer *answer);

/* The one that its order names, and no other may be shipped: what comes back has its own, a
 * promotion what it brings, and what somebody answered for has the one that was shown, where there
 * was one.  "": none is named. */
const char *
decide_bound_image(struct tx *tx, const struct deployment *deployment, char out[LIMIT_IMAGE]);

/* What of the list is not as it was shown, by name: list is the one of now, NULL: not known, and
 * what the runner has found counts.  False: nothing is. */
bool decide_binding_differs(struct tx *tx, const struct deployment *deployment,
    const struct question *shown, const char *list, char ret_names[LIMIT_LINE / 2]);

/* From now on this list may ship it, which is said, or to be asked about where somebody has
 * answered for another.  The caller writes *question. */
void decide_rebind(
    struct tx *tx, struct deployment *deployment, struct question *question, const char *list);

/* The runner refused its order for this list (NULL: it did not say).  DEPLOY_ON_CHANGED follows,
 * and with its turn it is asked anew or starts: at once, after the third time a minute later. */
#define DECIDE_CHANGES_MAX  3
#define DECIDE_TOO_OFTEN_MS 60000
void decide_binding_changed(struct tx *tx, struct deployment *deployment, const char *list);

/* Its place is looked at again in that time; a timer of before may come first.  The caller writes
 * *question. */
void decide_binding_wait(struct tx *tx, int64_t work, struct question *question, int64_t ms);
