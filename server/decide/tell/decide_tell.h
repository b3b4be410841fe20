/* decide_tell.h - the messages about one deployment: text, buttons, alarm.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "types/effect.h"
#include "types/git_answer.h"
#include "types/notify.h"

/*
 * Renders its messages again, as the deployment is now: a state, a step or a note is news.  Where
 * it has none yet: sets deployment->message.  answer: what git said, where a question is asked or
 * refused; else NULL.
 */
void decide_tell(struct tx *tx, struct deployment *deployment, const struct git_answer *answer);

/* Its message as that person may read it over /v1, marked: what it names of what they do not see is
 * left out, and of one that has ended what an application said, without the grant `log`.  free()
 * it; NULL: there is none for them. */
char *decide_tell_text(struct tx *tx, const struct deployment *work, int64_t person) MUST_USE;

/* Of its message, as a team reads it, the first lines, marked: none of a log's. */
void decide_tell_notice(struct tx *tx, const struct deployment *work, char ret[NOTIFY_TEXT]);

/* What is live there by the record, and no more since that deployment: where a message of it still
 * waits to be sent it would be read behind the alarm, as news. */
void decide_tell_live_before(struct tx *tx, const struct deployment *down);

/* A question is sent anew: a sound is made for a new message alone.  Where whoever asked is looking
 * still, it takes the place of what said so. */
void
decide_tell_question(struct tx *tx, struct deployment *deployment, const struct git_answer *answer);

/* A message that was sent anew could not be deleted where it stood: that says that it stands
 * below. */
void decide_tell_copy_stays(
    struct tx *tx, const struct effect_delete_message *deleted, const char *failure);
/* The same without a sound: it stood with others, and whoever chose it reads it there. */
void
decide_tell_chosen(struct tx *tx, struct deployment *deployment, const struct git_answer *answer);

/* It is asked for in the chat of its approvals: sent, so that it rings, and the work's own message
 * says that it awaits them. */
void decide_tell_approvers(struct tx *tx, struct deployment *deployment);

/* Asks the approvers in one chat more: what stands there is older than the question. */
void decide_tell_approvers_in(struct tx *tx, const struct deployment *deployment, int64_t chat);

/* That person has approved it, or withdrawn that: their own message says so at once. */
void decide_tell_approver(struct tx *tx, const struct deployment *deployment, int64_t person);

/* Has each who may approve it written to the bot, so that all are rung in private? */
bool decide_tell_reaches_approvers(struct tx *tx, const struct deployment *work);

/* Half of the time for approvals is over: a line rings once in the chat of its approvals, and with
 * each approver who was asked in private and has not answered. */
void decide_tell_reminder(struct tx *tx, const struct deployment *deployment);

/* Git has listed its commits since the approvers were asked: their messages, those in private too,
 * have them. */
void decide_tell_listed(struct tx *tx, const struct deployment *deployment);

/* It has come to this state: where the state rings (chat_deployment.c) its message is sent anew, as
 * a reply to what asked for it.  Of what is bad each who could act there has one by then, where
 * there is no TELEGRAM_CHAT_ID, and who pushed it. */
void decide_ring(struct tx *tx, const struct deployment *deployment);

/* Its release is live, or it was rolled back: what came before it need not be seen any more.  Where
 * its environment was in doubt (as it was before) all who were notified of that read that it is
 * over, and where it rang that rings too, but where this end does. */
void decide_tell_over(
    struct tx *tx, const struct deployment *deployment, const struct environment *before);

/* To who asked for it alone: they have come to the front of its queue (is_next), or it starts. */
void decide_tell_turn(struct tx *tx, const struct deployment *deployment, bool is_next);

/* To both who asked alone: a place in the queue went from one to the other. */
void decide_tell_given(struct tx *tx, const struct deployment *from, const struct deployment *to);

/* It began with a push, or a push of the same commit came upon what a person asked for. */
bool decide_tell_is_of_push(struct tx *tx, const struct deployment *deployment);

/* Asked for elsewhere: TELEGRAM_CHAT_ID gets a message about it too, and also_message is set.
 * Where there is none: of a push each who could act there does, in private. */
void
decide_tell_team(struct tx *tx, struct deployment *deployment, const struct git_answer *answer);

/* Somebody else asked for it, who may answer it from now on: the request's own message goes on as
 * its question, in the place of the one that stands in that chat. */
void decide_tell_shared(struct tx *tx, struct deployment *question, struct deployment *request,
    const struct git_answer *answer);
