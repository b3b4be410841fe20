/* Goal: what is audited goes to who collects it, in order, each entry at least once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_forward.h"
#include "decide_aid.h"
#include "lib/text.h"
#include "store/row_audit.h"
#include "store/row_forward.h"

#define SYSLOG	"AUDIT_SYSLOG_SERVER=logs.example:6514"
#define JOURNAL "AUDIT_JOURNAL=true"
#define SECOND	INT64_C(1000)
#define MINUTE	INT64_C(60000)

static void
act_row(struct tx *tx, void *arg)
{
	*(struct forward_row *)arg = row_forward_get(tx, FORWARD_SYSLOG);
}

static struct forward_row
row_of(struct world *w)
{
	struct forward_row row;

	world_act(w, act_row, &row);
	return row;
}

static const struct effect_forward *
out(struct world *w)
{
	struct effect *effect = world_peek(w, EFFECT_FORWARD);

	assert_non_null(effect);
	return &effect->u.forward;
}

static void
all_sent(struct world *w)
{
	world_forwarded(w, out(w)->last, "");
}

WORLD_TEST(nothing_goes_out_that_nobody_collects)
{
	world_writes_entries(w, 3);
	assert_int_equal(world_count(w, EFFECT_FORWARD), 0);
}

WORLD_TEST_OF(entries_go_out_at_once_and_then_those_of_a_second_together, SYSLOG)
{
	int64_t last, at;

	assert_int_equal(out(w)->first, 1); /* the start's own */
	assert_true(out(w)->lines[out(w)->size - 1] == '\n');
	last = out(w)->last;
	at = w->aid.at;
	(void)world_text(w, WORLD_ADMIN, "/lock staging 1h a reason");
	assert_int_equal(world_count(w, EFFECT_FORWARD), 1); /* one at a time */
	all_sent(w);
	assert_int_equal(row_of(w).sent, last);
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	world_due(w, TIMER_FORWARD);
	assert_true(w->aid.at >= at + SECOND);
	assert_int_equal(out(w)->first, last + 1);
	assert_int_equal(out(w)->last, last + 2);
	all_sent(w);
	assert_int_equal(row_of(w).sent, last + 2);
	assert_int_equal(world_count(w, EFFECT_FORWARD), 0);
}

WORLD_TEST_OF(what_failed_is_tried_again_from_the_first_that_may_be_missing_later_each_time, SYSLOG)
{
	int64_t at, wait = 0, before = 0;

	world_writes_entries(w, 5);
	all_sent(w); /* the start's */
	world_due(w, TIMER_FORWARD);
	at = w->aid.at;
	world_forwarded(w, 3, "the syslog server: gone");
	for (int i = 0; i < 9; i++) {
		world_due(w, TIMER_FORWARD);
		assert_int_equal(out(w)->first, 4);
		wait = w->aid.at - at;
		assert_true(wait >= before && wait >= 5 * SECOND && wait < 6 * MINUTE);
		at = w->aid.at;
		before = wait;
		world_forwarded(w, 0, "the syslog server: gone");
	}
	assert_true(wait >= 5 * MINUTE);
	assert_int_equal(row_of(w).tries, 10);
	world_due(w, TIMER_FORWARD);
	all_sent(w);
	assert_int_equal(row_of(w).tries, 0);
	assert_string_equal(row_of(w).detail, "");
}

/* What it says of entries that it was not given is nothing. */
WORLD_TEST_OF(an_answer_moves_nothing_behind_what_was_sent_or_before_what_it_has, SYSLOG)
{
	int64_t last;

	world_writes_entries(w, 4);
	last = out(w)->last;
	world_forwarded(w, last + 1, "odd");
	assert_int_equal(row_of(w).sent, 0);
	world_due(w, TIMER_FORWARD);
	all_sent(w);
	world_writes_entries(w, 1);
	if (world_count(w, EFFECT_FORWARD) == 0)
		world_due(w, TIMER_FORWARD);
	world_forwarded(w, 1, "odd");
	assert_true(row_of(w).sent >= last);
}

WORLD_TEST(a_backlog_goes_out_in_small_parts_one_a_second_the_oldest_first)
{
	int64_t last = 0, at = 0, parts = 0;

	world_writes_entries(w, 1500);
	world_settings(w, SYSLOG, NULL);
	world_writes_entries(w, 1);
	for (;;) {
		assert_int_equal(out(w)->first, last + 1);
		assert_true(out(w)->size <= FORWARD_BATCH);
		assert_true(parts == 0 || w->aid.at >= at + SECOND);
		last = out(w)->last;
		at = w->aid.at;
		parts++;
		all_sent(w);
		if (last >= 1501)
			break;
		world_due(w, TIMER_FORWARD);
	}
	assert_true(parts >= 3);
}

WORLD_TEST_OF(two_collectors_are_apart_and_another_server_gets_all_of_it, SYSLOG, JOURNAL)
{
	int64_t sent;

	world_writes_entries(w, 2);
	assert_int_equal(world_count(w, EFFECT_FORWARD), 2);
	assert_int_equal(out(w)->to, FORWARD_SYSLOG);
	world_forwarded(w, 0, "the syslog server: gone");
	assert_int_equal(out(w)->to, FORWARD_JOURNAL);
	assert_int_equal(out(w)->first, 1);
	all_sent(w);
	for (int i = 0; i < 2; i++) { /* each has its own */
		world_due(w, TIMER_FORWARD);
		while (world_count(w, EFFECT_FORWARD) > 0)
			all_sent(w);
	}
	sent = row_of(w).sent;
	assert_true(sent >= 2);

	world_settings(w, "AUDIT_SYSLOG_SERVER=other.example", NULL);
	world_writes_entries(w, 1);
	assert_int_equal(world_count(w, EFFECT_FORWARD), 1);
	assert_string_equal(out(w)->place, "syslog other.example");
	assert_int_equal(out(w)->first, 1);
	all_sent(w);
	world_settings(w, SYSLOG, NULL);
	world_writes_entries(w, 1);
	assert_int_equal(out(w)->first, sent + 1);
}

/* Its answer comes when nobody wants it any more: nothing is ordered, and nothing is lost of it. */
WORLD_TEST_OF(a_collector_that_the_settings_forget_is_left_in_peace, SYSLOG)
{
	int64_t last;

	world_writes_entries(w, 2);
	last = out(w)->last;
	world_settings(w, NULL);
	all_sent(w);
	world_writes_entries(w, 1);
	assert_int_equal(world_count(w, EFFECT_FORWARD), 0);
	world_settings(w, SYSLOG, NULL);
	world_writes_entries(w, 1);
	assert_int_equal(out(w)->first, last + 1);
}

/* The clock was ahead when it was tried last. */
WORLD_TEST_OF(a_clock_that_is_set_back_keeps_nobody_waiting, SYSLOG)
{
	world_writes_entries(w, 1);
	all_sent(w);
	w->aid.at -= 3600 * SECOND;
	(void)world_text(w, WORLD_ADMIN, "/lock staging 1h a reason");
	assert_int_equal(world_count(w, EFFECT_FORWARD), 1);
}
