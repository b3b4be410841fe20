/* decide_tell_inside.h - what the files that tell of a deployment share: facts, messages, buttons.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_deployment.h"
#include "decide/work/decide_action.h"
#include "decide/queue/decide_barrier.h"
#include "decide/approval/decide_needs.h"
#include "decide/git/decide_ran.h"
#include "decide/tell/decide_whom.h"
#include "decide/who/decide_seen.h"
#include "settings/checks/settings_claims.h"
#include "store/row_approval.h"
#include "store/row_binding.h"
#include "store/row_deployment.h"
#include "store/row_job.h"
#include "types/message.h"

/* How that stands which it waits for. */
struct decide_tell_ahead {
	struct chat_bake bake;
	struct chat_paused paused;
};

/* Rows that its texts are made of. */
struct decide_tell_rows {
	struct environment environment;
	struct question question;
	struct release to;
	struct release back;
	struct release gone[CHAT_GONE + 1];
	struct git_change gone_commits[LIMIT_COMMITS];
	size_t position;
	struct deployment ahead; /* id 0: none */
	struct chat_history since;
	struct block block;
	struct block contained[LIMIT_BLOCKED];
	struct barrier barriers[BARRIERS_SHOWN];
	struct barrier past[BARRIERS_SHOWN];
	struct left_host left[LEFT_HOSTS_SHOWN];
	struct migration_behind behind;
	struct ran ran[RAN_SHOWN];
	char link[LIMIT_URL];
	char site[LIMIT_URL];
	char first[LIMIT_LINE];
	char list[FINGERPRINT_LIST_MAX];
	struct holds holds;
	struct decide_needs needs;
	struct approval_request request;
	struct chat_approvals approvals;
	char asked[LIMIT_LINE];
	char ci[LIMIT_LINE];
	struct step steps[LIMIT_STEPS];
	struct run_warnings warnings;
	char migration_at[SETTINGS_MIGRATION];
	char tail[LIMIT_TAIL];
	char failed_step[LIMIT_STEP];
	char application_log[LIMIT_APPLICATION_LOG];
	struct chat_bake bake;
	struct decide_tell_ahead of_ahead;
	struct chat_waves waves;
	char touches[DECIDE_TOUCHES];
	char absent[DECIDE_SEEN_ABSENT];
	struct promotion promotion;
	struct row_job job;
	char run[LIMIT_LINE]; /* of a gate "run 4711", of a loan "run 4711 of octo/shop" */
};

/* The facts that its texts are made of; they stand in *rows. */
struct chat_deployment decide_tell_facts(struct tx *tx, const struct deployment *deployment,
    const struct git_answer *answer, struct decide_tell_rows *rows);

/* Does it wait for somebody's answer? */
bool decide_tell_is_question(const struct deployment *deployment);

/* Its message in that chat, as it is now, with head and buttons alone, and without what its readers
 * may not see: a fact that names another environment, a client, a hold or an application's words is
 * taken out here.  What rings, reminds or expires is made of *about as it is, and says none. */
void decide_tell_render(
    struct tx *tx, const struct chat_deployment *about, int64_t chat, struct message *ret);

/* What that row says from now on.  A question that is none any more, and was not sent yet, makes no
 * sound; how the work, or what it has lent, has ended goes before what is in progress. */
void decide_tell_change(
    struct tx *tx, const struct chat_deployment *about, int64_t row, struct message *message);

/* In that row's place, as it is now; row 0: nothing. */
void decide_tell_in(struct tx *tx, const struct chat_deployment *about, int64_t row);

/* A message of its own; an edit makes no sound.  asks: it is a question that nobody waits for.
 * What only says that git is asked is held back for a moment.  Returns its row. */
int64_t decide_tell_add(struct tx *tx, const struct chat_deployment *about,
    const struct chat_address *address, bool asks);

/* How a message is sent anew. */
struct decide_tell_ring {
	bool is_silent;
	bool is_alarm;
	bool counts; /* as one of the sounds of that work */
};

/* Its message in that row, as it is now, below all else of its chat; the copy that stood there
 * goes.  row 0: nothing. */
void decide_tell_anew(struct tx *tx, const struct chat_deployment *about, int64_t row,
    const struct decide_tell_ring *ring);

/* The row of its message in that chat, whatever it was sent there for; 0: there is none. */
int64_t decide_tell_find(struct tx *tx, const struct deployment *deployment, int64_t chat);

/* A message about it in the private chat of each who could act there, where it has no group, of a
 * push, which nobody asked for here.  asks: they are rung, as far as they may be. */
void decide_tell_add_copies(struct tx *tx, const struct chat_deployment *about, bool asks);

/* Sends such copies, in silence, of a rollback by hand that is live: what somebody else released is
 * live no more, and nothing failed.  Of other work it sends none. */
void decide_tell_rolled_back(struct tx *tx, const struct chat_deployment *about);

/* Each of them, as it is now; one that is in progress says so once. */
void decide_tell_copies(struct tx *tx, const struct chat_deployment *about);

/* It is bad: each who could act there and has no group, and who pushed it, is rung. */
void decide_tell_ring_people(struct tx *tx, const struct chat_deployment *about);

/* May one more sound be made for it in that chat, by coming to this state? */
bool decide_tell_may_ring(struct tx *tx, const struct deployment *deployment, int64_t chat);

/* Does its end, or the state that it has come to, ring with who asked? */
bool decide_tell_rings(struct tx *tx, const struct deployment *deployment);

/* EXPIRED, as nobody approved it: says so in each chat in which it was asked. */
void decide_tell_expired(struct tx *tx, const struct chat_deployment *about);

/* Below its message in that chat, as it is now.  A person's own chat has only what they may do. */
struct buttons *decide_tell_buttons(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *ret);

/* What can be done behind an end (a log before it, too): adds what that one is for, where it is to
 * be offered there.  In the order in which they stand, NULL behind the last. */
typedef void decide_tell_offer(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons);
extern decide_tell_offer *const decide_tell_offers[];

/* Is it one of the chats in which approvals are asked for?  A person's own has their number. */
bool decide_tell_is_asked_in(struct tx *tx, const struct deployment *deployment, int64_t chat);

/* Who was asked to approve it, and may not any more, reads so. */
void decide_tell_leave_others(struct tx *tx, const struct deployment *work);

/* What an approver may press.  In a group all have all of them; in private a person has those that
 * are theirs. */
void decide_tell_add_approval(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons);
