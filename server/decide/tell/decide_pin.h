/* decide_pin.h - the summary that a chat keeps pinned: written, edited, pinned, given up.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Where PIN_STATUS asks for it, a chat has one message that says what runs where.  It is looked at
 * when a row that it is made of has changed, ten seconds apart at most, and each five minutes, when
 * health is asked for; what says the same is not edited.  One that was deleted is sent anew and
 * pinned again (telegram_message_send()).
 */
#pragma once

#include "store/tx.h"

/* Whatever this decision has changed is looked at soon. */
void decide_pins(struct tx *tx);

/* Settings may be others, or the program began: each chat that is to have one is looked at, and
 * each that has one. */
void decide_pins_look(struct tx *tx);

/* Before a group gets that id: where both have one, the one of before is given up. */
void decide_pin_move(struct tx *tx, int64_t old_chat, int64_t new_chat);

/* The TIMER_PIN of that chat has fired, by the id that it had then. */
void decide_pin_due(struct tx *tx, int64_t named);

/* What the health URLs of its environments said. */
void
decide_pin_probed(struct tx *tx, const struct effect_probe *probe, const struct probed *probed);

/* A message stands in its chat under that id, which is a new one. */
void decide_pin_sent(struct tx *tx, int64_t message, int64_t remote_id);

/* The PIN_MESSAGE came to that; "": done. */
void decide_pin_pinned(struct tx *tx, const struct effect_pin_message *pin, const char *failure);
