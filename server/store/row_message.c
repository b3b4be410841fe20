/* row_message.c - messages: written, read, moved.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_message.h"

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_audit.h"
#include "store/row_chat.h"
#include "store/row_effect.h"
#include "store/store_inside.h"
#include "types/effect_codec.h"

#define BUTTONS_MAX 4608 /* JSON of LIMIT_BUTTONS labels and ids, escaped, and a link */

/* --- buttons: [["label","button"],["label","","to copy"],["label","","","link","app"],…];
 * store_message.c reads them --- */

static void
write_buttons(const struct buttons *buttons, struct buf *out)
{
	struct json_out json = json_out_begin(out, '[');

	for (size_t i = 0; i < buttons->n; i++) {
		json_out_array(&json);
		json_out_str(&json, buttons->at[i].label);
		json_out_str(&json, buttons->at[i].id);
		if (buttons->at[i].copy[0] != '\0' || buttons->at[i].link[0] != '\0')
			json_out_str(&json, buttons->at[i].copy);
		if (buttons->at[i].link[0] != '\0')
			json_out_str(&json, buttons->at[i].link);
		if (buttons->at[i].is_web_app)
			json_out_str(&json, "app");
		json_out_end(&json);
	}
	json_out_end(&json);
}

/* --- reading --- */

struct message *
row_message_get(struct tx *tx, int64_t id, struct message *ret)
{
	struct err err;

	*ret = (struct message){ 0 };
	if (!tx->failed && id != 0 && !store_message_load(tx->db, id, ret, &err) &&
	    err.code != ERR_MISSING)
		tx_fail_with(tx, &err);
	if (ret->head == NULL) /* "" at least, for a message that is not there too */
		ret->head = mem_text("");
	return ret;
}

/* --- writing --- */

struct written {
	char *head; /* as much of it as a message may have */
	struct buf buttons;
};

static void
written_init(struct written *w, struct tx *tx, const struct message *message)
{
	w->head = message->head == NULL ?
	    NULL :
	    mem_textn(message->head, text_cut(message->head, strlen(message->head), LIMIT_MESSAGE));
	if (w->head == NULL)
		tx_fail(tx, ERR_LIMIT, "a message is too long");
	buf_init(&w->buttons, BUTTONS_MAX);
	write_buttons(&message->buttons, &w->buttons);
	tx_check(tx, &w->buttons);
}

static void
written_done(struct written *w)
{
	free(w->head);
	buf_done(&w->buttons);
}

static bool
rings(const struct message *message)
{
	return message->rings_for != 0 && !message->is_silent;
}

/* As row_effect_send(), of one whose rows need not be read. */
static void
send_first(struct tx *tx, int64_t id, const struct message *message)
{
	struct effect effect = { .kind = EFFECT_SEND_MESSAGE, .subject = id };
	struct message *sent = &effect.u.send_message.message;

	sent->id = id;
	sent->address.chat = message->address.chat;
	sent->remote_id = message->remote_id;
	sent->is_answer = message->is_answer;
	sent->is_alarm = message->is_alarm && message->remote_id == 0;
	sent->held_until = message->held_until;
	if (!row_chat_is_refused(tx, sent->address.chat))
		(void)row_effect_order(tx, &effect); /* sticky */
}

int64_t
row_message_add(struct tx *tx, const struct message *message)
{
	CLEANUP(written_done) struct written w;
	int64_t id = tx_next_id(tx, STORE_ID_MESSAGE);

	written_init(&w, tx, message);
	(void)tx_say(tx,
	    "INSERT INTO message (chat, thread, remote_id, head, foot, buttons, live_run,"
	    " live_since, live_estimate_ms, at, is_silent, reply_to, reply_row, rings_for,"
	    " is_answer, is_alarm, held_until, rings, id)"
	    " VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
	    " $16, $17, $18)",
	    DB_I64(message->address.chat), DB_I64(message->address.thread),
	    DB_I64(message->remote_id), DB_TEXT(w.head), DB_TEXT(buf_text(&w.buttons)),
	    DB_I64(message->live_run), DB_I64(message->live_since),
	    DB_I64(message->live_estimate_ms), DB_I64(tx->at), DB_I64(message->is_silent),
	    DB_I64(message->reply_to), DB_I64(message->reply_row), DB_I64(message->rings_for),
	    DB_I64(message->is_answer), DB_I64(message->is_alarm), DB_I64(message->held_until),
	    DB_I64(rings(message)), DB_I64(id)); /* sticky */
	send_first(tx, id, message);
	return tx->failed ? 0 : id;
}

/* Is one of them gone that stood there? */
static bool
takes_buttons(const struct buttons *before, const struct buttons *now)
{
	for (size_t i = 0; i < before->n; i++) {
		bool stays = before->at[i].id[0] == '\0';

		for (size_t k = 0; k < now->n && !stays; k++)
			stays = strcmp(before->at[i].id, now->at[k].id) == 0;
		if (!stays)
			return true;
	}
	return false;
}

/* False: it says that already. */
static bool
write_news(struct tx *tx, int64_t id, const struct message *message)
{
	CLEANUP(written_done) struct written w;

	written_init(&w, tx, message);
	return tx_say(tx,
		   "UPDATE message SET head = $2, buttons = $3, live_run = $4, live_since = $5,"
		   " live_estimate_ms = $6, held_until = $7"
		   " WHERE id = $1 AND NOT (head = $2 AND buttons = $3 AND live_run = $4"
		   " AND live_since = $5 AND live_estimate_ms = $6)",
		   DB_I64(id), DB_TEXT(w.head), DB_TEXT(buf_text(&w.buttons)),
		   DB_I64(message->live_run), DB_I64(message->live_since),
		   DB_I64(message->live_estimate_ms), DB_I64(message->held_until)) &&
	    tx_changed(tx) > 0;
}

void
row_message_change(struct tx *tx, int64_t id, const struct message *message)
{
	CLEANUP(message_done) struct message before = { 0 };

	if (id == 0)
		return;
	row_message_get(tx, id, &before);
	if (!write_news(tx, id, message))
		return;
	if (before.remote_id != 0 &&
	    (message->is_closing || takes_buttons(&before.buttons, &message->buttons)))
		row_effect_close(tx, id);
	else
		row_effect_send(tx, id);
}

void
row_message_hush(struct tx *tx, int64_t id)
{
	(void)tx_say(tx,
	    "UPDATE message SET rings = MAX(0, rings - 1), is_silent = 1"
	    " WHERE id = $1 AND remote_id = 0 AND is_silent = 0 AND is_alarm = 0",
	    DB_I64(id)); /* sticky */
	if (tx_changed(tx) > 0)
		row_effect_send(tx, id); /* whoever has it in hand */
}

/* What was not sent yet has rung for nobody: it is one sound. */
void
row_message_renew(struct tx *tx, int64_t id, const struct message *message)
{
	if (id == 0)
		return;
	(void)write_news(tx, id, message);
	(void)tx_say(tx,
	    "UPDATE message SET at = $2, is_silent = $3, reply_to = $4, reply_row = 0,"
	    " rings_for = CASE WHEN $5 <> 0 THEN $5 ELSE rings_for END,"
	    " rings = rings + CASE WHEN $6 <> 0 AND NOT (remote_id = 0 AND is_silent = 0"
	    " AND rings > 0) THEN 1 ELSE 0 END,"
	    " is_answer = 0, is_alarm = $7, held_until = 0,"
	    " was_id = CASE WHEN remote_id <> 0 THEN remote_id ELSE was_id END, remote_id = 0"
	    " WHERE id = $1",
	    DB_I64(id), DB_I64(tx->at), DB_I64(message->is_silent), DB_I64(message->reply_to),
	    DB_I64(message->rings_for), DB_I64(rings(message)),
	    DB_I64(message->is_alarm)); /* sticky */
	(void)tx_say(tx, "UPDATE message SET anew = $2 WHERE id = $1", DB_I64(id),
	    DB_I64(row_effect_send_anew(tx, id))); /* sticky */
}

void
row_message_is_looked_at(struct tx *tx, int64_t id)
{
	(void)tx_say(tx, "UPDATE message SET is_answer = 1 WHERE id = $1 AND remote_id <> 0",
	    DB_I64(id)); /* sticky */
}

bool
row_message_is_sent(struct tx *tx, int64_t id)
{
	return tx_number(tx, "SELECT remote_id FROM message WHERE id = $1", DB_I64(id)) != 0;
}

int64_t
row_message_count_rings(struct tx *tx, int64_t deployment, int64_t chat)
{
	return tx_number(tx,
	    "SELECT COALESCE(SUM(rings), 0) FROM message WHERE rings_for = $1 AND rings_for <> 0"
	    " AND chat = $2",
	    DB_I64(deployment), DB_I64(chat));
}

void
row_message_names_head(struct tx *tx, int64_t id)
{
	char head[LIMIT_AUDIT_HEAD];
	int64_t newest = row_audit_newest(tx, head);

	(void)tx_say(tx, "UPDATE message SET audit_head = $2, audit_seq = $3 WHERE id = $1",
	    DB_I64(id), DB_TEXT(head), DB_I64(newest)); /* sticky */
}

size_t
row_message_named_in(struct tx *tx, int64_t behind, int64_t after, int64_t ret[ROW_MESSAGE_CHATS])
{
	return tx_read(tx, tx_read_number, ret, ROW_MESSAGE_CHATS,
	    "SELECT DISTINCT chat FROM message INDEXED BY message_audit WHERE audit_seq > $1 AND audit_seq > 0"
	    " AND chat > $2 AND chat <> 0 ORDER BY chat LIMIT $3",
	    DB_I64(behind), DB_I64(after), DB_I64(ROW_MESSAGE_CHATS));
}

/* Has it been said anew since the effect with this result?  Then that is of the copy before. */
static bool
is_of_before(struct tx *tx, int64_t id)
{
	int64_t anew = tx_number(tx, "SELECT anew FROM message WHERE id = $1", DB_I64(id));

	return tx->effect != NULL && tx->effect->id != 0 && anew > tx->effect->id;
}

/* That copy goes, where the message stands below. */
static void
delete_copy(struct tx *tx, int64_t id, int64_t chat, int64_t remote_id)
{
	struct effect effect = { .kind = EFFECT_DELETE_MESSAGE, .subject = id };

	effect.u.delete_message = (struct effect_delete_message){ chat, remote_id };
	if (remote_id != 0)
		(void)row_effect_order(tx, &effect);
}

/* It was sent while it was asked to be said anew, or is a late edit: of two copies the newer one
 * stays until that is done. */
static void
note_copy(struct tx *tx, int64_t id, int64_t chat, int64_t remote_id, int64_t was_id)
{
	int64_t now = tx_number(tx, "SELECT remote_id FROM message WHERE id = $1 AND chat = $2",
	    DB_I64(id), DB_I64(chat));
	int64_t newer = remote_id > was_id ? remote_id : was_id;

	if (now == remote_id) /* it could not be sent anew, or this edited the newer one */
		return;
	if (now != 0) {
		delete_copy(tx, id, chat, remote_id);
		return;
	}
	if (was_id != remote_id)
		delete_copy(tx, id, chat, was_id < remote_id ? was_id : remote_id);
	(void)tx_say(tx,
	    "UPDATE message SET was_id = $3 WHERE id = $1 AND chat = $2 AND remote_id = 0",
	    DB_I64(id), DB_I64(chat), DB_I64(newer)); /* sticky */
}

void
row_message_refused(struct tx *tx, int64_t id)
{
	if (is_of_before(tx, id))
		return;
	(void)tx_say(tx,
	    "UPDATE message SET remote_id = was_id, was_id = 0 WHERE id = $1 AND was_id <> 0",
	    DB_I64(id)); /* sticky */
	if (tx_changed(tx) > 0)
		row_effect_send(tx, id);
}

struct copies {
	int64_t now, was;
};
TX_READER(read_copies, struct copies, TX_I64(now), TX_I64(was))

void
row_message_sent(struct tx *tx, int64_t id, int64_t chat, int64_t remote_id)
{
	struct copies is = tx_first(tx, struct copies, read_copies,
	    "SELECT remote_id, was_id FROM message WHERE id = $1 AND chat = $2", DB_I64(id),
	    DB_I64(chat));

	if (is_of_before(tx, id)) {
		if (remote_id != 0)
			note_copy(tx, id, chat, remote_id, is.was);
		return;
	}
	if (remote_id != 0 && is.now > remote_id) { /* by two lanes, both anew */
		delete_copy(tx, id, chat, remote_id);
		row_effect_send(tx, id);
	} else {
		delete_copy(tx, id, chat, is.was);
		(void)tx_say(tx,
		    "UPDATE message SET remote_id = $3, was_id = 0, held_until = 0"
		    " WHERE id = $1 AND chat = $2",
		    DB_I64(id), DB_I64(chat), DB_I64(remote_id)); /* sticky */
	}
	(void)tx_run(tx,
	    "INSERT INTO witness (id, head, seq) SELECT 1, audit_head, audit_seq FROM message"
	    " WHERE id = $1 AND chat = $2 AND audit_head <> '' AND NOT EXISTS"
	    " (SELECT 1 FROM effect WHERE kind = 'say' AND subject = $1)"
	    " ON CONFLICT (id) DO UPDATE SET head = excluded.head, seq = excluded.seq",
	    DB_I64(id), DB_I64(chat)); /* both sticky */
}

#define CATCH_UP_MAX 20 /* of one person; what is older is out of sight */

void
row_message_catch_up(struct tx *tx, int64_t person)
{
	int64_t rows[CATCH_UP_MAX];
	size_t n;

	/* What was to be said anew was not: what stands says it. */
	(void)tx_say(tx,
	    "UPDATE message SET remote_id = was_id, was_id = 0 WHERE remote_id = 0 AND was_id <> 0"
	    " AND id IN (SELECT id FROM message WHERE chat = $1 ORDER BY id DESC LIMIT $2)",
	    DB_I64(person), DB_I64(CATCH_UP_MAX)); /* sticky */
	n = tx_read(tx, tx_read_number, rows, CATCH_UP_MAX,
	    "SELECT id FROM message WHERE chat = $1 AND remote_id <> 0 ORDER BY id DESC LIMIT $2",
	    DB_I64(person), DB_I64(CATCH_UP_MAX));
	for (size_t i = n; i > 0; i--)
		row_effect_send(tx, rows[i - 1]);
}

void
row_message_forget_thread(struct tx *tx, int64_t id)
{
	(void)tx_say(tx, "UPDATE message SET thread = 0 WHERE id = $1", DB_I64(id)); /* sticky */
}

/* --- a chat that moved --- */

static void
move_lane(struct tx *tx, enum effect_kind kind, enum store_lane_part part, int64_t old_chat,
    int64_t new_chat)
{
	char from[STORE_LANE], to[STORE_LANE];

	store_lane_of_chat(from, kind, part, old_chat);
	store_lane_of_chat(to, kind, part, new_chat);
	(void)tx_run(tx, "UPDATE effect SET lane = $2 WHERE lane = $1", DB_TEXT(from),
	    DB_TEXT(to)); /* sticky */
}

/* A document keeps its chat in its body.  The update touches no index that the query walks. */
static void
move_documents(struct tx *tx, int64_t old_chat, int64_t new_chat)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct effect *effect;
	struct err err;

	if (!tx_query(&rows, tx, "SELECT id, body FROM effect WHERE kind = 'document' ORDER BY id"))
		return;
	while (!tx->failed && db_next(&rows)) {
		effect = effect_codec_decode(EFFECT_DOCUMENT, db_col_text(&rows, 1), &err);
		if (effect != NULL && effect->u.document.address.chat == old_chat) {
			effect->u.document.address = (struct chat_address){ .chat = new_chat };
			row_effect_save(tx, db_col_i64(&rows, 0), effect);
		}
		effect_free(effect); /* one that cannot be read is dropped at its turn */
	}
	(void)tx_end(tx, &rows); /* sticky */
}

void
row_message_move_chat(struct tx *tx, int64_t old_chat, int64_t new_chat)
{
	/* The same people get both: what rang for a deployment there already does so for these. */
	(void)tx_say(tx,
	    "UPDATE message SET is_silent = 1, rings_for = 0, rings = 0 WHERE chat = $1"
	    " AND rings_for IN (SELECT n.rings_for FROM message n WHERE n.chat = $2 AND n.rings_for <> 0)",
	    DB_I64(old_chat), DB_I64(new_chat));
	/* One that is pinned there already stays; the next look pins it. */
	(void)tx_run(tx,
	    "DELETE FROM pin WHERE chat = $2 AND EXISTS (SELECT 1 FROM pin WHERE chat = $1)",
	    DB_I64(old_chat), DB_I64(new_chat));
	(void)tx_run(tx, "UPDATE pin SET chat = $2, pinned = 0, tried_at = 0 WHERE chat = $1",
	    DB_I64(old_chat), DB_I64(new_chat));
	/* Old message ids and topics mean nothing in the new chat. */
	(void)tx_say(tx,
	    "UPDATE message SET chat = $2, thread = 0, remote_id = 0, was_id = 0, reply_to = 0"
	    " WHERE chat = $1",
	    DB_I64(old_chat), DB_I64(new_chat));
	(void)tx_say(
	    tx, "UPDATE button SET chat = $2 WHERE chat = $1", DB_I64(old_chat), DB_I64(new_chat));
	(void)tx_run(tx, "UPDATE work SET chat = $2, thread = 0, request = 0 WHERE chat = $1",
	    DB_I64(old_chat), DB_I64(new_chat));
	(void)tx_run(tx, "UPDATE pipeline_red SET chat = $2 WHERE chat = $1", DB_I64(old_chat),
	    DB_I64(new_chat));
	(void)tx_run(tx, "UPDATE hold SET chat = $2, thread = 0, request = 0 WHERE chat = $1",
	    DB_I64(old_chat), DB_I64(new_chat));
	(void)tx_run(tx, "UPDATE cloudflare_zone SET chat = $2, thread = 0 WHERE chat = $1",
	    DB_I64(old_chat), DB_I64(new_chat));
	(void)tx_run(tx, "UPDATE hold SET asked_chat = $2, asked_thread = 0 WHERE asked_chat = $1",
	    DB_I64(old_chat), DB_I64(new_chat)); /* all sticky */
	move_documents(tx, old_chat, new_chat);
	for (int kind = 0; kind < EFFECT_KIND_COUNT; kind++)
		if (effect_columns[kind].lane == EFFECT_LANE_CHAT ||
		    effect_columns[kind].lane == EFFECT_LANE_CALLBACK)
			move_lane(tx, (enum effect_kind)kind, STORE_LANE_REST, old_chat, new_chat);
	for (int part = STORE_LANE_REST + 1; part < STORE_LANE_PARTS; part++)
		move_lane(tx, EFFECT_SEND_MESSAGE, (enum store_lane_part)part, old_chat, new_chat);
	store_lane_touch_all(tx->store);
}
