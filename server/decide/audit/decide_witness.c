/* decide_witness.c - orders what goes to the audit's witness, and records what it confirmed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/audit/decide_witness.h"

#include <inttypes.h>

#include "chat/chat_first.h"
#include "decide/hold/decide_hold_change.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "policy/hold.h"
#include "store/row_audit.h"
#include "store/row_effect.h"
#include "store/row_witness.h"
#include "types/settings.h"

#define EVERY_MS      (60 * INT64_C(1000))
#define PAUSE_MOST_MS (300 * INT64_C(1000))
#define TOLD_AT	      2 /* tries that failed in a row: one alone is no news */

static bool
has_witness(const struct tx *tx)
{
	return tx->settings->audit_s3_bucket != NULL;
}

static void
look_at(struct tx *tx, int64_t due)
{
	(void)row_effect_timer(
	    tx, TIMER_WITNESS, "", 0, due > tx->at && due <= tx->at + PAUSE_MOST_MS ? due : tx->at);
}

static bool
is_open(struct tx *tx)
{
	int64_t due;

	return row_effect_find(tx, EFFECT_WITNESS, 0) != 0 ||
	    row_effect_find_timer(tx, TIMER_WITNESS, &due) != 0;
}

/* Before closed files go: a log that begins later is then known to be as it should. */
static void
record_removal(struct tx *tx)
{
	char from[24], to[24], days[24], head[LIMIT_AUDIT_HEAD];
	const char *const facts[] = { "first", from, "last", to, "head", head, "days", days, NULL };
	int64_t first, last = row_witness_removable(tx, &first);
	struct witness_row row;

	if (last == 0 || tx->settings->audit_keep_days == 0)
		return;
	row = row_witness_get(tx);
	if (row.removed >= last || row.confirmed < last)
		return;
	row.removed = last;
	row_witness_save(tx, &row);
	row_audit_head_of(tx, last, head);
	text_setf(from, "%" PRId64, first);
	text_setf(to, "%" PRId64, last);
	text_setf(days, "%d", tx->settings->audit_keep_days);
	decide_audit(tx, AUDIT_CODE_FILES_REMOVED, "system", NULL, "ok", facts);
}

void
decide_witness_look(struct tx *tx)
{
	if (tx->settings != NULL && has_witness(tx))
		record_removal(tx);
	if (tx->settings != NULL && has_witness(tx) && row_audit_is_written(tx) && !is_open(tx))
		look_at(tx, row_witness_get(tx).ordered_at + EVERY_MS);
}

/* With its row there is a gauge of it. */
void
decide_witness_begin(struct tx *tx)
{
	struct witness_row row;
	int64_t due;

	row_effect_withdraw(tx, row_effect_find_timer(tx, TIMER_WITNESS, &due));
	if (!has_witness(tx))
		return;
	row = row_witness_get(tx);
	row_witness_save(tx, &row);
	if (row.confirmed < row_audit_newest(tx, NULL) &&
	    row_effect_find(tx, EFFECT_WITNESS, 0) == 0)
		look_at(tx, tx->at);
}

/* What may be there already is sent once more under its name; else all that fits. */
static void
order(struct tx *tx, struct witness_row *row)
{
	struct effect effect = { .kind = EFFECT_WITNESS };
	struct effect_witness *what = &effect.u.witness;

	what->first = row->confirmed + 1;
	text_set(what->place, row->place);
	what->is_repeated = row->last != 0;
	what->last = row->last;
	text_set(what->head, row->last_head);
	if (!what->is_repeated)
		what->last = row_audit_range(tx, what->first, WITNESS_OBJECT_MAX, what->head);
	row->ordered_at = tx->at;
	row_witness_save(tx, row);
	if (what->last >= what->first)
		(void)row_effect_order(tx, &effect);
}

void
decide_witness_due(struct tx *tx)
{
	struct witness_row row = row_witness_get(tx);

	if (has_witness(tx) && row_effect_find(tx, EFFECT_WITNESS, 0) == 0 &&
	    row.confirmed < row_audit_newest(tx, NULL))
		order(tx, &row);
}

/* --- what is said --- */

static void
audit(struct tx *tx, enum audit_code code, const char *outcome, const struct witness_row *row,
    const char *detail)
{
	char number[24];
	const char *const facts[] = { "witness", row->place, "confirmed", number,
		detail[0] != '\0' ? "reason" : NULL, detail, NULL };

	text_setf(number, "%" PRId64, row->confirmed);
	decide_audit(tx, code, "system", NULL, outcome, facts);
}

static void
say(struct tx *tx, bool is_late, const struct witness_row *row)
{
	const struct chat_address home = { .chat = tx->settings->telegram_chat_id };
	char age[TEXT_DURATION_SIZE];
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first_held(&text, is_late ? FIRST_NOTHING_STARTS : FIRST_ALL_GOES_ON, HOLD_ALL);
	if (is_late) {
		chat_text_add(&text,
		    ", the audit log's copy is late\nIt is %s behind. Until it is confirmed nothing new is deployed and no action is run; rollbacks, /cancel, locks and emergencies still work.",
		    text_duration(age, row_witness_lag(tx)));
		chat_text_outside(&text, "\nReason: ", row->detail);
	} else {
		chat_text_add(
		    &text, ", the audit log's copy is complete. Queued pushes start now.");
	}
	(void)decide_send(tx, &home, &text);
}

/* Whether something new may start has changed?  It may have been late between two answers, said by
 * nobody: what began to wait then is looked at too. */
static void
look_at_late(struct tx *tx, struct witness_row *row)
{
	bool is_late = row_witness_is_late(tx), has_changed = is_late != row->is_late;

	if (has_changed) {
		row->is_late = is_late;
		row_witness_save(tx, row);
		say(tx, is_late, row);
	}
	if (has_changed || tx->settings->audit_witness_max_ms != 0)
		decide_holds_look(tx);
}

/* --- what came of it --- */

static void
confirmed(struct tx *tx, struct witness_row *row, const struct effect_witness *sent)
{
	bool was_lost = row->tries >= TOLD_AT;

	row->confirmed = sent->last;
	text_set(row->head, sent->head);
	row->confirmed_at = tx->at;
	row->last = 0;
	row->last_head[0] = '\0';
	row->tries = 0;
	row->failing_since = 0;
	row->detail[0] = '\0';
	row_witness_save(tx, row);
	if (was_lost) {
		tx_log(tx, LOG_LEVEL_INFO,
		    "the audit's witness confirms again, up to entry %" PRId64, row->confirmed);
		audit(tx, AUDIT_CODE_WITNESS_BACK, "ok", row, "");
	}
}

/* 60 s, twice as much each time, 5 min at most. */
static int64_t
pause_of(int64_t tries)
{
	int64_t pause = EVERY_MS;

	for (int64_t i = 1; i < tries && pause < PAUSE_MOST_MS; i++)
		pause *= 2;
	return pause < PAUSE_MOST_MS ? pause : PAUSE_MOST_MS;
}

static void
failed(struct tx *tx, struct witness_row *row, const struct effect_witness *sent,
    const struct witness_answer *answer)
{
	row->tries++;
	if (row->failing_since == 0)
		row->failing_since = tx->at;
	if (answer->verdict == WITNESS_UNKNOWN) {
		row->last = sent->last;
		text_set(row->last_head, sent->head);
	}
	text_set(row->detail, answer->detail);
	row_witness_save(tx, row);
	tx_log(tx, LOG_LEVEL_WARNING,
	    "the audit's witness has not confirmed entries %" PRId64 " to %" PRId64 ": %s",
	    sent->first, sent->last, answer->detail);
	/* An entry more, and the next object has another name. */
	if (answer->verdict == WITNESS_TAKEN)
		audit(tx, AUDIT_CODE_WITNESS_TAKEN, "failed", row, answer->detail);
	else if (row->tries == TOLD_AT)
		audit(tx, AUDIT_CODE_WITNESS_LOST, "failed", row, answer->detail);
}

void
decide_witness_answered(
    struct tx *tx, const struct effect_witness *sent, const struct witness_answer *answer)
{
	struct witness_row row = row_witness_of(tx, sent->place);
	bool is_ours = sent->first == row.confirmed + 1;
	struct witness_row now;

	if (is_ours && answer->verdict == WITNESS_CONFIRMED)
		confirmed(tx, &row, sent);
	else if (is_ours)
		failed(tx, &row, sent, answer);
	if (!has_witness(tx))
		return;
	now = row_witness_get(tx); /* the settings may name another by now */
	look_at_late(tx, &now);
	if (now.confirmed >= row_audit_newest(tx, NULL))
		return;
	if (now.tries > 0)
		look_at(tx, tx->at + pause_of(now.tries));
	else if (row_witness_lag(tx) > tx->at - now.ordered_at)
		order(tx, &now); /* a backlog: it was there already, and did not fit */
	else
		look_at(tx, now.ordered_at + EVERY_MS);
}
