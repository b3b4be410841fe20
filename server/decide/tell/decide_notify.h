/* decide_notify.h - others are notified of a deployment's states, by the words of types/notify.def.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * NOTIFY_<NAME>_WHAT says who.  What came of it changes nothing of any work: rows of its own
 * (row_notify.h) have what was not sent, and who is off.  environment.notified has the trouble that
 * was notified last and nothing ended, as a word, and who was notified of "down":
 * "rolled-back:ceo,status".
 */
#pragma once

#include "deployment/deploy_flow.h"
#include "store/row_deployment.h"
#include "types/notify.h"

/* It has come from that state to its own, by a rule with these acts. */
void decide_notify(struct tx *tx, const struct deployment *work, enum deploy_state from,
    const struct deploy_acts *acts);

/* The NOTIFY of tx->effect is over. */
void decide_notify_said(struct tx *tx, const struct notify_said *said);

/* Appends a line for each destination that is off, for an admin's /status; marked. */
struct chat_text;
void decide_notify_list_off(struct tx *tx, struct chat_text *text);
