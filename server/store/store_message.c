/* store_message.c - a message as its row says it, also outside a decision.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"

/* What is not there is "". */
static bool
read_text(const struct json *json, size_t i, char *out, size_t room)
{
	const struct json *text = json_at(json, i);

	return text == NULL || (json_str(text) != NULL && text_copy(out, room, json_str(text)));
}

/* [["label","button"],["label","","to copy"],["label","","","link","app"],…], as row_message.c
 * writes them. */
static bool
read_buttons(const char *text, struct buttons *ret, struct err *err)
{
	CLEANUP(json_freep) struct json *json = json_decode(text, strlen(text), err);

	if (json == NULL)
		return false;
	ret->n = json_count(json);
	if (ret->n > COUNT(ret->at))
		return err_set(err, ERR_INVALID, "message: too many buttons");
	for (size_t i = 0; i < ret->n; i++) {
		const struct json *from = json_at(json, i);
		struct button *button = &ret->at[i];

		if (json_count(from) < 2 ||
		    !read_text(from, 0, button->label, sizeof(button->label)) ||
		    !read_text(from, 1, button->id, sizeof(button->id)) ||
		    !read_text(from, 2, button->copy, sizeof(button->copy)) ||
		    !read_text(from, 3, button->link, sizeof(button->link)))
			return err_set(err, ERR_INVALID, "message: an odd button");
		button->is_web_app = json_at(from, 4) != NULL;
	}
	return true;
}

TX_READER(read_row, struct message, TX_I64(id), TX_I64(address.chat), TX_I64(address.thread),
    TX_I64(remote_id), TX_WORD(head, mem_text), TX_I64(live_run), TX_I64(live_since),
    TX_I64(live_estimate_ms), TX_FLAG(is_silent), TX_I64(reply_to), TX_I64(reply_row),
    TX_I64(rings_for), TX_FLAG(is_answer), TX_FLAG(is_alarm), TX_I64(held_until),
    TX_FLAG(is_pinned))
#define BUTTONS 16 /* the column behind these */

static bool
read_message(const struct db_rows *rows, struct message *ret, struct err *err)
{
	read_row(rows, ret);
	return read_buttons(db_col_text(rows, BUTTONS), &ret->buttons, err);
}

static bool
load(struct db *db, int64_t id, bool with_foot, struct message *ret, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct message message = { 0 };
	bool ok;

	*ret = (struct message){ 0 };
	if (!db_query(&rows, db, err,
		"SELECT id, chat, thread, remote_id, CASE WHEN $2 <> 0 THEN head || foot ELSE head END, live_run, live_since,"
		" live_estimate_ms, is_silent, COALESCE((SELECT remote_id FROM message r"
		" WHERE r.id = m.reply_row AND r.chat = m.chat), reply_to), reply_row, rings_for, is_answer,"
		" is_alarm, held_until, EXISTS (SELECT 1 FROM pin p WHERE p.message = m.id), buttons"
		" FROM message m WHERE id = $1",
		DB_I64(id), DB_I64(with_foot)))
		return false;
	if (db_next(&rows))
		ok = read_message(&rows, &message, err);
	else
		ok = rows.failure == 0 &&
		    err_set(err, ERR_MISSING, "there is no message %lld", (long long)id);
	if (rows.failure != 0)
		ok = db_rows_end(&rows, err);
	if (!ok) {
		message_done(&message);
		return false;
	}
	*ret = message;
	return true;
}

bool
store_message_load(struct db *db, int64_t id, struct message *ret, struct err *err)
{
	return load(db, id, false, ret, err);
}

bool
store_message_show(struct db *db, int64_t id, struct message *ret, struct err *err)
{
	return load(db, id, true, ret, err);
}

#define SET_TWICE "UPDATE message SET foot = $1 WHERE remote_id = 0 AND is_answer = 0"
#define SENT_AGAIN \
	"Sent again after a restart of deploybot: if it stands here twice, only this one is kept up to date."

static const char twice[] = "\n" MARK_ITALIC SENT_AGAIN MARK_ITALIC;

/* Of a lane the head alone was in hand.  An answer may stand twice: it is not kept up to date. */
bool
store_message_mark_twice(struct db *db, struct err *err)
{
	return db_run(db, err,
	    SET_TWICE " AND id IN (SELECT subject FROM effect WHERE id IN"
		      " (SELECT MIN(id) FROM effect WHERE kind = 'say' GROUP BY lane))",
	    DB_TEXT(twice));
}

bool
store_message_mark(struct db *db, int64_t id, struct err *err)
{
	return db_run(db, err, SET_TWICE " AND id = $2", DB_TEXT(twice), DB_I64(id));
}
