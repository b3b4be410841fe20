/* row_effect.c - writes and withdraws the outbox's rows; store_lane.c hands them out.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_effect.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/text.h"
#include "store/row_chat.h"
#include "store/row_runner_name.h"
#include "store/store_inside.h"
#include "types/effect_codec.h"

/* --- adding --- */

/* A message, a toast and a deadline only say something. */
static bool
is_done(enum effect_kind kind)
{
	return kind != EFFECT_SEND_MESSAGE && kind != EFFECT_TOAST && kind != EFFECT_TIMER;
}

/* Writes the row; "" is no lane. */
static int64_t
insert(struct tx *tx, const struct effect *effect, const char *lane)
{
	CLEANUP(buf_done) struct buf body = buf_make(EFFECT_BODY_MAX);
	int64_t id = tx_next_id(tx, STORE_ID_EFFECT);

	effect_codec_encode(effect, &body);
	tx_check(tx, &body);
	tx->has_done = tx->has_done || is_done(effect->kind);
	if (!tx_say(tx,
		"INSERT INTO effect (kind, lane, subject, body, due, at, id)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7)",
		DB_TEXT(effect_name(effect->kind)), DB_TEXT(lane[0] == '\0' ? NULL : lane),
		DB_I64(effect->subject), DB_TEXT(buf_text(&body)), DB_I64(effect->due),
		DB_I64(tx->at), DB_I64(id)))
		return 0;
	tx->store->mark.n_outbox += effect_is_outbox(effect->kind) ? 1 : 0;
	if (lane[0] != '\0')
		store_lane_touch(tx->store, lane);
	return id;
}

bool
row_effect_is_querying(struct tx *tx, const char *environment)
{
	char lane[STORE_LANE];

	store_lane_of_environment(lane, EFFECT_GIT_QUERY, environment);
	return tx_number(tx, "SELECT COUNT(*) FROM effect WHERE lane = $1", DB_TEXT(lane)) > 0;
}

bool
row_effect_is_polling(struct tx *tx, const char *environment)
{
	char lane[STORE_LANE];

	store_lane_of_polls(lane, environment);
	return tx_number(tx, "SELECT COUNT(*) FROM effect WHERE lane = $1", DB_TEXT(lane)) > 0;
}

int64_t
row_effect_count_polls(struct tx *tx)
{
	char lane[STORE_LANE];

	store_lane_of_polls(lane, ""); /* a colon is its last letter; a semicolon comes next */
	return tx_number(tx,
	    "SELECT COUNT(*) FROM effect WHERE lane >= $1 AND lane < rtrim($1, ':') || ';'",
	    DB_TEXT(lane));
}

/* News of a branch: whoever waits behind the query in progress asks for the newest anyway. */
static void
drop_waiting(struct tx *tx, const char *lane)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t waiting = 0;

	if (!tx_query(&rows, tx, "SELECT id FROM effect WHERE lane = $1", DB_TEXT(lane)))
		return;
	while (db_next(&rows))
		if (!store_lane_is_handed(tx->store, db_col_i64(&rows, 0)))
			waiting = db_col_i64(&rows, 0);
	if (!tx_end(tx, &rows) || waiting == 0)
		return;
	(void)tx_run(tx, "DELETE FROM effect WHERE id = $1", DB_I64(waiting)); /* sticky */
}

/* The same log to the same chat, not sent yet: one is enough, however often it is asked for. */
static int64_t
find_document(struct tx *tx, const struct effect *effect, const char *lane)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct effect *other;
	int64_t found = 0;
	struct err err;

	if (!tx_query(&rows, tx, "SELECT id, body FROM effect WHERE lane = $1", DB_TEXT(lane)))
		return 0;
	while (db_next(&rows)) {
		other = effect_codec_decode(EFFECT_DOCUMENT, db_col_text(&rows, 1), &err);
		if (other != NULL && other->u.document.run == effect->u.document.run)
			found = db_col_i64(&rows, 0);
		effect_free(other);
	}
	return tx_end(tx, &rows) ? found : 0;
}

int64_t
row_effect_add(struct tx *tx, struct effect *effect)
{
	char lane[STORE_LANE];
	struct outcome *outcome;
	int64_t id;

	store_lane_of(lane, effect);
	if (effect_columns[effect->kind].lane == EFFECT_LANE_ENVIRONMENT && lane[0] != '\0')
		drop_waiting(tx, lane);
	id = effect->kind == EFFECT_DOCUMENT ? find_document(tx, effect, lane) : 0;
	if (id == 0) {
		row_runner_name_write(tx->settings, effect);
		id = insert(tx, effect, lane);
		row_runner_name_read(tx->settings, effect);
	}
	outcome = id != 0 && lane[0] == '\0' ? tx_outcome(tx, OUTCOME_EFFECT) : NULL;
	if (outcome == NULL) { /* failed, or read again when its turn comes */
		effect_free(effect);
		return tx->failed ? 0 : id;
	}
	effect->id = id;
	effect->result->effect = id;
	if (effect->settings == NULL && tx->event->context.settings != NULL)
		effect->settings = settings_ref(tx->event->context.settings);
	outcome->effect = effect;
	return id;
}

int64_t
row_effect_order(struct tx *tx, const struct effect *as)
{
	struct effect *effect = effect_new(as->kind);

	effect->subject = as->subject;
	effect->due = as->due;
	memcpy(&effect->u, &as->u, effect_size(as->kind) - offsetof(struct effect, u));
	return row_effect_add(tx, effect);
}

/* The SEND_MESSAGEs of a message; 0: none. */
struct sends {
	int64_t out; /* handed out */
	char out_lane[STORE_LANE];
	int64_t waiting; /* behind the head of its lane */
	char waiting_lane[STORE_LANE];
};

static struct sends
find_sends(struct tx *tx, int64_t message)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct sends found = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT id, lane FROM effect WHERE kind = 'say' AND subject = $1"
		" ORDER BY id",
		DB_I64(message)))
		return found;
	while (db_next(&rows)) {
		int64_t id = db_col_i64(&rows, 0);

		if (store_lane_is_handed(tx->store, id)) {
			found.out = id;
			tx_text(&rows, 1, found.out_lane, sizeof(found.out_lane));
		} else {
			found.waiting = id;
			tx_text(&rows, 1, found.waiting_lane, sizeof(found.waiting_lane));
		}
	}
	(void)tx_end(tx, &rows); /* sticky */
	return found;
}

/* Whoever has it in hand, and has not sent it yet, is to send what it says now; is_covered: nothing
 * any more. */
static void
change_out(struct tx *tx, int64_t id, int64_t message, bool is_closing, bool is_covered)
{
	struct outcome *outcome;
	struct message *shown;
	struct effect *effect;
	struct err err;

	if (tx->failed || id == 0 || (outcome = tx_outcome(tx, OUTCOME_CHANGE)) == NULL)
		return;
	effect = outcome->effect = effect_new(EFFECT_SEND_MESSAGE);
	if (!store_message_show(tx->db, message, &effect->u.send_message.message, &err)) {
		tx_fail(tx, err.code, "message %" PRId64 " is gone", message);
		return;
	}
	effect->id = id;
	shown = &effect->u.send_message.message;
	shown->is_alarm &= shown->remote_id == 0;
	shown->is_closing = is_closing;
	shown->is_covered = is_covered;
}

/* The message as far as a lane depends on it. */
TX_READER(read_message, struct message, TX_I64(id), TX_I64(address.chat), TX_I64(remote_id),
    TX_FLAG(is_answer), TX_FLAG(is_alarm), TX_I64(held_until))

/* Where what it is sent as now has its place.  Of one in hand nothing is known: none of an older
 * text may come after it.  An edit that takes buttons away waits for no other, which is not
 * tried again when it comes; but what is sent for the first time is not passed by its edit. */
static void
place(struct tx *tx, int64_t id, const struct effect *effect, const struct sends *before,
    bool is_anew)
{
	const struct message *message = &effect->u.send_message.message;
	char lane[STORE_LANE];

	if (before->out == 0 && before->waiting == 0)
		return; /* it was added there */
	store_lane_of(lane, effect);
	if (before->out != 0 && !is_anew && (message->remote_id == 0 || !message->is_closing))
		text_set(lane, before->out_lane);
	else if (before->waiting != 0 && !message->is_closing && !is_anew &&
	    strstr(before->waiting_lane, ":held") == NULL)
		return; /* it has its place, or a better one */
	(void)tx_run(tx, "UPDATE effect SET lane = $2 WHERE id = $1", DB_I64(id),
	    DB_TEXT(lane)); /* sticky */
	store_lane_touch(tx->store, lane);
}

/* One waits at most behind the one in hand, which says what is new, where it was not begun. */
static int64_t
order_send(struct tx *tx, int64_t message, bool is_closing, bool is_anew)
{
	struct effect effect = { .kind = EFFECT_SEND_MESSAGE, .subject = message };
	struct message *sent = &effect.u.send_message.message;
	struct sends before;
	int64_t id;

	if (message == 0 ||
	    tx_read(tx, read_message, sent, 1,
		"SELECT id, chat, remote_id, is_answer,"
		" CASE WHEN is_alarm <> 0 AND remote_id = 0 THEN 1 ELSE 0 END, held_until"
		" FROM message WHERE id = $1",
		DB_I64(message)) == 0 ||
	    row_chat_is_refused(tx, sent->address.chat))
		return 0;
	sent->is_closing = is_closing;
	before = find_sends(tx, message);
	change_out(tx, before.out, message, is_closing, is_anew);
	id = before.waiting != 0 ? before.waiting : row_effect_order(tx, &effect);
	if (before.waiting != 0) /* behind a restart one of before waits; it says what is now */
		(void)tx_say(tx, "UPDATE message SET anew = $2 WHERE id = $1 AND anew > $2",
		    DB_I64(message), DB_I64(id)); /* sticky */
	place(tx, id, &effect, &before, is_anew);
	return tx->failed ? 0 : id;
}

void
row_effect_send(struct tx *tx, int64_t message)
{
	(void)order_send(tx, message, false, false);
}

void
row_effect_close(struct tx *tx, int64_t message)
{
	(void)order_send(tx, message, true, false);
}

int64_t
row_effect_send_anew(struct tx *tx, int64_t message)
{
	return order_send(tx, message, false, true);
}

void
row_effect_toast(struct tx *tx, const struct chat_address *address, const char *callback,
    bool is_alert, const char *fmt, ...)
{
	struct effect effect = { .kind = EFFECT_TOAST };
	struct effect_toast *toast = &effect.u.toast;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(toast->text, sizeof(toast->text), fmt, args); /* more than the cut below */
	va_end(args);
	toast->text[text_utf16_cut(toast->text, strlen(toast->text), LIMIT_TOAST)] = '\0';
	text_set(toast->callback, callback);
	toast->is_alert = is_alert;
	toast->chat = address->chat;
	tx->is_toasted = true;
	(void)row_effect_order(tx, &effect); /* as above */
}

int64_t
row_effect_timer(
    struct tx *tx, enum timer_kind kind, const char *name, int64_t subject, int64_t due)
{
	struct effect effect = { .kind = EFFECT_TIMER, .subject = subject, .due = due };

	effect.u.timer.kind = kind;
	text_set(effect.u.timer.name, name);
	return row_effect_order(tx, &effect);
}

/* --- withdrawing, finding --- */

void
row_effect_withdraw(struct tx *tx, int64_t id)
{
	static const char withdraw[] = "DELETE FROM effect WHERE id = $1 AND (kind = ''"
#define EFFECT(name, performer, word, result, lane, outbox, withdrawable, ...) \
	STORE_OR_##withdrawable(word)
#include "types/effect.def"
				       ")";
	struct outcome *outcome;

	if (id == 0 || !tx_say(tx, withdraw, DB_I64(id)) || tx_changed(tx) == 0)
		return;
	outcome = tx_outcome(tx, OUTCOME_WITHDRAW);
	if (outcome != NULL)
		outcome->withdraw = id;
}

int64_t
row_effect_find(struct tx *tx, enum effect_kind kind, int64_t subject)
{
	return tx_number(tx,
	    "SELECT id FROM effect WHERE kind = $1 AND subject = $2 ORDER BY id LIMIT 1",
	    DB_TEXT(effect_name(kind)), DB_I64(subject));
}

struct effect *
row_effect_get(struct tx *tx, enum effect_kind kind, int64_t id)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct effect *effect = NULL;
	struct err err;

	if (!tx_query(&rows, tx, "SELECT body, subject FROM effect WHERE id = $1 AND kind = $2",
		DB_I64(id), DB_TEXT(effect_name(kind))))
		return NULL;
	if (db_next(&rows)) {
		effect = effect_codec_decode(kind, db_col_text(&rows, 0), &err);
		if (effect == NULL)
			tx_fail(tx, err.code, "%s", err.text);
		else
			effect->subject = db_col_i64(&rows, 1);
	}
	(void)tx_end(tx, &rows); /* sticky */
	return effect;
}

void
row_effect_save(struct tx *tx, int64_t id, const struct effect *effect)
{
	CLEANUP(buf_done) struct buf body = buf_make(EFFECT_BODY_MAX);

	effect_codec_encode(effect, &body);
	tx_check(tx, &body);
	(void)tx_run(tx, "UPDATE effect SET body = $2 WHERE id = $1", DB_I64(id),
	    DB_TEXT(buf_text(&body))); /* sticky */
}

/* name: NULL, of any. */
static bool
is_timer_of(const char *body, enum timer_kind kind, const char *name)
{
	struct effect *effect = effect_codec_decode(EFFECT_TIMER, body, NULL);
	const struct effect_timer *timer = effect != NULL ? &effect->u.timer : NULL;
	bool same = timer != NULL && timer->kind == kind &&
	    (name == NULL ||
		strcmp(kind == TIMER_PUSH ? timer->environment : timer->name, name) == 0);

	effect_free(effect);
	return same;
}

struct timer {
	int64_t id, due; /* 0: there is none */
};

/* Of that name alone, or of any (NULL). */
static struct timer
find_timer(struct tx *tx, enum timer_kind kind, int64_t subject, const char *name)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct timer found = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT id, body, due FROM effect WHERE kind = 'wait' AND subject = $1",
		DB_I64(subject)))
		return found;
	while (found.id == 0 && db_next(&rows))
		if (is_timer_of(db_col_text(&rows, 1), kind, name))
			found = (struct timer){ db_col_i64(&rows, 0), db_col_i64(&rows, 2) };
	return tx_end(tx, &rows) ? found : (struct timer){ 0 };
}

int64_t
row_effect_find_timer(struct tx *tx, enum timer_kind kind, int64_t *ret_due)
{
	struct timer found = find_timer(tx, kind, 0, NULL);

	*ret_due = found.due;
	return found.id;
}

bool
row_effect_has_timer(struct tx *tx, enum timer_kind kind)
{
	return find_timer(tx, kind, 0, NULL).id != 0;
}

int64_t
row_effect_timer_due(struct tx *tx, enum timer_kind kind, int64_t subject)
{
	return find_timer(tx, kind, subject, NULL).due;
}

int64_t
row_effect_timer_of(struct tx *tx, enum timer_kind kind, int64_t subject)
{
	return find_timer(tx, kind, subject, NULL).id;
}

int64_t
row_effect_find_named(struct tx *tx, enum timer_kind kind, const char *name)
{
	return find_timer(tx, kind, 0, name).id;
}
