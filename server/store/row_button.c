/* row_button.c - the rows behind buttons.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_button.h"

#include "lib/text.h"
#include "store/row_effect.h"
#include "store/store_inside.h"

static const char *const verbs[] = {
#define V(name, row) row,
	BUTTON_VERBS(V)
#undef V
};

void
row_button_add(struct tx *tx, struct button_row *button)
{
	tx_draw_id(tx, button->id);
	button->is_open = true;
	(void)tx_run(tx,
	    "INSERT INTO question (id, verb, deployment, run, chat, asker, wait, closed_at,"
	    " environment) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)",
	    DB_TEXT(button->id), DB_TEXT(verbs[button->verb]), DB_I64(button->deployment),
	    DB_I64(button->run), DB_I64(button->chat), DB_I64(button->requester),
	    DB_I64(button->timer), DB_TEXT(button->environment)); /* sticky */
}

static enum button_verb
verb_of(struct tx *tx, const char *word)
{
	size_t i = text_index(word, verbs, COUNT(verbs));

	if (i < COUNT(verbs))
		return (enum button_verb)i;
	tx_fail(tx, ERR_INVALID, "a question with the unknown verb %s", word);
	return BUTTON_DECLINE;
}

#define COLUMNS "id, verb, deployment, run, chat, asker, wait, closed_at, environment"

/* The first row; id "": there is none. */
#define find(tx, ...) find_values(tx, DB_SQL("SELECT " COLUMNS " FROM question " __VA_ARGS__))
static struct button_row
find_values(struct tx *tx, const char *sql, const struct db_value values[], size_t count)
{
	struct button_row button = { 0 };
	struct db_rows rows = { 0 };

	if (!tx_query_values(&rows, tx, sql, values, count))
		return button;
	if (db_next(&rows)) {
		tx_text(&rows, 0, button.id, sizeof(button.id));
		button.verb = verb_of(tx, db_col_text(&rows, 1));
		button.deployment = db_col_i64(&rows, 2);
		button.run = db_col_i64(&rows, 3);
		button.chat = db_col_i64(&rows, 4);
		button.requester = db_col_i64(&rows, 5);
		button.timer = db_col_i64(&rows, 6);
		button.is_open = db_col_i64(&rows, 7) == 0;
		tx_text(&rows, 8, button.environment, sizeof(button.environment));
	}
	(void)tx_end(tx, &rows); /* sticky */
	return button;
}

struct button_row
row_button_get(struct tx *tx, const char *id)
{
	return find(tx, "WHERE id = $1", DB_TEXT(id));
}

struct button_row
row_button_find(struct tx *tx, int64_t deployment, enum button_verb verb, int64_t run, int64_t chat)
{
	return find(tx,
	    "WHERE deployment = $1 AND verb = $2 AND run = $3 AND chat = $4 AND closed_at = 0"
	    " LIMIT 1",
	    DB_I64(deployment), DB_TEXT(verbs[verb]), DB_I64(run), DB_I64(chat));
}

struct button_row
row_button_find_looked(struct tx *tx, const char *environment, int64_t chat)
{
	return find(tx,
	    "WHERE deployment = 0 AND verb = 'LOOKED' AND environment = $1 AND chat = $2"
	    " AND closed_at = 0 LIMIT 1",
	    DB_TEXT(environment), DB_I64(chat));
}

void
row_button_close_looked(struct tx *tx, const char *environment)
{
	(void)tx_run(tx,
	    "UPDATE question SET closed_at = $2 WHERE deployment = 0 AND verb = 'LOOKED'"
	    " AND environment = $1 AND closed_at = 0",
	    DB_TEXT(environment), DB_I64(tx->at)); /* sticky */
}

void
row_button_set_timer(struct tx *tx, int64_t deployment, int64_t timer)
{
	(void)tx_run(tx,
	    "UPDATE question SET wait = $2 WHERE deployment = $1 AND closed_at = 0"
	    " AND verb IN ('CONFIRM', 'DECLINE')",
	    DB_I64(deployment), DB_I64(timer)); /* sticky */
}

/* Questions that share a deadline: the second withdrawal finds nothing. */
static void
withdraw_timers(struct tx *tx, int64_t deployment, enum button_verb verb)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT DISTINCT wait FROM question WHERE deployment = $1 AND verb = $2"
		" AND closed_at = 0 AND wait <> 0",
		DB_I64(deployment), DB_TEXT(verbs[verb])))
		return;
	while (db_next(&rows))
		row_effect_withdraw(tx, db_col_i64(&rows, 0));
	(void)tx_end(tx, &rows); /* sticky */
}

void
row_button_drop_timer(struct tx *tx, int64_t deployment)
{
	withdraw_timers(tx, deployment, BUTTON_CONFIRM);
}

void
row_button_close(struct tx *tx, int64_t deployment, enum button_verb verb)
{
	withdraw_timers(tx, deployment, verb);
	(void)tx_run(tx,
	    "UPDATE question SET closed_at = $3"
	    " WHERE deployment = $1 AND verb = $2 AND closed_at = 0",
	    DB_I64(deployment), DB_TEXT(verbs[verb]), DB_I64(tx->at)); /* sticky */
}

void
row_button_add_requester(struct tx *tx, int64_t deployment, int64_t person, int64_t message)
{
	(void)tx_run(tx,
	    "INSERT INTO question_requester (deployment, person, message) VALUES ($1, $2, $3)"
	    " ON CONFLICT DO NOTHING",
	    DB_I64(deployment), DB_I64(person), DB_I64(message)); /* sticky */
}

size_t
row_button_list_messages(struct tx *tx, int64_t deployment, int64_t *ret, size_t max)
{
	struct db_rows rows = { 0 };
	size_t n = 0;

	if (!tx_query(&rows, tx,
		"SELECT message FROM question_requester WHERE deployment = $1 AND message <> 0"
		" ORDER BY message LIMIT $2",
		DB_I64(deployment), DB_I64(max)))
		return 0;
	while (n < max && db_next(&rows))
		ret[n++] = db_col_i64(&rows, 0);
	return tx_end(tx, &rows) ? n : 0;
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
	return tx_number(tx, "SELECT COUNT(*) FROM question_requester WHERE deployment = $1",
		   DB_I64(deployment)) > 0;
}

void
row_button_clear_requesters(struct tx *tx, int64_t deployment)
{
	(void)tx_run(tx, "DELETE FROM question_requester WHERE deployment = $1",
	    DB_I64(deployment)); /* sticky */
}
