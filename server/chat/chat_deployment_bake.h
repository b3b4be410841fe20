/* chat_deployment_bake.h - what a release that bakes is measured by, and what was wrong before it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_deployment.h"

/* ", 9 of 15 min, errors 0.2 % (before 0.2 %)" */
void chat_deployment_bake(struct chat_text *text, const struct chat_bake *bake);

/* A line: in which wave it is, and on how many hosts; nothing where it is in none. */
void chat_deployment_wave(
    struct chat_text *text, const struct deployment *work, const struct host_counts *hosts);

/* Lines: that, why it is paused, since when (at 0: not how long ago), and how it goes on or ends.
 * paused NULL: nothing. */
void chat_deployment_paused(struct chat_text *text, const struct deployment *work,
    const struct chat_paused *paused, const struct chat_clock *clock, int64_t at);

/* "/resume staging goes on, /rollback staging rolls it back" */
void chat_deployment_ways(
    struct chat_text *text, const char *before, const struct deployment *work);

/* Lines: what is wrong before its release, which does not count; or that this is not known. */
void chat_deployment_before(struct chat_text *text, const struct chat_deployment *about);

/* A question as it stands, with those lines, which are known now.  False: there are none, or it has
 * them already, and nothing was added. */
bool chat_deployment_measured(
    struct chat_text *text, const char *said, const struct chat_bake *bake) MUST_USE;
