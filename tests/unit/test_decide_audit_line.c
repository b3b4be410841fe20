/* Goal: each chat that was told an end gets one line a day: an entry and its digits.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/row_audit.h"
#include "store/row_effect.h"
#include "store/row_message.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))

static size_t
count(const struct world *w, int64_t chat)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += (chat == 0 || w->screen[i].chat == chat) &&
		    text_starts(w->screen[i].text, "Audit log of ");
	return n;
}

struct head {
	int64_t seq;
	char digits[LIMIT_AUDIT_HEAD];
};

static void
act_head(struct tx *tx, void *arg)
{
	struct head *head = arg;

	head->seq = row_audit_newest(tx, head->digits);
}

static void
act_timers(struct tx *tx, void *arg)
{
	*(int64_t *)arg = row_effect_has_timer(tx, TIMER_AUDIT_LINE);
}

static int64_t
timers(struct world *w)
{
	int64_t n;

	world_act(w, act_timers, &n);
	return n;
}

WORLD_TEST_OF(an_end_brings_its_chat_a_line_when_the_day_is_over, STAGING_URL)
{
	struct head head;
	char line[200];

	w->aid.at += DAY_MS / 2;
	(void)world_text(w, WORLD_ADMIN, "/help");
	assert_int_equal(timers(w), 0); /* nothing has ended */
	world_deploy_starts(w, COMMIT_A);
	assert_int_equal(timers(w), 0);
	world_run_releases(w, GOOD);
	world_probed(w, NULL);
	assert_int_equal(timers(w), 1);
	assert_int_equal(count(w, 0), 0);
	world_act(w, act_head, &head);
	world_due(w, TIMER_AUDIT_LINE);
	assert_int_equal(w->aid.at % DAY_MS < 60000, true); /* midnight, UTC */
	(void)snprintf(line, sizeof(line),
	    "Audit log of 2026-01-01: entry %lld, audit %s. While deploybot audit verify finds these digits, nothing before them was changed.",
	    (long long)head.seq, head.digits);
	assert_string_equal(world_plain(world_says_in(w, WORLD_GROUP, "Audit log of")), line);
	assert_true(world_says_in(w, WORLD_GROUP, "Audit log of")->is_silent);
	assert_int_equal(count(w, 0), count(w, WORLD_GROUP) + count(w, WORLD_TEAM));
	assert_int_equal(timers(w), 0);
}

/* Neither that line nor what ended before it brings another one. */
WORLD_TEST_OF(without_an_end_there_is_no_line, STAGING_URL)
{
	size_t before;

	world_deploy_goes_live(w, COMMIT_A);
	world_due(w, TIMER_AUDIT_LINE);
	before = count(w, 0);
	assert_true(before > 0);
	(void)world_text(w, WORLD_STRANGER, "/deploy staging");
	assert_int_equal(timers(w), 0);
	w->aid.at += DAY_MS;
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_int_equal(count(w, 0), before);
	world_deploy_goes_live(w, COMMIT_B);
	world_due(w, TIMER_AUDIT_LINE);
	assert_true(count(w, 0) > before);
}

/* Only who was told an end: in private, too. */
WORLD_TEST_OF(it_goes_to_whoever_was_told_an_end, STAGING_URL)
{
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/help");
	world_asks_in(w, WORLD_ADMIN, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	(void)world_run_starts(w);
	world_run_releases(w, GOOD);
	world_probed(w, NULL);
	world_due(w, TIMER_AUDIT_LINE);
	assert_int_equal(count(w, WORLD_ADMIN), 1);
	assert_int_equal(count(w, WORLD_OTHER_ADMIN), 0);
	assert_int_equal(count(w, WORLD_GROUP), 0);
}

/* The server was stopped over midnight: at the next start it is said, of all since. */
WORLD_TEST_OF(a_line_that_is_late_is_sent_once, STAGING_URL)
{
	world_deploy_goes_live(w, COMMIT_A);
	w->aid.at += 3 * DAY_MS;
	world_restart(w);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	world_due(w, TIMER_AUDIT_LINE);
	assert_int_equal(count(w, WORLD_GROUP) + count(w, WORLD_TEAM), count(w, 0));
	assert_true(count(w, 0) >= 1);
	assert_int_equal(timers(w), 0);
}

static void
act_many(struct tx *tx, void *arg)
{
	for (int64_t chat = 1; chat <= *(int *)arg; chat++)
		row_message_names_head(tx,
		    row_message_add(tx,
			&(struct message){
			    .address.chat = 5000 + chat, .is_silent = true, .head = "x" }));
}

WORLD_TEST_OF(each_of_many_chats_gets_one_line, STAGING_URL)
{
	int chats = 2 * ROW_MESSAGE_CHATS + 1;

	(void)world_text(w, WORLD_STRANGER, "/deploy staging");
	world_act(w, act_many, &chats);
	world_act(w, act_many, &chats);
	world_deploy_goes_live(w, COMMIT_A);
	world_due(w, TIMER_AUDIT_LINE);
	for (int64_t chat = 1; chat <= chats; chat++)
		assert_int_equal(count(w, 5000 + chat), 1);
}

/* Whoever cuts off the end would else keep the chats from their next lines. */
WORLD_TEST_OF(behind_a_cut_the_lines_go_on, STAGING_URL)
{
	size_t before;

	world_deploy_goes_live(w, COMMIT_A);
	world_due(w, TIMER_AUDIT_LINE);
	before = count(w, WORLD_GROUP);
	assert_true(before > 0);
	world_rewrite(w, "DELETE FROM audit WHERE seq > 1;");
	w->aid.at += DAY_MS;
	world_deploy_goes_live(w, COMMIT_B);
	world_due(w, TIMER_AUDIT_LINE);
	assert_true(count(w, WORLD_GROUP) > before);
}
