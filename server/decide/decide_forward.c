/* decide_forward.c - orders what goes to the audit's collectors, and records how far they are.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_forward.h"

#include <inttypes.h>

#include "lib/text.h"
#include "store/row_audit.h"
#include "store/row_effect.h"
#include "store/row_forward.h"
#include "types/settings.h"

#define EVERY_MS      INT64_C(1000)
#define PAUSE_MS      INT64_C(5000)
#define PAUSE_MOST_MS (300 * INT64_C(1000))

/* 1 s; behind failures 5 s, twice as much each time, 5 min at most. */
static int64_t
pause_of(int64_t tries)
{
	int64_t pause = tries == 0 ? EVERY_MS : PAUSE_MS;

	for (int64_t i = 1; i < tries && pause < PAUSE_MOST_MS; i++)
		pause *= 2;
	return pause < PAUSE_MOST_MS ? pause : PAUSE_MOST_MS;
}

static void
order(struct tx *tx, enum forward_to to, struct forward_row *row)
{
	struct effect effect = { .kind = EFFECT_FORWARD };
	struct effect_forward *what = &effect.u.forward;
	char head[LIMIT_AUDIT_HEAD];

	what->to = to;
	what->first = row->sent + 1;
	what->last = row_audit_range(tx, what->first, FORWARD_BATCH, head);
	(void)text_copy(what->place, sizeof(what->place), row->place);
	if (what->last < what->first)
		return;
	row->tried_at = tx->at;
	row->is_out = true;
	row_forward_save(tx, row);
	(void)row_effect_order(tx, &effect);
}

/* What is due goes out; the moment when the next one is, 0: none waits.  A clock that was set back
 * makes nobody wait longer than ever. */
static int64_t
order_due(struct tx *tx, bool at_once)
{
	int64_t next = 0;

	for (enum forward_to to = 0; to < FORWARD_COUNT; to++) {
		struct forward_row row = row_forward_get(tx, to);
		int64_t due = row.tried_at + pause_of(row.tries);

		if (row.place[0] == '\0' || row.is_out || row.sent >= row_audit_newest(tx))
			continue;
		if (at_once || due <= tx->at || due > tx->at + PAUSE_MOST_MS)
			order(tx, to, &row);
		else if (next == 0 || due < next)
			next = due;
	}
	return next;
}

static void
look(struct tx *tx, bool at_once)
{
	int64_t next = order_due(tx, at_once), due = 0;
	int64_t timer = next == 0 ? 0 : row_effect_find_timer(tx, TIMER_FORWARD, &due);

	if (next == 0 || (timer != 0 && due <= next))
		return;
	row_effect_withdraw(tx, timer);
	(void)row_effect_timer(tx, TIMER_FORWARD, "", 0, next);
}

static bool
has_any(const struct settings *settings)
{
	return settings != NULL &&
	    (settings->audit_syslog_server != NULL || settings->audit_journal);
}

void
decide_forward_look(struct tx *tx)
{
	if (has_any(tx->settings) && row_audit_is_written(tx))
		look(tx, false);
}

/* With its row there is a gauge of it. */
void
decide_forward_begin(struct tx *tx)
{
	for (enum forward_to to = 0; to < FORWARD_COUNT; to++) {
		struct forward_row row = row_forward_get(tx, to);

		if (row.place[0] != '\0')
			row_forward_save(tx, &row);
	}
	if (has_any(tx->settings))
		look(tx, true);
}

void
decide_forward_due(struct tx *tx)
{
	if (has_any(tx->settings))
		look(tx, false);
}

/* Logged when it begins, with each other reason, and when it ends. */
static void
tell(struct tx *tx, const struct effect_forward *sent, const struct forward_row *row,
    const struct forward_answer *answer)
{
	const char *why = answer->detail;
	bool ok = why[0] == '\0';

	if (ok && row->tries > 0)
		tx_log(tx, LOG_LEVEL_INFO, "audit: %s gets entries again, up to %" PRId64 " by now",
		    sent->place, answer->sent);
	else if (!ok && strcmp(row->detail, why) != 0)
		tx_log(tx, LOG_LEVEL_WARNING,
		    "audit: %s has not got entries %" PRId64 " to %" PRId64
		    ": %s; tried again until it has",
		    sent->place, sent->first, sent->last, why);
}

void
decide_forward_answered(
    struct tx *tx, const struct effect_forward *sent, const struct forward_answer *answer)
{
	struct forward_row row = row_forward_of(tx, sent->place);
	char place[FORWARD_PLACE] = "";

	if (tx->settings != NULL)
		forward_place(tx->settings, sent->to, place);
	if (strcmp(place, sent->place) == 0) /* else they do not name it any more */
		tell(tx, sent, &row, answer);
	row.is_out = false;
	if (answer->sent > row.sent && answer->sent <= sent->last)
		row.sent = answer->sent;
	row.tries = answer->detail[0] == '\0' ? 0 : row.tries + 1;
	(void)text_copy(row.detail, sizeof(row.detail), answer->detail);
	row_forward_save(tx, &row);
	if (has_any(tx->settings))
		look(tx, false);
}
