/* decide_tell_batch.c - a push that asks in several environments of a chat is one message there.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_tell_batch.h"

#include "chat/chat_push.h"
#include "decide/decide_reply.h"
#include "decide/decide_tell_inside.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_shown.h"

/* What is found later is news of its own: the first was read. */
#define TOGETHER_MS (10 * 60000)

/* Nobody has answered it, and what it says is what all of them say. */
static bool
waits(const struct deployment *work)
{
	return work->program == PROGRAM_DEPLOY && work->trigger != TRIGGER_CHAT &&
	    work->state == DEPLOY_AWAITING_CONFIRMATION && work->confirmed_by == 0 &&
	    work->changed[0] == '\0';
}

/* Its message; 0: it is in none. */
static int64_t
row_of(struct tx *tx, const struct deployment *work)
{
	int64_t rows[ROW_SHOWN_MAX];

	return row_shown_list(tx, work->id, SHOWN_BATCH, rows) > 0 ? rows[0] : 0;
}

bool
decide_tell_batch_has(struct tx *tx, const struct deployment *work)
{
	return row_of(tx, work) != 0;
}

size_t
decide_tell_batch_list(struct tx *tx, int64_t message, int64_t ret[DECIDE_TELL_BATCH_MAX])
{
	size_t n = row_shown_works(tx, message, SHOWN_BATCH, ret, DECIDE_TELL_BATCH_MAX), kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct deployment work = row_deployment_get(tx, ret[i]);

		if (waits(&work))
			ret[kept++] = ret[i];
	}
	return kept;
}

/* The message as it is now, of who waits there and, where nobody does, of `last`. */
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
	int64_t works[DECIDE_TELL_BATCH_MAX];
	struct buttons buttons = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	ask.n = decide_tell_batch_list(tx, message, works);
	for (size_t i = 0; i < ask.n; i++) {
		(void)text_copy(names[i], LIMIT_ENVIRONMENT,
		    row_deployment_get(tx, works[i]).environment); /* of the same size */
		ask.names[i] = names[i];
	}
	chat_push_asks(&text, &ask);
	if (ask.n > 0)
		row_button_show_for(tx, &choose, last->address.chat, 0, "Choose…", &buttons);
	decide_change(tx, message, &buttons, &text);
}

/* Of the same commit, in the same chat, and with a message: one that stands with others already,
 * else the first that was asked. */
static struct deployment
find_first(struct tx *tx, const struct deployment *work)
{
	int64_t asked[DECIDE_TELL_BATCH_MAX];
	size_t n = row_deployment_list_push_asked(
	    tx, work, tx->at - TOGETHER_MS, asked, DECIDE_TELL_BATCH_MAX);
	struct deployment first = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct deployment one = row_deployment_get(tx, asked[i]);

		if (!waits(&one) || one.message == 0 || row_button_is_shared(tx, one.id))
			continue;
		if (decide_tell_batch_has(tx, &one))
			return one;
		if (first.id == 0)
			first = one;
	}
	return first;
}

bool
decide_tell_batch_join(struct tx *tx, struct deployment *work)
{
	struct deployment first;

	if (decide_tell_batch_has(tx, work))
		decide_tell_batch_leave(tx, work); /* it is asked anew */
	first = waits(work) && work->message == 0 ? find_first(tx, work) : (struct deployment){ 0 };
	if (first.id == 0)
		return false;
	row_shown_add(tx, first.id, first.message, SHOWN_BATCH);
	row_shown_add(tx, work->id, first.message, SHOWN_BATCH);
	work->message = first.message;
	row_deployment_save(tx, work);
	/* Its yes and its no are there, and end with its deadline; shown when it is chosen. */
	(void)decide_tell_buttons(tx, work, work->address.chat);
	show(tx, work->message, work);
	return true;
}

void
decide_tell_batch_leave(struct tx *tx, struct deployment *work)
{
	int64_t message = row_of(tx, work);

	row_shown_clear(tx, work->id, SHOWN_BATCH);
	work->message = 0;
	show(tx, message, work);
}

bool
decide_tell_batch_tell(struct tx *tx, struct deployment *work)
{
	bool is_over =
	    deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL && work->state != DEPLOY_REFUSED;

	if (waits(work)) {
		show(tx, work->message, work);
		return true;
	}
	decide_tell_batch_leave(tx, work);
	return is_over;
}
