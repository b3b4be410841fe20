/* row_stranger.c - what anybody can repeat: the first is an audit entry, the rest is counted.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_stranger.h"

#include <inttypes.h>

#include "lib/text.h"
#include "store/row_effect.h"
#include "store/store_inside.h"

#define SOON_MS	 INT64_C(60000)
#define WHO_MOST 480 /* bytes behind which nobody is added */

/* One kind, as its row has it. */
struct counted {
	char input[ROW_STRANGER_INPUT];
	char source[16]; /* "telegram", "github": who it came by */
	char action[24]; /* its code */
	char outcome[16];
	char last[48];
	char who[WHO_MOST + 64]; /* each once, the first of them */
	int64_t n;
	int64_t others; /* of n: whose name is not in who */
};

void
row_stranger_wait(struct tx *tx)
{
	int64_t due = tx_number(tx, "SELECT coalesce(min(due), 0) FROM stranger");

	if (due == 0 || row_effect_has_timer(tx, TIMER_STRANGERS))
		return;
	if (due < tx->at + SOON_MS) /* its handler failed, and may fail again */
		due = tx->at + SOON_MS;
	if (due > tx->at + ROW_STRANGER_EVERY_MS) /* the clock was set back */
		due = tx->at + ROW_STRANGER_EVERY_MS;
	(void)row_effect_timer(tx, TIMER_STRANGERS, "", 0, due);
}

void
row_stranger_audit(struct tx *tx, const char *input, int64_t n, const char *last,
    const struct audit_entry *entry, const char *const *meta)
{
	char source[16];

	const struct audit_code_row *row = &audit_code_rows[entry->code];

	text_setf(source, "%.*s", (int)strcspn(entry->user, ":"), entry->user);
	if (!tx_say(tx,
		"UPDATE stranger SET n = n + $2, last = $3,"
		" others = others + CASE WHEN $3 = '' OR (length(who) >= $4 AND"
		" instr(', ' || who || ', ', ', ' || $3 || ', ') = 0) THEN $2 ELSE 0 END,"
		" who = CASE WHEN $3 = '' OR length(who) >= $4 OR"
		" instr(', ' || who || ', ', ', ' || $3 || ', ') > 0 THEN who"
		" WHEN who = '' THEN $3 ELSE who || ', ' || $3 END WHERE input = $1",
		DB_TEXT(input), DB_I64(n), DB_TEXT(last), DB_I64(WHO_MOST)) ||
	    tx_changed(tx) > 0)
		return;
	row_audit_add(tx, entry, meta);
	(void)tx_say(tx,
	    "INSERT INTO stranger (input, source, action, outcome, severity, last, n, due)"
	    " VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
	    DB_TEXT(input), DB_TEXT(source), DB_TEXT(row->code), DB_TEXT(entry->outcome),
	    DB_TEXT(audit_severity_word(row->severity)), DB_TEXT(last),
	    DB_I64(tx->at + ROW_STRANGER_EVERY_MS));
	row_stranger_wait(tx);
}

/* --- each hour --- */

TX_READER(read_counted, struct counted, TX_TEXT(input), TX_TEXT(source), TX_TEXT(action),
    TX_TEXT(outcome), TX_TEXT(last), TX_I64(n), TX_TEXT(who), TX_I64(others))

/* The first that is due, or nearly so that one timer does for all; false: none. */
static bool
next_due(struct tx *tx, struct counted *ret)
{
	return tx_read(tx, read_counted, ret, 1,
		   "SELECT input, source, action, outcome, last, n, who, others FROM stranger"
		   " WHERE due <= $1 OR due > $2 ORDER BY input LIMIT 1",
		   DB_I64(tx->at + SOON_MS), DB_I64(tx->at + ROW_STRANGER_EVERY_MS)) > 0;
}

static void
audit_counted(struct tx *tx, const struct counted *counted)
{
	enum audit_code code = audit_code_of(counted->action);
	char n[24], others[24];

	text_setf(n, "%" PRId64, counted->n);
	text_setf(others, "%" PRId64, counted->others);
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = code != AUDIT_CODE_COUNT ? code : AUDIT_CODE_DENIED,
		.user = counted->source,
		.outcome = counted->outcome,
	    },
	    (const char *const[]){ "reason", "more of the same, counted for an hour", "input",
		counted->input, "count", n, "last", counted->last, "who", counted->who,
		counted->others > 0 ? "by_others" : NULL, others, NULL });
}

void
row_stranger_due(struct tx *tx)
{
	struct counted counted;

	while (next_due(tx, &counted)) {
		if (counted.n == 0) {
			(void)tx_run(tx, "DELETE FROM stranger WHERE input = $1",
			    DB_TEXT(counted.input)); /* sticky */
			continue;
		}
		audit_counted(tx, &counted);
		(void)tx_say(tx,
		    "UPDATE stranger SET n = 0, who = '', others = 0, due = $2 WHERE input = $1",
		    DB_TEXT(counted.input), DB_I64(tx->at + ROW_STRANGER_EVERY_MS)); /* sticky */
	}
	row_stranger_wait(tx);
}
