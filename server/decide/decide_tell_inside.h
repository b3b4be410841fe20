/* decide_tell_inside.h - what can be pressed below a deployment's messages: for decide_tell.c alone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "types/message.h"

/* Below its message in that chat, as it is now.  A person's own chat has only what they may do. */
struct buttons
decide_tell_buttons(struct tx *tx, const struct deployment *deployment, int64_t chat);

/* ... below the line that rings: what may be done about an end that is bad, and the logs. */
struct buttons
decide_tell_alarm_buttons(struct tx *tx, const struct deployment *deployment, int64_t chat);

/* Is it one of the chats in which approvals are asked for?  A person's own has their number. */
bool decide_tell_is_asked_in(struct tx *tx, const struct deployment *deployment, int64_t chat);

/* What an approver may press.  In a group all have all of them; in private a person has those that
 * are theirs. */
void decide_tell_add_approval(struct tx *tx, const struct deployment *deployment, int64_t chat,
    struct buttons *buttons);
