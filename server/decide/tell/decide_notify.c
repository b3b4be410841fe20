/* decide_notify.c - others are notified of a deployment's states, by the words of types/notify.def.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_notify.h"

#include <inttypes.h>

#include "chat/chat_text.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_tell.h"
#include "decide/view/decide_view.h"
#include "deployment/notify_word.h"
#include "lib/json.h"
#include "lib/list.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_notify.h"

#define NOTIFIED_MAX (16 + NOTIFY_MAX * ENVIRONMENT_NAME_MAX) /* a word, and names */

/* --- what is notified --- */

/* A summary stands for those that it counts. */
static int64_t
number_of(const struct effect_notify *notify)
{
	struct err err; /* what is no JSON has no member */
	CLEANUP(json_freep)
	struct json *data = json_decode(notify->data, strlen(notify->data), &err);

	return json_get_i64_or(data, "unsent", 1);
}

static bool
is_urgent(const struct effect_notify *notify)
{
	return strcmp(notify->word, notify_word_text(NOTIFY_DOWN)) == 0 ||
	    strcmp(notify->word, notify_word_text(NOTIFY_RESTORED)) == 0;
}

/* What waits is not sent any more: all of it, or for one that is urgent the newest that is not; the
 * oldest may be on its way already.  Returns how many messages that were. */
static int64_t
give_up(struct tx *tx, const char *name, bool for_urgent)
{
	int64_t id = row_notify_before(tx, name, INT64_MAX), older, n = 0;

	for (; id != 0 && (n == 0 || !for_urgent); id = older) {
		struct effect *waiting = row_effect_get(tx, EFFECT_NOTIFY, id);

		older = row_notify_before(tx, name, id);
		if (waiting != NULL &&
		    (!for_urgent || (older != 0 && !is_urgent(&waiting->u.notify)))) {
			n += number_of(&waiting->u.notify);
			row_notify_drop(tx, id);
		}
		effect_free(waiting);
	}
	return n;
}

/* Off, or with too much that waits already, it is counted. */
static void
order(struct tx *tx, const char *name, struct effect *like)
{
	struct notify_row row;
	int64_t given_up = 0;
	bool is_full;

	row_notify_get(tx, name, &row);
	is_full = row.off_since != 0 || row_notify_waiting(tx, name) >= NOTIFY_WAITING;
	if (is_full && row.off_since == 0 && is_urgent(&like->u.notify))
		given_up = give_up(tx, name, true);
	if (is_full) {
		row.unsent += given_up > 0 ? given_up : number_of(&like->u.notify);
		row_notify_set(tx, &row);
	}
	if (is_full && given_up == 0)
		return;
	text_set(like->u.notify.name, name);
	tx_draw_id(tx, like->u.notify.key);
	(void)row_effect_order(tx, like);
}

static void
write_data(struct tx *tx, const struct deployment *work, const char *marked, char *ret)
{
	CLEANUP(buf_done) struct buf text = buf_make(NOTIFY_TEXT);

	chat_text_plain(marked, &text);
	for (int is_short = 0; is_short < 2; is_short++) {
		CLEANUP(buf_done) struct buf data = buf_make(NOTIFY_DATA - 1);
		struct json_out json = json_out_begin(&data, '{');

		decide_view_notified(tx, work, buf_text(&text), is_short != 0, &json);
		json_out_end(&json);
		(void)text_copy(ret, NOTIFY_DATA, buf_failed(&data) ? "{}" : buf_text(&data));
		if (!buf_failed(&data))
			break;
	}
}

/* The same for whoever is notified: made for the first of them. */
static void
make(struct tx *tx, const struct deployment *work, enum notify_word word, struct effect *ret)
{
	ret->kind = EFFECT_NOTIFY;
	ret->subject = work->id;
	ret->u.notify.at = tx->at;
	text_set(ret->u.notify.word, notify_word_text(word));
	decide_tell_notice(tx, work, ret->u.notify.text);
	write_data(tx, work, ret->u.notify.text, ret->u.notify.data);
}

/* What is notified goes on in `notified`: who was notified "down" is among it until it is over. */
static void
tell(struct tx *tx, const struct deployment *work, enum notify_word word,
    char notified[NOTIFIED_MAX])
{
	CLEANUP(freep) struct effect *like = mem_new(1, sizeof(*like));
	char was[NOTIFIED_MAX], *end = notified;
	const char *names;
	struct notify to;

	(void)text_copy(was, NOTIFIED_MAX, notified);
	names = was + strcspn(was, ":");
	names += *names == ':';
	if (word == NOTIFY_DOWN || word == NOTIFY_ROLLED_BACK)
		end = stpcpy(notified, notify_word_text(word));
	else if (word == NOTIFY_RESTORED || word == NOTIFY_LIVE)
		notified[0] = '\0';
	for (size_t at = 0, n = 0; n < NOTIFY_MAX && notify_next(tx->settings, &at, &to); n++) {
		bool is_down = list_has(names, to.id), covers;

		covers = (to.what != NULL && notify_covers(to.what, work->environment, word)) ||
		    (word == NOTIFY_RESTORED && is_down);
		if (end != notified && (is_down || (covers && word == NOTIFY_DOWN))) {
			end = stpcpy(end, strchr(notified, ':') == NULL ? ":" : ",");
			end = stpcpy(end, to.id);
		}
		if (!covers)
			continue;
		if (like->subject == 0)
			make(tx, work, word, like);
		order(tx, to.id, like);
	}
}

void
decide_notify(struct tx *tx, const struct deployment *work, enum deploy_state from,
    const struct deploy_acts *acts)
{
	struct notify_step step = { .program = work->program, .from = from, .to = work->state };
	char notified[NOTIFIED_MAX] = "", was[NOTIFIED_MAX];
	enum notify_word word;

	if (from == work->state || deployment_is_action(work))
		return;
	for (size_t i = 0; i < acts->n; i++)
		step.has_down = step.has_down || acts->todo[i] == DEPLOY_DO_DOWN;
	word = notify_word_of(&step);
	step.is_troubled = true;
	if (word != NOTIFY_QUESTION &&
	    (word != NOTIFY_WORD_COUNT || notify_word_of(&step) != NOTIFY_WORD_COUNT))
		row_environment_notified(tx, work->environment, notified, sizeof(notified));
	text_set(was, notified);
	/* A rollback by hand of what was rolled back already restores nothing. */
	step.is_troubled = notified[0] != '\0' &&
	    !(deployment_is_rollback(work) &&
		strcmp(notified, notify_word_text(NOTIFY_ROLLED_BACK)) == 0);
	word = notify_word_of(&step);
	if (word == NOTIFY_WORD_COUNT)
		return;
	tell(tx, work, word, notified);
	if (strcmp(was, notified) != 0)
		row_environment_set_notified(tx, work->environment, notified);
}

/* --- what came of it --- */

static void
say_off(struct tx *tx, const struct notify_row *row)
{
	const struct chat_address home = { .chat = tx->settings->telegram_chat_id };
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_add(&text, "❌ Not notified any more: " MARK_BOLD "%s" MARK_BOLD, row->name);
	chat_text_outside(&text, "\nIts answer: ", row->off_why);
	chat_text_add(&text,
	    "\nNothing is sent there until NOTIFY_<NAME>_… of it changes. Try it: " MARK_CODE
	    "deploybot notify test %s" MARK_CODE,
	    row->name);
	(void)decide_send(tx, &home, &text);
	tx_log(tx, LOG_LEVEL_ERROR, "notify %s: off until its settings change: %s", row->name,
	    row->off_why);
}

/* Behind all that waits: those are older. */
static void
sum_up(struct tx *tx, struct notify_row *row)
{
	CLEANUP(freep) struct effect *effect = mem_new(1, sizeof(*effect));
	struct effect_notify *notify = &effect->u.notify;

	effect->kind = EFFECT_NOTIFY;
	notify->at = tx->at;
	text_set(notify->word, notify_word_text(NOTIFY_UNSENT));
	text_setf(notify->text, "%" PRId64 " more were not sent", row->unsent);
	text_setf(notify->data, "{\"unsent\":%" PRId64 "}", row->unsent);
	row->unsent = 0;
	row_notify_set(tx, row);
	order(tx, row->name, effect);
}

static void
count(struct tx *tx, struct notify_row *row, const struct notify_said *said)
{
	row->unsent += number_of(&tx->effect->u.notify);
	if (said->verdict == NOTIFY_OFF) {
		row->unsent += give_up(tx, row->name, false);
		row->off_since = tx->at;
		text_set(row->off_why, said->why);
		say_off(tx, row);
	} else {
		tx_log(tx, LOG_LEVEL_WARNING,
		    "notify %s: \"%s\" of work %" PRId64 " is not sent: %s", row->name,
		    tx->effect->u.notify.word, tx->effect->subject, said->why);
	}
	row_notify_set(tx, row);
}

void
decide_notify_said(struct tx *tx, const struct notify_said *said)
{
	struct notify_row row;

	row_notify_get(tx, tx->effect->u.notify.name, &row);
	tx_count_metric(tx, INCREMENT_NOTIFY, row.name,
	    said->verdict == NOTIFY_SENT ? "sent" : "failed", "", 1);
	if (said->verdict != NOTIFY_SENT)
		count(tx, &row, said);
	else if (row.unsent > 0)
		sum_up(tx, &row);
}

void
decide_notify_list_off(struct tx *tx, struct chat_text *text)
{
	struct notify_row off[NOTIFY_MAX];
	struct notify is;
	size_t first = 0, n = 0;

	if (notify_next(tx->settings, &first, &is)) /* else there is nobody to list */
		n = row_notify_list_off(tx, off, NOTIFY_MAX);
	for (size_t i = 0; i < n; i++)
		if (notify_find(tx->settings, off[i].name, &is)) {
			chat_text_add(text, "❌ Not notified any more: %s", off[i].name);
			chat_text_outside(text, ", ", off[i].off_why);
			chat_text_add(text, "\n");
		}
}
