/* decide_tell_batch.c - a push that asks in several environments of a chat is one message there.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_tell_batch.h"

#include "chat/chat_push.h"
#include "decide/who/decide_allowed.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_sees.h"
#include "decide/tell/decide_tell_inside.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_message.h"
#include "store/row_shown.h"

/* What is found later is news of its own: the first was read. */
#define TOGETHER_MS (10 * 60000)

/* Nobody has answered it, and what it says is what all of them say. */
static bool
waits(const struct deployment *work)
{
	return work->program == PROGRAM_DEPLOY && !deployment_is_by_request(work) &&
	    work->state == DEPLOY_AWAITING_CONFIRMATION && work->confirmed_by == 0 &&
	    work->changed[0] == '\0';
}

bool
decide_tell_batch_has(struct tx *tx, const struct deployment *work)
{
	int64_t rows[ROW_SHOWN_MAX];

	return row_shown_list(tx, work->id, SHOWN_BATCH, rows) > 0;
}

size_t
decide_tell_batch_list(struct tx *tx, int64_t message, int64_t ret[DECIDE_TELL_BATCH_MAX])
{
	size_t n = row_shown_works(tx, message, SHOWN_BATCH, ret, DECIDE_TELL_BATCH_MAX), kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct deployment work;

		row_deployment_get(tx, ret[i], &work);
		if (waits(&work))
			ret[kept++] = ret[i];
	}
	return kept;
}

/* Those that were chosen, each in a message of its own, and wait there. */
static size_t
count_below(struct tx *tx, int64_t message)
{
	int64_t works[DECIDE_TELL_BATCH_MAX];
	size_t n = row_shown_works(tx, message, SHOWN_BELOW, works, DECIDE_TELL_BATCH_MAX),
	       open = 0;

	for (size_t i = 0; i < n; i++) {
		struct deployment work;

		row_deployment_get(tx, works[i], &work);
		open += work.state == DEPLOY_AWAITING_CONFIRMATION && work.confirmed_by == 0;
	}
	return open;
}

/* In private whoever may answer none of them reads it, and no more. */
static bool
may_choose(struct tx *tx, int64_t chat, const struct chat_push_ask *ask)
{
	for (size_t i = 0; i < ask->n; i++)
		if (chat < 0 || decide_is_allowed(tx, chat, POLICY_CONFIRM, ask->names[i]))
			return true;
	return false;
}

/* The message as it is now, of who waits there and, where nobody does, of `last`.  What they may
 * not see any more is not named to a person. */
static void
show(struct tx *tx, int64_t message, const struct deployment *last)
{
	struct chat_push_ask ask = { .subject = last->subject,
		.commit = last->commit,
		.author = last->author,
		.requester = last->requester,
		.last = last->environment };
	const struct request choose = request_about("choose", "push", message);
	char names[DECIDE_TELL_BATCH_MAX][LIMIT_ENVIRONMENT];
	CLEANUP(message_done) struct message now = { 0 };
	int64_t works[DECIDE_TELL_BATCH_MAX], chat;
	size_t n = decide_tell_batch_list(tx, message, works);
	struct buttons buttons = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_message_get(tx, message, &now);
	chat = now.address.chat;
	if (now.id == 0)
		return; /* gone by age */
	ask.n_below = count_below(tx, message);
	if (chat > 0 && !decide_sees(tx, chat, last->environment))
		ask.last = "";
	for (size_t i = 0; i < n; i++) {
		(void)text_copy(names[ask.n], LIMIT_ENVIRONMENT,
		    row_deployment_get(tx, works[i], &(struct deployment){ 0 })
			->environment); /* of the same size */
		if (chat < 0 || decide_sees(tx, chat, names[ask.n])) {
			ask.names[ask.n] = names[ask.n];
			ask.n++;
		}
	}
	chat_push_asks(&text, &ask);
	if (n + ask.n_below == 0)
		row_message_hush(tx, message);
	if (may_choose(tx, chat, &ask))
		row_button_show_for(tx, &choose, chat, 0, "Choose…", &buttons);
	decide_change(tx, message, &buttons, &text);
}

/* In each chat. */
static void
show_all(struct tx *tx, const struct deployment *last, const int64_t *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		show(tx, rows[i], last);
}

/* work->message is 0 from then on. */
static void
leave(struct tx *tx, struct deployment *work)
{
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, work->id, SHOWN_BATCH, rows);

	row_shown_clear(tx, work->id, SHOWN_BATCH);
	work->message = 0;
	show_all(tx, work, rows, n);
}

/* Of the same commit, in the same chat, and with a message: one that stands with others already,
 * else the first that was asked. */
static struct deployment *
find_first(struct tx *tx, const struct deployment *work, struct deployment *ret)
{
	int64_t asked[DECIDE_TELL_BATCH_MAX];
	size_t n = row_deployment_list_push_asked(
	    tx, work, tx->at - TOGETHER_MS, asked, DECIDE_TELL_BATCH_MAX);

	*ret = (struct deployment){ 0 };
	for (size_t i = 0; i < n; i++) {
		struct deployment one;

		row_deployment_get(tx, asked[i], &one);
		if (!waits(&one) || one.message == 0 || row_button_is_shared(tx, one.id))
			continue;
		if (ret->id == 0 || decide_tell_batch_has(tx, &one))
			*ret = one;
		if (decide_tell_batch_has(tx, ret))
			break;
	}
	return ret;
}

bool
decide_tell_batch_join(struct tx *tx, struct deployment *work)
{
	struct deployment first;

	if (decide_tell_batch_has(tx, work))
		leave(tx, work); /* it is asked anew */
	if (!waits(work) || work->message != 0 || find_first(tx, work, &first)->id == 0)
		return false;
	row_shown_add(tx, first.id, first.message, SHOWN_BATCH);
	row_shown_add(tx, work->id, first.message, SHOWN_BATCH);
	work->message = first.message;
	row_deployment_save(tx, work);
	/* Its yes and its no are there, and end with its deadline; shown when it is chosen. */
	(void)decide_tell_buttons(tx, work, work->address.chat, &(struct buttons){ 0 });
	show(tx, work->message, work);
	return true;
}

bool
decide_tell_batch_join_in(struct tx *tx, const struct deployment *work, int64_t chat)
{
	int64_t row = 0, alone;

	if (decide_tell_batch_has(tx, work))
		row = row_shown_beside(tx, work->message, SHOWN_BATCH, chat, SHOWN_TEAM);
	if (row == 0)
		return false;
	if (row_shown_works(tx, row, SHOWN_TEAM, &alone, 1) > 0)
		row_shown_is(tx, alone, row, SHOWN_BATCH);
	row_shown_add(tx, work->id, row, SHOWN_BATCH);
	show(tx, row, work);
	return true;
}

void
decide_tell_batch_choose(struct tx *tx, struct deployment *work)
{
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, work->id, SHOWN_BATCH, rows);

	row_shown_become(tx, work->id, SHOWN_BATCH, SHOWN_BELOW);
	work->message = 0;
	show_all(tx, work, rows, n);
}

void
decide_tell_batch_answered(struct tx *tx, const struct deployment *work)
{
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, work->id, SHOWN_BELOW, rows);

	if (n == 0 || (work->state == DEPLOY_AWAITING_CONFIRMATION && work->confirmed_by == 0))
		return;
	row_shown_clear(tx, work->id, SHOWN_BELOW);
	show_all(tx, work, rows, n);
}

bool
decide_tell_batch_tell(struct tx *tx, struct deployment *work)
{
	bool is_over =
	    deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL && work->state != DEPLOY_REFUSED;

	int64_t rows[ROW_SHOWN_MAX];

	if (waits(work)) {
		show_all(tx, work, rows, row_shown_list(tx, work->id, SHOWN_BATCH, rows));
		return true;
	}
	leave(tx, work);
	return is_over;
}
