/* row_question.c - the rows behind buttons.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_question.h"

#include <string.h>

#include "store/row_effect.h"
#include "store/store_inside.h"

static const char *const verbs[] = {
#define V(name, row) row,
	QUESTION_VERBS(V)
#undef V
};

void
row_question_add(struct tx *tx, struct question *question)
{
	tx_draw_id(tx, question->id);
	question->is_open = true;
	(void)tx_run(tx,
	    "INSERT INTO question (id, verb, deployment, run, chat, asker, wait, closed_at)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
	    DB_TEXT(question->id), DB_TEXT(verbs[question->verb]), DB_I64(question->deployment),
	    DB_I64(question->run), DB_I64(question->chat), DB_I64(question->asker),
	    DB_I64(question->wait)); /* sticky */
}

static enum question_verb
verb_of(struct tx *tx, const char *word)
{
	size_t i = 0;

	while (i < COUNT(verbs) && strcmp(verbs[i], word) != 0)
		i++;
	if (i < COUNT(verbs))
		return (enum question_verb)i;
	tx_fail(tx, ERR_INVALID, "a question with the unknown verb %s", word);
	return QUESTION_DECLINE;
}

#define COLUMNS "id, verb, deployment, run, chat, asker, wait, closed_at"

/* The first row of a query that was begun. */
static struct question
first_of(struct tx *tx, struct db_rows *rows)
{
	struct question question = { 0 };

	if (db_next(rows)) {
		tx_text(rows, 0, question.id, sizeof(question.id));
		question.verb = verb_of(tx, db_col_text(rows, 1));
		question.deployment = db_col_i64(rows, 2);
		question.run = db_col_i64(rows, 3);
		question.chat = db_col_i64(rows, 4);
		question.asker = db_col_i64(rows, 5);
		question.wait = db_col_i64(rows, 6);
		question.is_open = db_col_i64(rows, 7) == 0;
	}
	(void)tx_end(tx, rows); /* sticky */
	return question;
}

struct question
row_question_get(struct tx *tx, const char *id)
{
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx, "SELECT " COLUMNS " FROM question WHERE id = $1", DB_TEXT(id)))
		return (struct question){ 0 };
	return first_of(tx, &rows);
}

struct question
row_question_find(
    struct tx *tx, int64_t deployment, enum question_verb verb, int64_t run, int64_t chat)
{
	struct db_rows rows = { 0 };

	if (!tx_query(&rows, tx,
		"SELECT " COLUMNS " FROM question WHERE deployment = $1 AND verb = $2 AND run = $3"
		" AND chat = $4 AND closed_at = 0 LIMIT 1",
		DB_I64(deployment), DB_TEXT(verbs[verb]), DB_I64(run), DB_I64(chat)))
		return (struct question){ 0 };
	return first_of(tx, &rows);
}

void
row_question_set_wait(struct tx *tx, int64_t deployment, int64_t wait)
{
	(void)tx_run(tx,
	    "UPDATE question SET wait = $2 WHERE deployment = $1 AND closed_at = 0"
	    " AND verb IN ('CONFIRM', 'DECLINE')",
	    DB_I64(deployment), DB_I64(wait)); /* sticky */
}

/* Questions that share a deadline: the second withdrawal finds nothing. */
static void
withdraw_waits(struct tx *tx, int64_t deployment, enum question_verb verb)
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
row_question_close(struct tx *tx, int64_t deployment, enum question_verb verb)
{
	withdraw_waits(tx, deployment, verb);
	(void)tx_run(tx,
	    "UPDATE question SET closed_at = $3"
	    " WHERE deployment = $1 AND verb = $2 AND closed_at = 0",
	    DB_I64(deployment), DB_TEXT(verbs[verb]), DB_I64(tx->at)); /* sticky */
}
