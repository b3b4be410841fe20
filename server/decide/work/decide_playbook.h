/* decide_playbook.h - what of a playbook is shown and bound; the runner is asked for its part.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/work/decide_action.h"
#include "lib/fingerprint.h"

struct buf;

bool decide_is_playbook(const struct deployment *work);

/* What PLAYBOOK_<NAME> says; NULL: there is none. */
const char *decide_playbook_line(const struct tx *tx, const char *name);

/* Appends what the settings of now have it run, of which folder. */
void decide_playbook_bind(const struct tx *tx, const struct deployment *work, struct buf *all);

/* The list of now: what stands in files, and of the folder what the runner has said last.  False:
 * it has not said anything. */
bool decide_playbook_list(struct tx *tx, const struct deployment *work,
    const struct client_settings *client, char ret[FINGERPRINT_LIST_MAX]);

void decide_playbook_touches(const struct tx *tx, const struct deployment *work,
    const struct client_settings *client, char out[DECIDE_TOUCHES]);

/* Asks the runner for its list: behind the answer (handle_git_answered.c) it is asked about, or
 * takes its place. */
void decide_playbook_look(struct tx *tx, const struct deployment *work);
