/* decide_trouble.h - what is pressed where something is down, or not known: the three lines' buttons.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/message.h"

/* The application's log, a rollback, and either a deployment or, where what runs there is not
 * known, that the queue starts.  In private those that its reader may press; in a group all.
 * Nothing where `buttons` is full. */
void decide_trouble_buttons(struct tx *tx, const char *environment, int64_t chat,
    bool can_roll_back, struct buttons *buttons);

/* Adds "Resume queue of …" alone, to a keyboard with which it is closed: as it stands in that
 * message (0: it is a new one). */
void decide_trouble_add_looked(
    struct tx *tx, const char *environment, int64_t chat, int64_t message, struct buttons *buttons);
