/* decide_tell.h - the messages about one deployment: text, buttons, alarm.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "types/git_answer.h"

/*
 * Renders its messages again, as the deployment is now: a state, a step or a note is news.  An
 * end that must ring the phone is also said in a message of its own.  answer: what git said,
 * where a question is asked or refused; else NULL.
 */
void decide_tell(struct tx *tx, const struct deployment *deployment,
    const struct git_answer *answer);

/* Asked for elsewhere: TELEGRAM_CHAT_ID gets a message about it too.  Sets also_message. */
void decide_tell_team(struct tx *tx, struct deployment *deployment,
    const struct git_answer *answer);

/* Somebody else asked for it, there: a reply to its question, or the question's buttons in a chat
 * that it does not stand in.  Sets also_message where that is the team's. */
void decide_tell_shared(struct tx *tx, struct deployment *question,
    const struct deployment *request);
