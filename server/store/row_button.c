/* row_button.c - the rows behind buttons.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_button.h"

#include "lib/text.h"
#include "store/row_effect.h"
#include "store/store_inside.h"

void
row_button_add(struct tx *tx, struct button_row *button)
{
	const struct request *request = &button->request;

	tx_draw_id(tx, button->id);
	button->is_open = true;
	(void)tx_say(tx,
	    "INSERT INTO button (id, chat, person, action, target, arguments, is_once, message,"
	    " timer, expires_at, closed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)",
	    DB_TEXT(button->id), DB_I64(button->chat), DB_I64(button->person),
	    DB_TEXT(request->action), DB_TEXT(request->target), DB_TEXT(request->arguments),
	    DB_I64(button->is_once), DB_I64(button->message), DB_I64(button->timer),
	    DB_I64(button->expires_at)); /* sticky */
}

void
row_button_show(
    struct tx *tx, struct button_row *button, const char *label, struct buttons *keyboard)
{
	struct button *shown = &keyboard->at[keyboard->n];

	if (button->chat == 0)
		return; /* without a chat nobody could press it */
	if (keyboard->n == COUNT(keyboard->at)) {
		tx_log(tx, LOG_LEVEL_ERROR, "button %s of %s: its message has %zu already",
		    button->request.action, button->request.target, COUNT(keyboard->at));
		return;
	}
	if (button->id[0] == '\0')
		row_button_add(tx, button);
	text_set(shown->label, label);
	text_set(shown->id, button->id);
	keyboard->n++;
}

#define COLUMNS \
	"id, chat, person, action, target, arguments, is_once, message, timer, expires_at," \
	" closed_at = 0"

/* As if it did not expire. */
TX_READER(read_button, struct button_row, TX_TEXT(id), TX_I64(chat), TX_I64(person),
    TX_TEXT(request.action), TX_TEXT(request.target), TX_TEXT(request.arguments), TX_FLAG(is_once),
    TX_I64(message), TX_I64(timer), TX_I64(expires_at), TX_FLAG(is_open))

/* The first row; id "": there is none. */
#define find(tx, ...) find_sql(tx, DB_SQL("SELECT " COLUMNS " FROM button " __VA_ARGS__))
static struct button_row
find_sql(struct tx *tx, const struct db_sql *sql)
{
	struct button_row button = { 0 };

	(void)tx_read_sql(tx, read_button, &button, sizeof(button), 1, sql);
	button.request.message = button.message;
	button.is_open &= button.expires_at == 0 || button.expires_at > tx->at;
	return button;
}

struct button_row
row_button_get(struct tx *tx, const char *id)
{
	return find(tx, "WHERE id = $1", DB_TEXT(id));
}

struct button_row
row_button_find(struct tx *tx, const struct request *request, int64_t chat)
{
	return find(tx,
	    "WHERE target = $1 AND action = $2 AND arguments = $3 AND chat = $4 AND message = 0"
	    " AND closed_at = 0 LIMIT 1",
	    DB_TEXT(request->target), DB_TEXT(request->action), DB_TEXT(request->arguments),
	    DB_I64(chat));
}

struct button_row
row_button_find_in(struct tx *tx, const struct request *request, int64_t message)
{
	return find(tx,
	    "WHERE message = $1 AND message <> 0 AND action = $2 AND target = $3"
	    " AND arguments = $4 AND closed_at = 0 LIMIT 1",
	    DB_I64(message), DB_TEXT(request->action), DB_TEXT(request->target),
	    DB_TEXT(request->arguments));
}

void
row_button_show_for(struct tx *tx, const struct request *request, int64_t chat, int64_t expires_at,
    const char *label, struct buttons *keyboard)
{
	struct button_row row = row_button_find(tx, request, chat);

	if (!row.is_open)
		row = (struct button_row){
			.request = *request, .chat = chat, .expires_at = expires_at
		};
	row_button_show(tx, &row, label, keyboard);
}

struct button_row
row_button_replied(struct tx *tx, int64_t chat, int64_t remote_id)
{
	return find(tx,
	    "INDEXED BY button_reply WHERE (action = 'override' OR action = 'reject') AND closed_at = 0 AND chat = $1 AND EXISTS (SELECT 1 FROM message m WHERE m.id = button.message AND m.chat = $1 AND m.remote_id = $2)",
	    DB_I64(chat), DB_I64(remote_id));
}

void
row_button_set_message(struct tx *tx, const struct buttons *keyboard, int64_t message)
{
	for (size_t i = 0; i < keyboard->n; i++)
		(void)tx_say(tx, "UPDATE button SET message = $2 WHERE id = $1",
		    DB_TEXT(keyboard->at[i].id), DB_I64(message)); /* sticky */
}

void
row_button_set_effect(struct tx *tx, int64_t message, int64_t effect)
{
	(void)tx_say(tx, "UPDATE button SET timer = $2 WHERE message = $1 AND message <> 0",
	    DB_I64(message), DB_I64(effect)); /* sticky */
}

/* Buttons that share a deadline: the second withdrawal finds nothing.  All actions of a target are
 * read at once: whoever closes one closes others. */
#define withdraw(tx, action, ...) \
	withdraw_sql( \
	    tx, action, DB_SQL("SELECT DISTINCT timer, action FROM button WHERE " __VA_ARGS__))
static void
withdraw_sql(struct tx *tx, const char *action, const struct db_sql *sql)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!tx_query_sql(&rows, tx, sql))
		return;
	while (db_next(&rows))
		if (action == NULL || strcmp(db_col_text(&rows, 1), action) == 0)
			row_effect_withdraw(tx, db_col_i64(&rows, 0));
	(void)tx_end(tx, &rows); /* sticky */
}

void
row_button_close_keyboard(struct tx *tx, int64_t message)
{
	withdraw(tx, NULL, "message = $1 AND message <> 0 AND closed_at = 0 AND timer <> 0",
	    DB_I64(message));
	(void)tx_say(tx,
	    "UPDATE button SET closed_at = $2 WHERE message = $1 AND message <> 0"
	    " AND closed_at = 0",
	    DB_I64(message), DB_I64(tx->at)); /* sticky */
}

void
row_button_close(struct tx *tx, const char *action, const char *target)
{
	withdraw(tx, action, "target = $1 AND closed_at = 0 AND timer <> 0", DB_TEXT(target));
	(void)tx_say(tx,
	    "UPDATE button SET closed_at = $3 WHERE target = $1 AND action = $2"
	    " AND closed_at = 0",
	    DB_TEXT(target), DB_TEXT(action), DB_I64(tx->at)); /* sticky */
}

void
row_button_close_approval(struct tx *tx, int64_t work)
{
	(void)tx_say(tx,
	    "UPDATE button SET closed_at = $2 WHERE target = 'work/' || $1"
	    " AND action IN ('approve', 'reject') AND arguments = '' AND closed_at = 0",
	    DB_I64(work), DB_I64(tx->at)); /* sticky */
}

size_t
row_button_list_open(
    struct tx *tx, const char *action, const char *target, int64_t *ret, size_t max)
{
	return tx_read(tx, tx_read_number, ret, max,
	    "SELECT DISTINCT message FROM button WHERE target = $1 AND action = $2"
	    " AND closed_at = 0 AND message <> 0 ORDER BY message DESC LIMIT $3",
	    DB_TEXT(target), DB_TEXT(action), DB_I64(max));
}

void
row_button_close_yes(struct tx *tx, int64_t deployment)
{
	row_effect_withdraw(tx, row_effect_timer_of(tx, TIMER_QUESTION, deployment));
	(void)tx_say(tx,
	    "UPDATE button SET closed_at = $2 WHERE target = 'work/' || $1 AND action = 'confirm'"
	    " AND arguments = 'answer=yes' AND closed_at = 0",
	    DB_I64(deployment), DB_I64(tx->at)); /* sticky */
}

void
row_button_close_question(struct tx *tx, int64_t deployment)
{
	const struct request question = request_about("confirm", "work", deployment);

	row_effect_withdraw(tx, row_effect_timer_of(tx, TIMER_QUESTION, deployment));
	row_button_close(tx, question.action, question.target);
}

void
row_button_add_requester(struct tx *tx, int64_t deployment, int64_t person, int64_t message)
{
	(void)tx_run(tx,
	    "INSERT INTO question_requester (deployment, person, message) VALUES ($1, $2, $3)"
	    " ON CONFLICT DO NOTHING",
	    DB_I64(deployment), DB_I64(person), DB_I64(message)); /* sticky */
}

void
row_button_move_message(struct tx *tx, int64_t deployment, int64_t from, int64_t to)
{
	(void)tx_run(tx,
	    "UPDATE question_requester SET message = $3 WHERE deployment = $1 AND message = $2",
	    DB_I64(deployment), DB_I64(from), DB_I64(to)); /* sticky */
}

size_t
row_button_list_messages(struct tx *tx, int64_t deployment, int64_t *ret, size_t max)
{
	return tx_read(tx, tx_read_number, ret, max,
	    "SELECT message FROM question_requester WHERE deployment = $1 AND message <> 0"
	    " ORDER BY message LIMIT $2",
	    DB_I64(deployment), DB_I64(max));
}

size_t
row_button_list_requesters(struct tx *tx, int64_t deployment, int64_t *ret, size_t max)
{
	return tx_read(tx, tx_read_number, ret, max,
	    "SELECT person FROM question_requester WHERE deployment = $1 AND person <> 0 LIMIT $2",
	    DB_I64(deployment), DB_I64(max));
}

bool
row_button_is_requester(struct tx *tx, int64_t deployment, int64_t person)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM question_requester WHERE deployment = $1 AND person = $2",
		   DB_I64(deployment), DB_I64(person)) > 0;
}

bool
row_button_is_shared(struct tx *tx, int64_t deployment)
{
	return deployment != 0 &&
	    tx_number(tx, "SELECT COUNT(*) FROM question_requester WHERE deployment = $1",
		DB_I64(deployment)) > 0;
}

void
row_button_clear_requesters(struct tx *tx, int64_t deployment)
{
	(void)tx_run(tx, "DELETE FROM question_requester WHERE deployment = $1",
	    DB_I64(deployment)); /* sticky */
}
