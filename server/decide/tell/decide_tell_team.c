/* decide_tell_team.c - who is notified of work besides its requester: the group, or who could act.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_tell_inside.h"

#include "decide/question/decide_standing.h"
#include "decide/decide_chat.h"
#include "decide/decide_limit.h"
#include "decide/tell/decide_tell.h"
#include "decide/tell/decide_tell_batch.h"
#include "decide/tell/decide_whom.h"
#include "store/row_button.h"
#include "store/row_message.h"
#include "store/row_shown.h"

int64_t
decide_tell_find(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	int64_t row = row_shown_in(tx, deployment->id, chat, SHOWN_TEAM);

	return row != 0 ?
	    row :
	    decide_standing_in(tx, deployment, &(struct chat_address){ .chat = chat });
}

/* --- copies --- */

/* In the private chat of somebody who did not ask for it: it shows no progress. */
static void
add_copy(struct tx *tx, const struct chat_deployment *about, int64_t person,
    const struct decide_tell_ring *ring)
{
	CLEANUP(message_done) struct message message = { 0 };
	int64_t row;

	decide_tell_render(tx, about, person, &message);
	message.address.chat = person;
	message.live_run = 0;
	/* Whoever has nothing to answer reads it, and is not rung. */
	message.is_silent = ring->is_silent || (!ring->is_alarm && message.buttons.n == 0);
	message.is_alarm = ring->is_alarm && !ring->is_silent;
	message.rings_for = ring->counts ? about->deployment->id : 0;
	row = row_message_add(tx, &message);
	row_shown_add(tx, about->deployment->id, row, SHOWN_TEAM);
}

static bool
buttons_are_same(const struct buttons *a, const struct buttons *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->at[i].id, b->at[i].id) == 0;
	return same;
}

/* Progress is for who asked: what is in progress is said once, when what could be pressed before is
 * gone. */
static void
tell_copy(struct tx *tx, const struct chat_deployment *about, int64_t row)
{
	bool is_active = deploy_flow_class(about->deployment->state) == DEPLOY_CLASS_ACTIVE;
	CLEANUP(message_done) struct message now = { 0 };

	row_message_get(tx, row, &now);
	CLEANUP(message_done) struct message message = { 0 };

	decide_tell_render(tx, about, now.address.chat, &message);
	message.live_run = 0;
	if (!is_active || !buttons_are_same(&now.buttons, &message.buttons))
		decide_tell_change(tx, about, row, &message);
}

void
decide_tell_copies(struct tx *tx, const struct chat_deployment *about)
{
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, about->deployment->id, SHOWN_TEAM, rows);

	for (size_t i = 0; i < n; i++)
		tell_copy(tx, about, rows[i]);
}

/* --- to all --- */

bool
decide_tell_is_of_push(struct tx *tx, const struct deployment *deployment)
{
	return !deployment_is_by_request(deployment) ||
	    row_button_is_requester(tx, deployment->id, 0);
}

/* One question is one of its requester's sounds, in however many chats. */
static bool
may_ring(struct tx *tx, const struct deployment *deployment)
{
	CLEANUP(message_done) struct message own = { 0 };

	row_message_get(tx, deployment->message, &own);
	return (own.rings_for == deployment->id && !own.is_silent) ||
	    decide_may_ring_question(tx, deployment);
}

/* Whoever reads of another question of that push reads of this one there too. */
static void
add_one(struct tx *tx, const struct chat_deployment *about, int64_t person, bool rings)
{
	const struct deployment *deployment = about->deployment;
	struct decide_tell_ring ring = { .counts = rings };

	if (person == deployment->address.chat || decide_tell_find(tx, deployment, person) != 0 ||
	    decide_tell_batch_join_in(tx, deployment, person))
		return;
	ring.is_silent = !rings || !decide_may_ring_chat(tx, person);
	add_copy(tx, about, person, &ring);
}

static void
add_all(struct tx *tx, const struct chat_deployment *about, bool rings)
{
	char target[LIMIT_ENVIRONMENT];
	int64_t person = 0;

	(void)deployment_target(about->deployment, target);
	for (int i = 0; i < DECIDE_WHOM_ALL && (person = decide_whom_next(tx, target, person)) != 0;
	     i++)
		add_one(tx, about, person, rings);
}

void
decide_tell_add_copies(struct tx *tx, const struct chat_deployment *about, bool asks)
{
	if (decide_team_of(tx, about->deployment->environment) == 0 &&
	    decide_tell_is_of_push(tx, about->deployment))
		add_all(tx, about, asks && may_ring(tx, about->deployment));
}

void
decide_tell_rolled_back(struct tx *tx, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;

	if (deployment_is_rollback(deployment) && deployment->state == DEPLOY_LIVE &&
	    decide_team_of(tx, deployment->environment) == 0)
		add_all(tx, about, false);
}

void
decide_tell_team(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, answer, &shown);
	int64_t team = decide_team_of(tx, deployment->environment);

	decide_tell_add_copies(tx, &about, decide_tell_is_question(deployment));
	if (team != 0 && deployment->also_message == 0 && deployment->address.chat != team)
		deployment->also_message = decide_tell_add(tx, &about,
		    &(struct chat_address){ .chat = team }, decide_tell_is_question(deployment));
}

/* In private once, however it came to know of it. */
static void
ring_person(struct tx *tx, const struct chat_deployment *about, int64_t person)
{
	const struct deployment *deployment = about->deployment;
	int64_t row = decide_tell_find(tx, deployment, person);
	struct decide_tell_ring ring = { .is_alarm = true, .counts = true };

	if (person == deployment->address.chat || !decide_tell_may_ring(tx, deployment, person))
		return;
	ring.is_silent = !decide_may_ring_chat(tx, person);
	if (row != 0)
		decide_tell_anew(tx, about, row, &ring);
	else
		add_copy(tx, about, person, &ring);
}

void
decide_tell_ring_people(struct tx *tx, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	bool has_group = decide_team_of(tx, deployment->environment) != 0;
	int64_t pushed = deployment_is_by_request(deployment) ?
	    0 :
	    decide_whom_pushed(tx, deployment->requester, deployment->environment);
	char target[LIMIT_ENVIRONMENT];
	int64_t person = 0;

	(void)deployment_target(deployment, target);
	for (int i = 0; !has_group && i < DECIDE_WHOM_ALL &&
	     (person = decide_whom_next(tx, target, person)) != 0;
	     i++) {
		ring_person(tx, about, person);
		pushed = person == pushed ? 0 : pushed;
	}
	if (pushed != 0)
		ring_person(tx, about, pushed);
}
